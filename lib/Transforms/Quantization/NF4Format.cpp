//===- NF4Format.cpp - rounding to 4-bit numbers for normally distributed weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format `nf4`: the largest magnitude of a group is its scale, or what a search finds is.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"
#include "ScaledQuantizer.h"

#include "mlir/IR/Diagnostics.h"

#include <algorithm>
#include <array>
#include <cmath>

using namespace mlir;
using namespace llmc;

/// The code whose number is nearest to `position`.
static unsigned findNearest(float position) {
  // The numbers in the middle between each two that stand side by side.
  static const std::array<float, 15> middles = [] {
    std::array<float, 15> result;
    ArrayRef<float> numbers = NF4Attr::getNumbers();
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = (numbers[i] + numbers[i + 1]) / 2;
    return result;
  }();
  // Counted without branches, which vectorizes.
  unsigned code = 0;
  for (float middle : middles)
    code += middle < position;
  return code;
}

namespace {

struct NF4Numbers {
  static unsigned encode(float position) { return findNearest(position); }
  static float decode(unsigned code) { return NF4Attr::getNumbers()[code]; }
  /// Covers all of a group.
  static float fit(ArrayRef<float> weights) {
    float largest = 0;
    for (float weight : weights)
      largest = std::max(largest, std::fabs(weight));
    return largest;
  }
  /// The numbers are not the same on both sides of zero: scales of both signs are tried.
  static ArrayRef<float> getFactors() {
    static const std::vector<float> factors = [] {
      std::vector<float> result;
      for (int sign : {1, -1})
        for (int percent = 60; percent <= 120; percent += 4)
          result.push_back(static_cast<float>(sign * 0.01 * percent));
      return result;
    }();
    return factors;
  }
};

class NF4Format final : public WeightFormat {
public:
  StringRef getName() const override { return "nf4"; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    auto fail = [&] { return emitError(location); };
    if (options.getWholeBits(4) != 4)
      return fail() << "bits: expected 4 with format=nf4, found " << options.bits->str();
    if (!options.symmetric)
      return fail() << "symmetric: expected symmetric=true with format=nf4, which has no zero "
                       "points, found symmetric=false";
    if (options.group == GroupedAttr::tensorGroup)
      return fail() << "group-size: expected a number or 'channel' with format=nf4, found 'tensor'";
    constexpr int64_t defaultGroup = 64;
    MLIRContext *context = location.getContext();
    auto encoding = NF4Attr::getChecked(fail, context, options.group.value_or(defaultGroup),
                                        options.scale ? options.scale : Float16Type::get(context));
    if (!encoding)
      return failure();
    return EncodingInterface(encoding);
  }

  bool has(EncodingInterface encoding) const override { return isa<NF4Attr>(encoding); }

  std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape,
                                                ArrayRef<float>,
                                                const FitOptions &fit) const override {
    return std::make_unique<ScaledQuantizer<NF4Numbers>>(encoding, shape, fit.search);
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    // What the far end of the numbers is moved by, against half the step that is there.
    float exact = NF4Numbers::fit(weights);
    float rounded = roundToType(cast<NF4Attr>(encoding).getScale(), exact);
    ArrayRef<float> numbers = NF4Attr::getNumbers();
    return std::fabs(rounded - exact) <= exact * (numbers[15] - numbers[14]) / 2;
  }

  EncodingInterface widen(EncodingInterface encoding) const override {
    MLIRContext *context = encoding.getContext();
    return NF4Attr::get(context, cast<NF4Attr>(encoding).getGroup(), Float32Type::get(context));
  }
};

} // namespace

const WeightFormat *llmc::getNF4Format() {
  static const NF4Format format;
  return &format;
}
