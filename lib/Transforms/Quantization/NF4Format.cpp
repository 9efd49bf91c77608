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
#include "ScaleSearch.h"

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

/// The scale that covers all of a group, rounded to its type.
static float coverGroup(Type type, ArrayRef<float> weights) {
  float largest = 0;
  for (float weight : weights)
    largest = std::max(largest, std::fabs(weight));
  return roundToType(type, largest);
}

namespace {

class NF4Quantizer final : public WeightQuantizer {
public:
  NF4Quantizer(NF4Attr encoding, ArrayRef<int64_t> shape, bool search)
      : encoding(encoding), search(search),
        groupSize(std::max<int64_t>(encoding.getGroupSize(shape[1]), 1)),
        form(CanonicalForm::get(encoding, shape)), bytes(form.size) {}

  std::unique_ptr<Row> getRow(int64_t row) override { return std::make_unique<NF4Row>(*this, row); }
  bool fitMatrix(ArrayRef<float>, ArrayRef<float>) override { return false; }
  std::vector<uint8_t> take() override { return std::move(bytes); }

private:
  class NF4Row final : public Row {
  public:
    NF4Row(NF4Quantizer &owner, int64_t row)
        : owner(owner), row(row), scales(owner.form[NF4Attr::scales].arrayColumns) {}

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override {
      Type type = owner.encoding.getScale();
      scales[group] = coverGroup(type, weights);
      if (owner.search)
        scales[group] = search(type, weights, importance, scales[group]);
      owner.form[NF4Attr::scales].write(owner.bytes.data(), row, group, scales[group]);
      return std::isfinite(scales[group]);
    }
    float round(int64_t column, float weight) override {
      float scale = scales[column / owner.groupSize];
      unsigned code = findNearest(scale == 0 ? 0 : weight / scale);
      owner.form[NF4Attr::codes].write(owner.bytes.data(), row, column, code);
      return NF4Attr::getNumbers()[code] * scale;
    }

  private:
    /// The numbers are not the same on both sides of zero: scales of both signs are tried.
    static float search(Type type, ArrayRef<float> weights, ArrayRef<float> importance,
                        float covering) {
      auto nearest = [](float position) { return NF4Attr::getNumbers()[findNearest(position)]; };
      auto store = [type](float scale) { return roundToType(type, scale); };
      ScaleSearch found(weights, importance, nearest, store);
      found.start(covering);
      for (int sign : {1, -1})
        for (int percent = 60; percent <= 120; percent += 4)
          found.tryScale(static_cast<float>(sign * 0.01 * percent) * covering);
      return found.finish();
    }

    NF4Quantizer &owner;
    int64_t row;
    std::vector<float> scales;
  };

  NF4Attr encoding;
  bool search;
  int64_t groupSize;
  CanonicalForm form;
  std::vector<uint8_t> bytes;
};

class NF4Format final : public WeightFormat {
public:
  StringRef getName() const override { return "nf4"; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    auto fail = [&] { return emitError(location); };
    if (options.bits.value_or(4) != 4)
      return fail() << "bits: expected 4 with format=nf4, found " << *options.bits;
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
                                                ArrayRef<float>, bool search) const override {
    return std::make_unique<NF4Quantizer>(cast<NF4Attr>(encoding), shape, search);
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    // What the far end of the numbers is moved by, against half the step that is there.
    float exact = coverGroup(Float32Type::get(encoding.getContext()), weights);
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
