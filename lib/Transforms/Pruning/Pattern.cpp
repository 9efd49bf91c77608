//===- Pattern.cpp - which weights of a matrix pruning keeps ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/Pattern.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/SpellNumber.h"

#include "mlir/IR/Threading.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <functional>
#include <numeric>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Which weights are kept
//===----------------------------------------------------------------------===//

FailureOr<PruningPattern> PruningPattern::get(Location location, StringRef text,
                                              std::optional<double> sparsity) {
  PruningPattern pattern;
  if (sparsity) {
    if (!(*sparsity > 0 && *sparsity < 1))
      return emitError(location) << "sparsity: expected a number between 0 and 1, found "
                                 << spellNumber(*sparsity);
    pattern.sparsity = *sparsity;
    return pattern;
  }
  auto [kept, all] = text.split(':');
  if (kept.getAsInteger(10, pattern.count) || all.getAsInteger(10, pattern.of))
    return emitError(location) << "pattern: expected N:M, found '" << text << "'";
  if (pattern.of < 2 || pattern.of > 32 || !llvm::isPowerOf2_64(pattern.of))
    return emitError(location) << "pattern: expected some of 2, 4, 8, 16 or 32 weights to be kept, "
                                  "found some of "
                               << pattern.of;
  if (pattern.count < 1 || pattern.count >= pattern.of)
    return emitError(location) << "pattern: expected 1 to " << pattern.of - 1
                               << " weights to be kept of each " << pattern.of << ", found "
                               << pattern.count;
  return pattern;
}

int64_t PruningPattern::getKept(int64_t weights) const {
  if (!isFree())
    return weights / of * count;
  return weights - std::llround(sparsity * static_cast<double>(weights));
}

/// Whether positions of kept weights take a byte at most, and no more than a bit for each would.
static bool hasPositions(int64_t count, int64_t of) {
  return llvm::isPowerOf2_64(count) && of <= 16 && count * llvm::Log2_64(of) <= 8;
}

EncodingInterface PruningPattern::store(Attribute weights, int64_t kept,
                                        function_ref<InFlightDiagnostic()> emitError) const {
  MLIRContext *context = weights.getContext();
  if (!isFree() && hasPositions(count, of)) {
    auto sparse = SparseAttr::getChecked(emitError, context, count, of, weights);
    return sparse ? EncodingInterface(sparse) : EncodingInterface();
  }
  auto masked = MaskedAttr::getChecked(emitError, context, kept, weights);
  return masked ? EncodingInterface(masked) : EncodingInterface();
}

void PruningPattern::choose(ArrayRef<double> scores, MutableArrayRef<bool> kept) const {
  if (isFree())
    return keepLargest(scores, getKept(static_cast<int64_t>(scores.size())), kept);
  for (size_t size; !scores.empty();
       scores = scores.drop_front(size), kept = kept.drop_front(size)) {
    size = std::min<size_t>(of, scores.size());
    keepLargest(scores.take_front(size), count, kept.take_front(size));
  }
}

void llmc::keepLargest(ArrayRef<double> scores, int64_t count, MutableArrayRef<bool> kept) {
  if (count <= 0 || count >= static_cast<int64_t>(scores.size()))
    return llvm::fill(kept, count > 0);
  SmallVector<double, 32> ordered(scores);
  std::nth_element(ordered.begin(), ordered.begin() + (count - 1), ordered.end(), std::greater<>());
  double least = ordered[count - 1];
  // Of those that are as large as the least the first are kept.
  int64_t equal = count - llvm::count_if(scores, [&](double score) { return score > least; });
  for (auto [score, isKept] : llvm::zip_equal(scores, kept))
    isKept = score > least || (score == least && equal-- > 0);
}

//===----------------------------------------------------------------------===//
// Storing them
//===----------------------------------------------------------------------===//

Attribute llmc::getStoredWeights(ParameterOp parameter) {
  RankedTensorType type = parameter.getTensorType();
  return type.getEncoding() ? type.getEncoding() : TypeAttr::get(type.getElementType());
}

