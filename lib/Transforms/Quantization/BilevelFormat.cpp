//===- BilevelFormat.cpp - rounding to integers whose scales are integers too ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format `bilevel`. What scales of groups side by side are rounded to is fitted to the weights
// as they were before any was rounded: in GPTQ those of the later groups are not known yet when the
// first of them is. Scale and zero point of a group are then chosen among all that there are.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"
#include "GridKernels.h"
#include "llmc/Transforms/Quantization/Grid.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace llmc;

/// Integers without scales are the step of scales away from each other, and the first of them at
/// most so many: between scales that are nearly the same there is no need of more.
static constexpr int mostOffset = 31;

/// What groups are fitted to before their scales are rounded.
static GroupedAttr getUnrounded(BilevelAttr encoding) {
  MLIRContext *context = encoding.getContext();
  return GroupedAttr::get(context, encoding.getBits(), encoding.getGroup(), ZeroPoint::Integer,
                          Float32Type::get(context));
}

namespace {

/// The scales that groups side by side can have: (c + offset) · step.
struct ScaleRange {
  float step = 0;
  int offset = 0;

  float get(int code) const { return static_cast<float>(code + offset) * step; }
};

class BilevelQuantizer final : public WeightQuantizer {
public:
  BilevelQuantizer(BilevelAttr encoding, ArrayRef<int64_t> shape, ArrayRef<float> weights,
                   bool search)
      : encoding(encoding), unrounded(getUnrounded(encoding)), columns(shape[1]), weights(weights),
        search(search), form(CanonicalForm::get(encoding, shape)), bytes(form.size) {}

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<BilevelRow>(*this, row);
  }
  bool fitMatrix(ArrayRef<float>, ArrayRef<float>) override { return true; }
  std::vector<uint8_t> take() override { return std::move(bytes); }

private:
  class BilevelRow final : public Row {
  public:
    BilevelRow(BilevelQuantizer &owner, int64_t row)
        : owner(owner), row(row), grids(owner.form[BilevelAttr::scales].arrayColumns) {
      int64_t count = owner.form[BilevelAttr::steps].arrayColumns;
      for (int64_t index = 0; index < count; ++index) {
        const ScaleRange range = owner.fitScales(row, index);
        owner.form[BilevelAttr::steps].write(owner.bytes.data(), row, index, range.step);
        owner.form[BilevelAttr::offsets].write(owner.bytes.data(), row, index,
                                               static_cast<unsigned>(range.offset));
        ranges.push_back(range);
      }
    }

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override {
      const ScaleRange &range = ranges[group / owner.encoding.getScaleGroup()];
      unsigned code = 0;
      Grid &grid = grids[group];
      grid = owner.chooseGrid(range, weights, importance, code);
      unsigned zero = static_cast<unsigned>(grid.zero) << owner.encoding.getScaleBits();
      owner.form[BilevelAttr::scales].write(owner.bytes.data(), row, group, code | zero);
      return std::isfinite(range.step);
    }
    float round(int64_t column, float weight) override {
      const Grid &grid = grids[column / owner.encoding.getGroup()];
      unsigned code = grid.encode(weight);
      owner.form[BilevelAttr::codes].write(owner.bytes.data(), row, column, code);
      return grid.decode(code);
    }

  private:
    BilevelQuantizer &owner;
    int64_t row;
    std::vector<ScaleRange> ranges;
    std::vector<Grid> grids;
  };

  int getLastCode() const { return (1 << encoding.getBits()) - 1; }
  int getLastScale() const { return (1 << encoding.getScaleBits()) - 1; }

  float fitScale(ArrayRef<float> group) const {
    if (!search)
      return fitGrid(unrounded, group).scale;
    return searchGrid(unrounded, group, std::vector<float>(group.size(), 1.0f)).scale;
  }

  /// From the least to the largest scale of the groups, nearly.
  ScaleRange fitScales(int64_t row, int64_t index) const {
    const int64_t size = encoding.getGroup(), width = form[BilevelAttr::steps].columns;
    ArrayRef<float> rest = weights.slice(row * columns, columns).drop_front(index * width);
    rest = rest.take_front(width);
    float low = fitScale(rest.take_front(size)), high = low;
    while (rest.size() > static_cast<size_t>(size)) {
      rest = rest.drop_front(size);
      float scale = fitScale(rest.take_front(size));
      low = std::min(low, scale);
      high = std::max(high, scale);
    }
    float step = std::max((high - low) / static_cast<float>(getLastScale()),
                          low / static_cast<float>(mostOffset));
    ScaleRange range{roundToType(encoding.getScale(), step), 0};
    if (range.step > 0 && std::isfinite(range.step))
      range.offset = static_cast<int>(
          std::min(std::nearbyint(low / range.step), static_cast<float>(mostOffset)));
    return range;
  }

  Grid getGrid(float scale, int zero) const {
    return {scale, 0, zero, static_cast<unsigned>(getLastCode())};
  }

