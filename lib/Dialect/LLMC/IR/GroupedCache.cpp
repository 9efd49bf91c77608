//===- GroupedCache.cpp - grouped integers as an encoding of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `#llmc.grouped` with codes on both sides of zero alike: what is stored of a head while a model
// runs. With s = max|x| / (2^(bits−1) − 1) of a group, rounded to the type of scales, the code of x
// is round(x / s) + 2^(bits−1).
//
//===----------------------------------------------------------------------===//

#include "CacheEncodings.h"

using namespace mlir;
using namespace llmc;

namespace {

struct GroupedCache : CacheEncodingInterface::ExternalModel<GroupedCache, GroupedAttr> {
  DecodeBuilder::Operands encode(Attribute attribute, EncodeBuilder &b,
                                 DecodeBuilder::Operand number) const {
    auto grouped = cast<GroupedAttr>(attribute);
    int32_t zero = 1 << (grouped.getBits() - 1), most = zero - 1;
    DecodeBuilder::Operand scale = b.divide(b.largest(b.absolute(number)), b.real(most));
    scale = b.roundTo(scale, grouped.getScale());
    // A scale that is rounded down leaves the largest number beyond the last code. Where the scale
    // is zero, so is what any code stands for.
    DecodeBuilder::Operand code = b.roundToInteger(b.divide(number, scale), -most, most);
    return {b.subtract(code, b.integer(-zero)), scale};
  }

  // The one that a model gives replaces the default of the interface.
  // NOLINTNEXTLINE(bugprone-derived-method-shadowing-base-method)
  LogicalResult verifyHeadSize(Attribute attribute, int64_t,
                               function_ref<InFlightDiagnostic()> emitError) const {
    if (cast<GroupedAttr>(attribute).getZero() != ZeroPoint::None)
      return emitError() << "expected 'zero = none' in a cache encoding, found " << attribute;
    return success();
  }
};

} // namespace

void llmc::attachGroupedCache(MLIRContext *context) {
  GroupedAttr::attachInterface<GroupedCache>(*context);
}
