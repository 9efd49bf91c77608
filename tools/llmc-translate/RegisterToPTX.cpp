//===- RegisterToPTX.cpp - registers --mlir-to-ptx ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Directions.h"
#include "TargetOptions.h"
#include "llmc/Conversion/EmitPTX/EmitPTX.h"
#include "llmc/Pipelines/Dialects.h"

#include "mlir/Tools/mlir-translate/Translation.h"

using namespace mlir;
using namespace llmc;

static LogicalResult printPTX(ModuleOp module, llvm::raw_ostream &stream) {
  OwningOpRef<ModuleOp> program = planForGPU(module);
  if (!program)
    return failure();
  llvm::Expected<llvm::SmallVector<char, 0>> ptx = emitPTX(*program);
  if (!ptx)
    return report(ptx.takeError());
  stream << llvm::StringRef(ptx->data(), ptx->size());
  return success();
}

void llmc::registerToPTX() {
  registerTargetOptions();
  TranslateFromMLIRRegistration registration(
      "mlir-to-ptx",
      "Generate the kernel of a canonical or planned module for a GPU (--target=cuda[:sm_80 …]) as "
      "PTX",
      [](ModuleOp module, llvm::raw_ostream &stream) { return printPTX(module, stream); },
      insertAllDialects);
}
