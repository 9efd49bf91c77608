//===- QuantizationPass.h - what all quantization passes do around their methods ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between the base class that TableGen makes of a pass and the pass itself, where its
// options are those of QuantizationOptions.td:
//
//   struct QuantizeRTN : QuantizationPass<impl::QuantizeRTNBase<QuantizeRTN>> { …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONPASS_H
#define LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONPASS_H

#include "llmc/Support/SpellNumber.h"
#include "llmc/Transforms/CompressionPass.h"
#include "llmc/Transforms/Quantization/InputOutliers.h"
#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Transforms/Quantization/SharedTables.h"

namespace llmc {

/// A compression pass with `quantizationOptions` or `roundingOptions`, of which it makes its plan.
template <typename PassBase>
struct QuantizationPass : CompressionPass<PassBase> {
  using CompressionPass<PassBase>::CompressionPass;

protected:
  /// Whether weights are rounded at all; else the plan is empty, and options of rounding are
  /// refused.
  virtual bool rounds() const { return true; }
  /// Whether the head is taken in where nothing is rounded.
  virtual bool takesHeadAsFloats() const { return false; }
  /// Whether it clips groups by what calibration knows of the inputs.
  virtual bool clipsByInputs() const { return false; }
  /// Whether it runs the model to round weights, where it has options of calibration.
  virtual bool needsInputs(const QuantizationPlan &) const { return true; }

  /// Reads the options of the method beside those, and reports what can't be done.
  virtual mlir::LogicalResult readOptions(mlir::ModuleOp) { return mlir::success(); }
  /// Reports what can't be done of a plan, before anything is run.
  virtual mlir::LogicalResult checkPlan(mlir::ModuleOp, const QuantizationPlan &) {
    return mlir::success();
  }

  /// Quantizes `weights`, which it may use up, and adds each to `result`.
  virtual mlir::LogicalResult quantize(mlir::ModuleOp module, const QuantizationPlan &plan,
                                       llvm::SmallVectorImpl<SelectedWeight> &weights,
                                       CompressionReport &result) = 0;

  /// The options that decide which bytes come out of which weight.
  void spellOptions(const QuantizationPlan &plan, llvm::raw_ostream &stream) const {
    stream << plan << " ";
    this->spellSelection(stream);
  }

  /// What the options ask for. A pass that has `roundingOptions` alone says the rest.
  QuantizationRequest getRequest() const {
    QuantizationRequest request;
    if constexpr (requires { this->format; }) {
      request.format = this->format;
      request.groupSize = this->groupSize;
      request.symmetric = this->symmetric;
      request.zero = this->zero;
      request.search = this->mse;
      if constexpr (requires { this->trellisTable; })
        request.trellisTable = this->trellisTable;
      request.sharing = this->sharing;
    } else {
      completeRequest(request);
    }
    request.bits = this->bits;
    request.headFormat = this->headFormat;
    request.formats.assign(this->formats.begin(), this->formats.end());
    request.scale = this->scale;
    request.activation = this->activation;
    request.activationGroup = this->activationGroup;
    request.activationOutliers = this->activationOutliers;
    return request;
  }
  virtual void completeRequest(QuantizationRequest &) const {}

private:
  /// Whether there are options of calibration.
  static constexpr bool calibrates() {
    return requires(QuantizationPass &pass) { pass.calibration; };
  }

  bool takesRounded() const final { return this->requantize; }

  mlir::FailureOr<bool> takesHead(mlir::ModuleOp module) final {
    if (failed(readOptions(module)))
      return mlir::failure();
    if (!rounds()) {
      if (failed(refuseRounding(module)))
        return mlir::failure();
      return takesHeadAsFloats();
    }
    mlir::FailureOr<QuantizationPlan> made = QuantizationPlan::get(module.getLoc(), getRequest());
    if (failed(made))
      return mlir::failure();
    if (failed(checkInputs(module, *made)) || failed(checkPlan(module, *made)))
      return mlir::failure();
    plan = std::move(*made);
    return plan.headIsLikeOthers || plan.head.encoding;
  }

  /// Reports what only calibration could say to a pass that does without.
  mlir::LogicalResult checkInputs(mlir::ModuleOp module, const QuantizationPlan &made) {
    if (made.search == ClipSearch::Inputs && !clipsByInputs())
      return module.emitError("mse: expected auto, true or false with ")
             << this->getArgument() << ", which clips by no inputs, found inputs";
    if (!calibrates() && made.hasRanges())
      return module.emitError(
                 "activation: expected a rounding whose scales are found while running "
                 "with ")
             << this->getArgument() << ", which calibrates nothing, found i8-static";
    if (made.activationOutliers == 0)
      return mlir::success();
    if constexpr (calibrates())
      return checkOutlierOptions(module, this->getCalibrationOptions(), needsInputs(made));
    return module.emitError("activation-outliers: expected 0 with ")
           << this->getArgument() << ", which calibrates nothing, found "
           << spellNumber(made.activationOutliers);
  }

  /// Reports options that would have no effect where nothing is rounded.
  mlir::LogicalResult refuseRounding(mlir::ModuleOp module) {
    if constexpr (requires { this->format; }) {
      llvm::StringRef given;
      // A program gives all of them: what is as it is by default says nothing.
      const QuantizationRequest none{};
      auto check = [&](const auto &option, const auto &byDefault) {
        given = option.getValue() == byDefault ? given : option.ArgStr;
      };
      check(this->bits, none.bits);
      check(this->headFormat, llvm::StringRef("int:8"));
      given = this->formats.empty() ? given : this->formats.ArgStr;
      check(this->groupSize, none.groupSize);
      check(this->symmetric, none.symmetric);
      check(this->zero, none.zero);
      check(this->scale, none.scale);
      check(this->mse, none.search);
      check(this->sharing, none.sharing);
      if constexpr (requires { this->trellisTable; })
        check(this->trellisTable, none.trellisTable);
      check(this->activation, none.activation);
      check(this->activationGroup, none.activationGroup);
      check(this->activationOutliers, none.activationOutliers);
      if (!given.empty())
        return module.emitError() << given << ": expected a format with it, found format="
                                  << this->format.getValue();
    }
    return mlir::success();
  }

  mlir::LogicalResult compress(mlir::ModuleOp module,
                               llvm::SmallVectorImpl<SelectedWeight> &weights,
                               CompressionReport &result) final {
    llvm::SmallVector<llvm::StringRef> names;
    for (const SelectedWeight &weight : weights)
      if (plan.headIsLikeOthers || !weight.isHead)
        names.push_back(ParameterOp(weight.parameter).getSymName());
    plan.warnOfUnused(module, names);
    if (failed(learnSharedTables(plan, weights)))
      return mlir::failure();
    if constexpr (calibrates())
      if (plan.activationOutliers > 0 &&
          failed(splitOutliers(module, plan, weights, this->getCalibrationOptions(),
                               needsInputs(plan), result)))
        return mlir::failure();
    return quantize(module, plan, weights, result);
  }

  QuantizationPlan plan;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONPASS_H
