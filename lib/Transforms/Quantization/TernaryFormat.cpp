//===- TernaryFormat.cpp - rounding to -1, 0 and 1 times a scale ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format `ternary`: the scale is the mean magnitude of a group (Ma et al. 2024, "The era of
// 1-bit LLMs: all large language models are in 1.58 bits", section 2), or what a search finds.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"
#include "ScaledQuantizer.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace llmc;

namespace {

struct TernaryNumbers {
  static unsigned encode(float position) {
    return position > 0.5f    ? TernaryAttr::zeroCode + 1
           : position < -0.5f ? TernaryAttr::zeroCode - 1
                              : TernaryAttr::zeroCode;
  }
  static float decode(unsigned code) {
    return static_cast<float>(static_cast<int>(code) - TernaryAttr::zeroCode);
  }
  static float fit(ArrayRef<float> weights) {
    double sum = 0;
    for (float weight : weights)
      sum += std::fabs(static_cast<double>(weight));
    return weights.empty() ? 0 : static_cast<float>(sum / static_cast<double>(weights.size()));
  }
  static ArrayRef<float> getFactors() {
    static constexpr float factors[] = {0.7f, 0.85f, 1.0f, 1.15f, 1.3f, 1.45f,
                                        1.6f, 1.8f,  2.0f, 2.3f,  2.7f, 3.2f};
    return factors;
  }
};

class TernaryFormat final : public WeightFormat {
public:
  StringRef getName() const override { return "ternary"; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    auto fail = [&] { return emitError(location); };
    if (options.getWholeBits(2) != 2)
      return fail() << "bits: expected 2 with format=ternary, found " << options.bits->str();
    if (!options.symmetric)
      return fail() << "symmetric: expected symmetric=true with format=ternary, which has no zero "
                       "points, found symmetric=false";
    if (options.group == GroupedAttr::tensorGroup)
      return fail()
             << "group-size: expected a number or 'channel' with format=ternary, found 'tensor'";
    MLIRContext *context = location.getContext();
    auto encoding =
        TernaryAttr::getChecked(fail, context, options.group.value_or(GroupedAttr::channelGroup),
                                options.scale ? options.scale : Float16Type::get(context));
    if (!encoding)
      return failure();
    return EncodingInterface(encoding);
  }

  bool has(EncodingInterface encoding) const override { return isa<TernaryAttr>(encoding); }

  std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape,
                                                ArrayRef<float>,
                                                const FitOptions &fit) const override {
    return std::make_unique<ScaledQuantizer<TernaryNumbers>>(encoding, shape, fit.search);
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    float exact = TernaryNumbers::fit(weights);
    float rounded = roundToType(cast<TernaryAttr>(encoding).getScale(), exact);
    return std::fabs(rounded - exact) <= exact / 2;
  }

  EncodingInterface widen(EncodingInterface encoding) const override {
    MLIRContext *context = encoding.getContext();
    return TernaryAttr::get(context, cast<TernaryAttr>(encoding).getGroup(),
                            Float32Type::get(context));
  }
};

} // namespace

const WeightFormat *llmc::getTernaryFormat() {
  static const TernaryFormat format;
  return &format;
}
