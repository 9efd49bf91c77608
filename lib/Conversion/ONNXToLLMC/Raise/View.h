//===- View.h - rows of the model under an ONNX tensor's shape ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_VIEW_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_VIEW_H

#include "Raise/Meaning.h"
#include "Raise/Weight.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <map>

namespace llmc {

/// A matrix of rows × width that the new program computes. A linear is held back until it is known
/// which of its outputs are wanted and what is added to them.
struct Base {
  mlir::Value value; ///< null for a linear that is held back
  int64_t width = 0;
  mlir::Value input;
  Weight weight;
  std::optional<Weight> bias;
  DynamicAttr activation;
  double clip = 0; ///< where it is not 0, outputs of a held back linear end at ± this
  mlir::Location location;
  /// Parts that were computed, by columns and their factors where those differ.
  std::map<std::pair<std::vector<int64_t>, std::vector<double>>, mlir::Value> slices;

  explicit Base(mlir::Location location) : location(location) {}
};

/// A column of a view: one or two columns of the base, each times a number and, for rotations,
/// times a factor that depends on the row's position (an index into the raise's factors, or -1).
struct Column {
  struct Term {
    int32_t column = -1;
    int32_t factor = -1;
    double coefficient = 1;
    bool operator==(const Term &other) const = default;
  };
  Term first, second;

  bool isPlain() const { return second.column < 0 && first.factor < 0; }
  bool operator==(const Column &other) const = default;
};

/// Columns of one view: more than any vocabulary or width has.
inline constexpr int64_t maxColumns = int64_t(1) << 20;

/// Rows of the model under an ONNX tensor's shape: one axis runs over rows, the others together
/// over columns.
struct View : MeaningOf<View> {
  std::shared_ptr<Base> base;
  llvm::SmallVector<int64_t> shape;
  int rowsAxis = -1;           ///< -1: the last row alone
  std::vector<Column> columns; ///< row-major over the other axes
  int past = -1;               ///< the past input whose rows come first, or -1

  int64_t countColumns() const override { return columns.size(); }
  mlir::FailureOr<View> toRows(Raise &raise) const override;
  bool isRows() const override { return true; }

  /// Columns of the base, as they stand.
  void setColumns(int64_t count);
  /// The same shape over another matrix, of as many columns as this one has.
  View over(mlir::Value value, mlir::Location location) const;
};

/// All columns of a matrix under a shape whose last axis is its width.
View makeView(std::shared_ptr<Base> base, llvm::ArrayRef<int64_t> shape);
View makeView(mlir::Value value, llvm::ArrayRef<int64_t> shape, mlir::Location location);

/// Whether two views are the same columns of the same rows, times factors that are equal but for
/// rounding.
bool sameColumns(const View &a, const View &b);

/// A view without its common factor, and the factor; nothing, and no change that matters, where
/// columns have different ones.
std::optional<double> takeFactor(View &view);

/// A tensor of the view's shape whose elements say which row and column they are:
/// row · columns + column.
HostTensor getIndices(const View &view);

/// Reads such a tensor back: finds the axis along which rows run, and the columns of the others,
/// which are entries of `table`. Nothing where rows and columns are mixed or values are not known.
std::optional<View> separate(const HostTensor &indices, std::shared_ptr<Base> base, int past,
                             int64_t rowCount, llvm::ArrayRef<Column> table);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_VIEW_H
