//===- GroupedCache.cpp - grouped integers as an encoding of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `#llmc.grouped` as what is stored of a head while a model runs. With codes on both sides of zero
// alike, s = max|x| / (2^(bits−1) − 1) of a group, rounded to the type of scales, and the code of x
// is round(x / s) + 2^(bits−1). With a minimum m, the least of the group, rounded likewise,
// s = (max x − m) / (2^bits − 1), and the code of x is round((x − m) / s).
//
//===----------------------------------------------------------------------===//

#include "CacheEncodings.h"

using namespace mlir;
using namespace llmc;

DecodeBuilder::Operands llmc::encodeAboveMinimum(EncodeBuilder &b, DecodeBuilder::Operand number,
                                                 unsigned bits, Type scaleType) {
  int32_t most = (1 << bits) - 1;
  DecodeBuilder::Operand minus = b.real(-1);
  // The product adds no rounding; + 0 turns a negative zero, which compares equal, into zero.
  DecodeBuilder::Operand least =
      b.multiplyAdd(b.largest(b.multiply(number, minus)), minus, b.real(0));
  least = b.roundTo(least, scaleType);
  DecodeBuilder::Operand range = b.multiplyAdd(least, minus, b.largest(number));
  DecodeBuilder::Operand scale = b.roundTo(b.divide(range, b.real(float(most))), scaleType);
  DecodeBuilder::Operand above = b.multiplyAdd(least, minus, number);
  return {b.roundToInteger(b.divide(above, scale), 0, most), scale, least};
}

namespace {

struct GroupedCache : CacheEncodingInterface::ExternalModel<GroupedCache, GroupedAttr> {
  DecodeBuilder::Operands encode(Attribute attribute, EncodeBuilder &b,
                                 DecodeBuilder::Operand number) const {
    auto grouped = cast<GroupedAttr>(attribute);
    if (grouped.getZero() == ZeroPoint::Float)
      return encodeAboveMinimum(b, number, grouped.getBits(), grouped.getScale());
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
    if (cast<GroupedAttr>(attribute).getZero() == ZeroPoint::Integer)
      return emitError() << "expected 'zero = none' or 'zero = float' in a cache encoding, found "
                         << attribute;
    return success();
  }
};

} // namespace

void llmc::attachGroupedCache(MLIRContext *context) {
  GroupedAttr::attachInterface<GroupedCache>(*context);
}
