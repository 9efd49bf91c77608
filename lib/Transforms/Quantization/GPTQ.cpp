//===- GPTQ.cpp - rounding that makes up for its own errors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/GPTQ.h"
#include "llmc/Support/LinearAlgebra.h"
#include "llmc/Transforms/OutputError.h"

#include "mlir/IR/Threading.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// The inputs' side
//===----------------------------------------------------------------------===//

/// The largest factor of the mean diagonal that is tried.
static constexpr double largestDamp = 1;

llvm::Expected<InverseHessian> InverseHessian::create(std::vector<double> hessian, int64_t width,
                                                      double damp, bool descending) {
  InverseHessian result;
  result.width = width;
  result.order.resize(width);
  std::iota(result.order.begin(), result.order.end(), 0);
  auto diagonal = [&](int64_t column) -> double & { return hessian[column * width + column]; };
  if (descending)
    llvm::sort(result.order, [&](int64_t a, int64_t b) {
      return std::pair(-diagonal(a), a) < std::pair(-diagonal(b), b);
    });
  result.steps.resize(width);
  for (auto [step, column] : llvm::enumerate(result.order)) {
    result.steps[column] = step;
    result.dead.push_back(diagonal(column) == 0);
    if (result.dead.back())
      diagonal(column) = 1;
  }
  double mean = 0;
  for (int64_t column = 0; column < width; ++column)
    mean += diagonal(column) / static_cast<double>(width);
  if (!std::isfinite(mean))
    return llvm::createStringError("expected a finite second moment of the inputs");

  result.factor.resize(width * width);
  MatrixView<double> factor(result.factor.data(), width, width);
  for (result.damp = damp;; result.damp = std::max(result.damp * 10, 1e-4)) {
    if (result.damp > largestDamp)
      return llvm::createStringError(
          "expected a second moment of the inputs that is positive definite when %g of its mean "
          "is added to its diagonal",
          largestDamp);
    result.added = result.damp * mean;
    for (int64_t row = 0; row < width; ++row) {
      const double *from = hessian.data() + result.order[row] * width;
      for (int64_t column = 0; column < width; ++column)
        factor.row(row)[column] = from[result.order[column]];
      factor.row(row)[row] += result.added;
    }
    if (factorUpper(factor))
      break;
  }
  result.inverse.resize(width * width);
  invertUpper(factor, {result.inverse.data(), width, width});
  return result;
}

//===----------------------------------------------------------------------===//
// The weights' side
//===----------------------------------------------------------------------===//

namespace {

/// Sums over the weights of some rows.
struct Sums {
  double errors = 0;          ///< e²
  double aliveErrors = 0;     ///< e², columns that are not dead
  double changes = 0;         ///< (w − w')²
  double aliveChanges = 0;    ///< (w − w')², columns that are not dead
  double squares = 0;         ///< w²
  double aliveSquares = 0;    ///< w², columns that are not dead
  double factoredSquares = 0; ///< ‖W·R‖², columns that are not dead

  void add(const Sums &other) {
    errors += other.errors;
    aliveErrors += other.aliveErrors;
    changes += other.changes;
    aliveChanges += other.aliveChanges;
    squares += other.squares;
    aliveSquares += other.aliveSquares;
    factoredSquares += other.factoredSquares;
  }
};

/// Rounds some rows of a matrix. Rows do not depend on each other.
class RowQuantizer {
public:
  /// `oneGroup` says that the whole matrix is one, fitted already; `importance` what an error in
  /// each column costs. With a pattern `mask` is that of the whole matrix, to be chosen.
  RowQuantizer(const WeightValues &values, const InverseHessian &hessian,
               const GPTQOptions &options, bool oneGroup, ArrayRef<float> importance,
               WeightQuantizer &quantizer, const PruningPattern *pattern,
               MutableArrayRef<bool> mask)
      : values(values), hessian(hessian), options(options), oneGroup(oneGroup),
        importance(importance), quantizer(quantizer), pattern(pattern), mask(mask),
        width(hessian.width), group(getGroupSize(options.encoding, width)),
        lookahead(quantizer.getLookahead()) {}

  /// Takes rows [begin, end).
  void start(int64_t begin, int64_t end) {
    firstRow = begin;
    rowCount = end - begin;
    load();
    measureOutputs();
    if (isStatic())
      for (int64_t begin = 0; begin < width; begin += group)
        fitGroup(begin);
  }

