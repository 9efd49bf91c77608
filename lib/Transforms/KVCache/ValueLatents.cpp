//===- ValueLatents.cpp - latents in the place of cached values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/KVCache/ValueLatents.h"
#include "llmc/Support/LinearAlgebra.h"
#include "llmc/Transforms/LowRank/Decomposition.h"
#include "llmc/Transforms/Quantization/GPTQ.h"
#include "llmc/Transforms/RowWidths.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// What errors cost
//===----------------------------------------------------------------------===//

namespace {

/// How errors in the values of one head count: an error e costs ‖Rᵀ·e‖², the sum of squares of all
/// that output projections make of it.
struct OutputMetric {
  std::vector<double> root; ///< R, upper triangular

  /// moment += the products of columns of `weight` from `column` on with each other.
  static void addMoment(ExactValues &weight, int64_t column, MatrixView<double> moment);
  /// Takes R of the moment, to whose diagonal a little of its mean is added.
  static FailureOr<OutputMetric> create(std::vector<double> moment, int64_t size);
};

} // namespace

void OutputMetric::addMoment(ExactValues &weight, int64_t column, MatrixView<double> moment) {
  const int64_t size = moment.rows;
  std::vector<double> turned(size * weight.rows);
  for (int64_t row = 0; row < weight.rows; ++row)
    for (int64_t i = 0; i < size; ++i)
      turned[i * weight.rows + row] = weight.row(row)[column + i];
  addProduct(moment, 1, MatrixView<const double>(turned.data(), size, weight.rows),
             MatrixView<const double>(weight.data.data(), weight.rows, weight.columns)
                 .block(0, column, weight.rows, size));
}

FailureOr<OutputMetric> OutputMetric::create(std::vector<double> moment, int64_t size) {
  double mean = 0;
  for (int64_t i = 0; i < size; ++i)
    mean += moment[i * size + i] / static_cast<double>(size);
  // Directions that no output reads cost next to nothing; of heads that none reads all count alike.
  constexpr double least = 1e-6;
  for (int64_t i = 0; i < size; ++i)
    moment[i * size + i] += mean > 0 ? least * mean : 1;
  OutputMetric metric{std::move(moment)};
  if (!factorUpper({metric.root.data(), size, size}))
    return failure();
  return metric;
}

/// Of each head of values.
static FailureOr<std::vector<OutputMetric>> getOutputMetrics(CachedValues &values,
                                                             const ParameterRewrite &weights) {
  KVCacheType cache = values.getCache();
  const int64_t size = cache.getValueSize();
  const auto queries = static_cast<int64_t>(values.attention.getHeads());
  std::vector<std::vector<double>> moments(cache.getValueHeads(), std::vector<double>(size * size));
  for (LinearOp reader : values.readers) {
    FailureOr<ExactValues> weight = weights.evaluate(getParameterOf(reader.getWeight()));
    if (failed(weight))
      return failure();
    for (int64_t head = 0; head < queries; ++head)
      OutputMetric::addMoment(*weight, head * size,
                              {moments[head * cache.getValueHeads() / queries].data(), size, size});
  }
  std::vector<OutputMetric> metrics;
  for (std::vector<double> &moment : moments) {
    FailureOr<OutputMetric> metric = OutputMetric::create(std::move(moment), size);
    if (failed(metric))
      return LogicalResult(values.readers.front().emitOpError(
          "expected an output projection whose columns have a root of their products"));
    metrics.push_back(std::move(*metric));
  }
  return metrics;
}

//===----------------------------------------------------------------------===//
// Fitting them
//===----------------------------------------------------------------------===//

LatentShape LatentShape::get(CachedValues &values, const ValueLatents &latents) {
  const int64_t rows = latents.headsTogether * values.getCache().getValueSize();
  return {values.getWidth() / rows, rows, values.getWeight().getTensorType().getDimSize(1),
          static_cast<int64_t>(values.attention.getHeads()), latents.headsTogether};
}

/// The weights of a group's values.
static FailureOr<std::vector<double>> readGroup(CachedValues &values, const LatentShape &shape,
                                                int64_t group) {
  const ParameterRewrite weights(values.producer->getParentOfType<ModuleOp>());
  FailureOr<ExactValues> all = weights.evaluate(values.getWeight());
  if (failed(all))
    return failure();
  const double *first = all->row(values.begin + group * shape.rows).data();
  return std::vector<double>(first, first + shape.rows * shape.columns);
}

