//===- SmallFloatCache.cpp - floats of a byte as an encoding of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `#llmc.float` as what is stored of a head while a model runs: s = max|x| / the largest number of
// the type, of a group, rounded to the type of scales, and x is stored as x / s, rounded to the
// nearest, half to even, and cut to the largest.
//
//===----------------------------------------------------------------------===//

#include "CacheEncodings.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

using namespace mlir;
using namespace llmc;

namespace {

struct SmallFloatCache : CacheEncodingInterface::ExternalModel<SmallFloatCache, SmallFloatAttr> {
  DecodeBuilder::Operands encode(Attribute attribute, EncodeBuilder &b,
                                 DecodeBuilder::Operand number) const {
    auto floats = cast<SmallFloatAttr>(attribute);
    float largest = SmallFloat::get(floats.getElement())->getLargest();
    DecodeBuilder::Operand scale = b.divide(b.largest(b.absolute(number)), b.real(largest));
    scale = b.roundTo(scale, floats.getScale());
    return {b.divide(number, scale), scale};
  }

  // The one that a model gives replaces the default of the interface.
  // NOLINTNEXTLINE(bugprone-derived-method-shadowing-base-method)
  LogicalResult verifyHeadSize(Attribute attribute, int64_t,
                               function_ref<InFlightDiagnostic()> emitError) const {
    auto floats = cast<SmallFloatAttr>(attribute);
    if (!isa<Float8E4M3FNType, Float8E5M2Type>(floats.getElement()))
      return emitError() << "expected f8E4M3FN or f8E5M2 in a cache encoding, found " << attribute;
    return success();
  }
};

} // namespace

void llmc::attachSmallFloatCache(MLIRContext *context) {
  SmallFloatAttr::attachInterface<SmallFloatCache>(*context);
}