  /// Batches end where groups start, so that a group's first column sees all that came before.
  int64_t getBatchEnd(int64_t start) const {
    int64_t limit = std::min(start + batchColumns, width);
    int64_t aligned = limit / group * group;
    bool grows = !isStatic() && aligned > start && limit < width;
    return grows ? aligned : limit;
  }

  /// Writes w² / U_jj² of columns [begin, end), row by row.
  void score(int64_t begin, int64_t end, double *scores) const {
    for (int64_t row = 0; row < rowCount; ++row)
      for (int64_t column = begin; column < end; ++column) {
        double error = work[row * width + column] / hessian.inverse[column * width + column];
        *scores++ = error * error;
      }
  }

  /// Rounds the columns of a batch. What it lost is made up for by all columns after it at once,
  /// but for those that it saw.
  void round(int64_t start, int64_t stop) {
    roundBatch(start, stop);
    if (int64_t next = getSeenEnd(stop); next < width)
      addProduct(
          {work.data() + next, rowCount, width - next, width}, -1,
          {errors.data(), rowCount, stop - start, batchColumns},
          {hessian.inverse.data() + start * width + next, stop - start, width - next, width});
  }

  void finish() {
    work = errors = {};
    rows.clear();
  }

  Sums sums;
  /// The first row with scales that the encoding's type can't hold.
  std::optional<int64_t> beyond;

private:
  static constexpr int64_t batchColumns = 128;

  /// Whether all groups are fitted before anything is rounded: one for a row always is.
  bool isStatic() const { return options.staticGroups || group == width; }

  /// The end of what is seen when the last columns before `end` are chosen.
  int64_t getSeenEnd(int64_t end) const {
    return std::min(end + lookahead.seen - lookahead.chosen, width);
  }

  /// Copies the rows in the order of steps. Weights of dead columns become zero.
  void load() {
    work.resize(rowCount * width);
    errors.resize(rowCount * batchColumns);
    for (int64_t row = 0; row < rowCount; ++row) {
      rows.push_back(quantizer.getRow(firstRow + row));
      for (int64_t step = 0; step < width; ++step)
        work[row * width + step] = hessian.dead[step] ? 0 : getWeight(row, step);
    }
  }

  double getWeight(int64_t row, int64_t step) const {
    return values.row(firstRow + row)[hessian.order[step]];
  }

  /// ‖W·R‖², in blocks of columns, which are zero below the triangle.
  void measureOutputs() {
    std::vector<double> product;
    for (int64_t begin = 0; begin < width; begin += batchColumns) {
      int64_t end = std::min(begin + batchColumns, width);
      product.assign(rowCount * (end - begin), 0.0);
      addProduct({product.data(), rowCount, end - begin}, 1, {work.data(), rowCount, end, width},
                 {hessian.factor.data() + begin, end, end - begin, width});
      for (double value : product)
        sums.factoredSquares += value * value;
    }
  }

  /// Fits the group that starts at a column to what its weights are now, in all rows.
  void fitGroup(int64_t begin) {
    if (oneGroup)
      return;
    int64_t end = std::min(begin + group, width);
    std::vector<float> part;
    for (int64_t row = 0; row < rowCount; ++row) {
      part.clear();
      for (int64_t column = begin; column < end; ++column)
        part.push_back(static_cast<float>(work[row * width + hessian.steps[column]]));
      if (!rows[row]->fit(begin / group, part, importance.slice(begin, end - begin)) && !beyond)
        beyond = firstRow + row;
    }
  }

  /// Chooses which of the weights in columns [begin, end) are kept, by what they are now.
  void chooseKept(int64_t begin, int64_t end) {
    std::vector<double> scores(rowCount * (end - begin));
    score(begin, end, scores.data());
    for (int64_t row = 0; row < rowCount; ++row)
      pattern->choose(ArrayRef(scores).slice(row * (end - begin), end - begin),
                      mask.slice((firstRow + row) * width + begin, end - begin));
  }

  void roundBatch(int64_t start, int64_t stop) {
    for (int64_t step = start; step < stop; ++step) {
      int64_t column = hessian.order[step];
      if (!isStatic() && column % group == 0) {
        if (pattern && !pattern->isFree())
          chooseKept(column, std::min(column + group, width));
        fitGroup(column);
      }
      if (pattern && !pattern->isFree() && column % pattern->of == 0)
        chooseKept(column, column + pattern->of);
      if (lookahead.chosen > 1 && (step - start) % lookahead.chosen == 0)
        chooseColumns(step, getSeenEnd(std::min(step + lookahead.chosen, stop)));
      for (int64_t row = 0; row < rowCount; ++row)
        roundWeight(row, step, start, stop);
    }
  }

