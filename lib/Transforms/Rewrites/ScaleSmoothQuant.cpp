//===- ScaleSmoothQuant.cpp - what activations lose by rounding goes into weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"
#include "llmc/Transforms/Rewrites/ScalingPass.h"

#include <cmath>
#include <cstring>

namespace llmc {
#define GEN_PASS_DEF_SCALESMOOTHQUANT
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

/// A value of a parameter as a candidate has it.
struct CandidateValue {
  ParameterOp parameter;
  RankedTensorType type;
  std::vector<uint8_t> bytes;
  std::optional<DynamicAttr> activation;
};

/// The scales of one input: s_j = max|X_j|^α / max|W_j|^(1 − α), at least 10^-5.
class Smoothing {
public:
  Smoothing(ModuleOp module, CalibrationSite &site, const InputScale &scale)
      : module(module), block(site.block), scale(scale),
        inputs(getLargestPerFactor(scale, site.statistics.maxMagnitude)) {}

  LogicalResult readWeights() {
    std::vector<float> largest(scale.count * scale.sharing, 0);
    for (ParameterOp parameter : getWeights(scale)) {
      FailureOr<WeightValues> values = WeightValues::read(parameter);
      if (failed(values))
        return failure();
      for (int64_t row = 0; row < values->rows; ++row)
        for (auto [most, value] : llvm::zip_equal(largest, values->row(row)))
          most = std::max(most, std::fabs(value));
    }
    weights = getLargestPerFactor(scale, largest);
    return success();
  }

  std::vector<double> getFactors(double alpha) const {
    std::vector<double> factors;
    for (auto [input, weight] : llvm::zip_equal(inputs, weights)) {
      // Channels that are always zero have no size to balance.
      bool isEmpty = input == 0 || weight == 0;
      factors.push_back(
          isEmpty ? 1.0 : std::max(std::pow(input, alpha) / std::pow(weight, 1 - alpha), 1e-5));
    }
    return factors;
  }

  /// The alpha of least error of the block's outputs where inputs and weights are rounded.
  FailureOr<ScaleChoice> search(const QuantizationPlan &plan, int64_t samples) {
    BlockOutput output;
    output.samples = samples;
    if (failed(block->keepReference(output)))
      return failure();
    ScaleChoice best;
    FailureOr<double> before = getError(plan, {});
    if (failed(before))
      return failure();
    double least = *before;
    best.errorBefore = best.errorAfter = least;
    constexpr int steps = 20;
    for (int step = 0; step <= steps; ++step) {
      double alpha = static_cast<double>(step) / steps;
      std::vector<double> factors = getFactors(alpha);
      FailureOr<double> error = getError(plan, factors);
      if (failed(error))
        return failure();
      if (*error < least) {
        best.errorAfter = least = *error;
        best.parameter = alpha;
        best.factors = std::move(factors);
      }
    }
    return best;
  }

private:
  FailureOr<double> getError(const QuantizationPlan &plan, ArrayRef<double> factors) {
    ParameterRewrite rewrite(module);
    if (!factors.empty())
      applyFactors(scale, factors, rewrite);
    std::vector<CandidateValue> values;
    for (ParameterOp weight : getWeights(scale))
      if (failed(addRounded(rewrite, plan, weight, values)))
        return failure();
    for (const ScaledRows &rows : scale.rows)
      if (failed(addExact(rewrite, rows.parameter, values)))
        return failure();
    SmallVector<Candidate> candidates;
    for (const CandidateValue &value : values)
      candidates.push_back({value.parameter, value.type, value.bytes, value.activation});
    return block->getError(candidates);
  }

