//===- QuantizeSpQR.cpp - rounds weights but for outliers, to integers whose scales are too ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/SpellNumber.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Quantization/CalibratedQuantizationPass.h"
#include "llmc/Transforms/Quantization/GPTQ.h"
#include "llmc/Transforms/Quantization/Outliers.h"

#include <cmath>

namespace llmc {
#define GEN_PASS_DEF_QUANTIZESPQR
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

/// How groups are fitted where outliers are chosen, before scales are rounded; null where an
/// encoding has none of integers with a zero point.
static GroupedAttr getGrid(EncodingInterface encoding) {
  MLIRContext *context = encoding.getContext();
  auto make = [&](unsigned bits, int64_t group) {
    return GroupedAttr::get(context, bits, group, ZeroPoint::Integer, Float32Type::get(context));
  };
  if (auto bilevel = dyn_cast<BilevelAttr>(encoding))
    return make(bilevel.getBits(), bilevel.getGroup());
  if (auto grouped = dyn_cast<GroupedAttr>(encoding); grouped && grouped.getGroup() >= 0)
    return make(grouped.getBits(), grouped.getGroup());
  return {};
}

namespace {

struct QuantizeSpQR : CalibratedQuantizationPass<llmc::impl::QuantizeSpQRBase<QuantizeSpQR>> {
  using CalibratedQuantizationPass::CalibratedQuantizationPass;

  LogicalResult readOptions(ModuleOp module) override {
    if (!(outliers >= 0 && outliers <= 1))
      return module.emitError("outliers: expected a share from 0 to 1, found ")
             << spellNumber(outliers);
    if (failed(checkDamp(module, damp)))
      return failure();
    if (scaleGroup < 1)
      return module.emitError("scale-group: expected a positive number, found ")
             << scaleGroup.getValue();
    constexpr int64_t defaultScaleGroup = 16;
    if (scaleBits == 0 && scaleGroup != defaultScaleGroup)
      return module.emitError("scale-group: expected scale-bits of at least 1 with it, found 0");
    return success();
  }

  void completeRequest(QuantizationRequest &request) const override {
    request.format = scaleBits == 0 ? "int" : "bilevel";
    request.groupSize = groupSize;
    request.search = mse;
    if (scaleBits == 0) {
      request.symmetric = false;
      if (groupSize.empty())
        request.groupSize = "16";
    } else {
      request.scaleBits = scaleBits;
      request.scaleGroup = scaleGroup;
    }
  }

  LogicalResult checkPlan(ModuleOp module, const QuantizationPlan &plan) override {
    EncodingInterface ofHead = plan.head.encoding;
    if (outliers > 0 && ofHead && !plan.headIsLikeOthers && !getGrid(ofHead))
      module.emitRemark("outliers: the head and the embedding have none beside ")
          << ofHead << ": expected head-format=same with them";
    return CalibratedQuantizationPass::checkPlan(module, plan);
  }

  void spellMethod(llvm::raw_ostream &stream) const override {
    stream << "damp=" << damp.getValue() << " outliers=" << outliers.getValue();
  }

  LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                          CalibratedWeights &weights) override {
    auto round = [&](ParameterOp parameter, WeightValues &values,
                     const InverseHessian &hessian) -> FailureOr<GPTQResult> {
      FailureOr<EncodingInterface> encoding = weights.getEncoding(parameter, values, plan);
      if (failed(encoding))
        return failure();
      bool isHead = weights.isHead(parameter);
      if (GroupedAttr grid = getGrid(plan.getStorage(parameter.getSymName(), isHead).encoding))
        encoding = keepOutliers(parameter, values, *encoding, grid, hessian.getImportance());
      else if (outliers > 0)
        parameter.emitRemark("outliers: '")
            << parameter.getSymName() << "' has none beside " << *encoding
            << ": they are chosen by groups of integers along the input axis";
      if (failed(encoding))
        return failure();
      return quantizeGPTQ(parameter, values, hessian, {*encoding, plan.getCalibratedFit()});
    };
    return weights.replaceByHessian(site, {damp}, round, times);
  }

  NamedTimes getTimes() const override { return times.list(); }

private:
  /// Chooses the outliers of a matrix, and gives its encoding with them.
  FailureOr<EncodingInterface> keepOutliers(ParameterOp parameter, WeightValues &values,
                                            EncodingInterface encoding, GroupedAttr grid,
                                            ArrayRef<float> importance) {
    auto count =
        static_cast<int64_t>(std::nearbyint(outliers * static_cast<double>(values.columns)));
    if (count == 0)
      return encoding;
    MLIRContext *context = parameter.getContext();
    // A weight that f16 can't hold is an outlier like any.
    bool isLarge = getLargestMagnitude(values.data) > largestHalf;
    Type element = isLarge ? Type(Float32Type::get(context)) : Type(Float16Type::get(context));
    auto emitError = [&] { return parameter.emitOpError(); };
    auto result = OutliersAttr::getChecked(emitError, context, count, element, Attribute(encoding));
    if (!result || failed(result.verifyEncoding({values.rows, values.columns},
                                                Float32Type::get(context), emitError)))
      return failure();
    values.outliers = chooseOutliers(context, values, grid, count, importance);
    return EncodingInterface(result);
  }

  /// What is listed has been changed to make up for errors of others: half of what f16 holds.
  static constexpr float largestHalf = 32752;

  HessianTimes times;
};

} // namespace
