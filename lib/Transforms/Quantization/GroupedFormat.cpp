//===- GroupedFormat.cpp - rounding to grouped integers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format `int`: grids (Grid.h) in the planes of `#llmc.grouped`.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"
#include "llmc/Transforms/Quantization/Grid.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

namespace {

bool isFinite(const Grid &grid) { return std::isfinite(grid.scale) && std::isfinite(grid.minimum); }

class GroupedQuantizer final : public WeightQuantizer {
public:
  GroupedQuantizer(GroupedAttr encoding, ArrayRef<int64_t> shape, GridFit fit)
      : fit(std::move(fit)), groupSize(encoding.getGroupSize(shape[1])),
        groups(encoding.getGroupsPerRow(shape[1])), matrix(encoding, shape) {}

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<GroupedRow>(*this, row);
  }
  bool fitMatrix(ArrayRef<float> weights, ArrayRef<float> importance) override {
    shared = fit(weights, importance);
    matrix.setGrid(0, 0, shared);
    return isFinite(shared);
  }
  std::vector<uint8_t> take() override { return matrix.take(); }

private:
  class GroupedRow final : public Row {
  public:
    GroupedRow(GroupedQuantizer &owner, int64_t row)
        : owner(owner), row(row), grids(owner.groups, owner.shared) {}

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override {
      grids[group] = owner.fit(weights, importance);
      owner.matrix.setGrid(row, group, grids[group]);
      return isFinite(grids[group]);
    }
    float round(int64_t column, float weight) override {
      const Grid &grid = grids[column / owner.groupSize];
      unsigned code = grid.encode(weight);
      owner.matrix.setCode(row, column, code);
      return grid.decode(code);
    }

  private:
    GroupedQuantizer &owner;
    int64_t row;
    std::vector<Grid> grids;
  };

  GridFit fit;
  int64_t groupSize, groups;
  GroupedMatrix matrix;
  Grid shared; ///< where the matrix is one group
};

GridFit getFit(GroupedAttr encoding, bool search) {
  if (!search)
    return [=](ArrayRef<float> weights, ArrayRef<float>) { return fitGrid(encoding, weights); };
  return [=](ArrayRef<float> weights, ArrayRef<float> importance) {
    if (!importance.empty())
      return searchGrid(encoding, weights, importance);
    return searchGrid(encoding, weights, std::vector<float>(weights.size(), 1.0f));
  };
}

class GroupedFormat final : public WeightFormat {
public:
  StringRef getName() const override { return "int"; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    constexpr unsigned defaultBits = 4;
    constexpr int64_t defaultGroup = 128;
    MLIRContext *context = location.getContext();
    auto encoding = GroupedAttr::getChecked(
        [&] { return emitError(location); }, context, options.getWholeBits(defaultBits),
        options.group.value_or(defaultGroup), options.symmetric ? ZeroPoint::None : options.zero,
        options.scale ? options.scale : Float16Type::get(context));
    if (!encoding)
      return failure();
    return EncodingInterface(encoding);
  }

  bool has(EncodingInterface encoding) const override {
    auto grouped = dyn_cast<GroupedAttr>(encoding);
    // Scales that are powers of two alone are another format's.
    return grouped && !isa<Float8E8M0FNUType>(grouped.getScale());
  }

  std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape,
                                                ArrayRef<float>,
                                                const FitOptions &fit) const override {
    auto grouped = cast<GroupedAttr>(encoding);
    return makeGridQuantizer(grouped, shape, getFit(grouped, fit.search));
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    auto grouped = cast<GroupedAttr>(encoding);
    // How many scales away the far end of a grid is.
    const float steps = grouped.getZero() == ZeroPoint::None
                            ? static_cast<float>(1 << (grouped.getBits() - 1))
                            : static_cast<float>((1 << grouped.getBits()) - 1);
    float exact = fitGrid(cast<GroupedAttr>(widen(encoding)), weights).scale;
    float rounded = roundToType(grouped.getScale(), exact);
    return !std::isfinite(exact) || std::fabs(rounded - exact) * steps <= std::fabs(exact) / 2;
  }

  EncodingInterface widen(EncodingInterface encoding) const override {
    auto grouped = cast<GroupedAttr>(encoding);
    MLIRContext *context = encoding.getContext();
    return GroupedAttr::get(context, grouped.getBits(), grouped.getGroup(), grouped.getZero(),
                            Float32Type::get(context));
  }
};

} // namespace

std::unique_ptr<WeightQuantizer> llmc::makeGridQuantizer(GroupedAttr encoding,
                                                         ArrayRef<int64_t> shape, GridFit fit) {
  return std::make_unique<GroupedQuantizer>(encoding, shape, std::move(fit));
}

const WeightFormat *llmc::getGroupedFormat() {
  static const GroupedFormat format;
  return &format;
}