FailureOr<ValueLatents> llmc::spreadValues(CachedValues &values, int64_t headsTogether) {
  const int64_t size = values.getCache().getValueSize();
  ValueLatents latents{headsTogether, headsTogether * size, {}, {}};
  const LatentShape shape = LatentShape::get(values, latents);
  for (int64_t group = 0; group < shape.groups; ++group) {
    FailureOr<std::vector<double>> weights = readGroup(values, shape, group);
    if (failed(weights))
      return failure();
    latents.a.push_back(std::move(*weights));
  }
  for (int64_t head = 0; head < shape.queries; ++head) {
    std::vector<double> &b = latents.b.emplace_back(size * latents.rank);
    for (int64_t i = 0, first = shape.getPlace(head) * size; i < size; ++i)
      b[i * latents.rank + first + i] = 1;
  }
  return latents;
}

ValueMoments llmc::getMoments(CachedValues &values, int64_t headsTogether, ArrayRef<float> rows) {
  const auto queries = static_cast<int64_t>(values.attention.getHeads());
  const int64_t size = headsTogether * values.getCache().getValueSize(), width = queries * size;
  const int64_t count = static_cast<int64_t>(rows.size()) / width;
  ValueMoments moments;
  for (int64_t head = 0; head < queries; ++head) {
    std::vector<double> results(count * size), turned(count * size);
    for (int64_t row = 0; row < count; ++row)
      for (int64_t i = 0; i < size; ++i)
        results[row * size + i] = turned[i * count + row] = rows[row * width + head * size + i];
    std::vector<double> &moment = moments.emplace_back(size * size);
    addProduct(MatrixView<double>(moment.data(), size, size), 1,
               MatrixView<const double>(turned.data(), size, count),
               MatrixView<const double>(results.data(), count, size));
  }
  return moments;
}

/// H·Cᵀ, with a moment H and C of `rank` rows.
static std::vector<double> multiplyByTurned(ArrayRef<double> moment, int64_t rows,
                                            ArrayRef<double> c, int64_t rank) {
  std::vector<double> turned(rows * rank), products(rows * rank);
  for (int64_t i = 0; i < rank; ++i)
    for (int64_t row = 0; row < rows; ++row)
      turned[row * rank + i] = c[i * rows + row];
  addProduct(MatrixView<double>(products.data(), rows, rank), 1,
             MatrixView<const double>(moment.data(), rows, rows),
             MatrixView<const double>(turned.data(), rows, rank));
  return products;
}

/// What gives back a from C·a best: H·Cᵀ·(C·H·Cᵀ)⁻¹, where C·H·Cᵀ is diagonal, of `squares`.
static std::vector<double> invert(ArrayRef<double> moment, int64_t rows, ArrayRef<double> c,
                                  ArrayRef<double> squares) {
  const auto rank = static_cast<int64_t>(squares.size());
  std::vector<double> result = multiplyByTurned(moment, rows, c, rank);
  for (auto [index, number] : llvm::enumerate(result)) {
    const double square = squares[static_cast<int64_t>(index) % rank];
    number = square > 0 ? number / square : 0;
  }
  return result;
}

