//===- CalibratedWeights.h - the weights of a calibrated pass, from site to site ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_CALIBRATEDWEIGHTS_H
#define LLMC_TRANSFORMS_QUANTIZATION_CALIBRATEDWEIGHTS_H

#include "llmc/Calibration/Calibration.h"
#include "llmc/Transforms/Quantization/GPTQ.h"

#include "llvm/ADT/DenseMap.h"

namespace llmc {

/// Reports at the module a `damp` that can't be.
mlir::LogicalResult checkDamp(mlir::ModuleOp module, double damp);
/// What InverseHessian::create is told.
struct HessianOptions {
  double damp = 0;         ///< a part of the mean of the diagonal
  bool descending = false; ///< columns from the largest of it to the least
};
/// Takes the second moment of a site's inputs, of which InverseHessian::create makes what rounding
/// its weights needs. Reports at the first of them what can't be.
mlir::FailureOr<InverseHessian> prepareHessian(CalibrationSite &site,
                                               const HessianOptions &options);

/// The largest magnitudes of a site's inputs. Reports at its first linear what is not finite.
mlir::FailureOr<llvm::ArrayRef<float>> getMagnitudes(CalibrationSite &site);

/// Takes from `weights` those that a calibrated pass can't see the inputs of, or need not: what no
/// linear reads, and the head unless `withHead`.
llvm::SmallVector<SelectedWeight> takeUncalibrated(llvm::SmallVectorImpl<SelectedWeight> &weights,
                                                   bool withHead);

/// What a pass asks of its walk.
struct WeightWalk {
  std::string key;                        ///< as CalibrationRequest has it
  unsigned statistics = SecondMoment;     ///< of Statistics
  const QuantizationPlan *plan = nullptr; ///< null where nothing is rounded
};

/// Seconds of parts of a pass, for its report.
using NamedTimes = std::vector<std::pair<std::string, double>>;

/// Seconds that a walk and what a pass did beside it took.
NamedTimes listTimes(const CalibrationTimes &times, const NamedTimes &others);

/// Seconds of rounding by Hessians.
struct HessianTimes {
  double factorization = 0;
  double update = 0;

  NamedTimes list() const { return {{"factorization", factorization}, {"update", update}}; }
};

/// The selected weights of a pass that calibration walks with. What is done to them is reported,
/// and recorded at its site so that an interrupted walk goes on behind it. Keeps references to the
/// weights and the report.
class CalibratedWeights {
public:
  CalibratedWeights(RoundingStatement stateRounding, llvm::MutableArrayRef<SelectedWeight> weights,
                    CompressionReport &report);

  bool contains(ParameterOp parameter) const { return selected.contains(parameter); }
  bool isHead(ParameterOp parameter) const { return selected.lookup(parameter)->isHead; }

  /// What a parameter becomes, of which the values are read for it alone.
  using Change = llvm::function_ref<mlir::FailureOr<QuantizedWeight>(ParameterOp, WeightValues &)>;
  /// Stores what each of the site's parameters becomes. Gives the seconds that took; `shared` are
  /// those that went before it for all of them, and are reported in equal parts.
  mlir::FailureOr<double> replaceEach(CalibrationSite &site, Change change, double shared = 0);

  /// What a parameter becomes with the Hessian of its inputs.
  using HessianChange = llvm::function_ref<mlir::FailureOr<GPTQResult>(ParameterOp, WeightValues &,
                                                                       const InverseHessian &)>;
  /// As replaceEach, with the Hessian of the site's inputs, whose second moment it takes. Reports
  /// at the first parameter a Hessian that can't be. Adds the seconds to `times`.
  mlir::LogicalResult replaceByHessian(CalibrationSite &site, const HessianOptions &options,
                                       HessianChange change, HessianTimes &times);

  /// What a plan stores a parameter as. Reports at it what can't be.
  mlir::FailureOr<EncodingInterface> getEncoding(ParameterOp parameter, const WeightValues &values,
                                                 const QuantizationPlan &plan) const;

  /// Walks over the model, with `visit` for each site that is not restored: it has statistics as
  /// the walk says, and is to replace the site's parameters. Linears whose inputs are to be rounded
  /// in a range get that of their site first.
  mlir::FailureOr<CalibrationTimes>
  walk(mlir::ModuleOp module, const CalibrationOptions &options, const WeightWalk &walk,
       llvm::function_ref<mlir::LogicalResult(CalibrationSite &)> visit);

  /// Takes what an earlier run left of a restored site: weights are in place, the rest is in the
  /// record. Reports at the parameter a record of something else.
  mlir::LogicalResult restore(CalibrationSite &site);

private:
  /// States ranges at the linears of a site that are to have one.
  mlir::LogicalResult stateRanges(CalibrationSite &site, const QuantizationPlan &plan);

  RoundingStatement stateRounding;
  llvm::DenseMap<mlir::Operation *, SelectedWeight *> selected;
  CompressionReport &report;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_CALIBRATEDWEIGHTS_H