  static LogicalResult addRounded(const ParameterRewrite &rewrite, const QuantizationPlan &plan,
                                  ParameterOp parameter, std::vector<CandidateValue> &values) {
    FailureOr<ExactValues> exact = rewrite.evaluate(parameter);
    if (failed(exact))
      return failure();
    WeightValues floats;
    floats.rows = exact->rows;
    floats.columns = exact->columns;
    floats.data.assign(exact->data.begin(), exact->data.end());
    EncodingInterface encoding = widenScales(parameter, floats, plan.others.encoding);
    FailureOr<QuantizedWeight> rounded =
        roundToNearest(parameter, floats, encoding, plan.searchesNearest());
    if (failed(rounded))
      return failure();
    auto type = RankedTensorType::get(parameter.getTensorType().getShape(),
                                      Float32Type::get(parameter.getContext()), encoding);
    values.push_back({parameter, type, std::move(rounded->bytes),
                      getActivation(encoding, plan.others.activation)});
    return success();
  }

  static LogicalResult addExact(const ParameterRewrite &rewrite, ParameterOp parameter,
                                std::vector<CandidateValue> &values) {
    FailureOr<ExactValues> exact = rewrite.evaluate(parameter);
    if (failed(exact))
      return failure();
    std::vector<float> floats(exact->data.begin(), exact->data.end());
    std::vector<uint8_t> bytes(floats.size() * sizeof(float));
    std::memcpy(bytes.data(), floats.data(), bytes.size());
    auto type = RankedTensorType::get(parameter.getTensorType().getShape(),
                                      Float32Type::get(parameter.getContext()));
    values.push_back({parameter, type, std::move(bytes), std::nullopt});
    return success();
  }

  ModuleOp module;
  BlockEvaluator *block;
  const InputScale &scale;
  std::vector<double> inputs, weights; ///< largest magnitudes, one for each factor
};

struct ScaleSmoothQuantPass : ScalingPass<llmc::impl::ScaleSmoothQuantBase<ScaleSmoothQuantPass>> {
  using ScalingPass::ScalingPass;

private:
  /// The number that is given, or nothing where it is searched.
  FailureOr<std::optional<double>> readAlpha(ModuleOp module) {
    if (alpha == "search")
      return std::optional<double>();
    double number;
    if (StringRef(alpha).getAsDouble(number) || !(number >= 0 && number <= 1))
      return module.emitError("alpha: expected a number from 0 to 1 or 'search', found '")
             << alpha << "'";
    // A program gives all of them: what is as it is by default says nothing.
    for (auto [option, given] :
         {std::pair("search-samples", searchSamples != 1), std::pair("bits", bits != 8),
          std::pair("group-size", groupSize != "channel"),
          std::pair("activation-group", activationGroup != 32)})
      if (given)
        return module.emitError() << option
                                  << ": expected alpha=search with it, found alpha=" << alpha;
    return std::optional<double>(number);
  }

  LogicalResult complete(ModuleOp module, ScalingRequest &request) override {
    FailureOr<std::optional<double>> fixed = readAlpha(module);
    if (failed(fixed))
      return failure();
    QuantizationRequest asked;
    asked.bits = bits.getValue();
    asked.groupSize = groupSize;
    asked.activation = ActivationRounding::I8;
    asked.activationGroup = activationGroup;
    FailureOr<QuantizationPlan> plan = QuantizationPlan::get(module.getLoc(), asked);
    if (failed(plan))
      return failure();
    request.parameterName = "alpha";
    request.statistics = MaxMagnitude;
    request.evaluatesBlocks = !fixed->has_value();
    llvm::raw_string_ostream stream(request.key);
    stream << "alpha=" << StringRef(alpha);
    if (!*fixed)
      stream << " search-samples=" << searchSamples.getValue() << " " << *plan;
    request.choose = [this, module, fixed = *fixed, plan = *plan](
                         CalibrationSite &site, const InputScale &input) -> FailureOr<ScaleChoice> {
      Smoothing smoothing(module, site, input);
      if (failed(smoothing.readWeights()))
        return failure();
      if (!fixed)
        return smoothing.search(plan, getSearchSamples());
      ScaleChoice choice;
      choice.parameter = *fixed;
      choice.factors = smoothing.getFactors(*fixed);
      return choice;
    };
    return success();
  }
};

} // namespace
