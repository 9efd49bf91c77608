//===- ScaleAWQ.cpp - scales that protect the weights of large inputs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"
#include "llmc/Transforms/Rewrites/ScalingPass.h"

#include "mlir/IR/Threading.h"
#include <cmath>
#include <cstring>

namespace llmc {
#define GEN_PASS_DEF_SCALEAWQ
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

/// Values of a parameter that lie in memory as the parameter would.
struct CandidateBytes {
  ParameterOp parameter;
  std::vector<float> values;

  Candidate get() const {
    auto type = RankedTensorType::get(ParameterOp(parameter).getTensorType().getShape(),
                                      Float32Type::get(ParameterOp(parameter).getContext()));
    return {parameter,
            type,
            {reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(float)},
            std::nullopt};
  }
};

/// Tries scales for one input.
class ScaleSearch {
public:
  ScaleSearch(const QuantizationPlan &plan, CalibrationSite &site, const InputScale &scale)
      : plan(plan), block(*site.block), scale(scale),
        magnitudes(getMeanPerFactor(scale, site.statistics.meanMagnitude)) {}

  FailureOr<ScaleChoice> run(int64_t samples) {
    for (ParameterOp weight : getWeights(scale)) {
      FailureOr<WeightValues> values = WeightValues::read(weight);
      if (failed(values))
        return failure();
      encodings.push_back(widenScales(weight, *values, plan.others.encoding));
      weights.push_back({weight, std::move(*values)});
    }
    BlockOutput output;
    output.samples = samples;
    if (failed(block.keepReference(output)))
      return failure();
    ScaleChoice best;
    double least = 0;
    constexpr int steps = 20;
    for (int step = 0; step < steps; ++step) {
      double ratio = static_cast<double>(step) / steps;
      std::vector<double> factors = getFactors(ratio);
      FailureOr<double> error = getError(factors);
      if (failed(error))
        return failure();
      if (step == 0)
        best.errorBefore = best.errorAfter = least = *error;
      if (*error < least) {
        best.errorAfter = least = *error;
        best.parameter = ratio;
        best.factors = std::move(factors);
      }
    }
    return best;
  }

private:
  /// s = a^r, at least 10^-4, around 1.
  std::vector<double> getFactors(double ratio) const {
    std::vector<double> factors(magnitudes.size());
    for (auto [factor, magnitude] : llvm::zip_equal(factors, magnitudes))
      factor = std::max(std::pow(magnitude, ratio), 1e-4);
    auto [least, largest] = std::minmax_element(factors.begin(), factors.end());
    double middle = std::sqrt(*least * *largest);
    for (double &factor : factors)
      factor /= middle;
    return factors;
  }

  /// The error of the block's outputs with Q(W·diag(s))·diag(s)⁻¹ in the place of W.
  FailureOr<double> getError(ArrayRef<double> factors) {
    std::vector<double> ofColumns = spreadFactors(scale, factors);
    std::vector<CandidateBytes> rounded;
    for (auto [weight, encoding] : llvm::zip(weights, encodings)) {
      FailureOr<std::vector<float>> values =
          round(weight.first, weight.second, encoding, ofColumns);
      if (failed(values))
        return failure();
      rounded.push_back({weight.first, std::move(*values)});
    }
    SmallVector<Candidate> candidates;
    for (const CandidateBytes &bytes : rounded)
      candidates.push_back(bytes.get());
    return block.getError(candidates);
  }

  FailureOr<std::vector<float>> round(ParameterOp parameter, const WeightValues &values,
                                      EncodingInterface encoding, ArrayRef<double> factors) const {
    WeightValues scaled = values;
    parallelFor(parameter.getContext(), 0, scaled.rows, [&](size_t row) {
      for (auto [value, factor] : llvm::zip_equal(scaled.row(static_cast<int64_t>(row)), factors))
        value = static_cast<float>(value * factor);
    });
    FailureOr<std::vector<float>> rounded =
        getRoundedValues(parameter, scaled, encoding, plan.getNearestFit());
    if (failed(rounded))
      return failure();
    parallelFor(parameter.getContext(), 0, scaled.rows, [&](size_t row) {
      MutableArrayRef<float> values(*rounded);
      values = values.slice(row * scaled.columns, scaled.columns);
      for (auto [value, factor] : llvm::zip_equal(values, factors))
        value = static_cast<float>(value / factor);
    });
    return rounded;
  }

  const QuantizationPlan &plan;
  BlockEvaluator &block;
  const InputScale &scale;
  std::vector<double> magnitudes; ///< a, one for each factor
  std::vector<std::pair<ParameterOp, WeightValues>> weights;
  SmallVector<EncodingInterface> encodings;
};

struct ScaleAWQPass : ScalingPass<llmc::impl::ScaleAWQBase<ScaleAWQPass>> {
  using ScalingPass::ScalingPass;

private:
  LogicalResult complete(ModuleOp module, ScalingRequest &request) override {
    QuantizationRequest asked;
    asked.format = format;
    asked.bits = bits;
    asked.groupSize = groupSize;
    asked.symmetric = symmetric;
    asked.zero = zero;
    asked.scale = scale;
    asked.search = mse;
    asked.sharing = sharing;
    asked.activation = ActivationRounding::None;
    FailureOr<QuantizationPlan> plan = QuantizationPlan::get(module.getLoc(), asked);
    if (failed(plan))
      return failure();
    if (plan->search == ClipSearch::Inputs)
      return module.emitError("mse: expected auto, true or false with scale-awq, which clips by no "
                              "inputs, found inputs");
    request.parameterName = "ratio";
    request.statistics = MeanMagnitude;
    request.evaluatesBlocks = true;
    llvm::raw_string_ostream(request.key)
        << "search-samples=" << searchSamples.getValue() << " " << *plan;
    request.choose = [this, plan = *plan](CalibrationSite &site, const InputScale &input) {
      return ScaleSearch(plan, site, input).run(getSearchSamples());
    };
    return success();
  }
};

} // namespace
