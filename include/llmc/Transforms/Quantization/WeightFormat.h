//===- WeightFormat.h - what quantization passes know of an encoding ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Algorithms choose values; how numbers are fitted to a group of weights, which of them is nearest
// to a weight and how both are kept is the format's. A format is one file and one line in
// WeightFormat.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_WEIGHTFORMAT_H
#define LLMC_TRANSFORMS_QUANTIZATION_WEIGHTFORMAT_H

#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Transforms/Quantization/WeightBits.h"

#include <memory>
#include <optional>
#include <vector>

namespace llmc {

/// How the weights of a row that come later make up for errors of earlier ones: of an error e of
/// weight i, weight j > i is less by e / factor(i, i) · factor(i, j).
class ErrorFeedback {
public:
  /// Errors are not made up for.
  ErrorFeedback() = default;
  /// `factors` is upper triangular, rows `stride` apart; its diagonal is positive.
  ErrorFeedback(const double *factors, int64_t stride) : factors(factors), stride(stride) {}

  explicit operator bool() const { return factors != nullptr; }
  double operator()(int64_t i, int64_t j) const { return factors[i * stride + j]; }

private:
  const double *factors = nullptr;
  int64_t stride = 0;
};

/// Rounds the weights of a matrix and keeps what they become in the planes of an encoding.
class WeightQuantizer {
public:
  virtual ~WeightQuantizer() = default;

  /// The weights of one row, used by one thread at a time.
  class Row {
  public:
    virtual ~Row() = default;
    /// Fits the numbers of a group to its finite weights and keeps what says which they are.
    /// `importance` says how much the error of each counts; empty: all alike. False where the
    /// encoding's types can't hold them. Not where the matrix is one group.
    virtual bool fit(int64_t group, llvm::ArrayRef<float> weights,
                     llvm::ArrayRef<float> importance) = 0;
    /// Where weights are chosen together (getLookahead()): chooses what those from `column` on
    /// become, whose group is fitted. Columns before have been rounded. With feedback at most as
    /// many as are to be seen, of which only those are to be rounded that are to be chosen;
    /// `weights` are before errors of one another are made up for.
    virtual void choose(int64_t column, llvm::ArrayRef<float> weights, ErrorFeedback feedback) {}
    /// Rounds the weight at `column`, whose group is fitted, or takes what was chosen for it; keeps
    /// its code, once for each place, and gives the value that it stands for.
    virtual float round(int64_t column, float weight) = 0;
  };

  /// Different rows may be written by different threads.
  virtual std::unique_ptr<Row> getRow(int64_t row) = 0;
  /// Row::fit() where the whole matrix is one group, before any row.
  virtual bool fitMatrix(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> importance) = 0;
  /// How many columns are chosen together where errors are made up for, and how many are seen then.
  /// One of each where each weight is rounded by itself, whatever became of others; else columns
  /// are to come from left to right.
  struct Lookahead {
    int64_t chosen = 1, seen = 1;
  };
  virtual Lookahead getLookahead() const { return {}; }
  /// The canonical form.
  virtual std::vector<uint8_t> take() = 0;
};

/// Numbers that were learned from all matrices of a model (SharedTables.h).
class SharedTables;

/// How the numbers are found that weights are rounded to.
struct FitOptions {
  // NOLINTNEXTLINE(google-explicit-constructor): most callers choose nothing else
  FitOptions(bool search = false, bool learnsTable = false,
             std::shared_ptr<const SharedTables> tables = {})
      : search(search), learnsTable(learnsTable), tables(std::move(tables)) {}

  bool search;      ///< groups are fitted so that they lose least, else so that all is covered
  bool learnsTable; ///< tables that a format has for all matrices are learned from each
  std::shared_ptr<const SharedTables> tables; ///< or are these; null: the format's own
};

/// What the options of a pass ask of a format. Options that are not given are none or null.
struct FormatOptions {
  std::optional<WeightBits> bits; ///< whole ones but of formats that have halves
  std::optional<int64_t> group;   ///< a number, or one of GroupedAttr's
  bool symmetric;
  ZeroPoint zero;
  mlir::Type scale;
  std::optional<int64_t> sharing;         ///< rows that share a table, or one of CodebookAttr's
  std::optional<unsigned> scaleBits = {}; ///< of scales that are integers
  std::optional<int64_t> scaleGroup = {}; ///< groups that share what these are multiplied with

  unsigned getWholeBits(unsigned byDefault) const { return bits.value_or(byDefault).getWhole(); }
};

/// A family of encodings that weights can be rounded to.
class WeightFormat {
public:
  virtual ~WeightFormat() = default;

  virtual llvm::StringRef getName() const = 0;
  /// Whether weights can have half a bit.
  virtual bool hasHalfBits() const { return false; }
  /// The encoding that options ask for, or reports what can't be done.
  virtual mlir::FailureOr<EncodingInterface> getEncoding(mlir::Location location,
                                                         const FormatOptions &options) const = 0;
  /// Whether an encoding is of this family. All else here is asked of such ones alone.
  virtual bool has(EncodingInterface encoding) const = 0;
  /// Whether rows can share more of what is learned from them than a scale.
  virtual bool sharesRows() const { return false; }
  /// `weights` are those of the whole matrix before any is rounded, row by row.
  virtual std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding,
                                                        llvm::ArrayRef<int64_t> shape,
                                                        llvm::ArrayRef<float> weights,
                                                        const FitOptions &fit) const = 0;
  /// Whether the encoding's type of scales can hold that of a group, nearly.
  virtual bool holds(EncodingInterface encoding, llvm::ArrayRef<float> weights) const = 0;
  /// The same encoding with scales of f32.
  virtual EncodingInterface widen(EncodingInterface encoding) const = 0;
};

/// All formats; the first is the default.
llvm::ArrayRef<const WeightFormat *> getWeightFormats();

/// The format of that name, or null.
const WeightFormat *findWeightFormat(llvm::StringRef name);

/// The format that an encoding is of; null where weights can't be rounded to it.
const WeightFormat *findWeightFormat(EncodingInterface encoding);

/// The weights of a row that are fitted together; all of them where kept ones are floats.
int64_t getGroupSize(EncodingInterface encoding, int64_t columns);

/// Whether a row of many weights has several groups.
bool hasGroups(EncodingInterface encoding);

/// Whether what a weight becomes depends on those before it in its row.
bool isSequential(EncodingInterface encoding);

/// Whether a matrix is one group.
bool isOneGroup(EncodingInterface encoding);

/// The largest magnitude; 0 where there are no weights.
float getLargestMagnitude(llvm::ArrayRef<float> weights);

/// The number of a type of scales that is nearest to `value`.
float roundToType(mlir::Type type, float value);

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_WEIGHTFORMAT_H