/// What has to be added to B, rows from `first` on of what gives back a from C·a, for a query head
/// whose results have the moment H: (H·Cᵀ − B·C·H·Cᵀ)·(C·H·Cᵀ + …)⁻¹.
static FailureOr<std::vector<double>> correct(ArrayRef<double> moment, int64_t rows,
                                              ArrayRef<double> c, int64_t rank, int64_t first,
                                              ArrayRef<double> b, double damp) {
  const int64_t size = static_cast<int64_t>(b.size()) / rank;
  const std::vector<double> products = multiplyByTurned(moment, rows, c, rank);
  std::vector<double> inner(rank * rank);
  addProduct(MatrixView<double>(inner.data(), rank, rank), 1,
             MatrixView<const double>(c.data(), rank, rows),
             MatrixView<const double>(products.data(), rows, rank));
  std::vector<double> errors(products.begin() + first * rank,
                             products.begin() + (first + size) * rank);
  addProduct(MatrixView<double>(errors.data(), size, rank), -1,
             MatrixView<const double>(b.data(), size, rank),
             MatrixView<const double>(inner.data(), rank, rank));
  llvm::Expected<InverseHessian> inverse =
      InverseHessian::create(std::move(inner), rank, damp, /*descending=*/false);
  if (!inverse) {
    llvm::consumeError(inverse.takeError());
    return failure();
  }
  // The inverse is Uᵀ·U.
  std::vector<double> half(size * rank), result = b.vec(), lower(rank * rank);
  for (int64_t i = 0; i < rank; ++i)
    for (int64_t j = 0; j < rank; ++j)
      lower[i * rank + j] = inverse->inverse[j * rank + i];
  addProduct(MatrixView<double>(half.data(), size, rank), 1,
             MatrixView<const double>(errors.data(), size, rank),
             MatrixView<const double>(lower.data(), rank, rank));
  addProduct(MatrixView<double>(result.data(), size, rank), 1,
             MatrixView<const double>(half.data(), size, rank),
             MatrixView<const double>(inverse->inverse.data(), rank, rank));
  return result;
}

namespace {

/// Fits the latents of one layer's values, group by group.
class LatentFit {
public:
  LatentFit(CachedValues &values, const ValueMoments &moments, ArrayRef<OutputMetric> outputs,
            double damp, ValueLatents &latents)
      : values(values), moments(moments), outputs(outputs), damp(damp), latents(latents),
        shape(LatentShape::get(values, latents)) {}

  LogicalResult addGroup(int64_t group);
  /// What is lost of all groups that were added, in parts of what outputs make of values.
  double getLoss() const { return total > 0 ? std::sqrt(lost / total) : 0; }

private:
  int64_t getFirstQuery(int64_t group) const { return group * shape.queries / shape.groups; }
  int64_t getHeadSize() const { return values.getCache().getValueSize(); }

  /// The moment of all results of a group's query heads, with its inverse.
  FailureOr<InverseHessian> takeMoment(int64_t group, std::vector<double> &moment);
  /// Rᵀ of all heads of a group.
  std::vector<double> getRoots(int64_t group) const;
  LogicalResult addA(int64_t group, ArrayRef<double> taken);
  /// What gives back the results of each of a group's query heads.
  LogicalResult addB(int64_t group, ArrayRef<double> taken, ArrayRef<double> ofAll);

  LogicalResult fail(llvm::Error error) {
    return values.getWeight().emitOpError() << llvm::toString(std::move(error));
  }

  CachedValues &values;
  const ValueMoments &moments;
  ArrayRef<OutputMetric> outputs;
  double damp;
  ValueLatents &latents;
  const LatentShape shape;
  double lost = 0, total = 0;
};

} // namespace

LogicalResult LatentFit::addGroup(int64_t group) {
  std::vector<double> moment;
  FailureOr<InverseHessian> prepared = takeMoment(group, moment);
  if (failed(prepared))
    return failure();
  llvm::Expected<Decomposition> taken =
      Decomposition::create(getRoots(group), InputMetric(std::move(*prepared)));
  if (!taken)
    return fail(taken.takeError());
  lost += taken->getLoss(latents.rank);
  total += taken->getLoss(0);
  const LowRankFactors chosen = taken->getFactors(latents.rank);
  const std::vector<double> ofAll =
      invert(moment, shape.rows, chosen.a, taken->getSquares().take_front(latents.rank));
  return success(succeeded(addA(group, chosen.a)) && succeeded(addB(group, chosen.a, ofAll)));
}

FailureOr<InverseHessian> LatentFit::takeMoment(int64_t group, std::vector<double> &moment) {
  moment.assign(shape.rows * shape.rows, 0);
  for (int64_t head = getFirstQuery(group); head < getFirstQuery(group + 1); ++head)
    for (auto [sum, product] : llvm::zip_equal(moment, moments[head]))
      sum += product;
  llvm::Expected<InverseHessian> prepared =
      InverseHessian::create(moment, shape.rows, damp, /*descending=*/false);
  if (!prepared)
    return fail(prepared.takeError());
  for (int64_t i = 0; i < shape.rows; ++i)
    moment[i * shape.rows + i] += prepared->added;
  return std::move(*prepared);
}

