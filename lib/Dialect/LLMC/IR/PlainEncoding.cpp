//===- PlainEncoding.cpp - floating-point numbers as an encoding of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `#llmc.plain`, which is described in LLMCAttrs.td.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"

using namespace mlir;
using namespace llmc;

LogicalResult PlainAttr::verify(function_ref<InFlightDiagnostic()> emitError, Type element) {
  if (!element.isF32() && !element.isF16() && !element.isBF16())
    return emitError() << "expected keys and values of f32, f16 or bf16, found " << element;
  return success();
}

LogicalResult PlainAttr::verifyEncoding(ArrayRef<int64_t>, Type,
                                        function_ref<InFlightDiagnostic()> emitError) const {
  return emitError() << "expected an encoding of weights, found " << *this
                     << ", which is one of caches";
}

SmallVector<Plane> PlainAttr::getPlanes(ArrayRef<int64_t>) const {
  return {{"numbers", getElement()}};
}

DecodeBuilder::Operands PlainAttr::decode(DecodeBuilder &,
                                          ArrayRef<DecodeBuilder::Operands> elements) const {
  return {elements[0][0]};
}

DecodeBuilder::Operands PlainAttr::encode(EncodeBuilder &, DecodeBuilder::Operand number) const {
  return {number};
}