LogicalResult llmc::checkShape(ParameterOp parameter, const PruningPattern &pattern) {
  auto fail = [&] { return parameter.emitOpError(); };
  ArrayRef<int64_t> shape = parameter.getTensorType().getShape();
  if (!pattern.isFree() && shape[1] % pattern.of != 0)
    return fail() << "expected a multiple of " << pattern.of << " columns for a pattern of "
                  << pattern.count << ":" << pattern.of << ", found " << shape[1];
  EncodingInterface encoding =
      pattern.store(getStoredWeights(parameter), pattern.getKept(shape[0] * shape[1]), fail);
  if (!encoding)
    return failure();
  return cast<VerifiableTensorEncoding>(encoding).verifyEncoding(
      parameter.getTensorType().getShape(), Float32Type::get(parameter.getContext()), fail);
}

/// ‖W − W'‖ / ‖W‖
static double getError(MLIRContext *context, const WeightValues &values, ArrayRef<bool> kept) {
  // Sums of single rows: their total does not depend on which thread did which row.
  std::vector<double> lost(values.rows), squares(values.rows);
  parallelFor(context, 0, values.rows, [&](size_t row) {
    for (auto [weight, isKept] :
         llvm::zip_equal(values.row(row), kept.slice(row * values.columns, values.columns))) {
      double square = static_cast<double>(weight) * weight;
      squares[row] += square;
      lost[row] += isKept ? 0 : square;
    }
  });
  double all = std::accumulate(squares.begin(), squares.end(), 0.0);
  return all == 0 ? 0 : std::sqrt(std::accumulate(lost.begin(), lost.end(), 0.0) / all);
}

/// A matrix as an array of `type`, whatever its strides.
static std::vector<uint8_t> copyFloats(const WeightValues &values, Type type) {
  const size_t rowBytes = values.columns * type.getIntOrFloatBitWidth() / 8;
  std::vector<uint8_t> bytes(values.rows * rowBytes);
  parallelFor(type.getContext(), 0, values.rows, [&](size_t row) {
    uint8_t *out = bytes.data() + row * rowBytes;
    for (auto [column, weight] : llvm::enumerate(values.row(row)))
      writeFloat(out, static_cast<int64_t>(column), type, weight);
  });
  return bytes;
}

FailureOr<QuantizedWeight> llmc::pruneWeight(ParameterOp parameter, const WeightValues &values,
                                             const PruningPattern &pattern, ArrayRef<bool> kept) {
  RankedTensorType before = parameter.getTensorType();
  auto fail = [&] { return parameter.emitOpError(); };
  EncodingInterface encoding =
      pattern.store(getStoredWeights(parameter), llvm::count(kept, true), fail);
  if (!encoding)
    return failure();
  auto sparsity = cast<SparsityInterface>(encoding);
  QuantizedWeight result{
      encoding, {}, getError(parameter.getContext(), values, kept), std::nullopt};
  if (before.getEncoding()) {
    FailureOr<ArrayRef<uint8_t>> dense = getParameterBytes(parameter);
    if (failed(dense))
      return failure();
    result.bytes = sparsity.pack(*dense, before.getShape(), kept);
  } else {
    result.bytes =
        sparsity.pack(copyFloats(values, before.getElementType()), before.getShape(), kept);
  }
  return result;
}

DynamicAttr llmc::keepRounding(SelectedWeight &weight) {
  auto encoding = cast<EncodingInterface>(weight.parameter.getTensorType().getEncoding());
  DynamicAttr activation;
  for (LinearOp linear : weight.linears)
    if (DynamicAttr here = linear.getActivationAttr())
      activation = here;
  if (!activation || encoding.getLinearCodes())
    return activation;
  warnNotRounded(weight.parameter);
  for (LinearOp linear : weight.linears)
    linear.removeActivationAttr();
  return {};
}

void llmc::leavePruned(ModuleOp module, SmallVectorImpl<SelectedWeight> &weights) {
  SmallVector<StringRef> pruned;
  llvm::erase_if(weights, [&](SelectedWeight &weight) {
    bool isPruned =
        isa_and_nonnull<SparsityInterface>(weight.parameter.getTensorType().getEncoding());
    if (isPruned)
      pruned.push_back(weight.parameter.getSymName());
    return isPruned;
  });
  if (pruned.empty())
    return;
  InFlightDiagnostic remark = module.emitRemark("left alone what is pruned already: ");
  llvm::interleave(
      pruned, [&](StringRef name) { remark << "'" << name << "'"; }, [&] { remark << ", "; });
}