std::vector<double> LatentFit::getRoots(int64_t group) const {
  const int64_t rows = shape.rows, size = getHeadSize();
  std::vector<double> roots(rows * rows);
  for (int64_t head = 0; head < latents.headsTogether; ++head)
    for (int64_t i = 0, first = head * size; i < size; ++i)
      for (int64_t j = 0; j < size; ++j)
        roots[(first + i) * rows + first + j] =
            outputs[group * latents.headsTogether + head].root[j * size + i];
  return roots;
}

LogicalResult LatentFit::addA(int64_t group, ArrayRef<double> taken) {
  FailureOr<std::vector<double>> own = readGroup(values, shape, group);
  if (failed(own))
    return failure();
  std::vector<double> &a = latents.a.emplace_back(latents.rank * shape.columns);
  addProduct(MatrixView<double>(a.data(), latents.rank, shape.columns), 1,
             MatrixView<const double>(taken.data(), latents.rank, shape.rows),
             MatrixView<const double>(own->data(), shape.rows, shape.columns));
  return success();
}

LogicalResult LatentFit::addB(int64_t group, ArrayRef<double> taken, ArrayRef<double> ofAll) {
  const int64_t rank = latents.rank, size = getHeadSize();
  for (int64_t head = getFirstQuery(group); head < getFirstQuery(group + 1); ++head) {
    const int64_t first = shape.getPlace(head) * size;
    FailureOr<std::vector<double>> ofHead = correct(moments[head], shape.rows, taken, rank, first,
                                                    ofAll.slice(first * rank, size * rank), damp);
    if (failed(ofHead))
      return values.attention.emitOpError(
          "expected results of attention that latents can be fitted to");
    latents.b.push_back(std::move(*ofHead));
  }
  return success();
}

FailureOr<double> llmc::fitLatents(CachedValues &values, const ValueMoments &moments, double damp,
                                   ValueLatents &latents) {
  const ParameterRewrite weights(values.producer->getParentOfType<ModuleOp>());
  FailureOr<std::vector<OutputMetric>> outputs = getOutputMetrics(values, weights);
  if (failed(outputs))
    return failure();
  LatentFit fit(values, moments, *outputs, damp, latents);
  for (int64_t group = 0; group < LatentShape::get(values, latents).groups; ++group)
    if (failed(fit.addGroup(group)))
      return failure();
  return fit.getLoss();
}

//===----------------------------------------------------------------------===//
// Replacing them
//===----------------------------------------------------------------------===//

/// Rows [begin, begin + count) become `rows`, side by side.
static ParameterRewrite::Step replaceRows(int64_t begin, int64_t count, std::vector<double> rows) {
  return [begin, count, rows = std::move(rows)](ExactValues &values) {
    auto first = values.data.begin() + begin * values.columns;
    const auto place = values.data.erase(first, first + count * values.columns);
    values.data.insert(place, rows.begin(), rows.end());
    values.rows = static_cast<int64_t>(values.data.size()) / values.columns;
  };
}

/// Columns of each query head, of the values that it has read, become those of latents.
static ParameterRewrite::Step foldColumns(int64_t heads, KVCacheType cache, ValueLatents latents) {
  return [=, latents = std::move(latents)](ExactValues &values) {
    const int64_t size = cache.getValueSize(), rank = latents.rank;
    std::vector<double> folded(values.rows * heads * rank);
    for (int64_t head = 0; head < heads; ++head) {
      addProduct(MatrixView<double>(folded.data(), values.rows, heads * rank)
                     .block(0, head * rank, values.rows, rank),
                 1,
                 MatrixView<const double>(values.data.data(), values.rows, values.columns)
                     .block(0, head * size, values.rows, size),
                 MatrixView<const double>(latents.b[head].data(), size, rank));
    }
    values.data = std::move(folded);
    values.columns = heads * rank;
  };
}

