//===- PruneMagnitude.cpp - keeps of each few weights the largest ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/ProgressLine.h"
#include "llmc/Transforms/CompressionPass.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include <chrono>
#include <cmath>
#include <numeric>

namespace llmc {
#define GEN_PASS_DEF_PRUNEMAGNITUDE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

/// Which weights of a matrix are kept: of each `of` in a row the `count` of largest magnitude.
static SmallVector<bool, 0> chooseLargest(const WeightValues &values, int64_t count, int64_t of) {
  SmallVector<bool, 0> kept(values.data.size(), false);
  SmallVector<int64_t> places(of);
  for (int64_t first = 0; first < static_cast<int64_t>(kept.size()); first += of) {
    std::iota(places.begin(), places.end(), first);
    llvm::sort(places, [&](int64_t a, int64_t b) {
      return std::pair(-std::fabs(values.data[a]), a) < std::pair(-std::fabs(values.data[b]), b);
    });
    for (int64_t place : ArrayRef(places).take_front(count))
      kept[place] = true;
  }
  return kept;
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

namespace {

struct PruneMagnitude : CompressionPass<llmc::impl::PruneMagnitudeBase<PruneMagnitude>> {
  using CompressionPass::CompressionPass;

private:
  bool takesRounded() const override { return true; }

  FailureOr<bool> takesHead(ModuleOp module) override {
    auto [kept, all] = StringRef(pattern).split(':');
    if (kept.getAsInteger(10, count) || all.getAsInteger(10, of))
      return module.emitError() << "pattern: expected N:M, found '" << pattern << "'";
    auto fail = [&] { return module.emitError() << "pattern: "; };
    if (!SparseAttr::getChecked(fail, &getContext(), count, of,
                                Attribute(TypeAttr::get(Float32Type::get(&getContext())))))
      return failure();
    return includeHead.getValue();
  }

  LogicalResult compress(ModuleOp module, SmallVectorImpl<SelectedWeight> &weights,
                         CompressionReport &result) override {
    ProgressLine progress(getArgument(), weights.size());
    SmallVector<StringRef> pruned;
    for (SelectedWeight &weight : weights) {
      ParameterOp parameter = weight.parameter;
      if (isa_and_nonnull<SparsityInterface>(parameter.getTensorType().getEncoding()))
        pruned.push_back(parameter.getSymName());
      else if (failed(prune(weight, result)))
        return failure();
      progress.advance("pruning");
    }
    if (!pruned.empty()) {
      InFlightDiagnostic remark = module.emitRemark("left alone what is pruned already: ");
      llvm::interleave(
          pruned, [&](StringRef name) { remark << "'" << name << "'"; }, [&] { remark << ", "; });
    }
    return success();
  }

  LogicalResult prune(SelectedWeight &weight, CompressionReport &result) {
    using Clock = std::chrono::steady_clock;
    Clock::time_point start = Clock::now();
    ParameterOp parameter = weight.parameter;
    RankedTensorType before = parameter.getTensorType();
    Attribute stored = before.getEncoding();
    if (!stored)
      stored = TypeAttr::get(before.getElementType());
    auto fail = [&] { return parameter.emitOpError(); };
    auto sparse = SparseAttr::getChecked(fail, &getContext(), count, of, stored);
    auto f32 = Float32Type::get(&getContext());
    if (!sparse || failed(sparse.verifyEncoding(before.getShape(), f32, fail)))
      return failure();
    FailureOr<WeightValues> values = WeightValues::read(parameter);
    if (failed(values))
      return failure();
    SmallVector<bool, 0> kept = chooseLargest(*values, count, of);
    std::vector<uint8_t> bytes;
    if (before.getEncoding()) {
      FailureOr<ArrayRef<uint8_t>> dense = getParameterBytes(parameter);
      if (failed(dense))
        return failure();
      bytes = sparse.pack(*dense, before.getShape(), kept);
    } else {
      bytes = sparse.pack(copyFloats(*values, before.getElementType()), before.getShape(), kept);
    }
    auto type = RankedTensorType::get(before.getShape(), f32, sparse);
    auto size = static_cast<double>(bytes.size());
    setParameter(parameter, type,
                 makeParameterData(&getContext(), parameter.getSymName(), std::move(bytes)));
    DynamicAttr activation = checkActivation(weight, sparse);
    std::chrono::duration<double> taken = Clock::now() - start;
    result.add({parameter.getSymName().str(), type, size,
                EncodingInterface(sparse).getBitsPerWeight(before.getShape()),
                getError(*values, kept), std::nullopt, taken.count(), activation});
    return success();
  }

  /// How inputs are rounded from now on.
  static DynamicAttr checkActivation(SelectedWeight &weight, EncodingInterface encoding) {
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

  int64_t count = 0, of = 0;
};

} // namespace
