//===- Grid.h - the numbers that a group of weights is rounded to ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a group of `#llmc.grouped` is fitted to, and the canonical form that grids and codes end up
// in.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_GRID_H
#define LLMC_TRANSFORMS_QUANTIZATION_GRID_H

#include "llmc/Transforms/Quantization/WeightFormat.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace llmc {

/// 2^bits equally distant numbers: (code − zero) · scale, or code · scale + minimum. Scale and
/// minimum are exactly what the encoding stores. Without a zero point the scale may be negative.
struct Grid {
  float scale = 0, minimum = 0;
  int zero = 0;
  unsigned last = 0; ///< the largest code

  /// The code whose number is nearest to `value`, half to even before what is out of range is moved
  /// to the nearest end.
  unsigned encode(float value) const {
    if (scale == 0)
      return zero;
    float position = std::nearbyint((value - minimum) / scale) + static_cast<float>(zero);
    // What is not a number has no nearest code: it takes the first.
    return position > 0 ? static_cast<unsigned>(std::min(position, static_cast<float>(last))) : 0;
  }

  /// The number that a code stands for, as the encoding decodes it.
  float decode(unsigned code) const {
    return static_cast<float>((static_cast<int>(code) - zero) * static_cast<double>(scale) +
                              minimum);
  }
};

/// Σ h·(w − w')² of weights that are rounded to the grid, where h says how much the error of each
/// counts; without `importance` all count alike.
double getSquaredError(const Grid &grid, llvm::ArrayRef<float> weights,
                       llvm::ArrayRef<float> importance = {});

/// The range that a grid has to cover.
struct WeightRange {
  float low, high;
};

/// From the least to the largest of finite weights, and to 0 unless the encoding has a
/// floating-point minimum.
WeightRange getRange(GroupedAttr encoding, llvm::ArrayRef<float> weights);

/// The grid that covers all of a group of finite weights.
///
/// Without a zero point the weight of largest magnitude gets code 0, which stands for −2^(bits−1)
/// scales: the scale has the sign that makes it so; or code 1, so that the grid is the same on both
/// sides, where that loses less in squares. With an integer zero point the scale is
/// (max − min) / (2^bits − 1) of a range that includes 0, and the zero point is
/// round(−min / scale). With a floating-point minimum the range is that of the weights. Scales and
/// minima are rounded to the encoding's type; a scale beyond its range is infinite.
Grid fitGrid(GroupedAttr encoding, llvm::ArrayRef<float> weights);

/// The grid with the least Σ h·(w − w')² that a search finds, where h, one for each weight, says
/// how much its error counts; never worse than fitGrid's.
///
/// Starts from ranges that are wider and narrower than that of the weights, on both sides of zero
/// where there is no zero point; takes for each the scale (and the minimum) that is best for the
/// codes it gives, by least squares; and looks again around the best.
Grid searchGrid(GroupedAttr encoding, llvm::ArrayRef<float> weights,
                llvm::ArrayRef<float> importance);

/// The constants of "Half-quadratic quantization of large machine learning models" (Badri and Shaji
/// 2023, section 3).
struct HalfQuadratic {
  double norm = 0.7;    ///< p of the norm that errors are measured by, 0 < p ≤ 1
  double weight = 10;   ///< β, how much the rest of an error counts that is split off as an outlier
  double growth = 1.01; ///< of β from one iteration to the next
  int iterations = 20;
};

/// The grid that covers a group, its minimum moved so that the errors are least in a norm below
/// one, which large errors, of outliers, weigh little in. The encoding has a floating-point
/// minimum.
Grid fitHalfQuadratic(GroupedAttr encoding, llvm::ArrayRef<float> weights,
                      const HalfQuadratic &constants);

/// The grid of a group of weights, whose importance may be empty.
using GridFit =
    std::function<Grid(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> importance)>;

/// A quantizer whose groups are fitted by a function, which several threads call.
std::unique_ptr<WeightQuantizer> makeGridQuantizer(GroupedAttr encoding,
                                                   llvm::ArrayRef<int64_t> shape, GridFit fit);

/// The canonical form of a grouped matrix, filled in any order. Different rows may be written by
/// different threads.
class GroupedMatrix {
public:
  GroupedMatrix(GroupedAttr encoding, llvm::ArrayRef<int64_t> shape);

  /// `group` counts along the row; with one grid for the whole matrix row and group are 0.
  void setGrid(int64_t row, int64_t group, const Grid &grid);
  /// Once for each place.
  void setCode(int64_t row, int64_t column, unsigned code);

  std::vector<uint8_t> take() { return std::move(bytes); }

private:
  GroupedAttr encoding;
  CanonicalForm form;
  std::vector<uint8_t> bytes;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_GRID_H