/// The weights of softmax add up to 1: what is added to all values is added to the result.
static LogicalResult moveBias(CachedValues &values, ParameterRewrite &rewrite,
                              int64_t latentWidth) {
  ParameterOp bias = getParameterOf(values.producer.getBias());
  FailureOr<ExactValues> terms = rewrite.evaluate(bias);
  if (failed(terms))
    return failure();
  const auto heads = static_cast<int64_t>(values.attention.getHeads());
  KVCacheType cache = values.getCache();
  const int64_t size = cache.getValueSize();
  for (LinearOp reader : values.readers) {
    FailureOr<ExactValues> weight = rewrite.evaluate(getParameterOf(reader.getWeight()));
    FailureOr<ParameterOp> moved = rewrite.takeBias(reader);
    if (failed(weight) || failed(moved))
      return failure();
    std::vector<double> sums(weight->rows);
    for (auto [row, sum] : llvm::enumerate(sums))
      for (int64_t column = 0; column < weight->columns; ++column) {
        const int64_t ofValues = column / size * cache.getValueHeads() / heads;
        sum += values.factor * weight->row(static_cast<int64_t>(row))[column] *
               terms->data[values.begin + ofValues * size + column % size];
      }
    rewrite.add(*moved, addTerms(std::move(sums)));
  }
  rewrite.add(bias, replaceRows(values.begin, values.getWidth(), std::vector<double>(latentWidth)));
  return success();
}

LogicalResult llmc::replaceValues(CachedValues &values, const ValueLatents &latents,
                                  ParameterRewrite &rewrite) {
  const int64_t latentWidth = static_cast<int64_t>(latents.a.size()) * latents.rank;
  if (values.producer.getBias() && failed(moveBias(values, rewrite, latentWidth)))
    return failure();
  std::vector<double> rows;
  for (const std::vector<double> &a : latents.a)
    llvm::append_range(rows, a);
  rewrite.add(values.getWeight(), replaceRows(values.begin, values.getWidth(), std::move(rows)));
  llvm::SetVector<Operation *> weights;
  for (LinearOp reader : values.readers)
    weights.insert(getParameterOf(reader.getWeight()));
  for (Operation *weight : weights)
    rewrite.add(
        cast<ParameterOp>(weight),
        foldColumns(static_cast<int64_t>(values.attention.getHeads()), values.getCache(), latents));
  return success();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// Slices of the producer's result take the columns of latents in the place of those of values.
static void moveSlices(CachedValues &values, int64_t latentWidth) {
  const int64_t width = values.getWidth(), end = values.begin + width;
  for (Operation *user : llvm::make_early_inc_range(values.producer.getResult().getUsers())) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(user);
    if (!slice || slice.getStaticOffsets()[1] + slice.getStaticSizes()[1] <= values.begin)
      continue;
    const bool isOfValues = slice.getStaticOffsets()[1] < end;
    OpBuilder builder(slice);
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), sizes = slice.getMixedSizes();
    if (isOfValues)
      sizes[1] = builder.getIndexAttr(latentWidth);
    else
      offsets[1] = builder.getIndexAttr(slice.getStaticOffsets()[1] - width + latentWidth);
    auto moved = tensor::ExtractSliceOp::create(builder, slice.getLoc(), slice.getSource(), offsets,
                                                sizes, slice.getMixedStrides());
    slice.replaceAllUsesWith(moved.getResult());
    slice.erase();
  }
}

FailureOr<CacheChange> llmc::retypeValues(ModuleOp module, MutableArrayRef<CachedValues> values,
                                          ArrayRef<ValueLatents> latents) {
  llvm::DenseMap<Value, const ValueLatents *> ofCache;
  for (auto [each, own] : llvm::zip_equal(values, latents)) {
    moveSlices(each, static_cast<int64_t>(own.a.size()) * own.rank);
    ofCache[each.append.getCache()] = &own;
  }
  FailureOr<CacheChange> change =
      changeCaches(module, [&](int64_t, BlockArgument cache) -> KVCacheType {
        auto type = cast<KVCacheType>(cache.getType());
        const ValueLatents *own = ofCache.lookup(cache);
        if (!own)
          return type;
        auto fail = [&] { return emitError(cache.getLoc()) << type << ": "; };
        return type.withValues(fail, static_cast<int64_t>(own->a.size()), own->rank);
      });
  if (succeeded(change))
    inferRowWidths(module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName));
  return change;
}