  /// Chooses what the weights of the first of some columns become, which are in their order.
  void chooseColumns(int64_t begin, int64_t end) {
    ErrorFeedback feedback(hessian.inverse.data() + begin * width + begin, width);
    std::vector<float> weights;
    for (int64_t row = 0; row < rowCount; ++row) {
      const double *first = work.data() + row * width;
      weights.assign(first + begin, first + end);
      rows[row]->choose(begin, weights, feedback);
    }
  }

  void roundWeight(int64_t row, int64_t step, int64_t start, int64_t stop) {
    int64_t column = hessian.order[step];
    double *weights = work.data() + row * width;
    double rounded = rows[row]->round(column, static_cast<float>(weights[step]));
    const double *factors = hessian.inverse.data() + step * width;
    double error = (weights[step] - rounded) / factors[step];
    int64_t seenEnd = getSeenEnd(stop);
    for (int64_t next = step + 1; next < seenEnd; ++next)
      weights[next] -= error * factors[next];
    errors[row * batchColumns + step - start] = error;
    count(getWeight(row, step), rounded, error, hessian.dead[step]);
  }

  void count(double weight, double rounded, double error, bool dead) {
    double change = weight - rounded;
    sums.errors += error * error;
    sums.changes += change * change;
    sums.squares += weight * weight;
    if (dead)
      return;
    sums.aliveErrors += error * error;
    sums.aliveChanges += change * change;
    sums.aliveSquares += weight * weight;
  }

  const WeightValues &values;
  const InverseHessian &hessian;
  const GPTQOptions &options;
  bool oneGroup;
  ArrayRef<float> importance;
  WeightQuantizer &quantizer;
  const PruningPattern *pattern; ///< null: nothing is chosen
  MutableArrayRef<bool> mask;    ///< of the whole matrix
  int64_t width, group;
  WeightQuantizer::Lookahead lookahead;
  int64_t firstRow = 0, rowCount = 0;
  std::vector<double> work;   ///< [rowCount, width], in the order of steps
  std::vector<double> errors; ///< [rowCount, batchColumns]
  std::vector<std::unique_ptr<WeightQuantizer::Row>> rows;
};

} // namespace

std::vector<float> InverseHessian::getImportance() const {
  std::vector<double> costs(width);
  for (auto [column, cost] : llvm::enumerate(costs)) {
    int64_t step = steps[column];
    double factor = inverse[step * width + step];
    cost = dead[step] ? 0 : 1 / (factor * factor);
  }
  double largest = *std::max_element(costs.begin(), costs.end());
  std::vector<float> importance;
  importance.reserve(costs.size());
  for (double cost : costs)
    importance.push_back(largest > 0 ? static_cast<float>(cost / largest) : 1.0f);
  return importance;
}

static void start(RowQuantizer &chunk, size_t index, int64_t rows) {
  int64_t begin = static_cast<int64_t>(index) * chunkRows;
  chunk.start(begin, std::min(begin + chunkRows, rows));
}

/// Rounds rows that do not depend on each other, with no more of them in memory than there are
/// threads.
static void roundAlone(MLIRContext *context, const WeightValues &values,
                       MutableArrayRef<RowQuantizer> chunks) {
  parallelFor(context, 0, chunks.size(), [&](size_t index) {
    RowQuantizer &chunk = chunks[index];
    start(chunk, index, values.rows);
    for (int64_t begin = 0, end; begin < values.columns; begin = end) {
      end = chunk.getBatchEnd(begin);
      chunk.round(begin, end);
    }
    chunk.finish();
  });
}

