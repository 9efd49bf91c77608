//===- Pattern.cpp - which weights of a matrix pruning keeps ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/Pattern.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Which weights are kept
//===----------------------------------------------------------------------===//

FailureOr<PruningPattern> PruningPattern::get(Location location, StringRef text) {
  PruningPattern pattern;
  auto [kept, all] = text.split(':');
  if (kept.getAsInteger(10, pattern.count) || all.getAsInteger(10, pattern.of))
    return emitError(location) << "pattern: expected N:M, found '" << text << "'";
  auto f32 = TypeAttr::get(Float32Type::get(location.getContext()));
  if (!pattern.store(f32, [&] { return emitError(location) << "pattern: "; }))
    return failure();
  return pattern;
}

EncodingInterface PruningPattern::store(Attribute weights,
                                        function_ref<InFlightDiagnostic()> emitError) const {
  auto sparse = SparseAttr::getChecked(emitError, weights.getContext(), count, of, weights);
  return sparse ? EncodingInterface(sparse) : EncodingInterface();
}

void PruningPattern::choose(ArrayRef<double> scores, MutableArrayRef<bool> kept) const {
  for (; !scores.empty(); scores = scores.drop_front(of), kept = kept.drop_front(of))
    keepLargest(scores.take_front(of), count, kept.take_front(of));
}

void llmc::keepLargest(ArrayRef<double> scores, int64_t count, MutableArrayRef<bool> kept) {
  llvm::fill(kept, false);
  SmallVector<int64_t, 0> places(scores.size());
  std::iota(places.begin(), places.end(), 0);
  if (count < static_cast<int64_t>(places.size()))
    std::nth_element(
        places.begin(), places.begin() + count, places.end(),
        [&](int64_t a, int64_t b) { return std::pair(-scores[a], a) < std::pair(-scores[b], b); });
  for (int64_t place : ArrayRef(places).take_front(count))
    kept[place] = true;
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
  EncodingInterface encoding = pattern.store(getStoredWeights(parameter), fail);
  if (!encoding)
    return failure();
  return cast<VerifiableTensorEncoding>(encoding).verifyEncoding(
      parameter.getTensorType().getShape(), Float32Type::get(parameter.getContext()), fail);
}

/// ‖W − W'‖ / ‖W‖
static double getError(const WeightValues &values, ArrayRef<bool> kept) {
  double lost = 0, all = 0;
  for (auto [weight, isKept] : llvm::zip(values.data, kept)) {
    double square = static_cast<double>(weight) * weight;
    all += square;
    lost += isKept ? 0 : square;
  }
  return all == 0 ? 0 : std::sqrt(lost / all);
}

/// A matrix as an array of `type`, whatever its strides.
static std::vector<uint8_t> copyFloats(const WeightValues &values, Type type) {
  std::vector<uint8_t> bytes(values.data.size() * type.getIntOrFloatBitWidth() / 8);
  for (auto [index, weight] : llvm::enumerate(values.data))
    writeFloat(bytes.data(), static_cast<int64_t>(index), type, weight);
  return bytes;
}

FailureOr<QuantizedWeight> llmc::pruneWeight(ParameterOp parameter, const WeightValues &values,
                                             const PruningPattern &pattern, ArrayRef<bool> kept) {
  RankedTensorType before = parameter.getTensorType();
  auto fail = [&] { return parameter.emitOpError(); };
  EncodingInterface encoding = pattern.store(getStoredWeights(parameter), fail);
  if (!encoding)
    return failure();
  auto sparsity = cast<SparsityInterface>(encoding);
  QuantizedWeight result{encoding, {}, getError(values, kept), std::nullopt};
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
