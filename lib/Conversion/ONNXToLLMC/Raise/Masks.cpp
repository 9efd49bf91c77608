//===- Masks.cpp - what is added to attention scores, or chosen instead ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Masks.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

namespace {

/// One mask's values: layers (heads, or one for all) of rows × keys, either of which may be one.
class MaskValues {
public:
  MaskValues(const HostTensor &tensor, Mask::Kind kind, ProbeSizes sizes)
      : tensor(tensor), kind(kind), sizes(sizes) {
    ArrayRef<int64_t> shape = tensor.shape;
    rows = shape.size() < 2 ? 1 : shape[shape.size() - 2];
    columns = shape.empty() ? 1 : shape.back();
  }

  bool fits() const {
    return (rows == 1 || rows == sizes.rows) && (columns == 1 || columns == sizes.total()) &&
           rows * columns > 0;
  }
  int64_t getLayers() const { return tensor.getNumElements() / (rows * columns); }

  /// Closes what is not seen, of the probe's rows × keys; false where layers see different keys.
  bool close(std::vector<bool> &open) const {
    std::vector<bool> kept(rows * columns);
    for (int64_t layer = 0; layer < getLayers(); ++layer)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) {
          bool keep = keeps(layer, i, j);
          if (layer > 0 && keep != kept[i * columns + j])
            return false;
          kept[i * columns + j] = keep;
        }
    for (int64_t i = 0; i < sizes.rows; ++i)
      for (int64_t j = 0; j < sizes.total(); ++j)
        if (!kept[(rows == 1 ? 0 : i) * columns + (columns == 1 ? 0 : j)])
          open[i * sizes.total() + j] = false;
    return true;
  }

  /// Whether row i sees key j.
  bool keeps(int64_t layer, int64_t i, int64_t j) const {
    double value = get(layer, i, j);
    switch (kind) {
    case Mask::Kind::KeepWhereTrue:
      return value != 0;
    case Mask::Kind::KeepWhereFalse:
      return value == 0;
    case Mask::Kind::Added:
      return !(value <= -1e4);
    }
    return false;
  }

  /// What each key later adds in a layer, beside what is the same for all keys of a row, which a
  /// softmax does not see. Nothing where keys do not add in proportion to their position.
  std::optional<double> getSlope(int64_t layer) const {
    double largest = 0, slope = 0;
    int64_t widest = 0;
    for (int64_t i = 0; i < rows; ++i) {
      int64_t first = -1;
      for (int64_t j = 0; j < columns; ++j) {
        if (!keeps(layer, i, j))
          continue;
        double value = get(layer, i, j);
        largest = std::max(largest, std::isfinite(value) ? std::fabs(value) : INFINITY);
        first = first < 0 ? j : first;
        if (j - first > widest) {
          widest = j - first;
          slope = (value - get(layer, i, first)) / static_cast<double>(widest);
        }
      }
    }
    double tolerance = (1e-6 + 2 * tensor.roundoff) * largest;
    for (int64_t i = 0; i < rows; ++i) {
      std::optional<double> start;
      for (int64_t j = 0; j < columns; ++j) {
        if (!keeps(layer, i, j))
          continue;
        double rest = get(layer, i, j) - slope * static_cast<double>(j);
        start = start.value_or(rest);
        if (!(std::fabs(rest - *start) <= tolerance))
          return std::nullopt;
      }
    }
    return slope;
  }

  /// A number that is in the way of a slope, for a message.
  double getOddValue() const {
    for (double value : *tensor.data)
      if (value != 0 && !(value <= -1e4))
        return value;
    return 0;
  }

private:
  double get(int64_t layer, int64_t i, int64_t j) const {
    return tensor[(layer * rows + i) * columns + j];
  }

  const HostTensor &tensor;
  Mask::Kind kind;
  ProbeSizes sizes;
  int64_t rows, columns;
};

} // namespace

/// The window of keys up to the row's own that are open, 0 where all of them are.
static FailureOr<int64_t> findWindow(const std::vector<bool> &open, ProbeSizes sizes,
                                     std::string &why) {
  int64_t window = 0, total = sizes.total();
  for (int64_t i = 0; i < sizes.rows; ++i) {
    int64_t last = sizes.past + i, count = 0;
    for (int64_t j = 0; j < total; ++j)
      count += open[i * total + j];
    int64_t reach = count == last + 1 ? 0 : count;
    for (int64_t j = 0; j < total; ++j)
      if (open[i * total + j] != (j <= last && j > last - count)) {
        why = "expected a causal mask, with or without a window";
        return failure();
      }
    if (reach != 0 && window != 0 && reach != window) {
      why = "expected one window for all rows";
      return failure();
    }
    window = reach != 0 ? reach : window;
  }
  return window;
}

/// Adds what a mask adds per key to the slopes so far.
static LogicalResult addSlopes(const MaskValues &values, std::vector<double> &slopes,
                               std::string &why) {
  std::vector<double> own;
  for (int64_t layer = 0; layer < values.getLayers(); ++layer) {
    std::optional<double> slope = values.getSlope(layer);
    if (!slope) {
      why = "expected a mask of zeros and large negative numbers, or numbers in proportion to the "
            "position, found " +
            std::to_string(values.getOddValue());
      return failure();
    }
    own.push_back(*slope);
  }
  if (llvm::all_of(own, [](double slope) { return slope == 0; }))
    return success();
  if (slopes.size() < own.size()) {
    if (slopes.size() > 1) {
      why = "expected masks of as many heads";
      return failure();
    }
    slopes.resize(own.size(), slopes.empty() ? 0 : slopes.front());
  } else if (own.size() != 1 && own.size() != slopes.size()) {
    why = "expected masks of as many heads";
    return failure();
  }
  for (auto [i, slope] : llvm::enumerate(slopes))
    slope += own[own.size() == 1 ? 0 : i];
  return success();
}

FailureOr<MaskMeaning> llmc::readMasks(ArrayRef<Mask> masks, bool causal, const Probe &probe,
                                       std::string &why) {
  ProbeSizes sizes = probe.getSizes();
  int64_t total = sizes.total();
  std::vector<bool> open(sizes.rows * total, true);
  for (int64_t i = 0; causal && i < sizes.rows; ++i)
    std::fill(open.begin() + i * total + sizes.past + i + 1, open.begin() + (i + 1) * total, false);
  MaskMeaning meaning;
  for (const Mask &mask : masks) {
    const HostTensor *tensor = probe.get(mask.value);
    if (!tensor || !tensor->isKnown()) {
      why = "expected a mask that does not depend on tokens";
      return failure();
    }
    MaskValues values(*tensor, mask.kind, sizes);
    if (!values.fits()) {
      why = "expected a mask of rows × keys";
      return failure();
    }
    if (!values.close(open)) {
      why = "expected a mask that hides the same from all heads";
      return failure();
    }
    if (mask.kind == Mask::Kind::Added && failed(addSlopes(values, meaning.slopes, why)))
      return failure();
  }
  FailureOr<int64_t> window = findWindow(open, sizes, why);
  if (failed(window))
    return failure();
  meaning.window = *window;
  return meaning;
}