/// The same where which weights of a batch of columns are kept is chosen among all rows.
static void roundTogether(MLIRContext *context, const WeightValues &values,
                          const PruningPattern &pattern, MutableArrayRef<bool> mask,
                          MutableArrayRef<RowQuantizer> chunks) {
  parallelFor(context, 0, chunks.size(),
              [&](size_t index) { start(chunks[index], index, values.rows); });
  for (int64_t begin = 0, end; begin < values.columns; begin = end) {
    end = chunks.front().getBatchEnd(begin);
    int64_t width = end - begin;
    std::vector<double> scores(values.rows * width);
    SmallVector<bool, 0> kept(scores.size());
    parallelFor(context, 0, chunks.size(), [&](size_t index) {
      chunks[index].score(begin, end, scores.data() + index * chunkRows * width);
    });
    // Rounded so that the numbers of all batches are that of the matrix.
    keepLargest(scores, pattern.getKept(values.rows * end) - pattern.getKept(values.rows * begin),
                kept);
    for (int64_t row = 0; row < values.rows; ++row)
      llvm::copy(ArrayRef<bool>(kept).slice(row * width, width),
                 mask.begin() + row * values.columns + begin);
    parallelFor(context, 0, chunks.size(), [&](size_t index) { chunks[index].round(begin, end); });
  }
  for (RowQuantizer &chunk : chunks)
    chunk.finish();
}

/// The loop of both: with a pattern, `mask` is chosen in it, of which `values` are read.
static FailureOr<GPTQResult> roundMatrix(ParameterOp parameter, const WeightValues &values,
                                         const InverseHessian &hessian, const GPTQOptions &options,
                                         const PruningPattern *pattern,
                                         MutableArrayRef<bool> mask) {
  if (values.columns != hessian.width)
    return parameter.emitOpError("expected weights for ")
           << hessian.width << " inputs, found " << values.columns;
  if (!options.staticGroups && getGroupSize(options.encoding, values.columns) < values.columns &&
      !llvm::is_sorted(hessian.order))
    return parameter.emitOpError("expected static groups for columns out of order");
  std::unique_ptr<WeightQuantizer> quantizer = getQuantizer(values, options.encoding, options.fit);
  if (quantizer->getLookahead().chosen > 1 && !llvm::is_sorted(hessian.order))
    return parameter.emitOpError("expected columns in their order for ") << options.encoding;
  std::vector<float> importance = hessian.getImportance();
  // One group of all rows can only be fitted before any of them changes.
  bool oneGroup = isOneGroup(options.encoding);
  if (oneGroup) {
    std::vector<float> ofAll;
    for (int64_t row = 0; options.fit.search && row < values.rows; ++row)
      llvm::append_range(ofAll, importance);
    if (!quantizer->fitMatrix(values.data, ofAll))
      return reportScale(parameter, options.encoding, 0);
  }
  std::vector<RowQuantizer> chunks;
  for (int64_t row = 0; row < values.rows; row += chunkRows)
    chunks.emplace_back(values, hessian, options, oneGroup, importance, *quantizer, pattern, mask);
  if (pattern && pattern->isFree())
    roundTogether(parameter.getContext(), values, *pattern, mask, chunks);
  else
    roundAlone(parameter.getContext(), values, chunks);
  Sums sums;
  for (const RowQuantizer &chunk : chunks) {
    if (chunk.beyond)
      return reportScale(parameter, options.encoding, *chunk.beyond);
    sums.add(chunk.sums);
  }
  auto ratio = [](double part, double whole) {
    return whole > 0 ? std::sqrt(std::max(part, 0.0) / whole) : 0.0;
  };
  GPTQResult result;
  result.loss = sums.errors / 2;
  result.weight.encoding = options.encoding;
  result.weight.bytes = quantizer->take();
  result.weight.weightError = ratio(sums.changes, sums.squares);
  // Without what was added to the diagonal, the sums are those of real outputs.
  result.weight.outputError = ratio(sums.aliveErrors - hessian.added * sums.aliveChanges,
                                    sums.factoredSquares - hessian.added * sums.aliveSquares);
  return result;
}

FailureOr<GPTQResult> llmc::quantizeGPTQ(ParameterOp parameter, const WeightValues &values,
                                         const InverseHessian &hessian,
                                         const GPTQOptions &options) {
  return roundMatrix(parameter, values, hessian, options, nullptr, {});
}

FailureOr<GPTQResult> llmc::pruneSparseGPT(ParameterOp parameter, WeightValues &values,
                                           const InverseHessian &hessian,
                                           const GPTQOptions &options,
                                           const PruningPattern &pattern) {
  if (!llvm::is_sorted(hessian.order))
    return parameter.emitOpError("expected columns in order where weights side by side are chosen");
  // Grids that are fitted before the first weight is chosen are fitted to all.
  values.kept.assign(values.data.size(), true);
  return roundMatrix(parameter, values, hessian, options, &pattern, values.kept);
}