  /// The grid that covers a group, nearly.
  Grid coverGroup(const ScaleRange &range, ArrayRef<float> weights, unsigned &code) const {
    float wanted = std::nearbyint(fitGrid(unrounded, weights).scale / range.step);
    code = static_cast<unsigned>(std::clamp(wanted - static_cast<float>(range.offset), 0.0f,
                                            static_cast<float>(getLastScale())));
    float scale = range.get(static_cast<int>(code));
    float zero = scale > 0 ? std::nearbyint(-getRange(unrounded, weights).low / scale) : 0;
    return getGrid(scale, static_cast<int>(std::min(zero, static_cast<float>(getLastCode()))));
  }

  /// That, or with a search the grid that loses least of all that there are.
  Grid chooseGrid(const ScaleRange &range, ArrayRef<float> weights, ArrayRef<float> importance,
                  unsigned &code) const {
    if (weights.empty() || !(range.step > 0) || !std::isfinite(range.step))
      return getGrid(range.get(0), 0);
    if (!search)
      return coverGroup(range, weights, code);
    std::vector<float> counts = importance.vec();
    counts.resize(weights.size(), 1);
    int zeros = getLastCode() + 1, count = (getLastScale() + 1) * zeros;
    auto get = [&](int index) { return getGrid(range.get(index / zeros), index % zeros); };
    int best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int first = 0; first < count; first += gridLanes) {
      GridCandidates candidates;
      for (int lane = 0; lane < gridLanes; ++lane)
        setCandidate(candidates, lane, get(std::min(first + lane, count - 1)));
      GridSums sums{};
      getGridKernels().addSums(weights.data(), counts.data(), static_cast<long>(weights.size()),
                               candidates, sums);
      for (int lane = 0; lane < std::min(gridLanes, count - first); ++lane)
        if (sums.errors[lane] < least) {
          least = sums.errors[lane];
          best = first + lane;
        }
    }
    code = static_cast<unsigned>(best / zeros);
    return get(best);
  }

  static void setCandidate(GridCandidates &candidates, int lane, const Grid &grid) {
    candidates.scale[lane] = grid.scale;
    candidates.inverse[lane] = 1 / grid.scale;
    candidates.minimum[lane] = 0;
    candidates.low[lane] = static_cast<float>(-grid.zero);
    candidates.high[lane] = static_cast<float>(static_cast<int>(grid.last) - grid.zero);
  }

  BilevelAttr encoding;
  GroupedAttr unrounded;
  int64_t columns;
  ArrayRef<float> weights; ///< of the matrix, before any is rounded
  bool search;
  CanonicalForm form;
  std::vector<uint8_t> bytes;
};

class BilevelFormat final : public WeightFormat {
public:
  StringRef getName() const override { return "bilevel"; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    auto fail = [&] { return emitError(location); };
    constexpr unsigned defaultBits = 3;
    constexpr int64_t defaultGroup = 16;
    int64_t group = options.group.value_or(defaultGroup);
    if (group < 1)
      return fail() << "group-size: expected a number with format=bilevel, found '"
                    << (group == GroupedAttr::tensorGroup ? "tensor" : "channel") << "'";
    if (options.zero == ZeroPoint::Float)
      return fail() << "zero: expected zero=integer with format=bilevel, found zero=float";
    MLIRContext *context = location.getContext();
    auto encoding = BilevelAttr::getChecked(
        fail, context, options.getWholeBits(defaultBits), group,
        options.scaleBits.value_or(defaultBits), options.scaleGroup.value_or(defaultGroup),
        options.scale ? options.scale : Float16Type::get(context));
    if (!encoding)
      return failure();
    return EncodingInterface(encoding);
  }

  bool has(EncodingInterface encoding) const override { return isa<BilevelAttr>(encoding); }

  std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape,
                                                ArrayRef<float> weights,
                                                const FitOptions &fit) const override {
    return std::make_unique<BilevelQuantizer>(cast<BilevelAttr>(encoding), shape, weights,
                                              fit.search);
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    auto bilevel = cast<BilevelAttr>(encoding);
    // The least step there may be; all scales are off by a part of it as it is rounded.
    float scale = fitGrid(getUnrounded(bilevel), weights).scale, step = scale / mostOffset;
    float last = static_cast<float>((1 << bilevel.getScaleBits()) - 1 + mostOffset);
    float error = std::fabs(roundToType(bilevel.getScale(), step) - step);
    return std::isfinite(roundToType(bilevel.getScale(), scale)) && error * last <= step / 2;
  }

  EncodingInterface widen(EncodingInterface encoding) const override {
    auto bilevel = cast<BilevelAttr>(encoding);
    MLIRContext *context = encoding.getContext();
    return BilevelAttr::get(context, bilevel.getBits(), bilevel.getGroup(), bilevel.getScaleBits(),
                            bilevel.getScaleGroup(), Float32Type::get(context));
  }
};

} // namespace

const WeightFormat *llmc::getBilevelFormat() {
  static const BilevelFormat format;
  return &format;
}
