//===- CalibratedQuantizationPass.h - passes that round weights by their inputs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between the base class that TableGen makes of a pass and the pass itself, where its
// options are those of QuantizationOptions.td and `sequentialOptions`:
//
//   struct QuantizeGPTQ : CalibratedQuantizationPass<impl::QuantizeGPTQBase<QuantizeGPTQ>> { …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_CALIBRATEDQUANTIZATIONPASS_H
#define LLMC_TRANSFORMS_QUANTIZATION_CALIBRATEDQUANTIZATIONPASS_H

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/Quantization/CalibratedWeights.h"
#include "llmc/Transforms/Quantization/QuantizationPass.h"

namespace llmc {

/// A quantization pass that walks over the model with the second moments of inputs. Weights whose
/// inputs it can't see, or need not, are rounded to nearest.
template <typename PassBase>
struct CalibratedQuantizationPass : QuantizationPass<SequentialPass<PassBase>> {
  using QuantizationPass<SequentialPass<PassBase>>::QuantizationPass;

protected:
  /// Whether the head is rounded by its inputs too. One of more bits than the rest needs it not.
  virtual bool calibratesHead(const QuantizationPlan &plan) const { return plan.headIsLikeOthers; }
  /// Takes out the weights that the method leaves as they are.
  virtual void dropWeights(mlir::ModuleOp, llvm::SmallVectorImpl<SelectedWeight> &) {}
  /// Gets ready for the weights that are rounded by their inputs. Reports what can't be done.
  virtual mlir::LogicalResult prepare(mlir::ModuleOp, llvm::ArrayRef<SelectedWeight>) {
    return mlir::success();
  }
  /// The method's own options that decide which bytes come out.
  virtual void spellMethod(llvm::raw_ostream &stream) const = 0;
  /// Replaces the weights of a site.
  virtual mlir::LogicalResult roundSite(CalibrationSite &site, const QuantizationPlan &plan,
                                        CalibratedWeights &weights) = 0;
  /// The seconds of the parts of the method, for the report.
  virtual NamedTimes getTimes() const = 0;

  mlir::LogicalResult checkPlan(mlir::ModuleOp module, const QuantizationPlan &) override {
    return CompressionReport::checkPath(module, this->report, this->getNamedPaths());
  }

private:
  /// What decides which bytes come out, besides the model and the tokens.
  std::string spellKey(const QuantizationPlan &plan) const {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << this->getArgument() << " ";
    spellMethod(stream);
    stream << " true-sequential=" << this->trueSequential << " ";
    if (this->rounds())
      this->spellOptions(plan, stream);
    else
      this->spellSelection(stream);
    return text;
  }

  mlir::LogicalResult quantize(mlir::ModuleOp module, const QuantizationPlan &plan,
                               llvm::SmallVectorImpl<SelectedWeight> &weights,
                               CompressionReport &result) final {
    dropWeights(module, weights);
    llvm::SmallVector<SelectedWeight> others = takeUncalibrated(weights, calibratesHead(plan));
    if (failed(prepare(module, weights)))
      return mlir::failure();
    RoundingStatement state = keepRounding;
    if (this->rounds())
      state = [&](SelectedWeight &weight) { return stateRounding(weight, plan); };
    CalibratedWeights calibrated(state, weights, result);
    mlir::FailureOr<CalibrationTimes> times =
        calibrated.walk(module, this->getCalibrationOptions(),
                        {spellKey(plan), SecondMoment, this->rounds() ? &plan : nullptr},
                        [&](CalibrationSite &site) { return roundSite(site, plan, calibrated); });
    if (failed(times))
      return mlir::failure();
    for (SelectedWeight &weight : others)
      if (this->rounds() && failed(roundWeight(weight, plan, result)))
        return mlir::failure();
    result.setTimes(listTimes(*times, getTimes()));
    return mlir::success();
  }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_CALIBRATEDQUANTIZATIONPASS_H
