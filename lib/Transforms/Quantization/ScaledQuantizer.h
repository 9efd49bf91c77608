//===- ScaledQuantizer.h - rounding to a few numbers times a scale ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_SCALEDQUANTIZER_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_SCALEDQUANTIZER_H

#include "ScaleSearch.h"
#include "llmc/Transforms/Quantization/WeightFormat.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace llmc {

/// Rounds to an encoding of two planes, codes and the scales of groups. `Numbers` has, as static
/// functions: encode(position), the code of the number that is nearest to a weight divided by its
/// scale; decode(code), that number; fit(weights), the scale of a group of which no search is
/// asked, before it is rounded; and getFactors(), the multiples of it that a search tries.
template <typename Numbers>
class ScaledQuantizer final : public WeightQuantizer {
public:
  ScaledQuantizer(EncodingInterface encoding, llvm::ArrayRef<int64_t> shape, bool search)
      : search(search), groupSize(std::max<int64_t>(getGroupSize(encoding, shape[1]), 1)),
        form(CanonicalForm::get(encoding, shape)), bytes(form.size) {}

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<ScaledRow>(*this, row);
  }
  bool fitMatrix(llvm::ArrayRef<float>, llvm::ArrayRef<float>) override { return false; }
  std::vector<uint8_t> take() override { return std::move(bytes); }

private:
  enum PlaneIndex { codes, scales };

  class ScaledRow final : public Row {
  public:
    ScaledRow(ScaledQuantizer &owner, int64_t row)
        : owner(owner), row(row), ofGroups(owner.form[scales].arrayColumns) {}

    bool fit(int64_t group, llvm::ArrayRef<float> weights,
             llvm::ArrayRef<float> importance) override {
      float scale = owner.fit(weights, importance);
      ofGroups[group] = scale;
      owner.form[scales].write(owner.bytes.data(), row, group, scale);
      return std::isfinite(scale);
    }
    float round(int64_t column, float weight) override {
      float scale = ofGroups[column / owner.groupSize];
      unsigned code = Numbers::encode(scale == 0 ? 0 : weight / scale);
      owner.form[codes].write(owner.bytes.data(), row, column, code);
      return Numbers::decode(code) * scale;
    }

  private:
    ScaledQuantizer &owner;
    int64_t row;
    std::vector<float> ofGroups;
  };

  float fit(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> importance) const {
    auto store = [this](float scale) { return roundToType(form[scales].element, scale); };
    float fitted = store(Numbers::fit(weights));
    if (!search)
      return fitted;
    auto nearest = [](float position) { return Numbers::decode(Numbers::encode(position)); };
    ScaleSearch found(weights, importance, nearest, store);
    found.start(fitted);
    for (float factor : Numbers::getFactors())
      found.tryScale(factor * fitted);
    return found.finish();
  }

  bool search;
  int64_t groupSize;
  CanonicalForm form;
  std::vector<uint8_t> bytes;
};

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_SCALEDQUANTIZER_H
