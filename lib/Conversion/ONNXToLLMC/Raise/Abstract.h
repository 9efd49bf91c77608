//===- Abstract.h - what a value of an ONNX graph means in a language model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The raise follows the graph and keeps, for every value that depends on tokens, what it is: rows
// of the model seen through reshapes and transposes, attention scores, a half-finished norm. A
// meaning does not depend on how an exporter spelled it: reshapes disappear into a view, constants
// into coefficients, a nonlinear function into samples of it.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ABSTRACT_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ABSTRACT_H

#include "Raise/Dequantized.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <map>
#include <variant>

namespace llmc {

/// Weights in blocks of integers, as MatMulNBits and GatherBlockQuantized store them.
struct BlockQuantized {
  unsigned bits;
  int64_t block;
  int64_t rows, columns;
  ConstantView codes;                ///< bytes, row by row, low bits first, blocks padded
  ConstantView scales;               ///< rows × blocks
  std::optional<ConstantView> zeros; ///< packed like the codes, or one byte each
  bool packedZeros = true;
};

/// A weight of the model: a part of the file, quantized blocks, or numbers computed from constants.
struct Weight {
  ConstantView view; ///< out × in, or a vector
  std::shared_ptr<const BlockQuantized> quantized;
  int64_t begin = 0, count = 0; ///< rows taken of `quantized`
  std::optional<Dequantized> dequantized;
  std::shared_ptr<const std::vector<double>> values;
  mlir::Type element; ///< that `values` are kept in; null: fp32
  llvm::SmallVector<int64_t> shape;

  /// Rows `start`, `start + step` …, `size` of them; nothing where that can't be had.
  std::optional<Weight> takeRows(int64_t start, int64_t size, int64_t step) const;
  /// Rows in any order, copied; nothing where that would lose an encoding or the bytes can't be
  /// read.
  std::optional<Weight> gatherRows(llvm::ArrayRef<int64_t> rows) const;
};

/// A matrix of rows × width that the new program computes. A linear is held back until it is known
/// which of its outputs are wanted and what is added to them.
struct Base {
  mlir::Value value; ///< null for a linear that is held back
  int64_t width = 0;
  mlir::Value input;
  Weight weight;
  std::optional<Weight> bias;
  DynamicAttr activation;
  mlir::Location location;
  std::map<std::vector<int64_t>, mlir::Value> slices; ///< by column

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

/// Rows of the model under an ONNX tensor's shape: one axis runs over rows, the others together
/// over columns.
struct View {
  std::shared_ptr<Base> base;
  llvm::SmallVector<int64_t> shape;
  int rowsAxis = -1;           ///< -1: the last row alone
  std::vector<Column> columns; ///< row-major over the other axes
  int past = -1;               ///< the past input whose rows come first, or -1
};

/// A number per row: root(mul · mean(x or (x − mean)²) + add).
struct Statistic {
  enum class Kind { Mean, MeanSquare } kind;
  enum class Root { None, Inverse, Square, InverseSquare } root = Root::None;
  View of;
  bool centered = false;
  double mul = 1, add = 0;
};

/// A norm on its way: (x − mean)? · 1 / sqrt(…) · gain + bias.
struct Normal {
  View of;
  bool centered = false;
  std::optional<double> epsilon; ///< set once it is divided
  std::optional<Weight> gain, bias;
};

/// A function of each element of a view, as its values at sample points.
struct Function {
  View of;
  bool centered = false; ///< of x − mean
  std::vector<double> samples;
  double roundoff = 0; ///< of the constants in it, as in HostTensor
};

/// Scores of attention, or their softmax.
struct Scores {
  View query, keys; ///< rows × heads × size
  double scale = 1;
  double softcap = 0;
  /// Masks in the order in which they were applied: the value, and whether nonzero means "keep"
  /// (or, for numbers, that it was added).
  struct Mask {
    mlir::Value value;
    enum class Kind { Added, KeepWhereTrue, KeepWhereFalse } kind;
  };
  llvm::SmallVector<Mask> masks;
  bool causal = false; ///< said by an attribute
  int64_t window = 0;
  bool isSoftmax = false;
};

/// What DynamicQuantizeLinear gives of rows. A scale may have been multiplied by the weights' own.
struct RoundedRows {
  View of;
  enum class Part { Integers, Scale, Zero } part;
  std::optional<ConstantView> weightScale;
};

/// Rounded rows times a constant matrix of integers (in × out), on the way to a linear.
struct IntegerProduct {
  View of;
  ConstantView codes;
  std::optional<ConstantView> zeros, weightScale;
  bool isScaled; ///< by the rows' scale
};

/// Rows of a constant matrix of integers that tokens chose.
struct GatheredIntegers {
  ConstantView codes;
};

/// Nothing, such as the columns beyond those that are rotated where all of them are.
struct NoElements {};
struct TokensValue {};
struct PastValue {
  int index;
};
struct NanTest {};
/// The cache as an operator that manages it itself gives it back.
struct CacheValue {};

using Abstract = std::variant<std::monostate, NoElements, TokensValue, PastValue, CacheValue,
                              NanTest, View, Statistic, Normal, Function, Scores, RoundedRows,
                              IntegerProduct, GatheredIntegers>;

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ABSTRACT_H
