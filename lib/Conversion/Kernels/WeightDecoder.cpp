//===- WeightDecoder.cpp - reading tiled weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightDecoder.h"
#include "llmc/Conversion/Kernels/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace llmc;

#include "llmc/Conversion/Kernels/KernelInterfaces.cpp.inc"

void llmc::loadKernelDialects(MLIRContext *context) {
  context->loadDialect<LLMCDialect, LLVM::LLVMDialect, arith::ArithDialect, scf::SCFDialect,
                       vector::VectorDialect, func::FuncDialect>();
  attachGroupedDecoder(context);
}

std::string llmc::explainUnsupported(RankedTensorType weight) {
  if (!weight.getEncoding() || isa<KernelEncodingInterface>(weight.getEncoding()))
    return "";
  std::string reason;
  llvm::raw_string_ostream(reason)
      << "cannot generate kernels for encoding " << weight.getEncoding();
  return reason;
}

std::unique_ptr<WeightDecoder> llmc::getWeightDecoder(RankedTensorType type) {
  auto encoding = dyn_cast_or_null<KernelEncodingInterface>(type.getEncoding());
  return encoding ? encoding.getDecoder(type.getDimSize(1)) : nullptr;
}

std::string llmc::getWeightName(RankedTensorType type) {
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << type.getDimSize(0) << "x" << type.getDimSize(1) << "_";
  if (std::unique_ptr<WeightDecoder> decoder = getWeightDecoder(type))
    stream << decoder->getName();
  else
    stream << type.getElementType();
  return name;
}
