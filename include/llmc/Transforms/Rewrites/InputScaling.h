//===- InputScaling.h - scales of linears' inputs, chosen by calibration ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What passes have in common that multiply the columns of weights with factors and divide what
// makes their inputs by them: finding where that is exact, walking through the model, reporting.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_INPUTSCALING_H
#define LLMC_TRANSFORMS_REWRITES_INPUTSCALING_H

#include "llmc/Analysis/Structure.h"
#include "llmc/Calibration/Calibration.h"
#include "llmc/Transforms/Rewrites/ParameterRewrite.h"
#include "llmc/Transforms/WeightSelection.h"

namespace llmc {

/// What a method says of one input.
struct ScaleChoice {
  std::vector<double> factors; ///< `InputScale::count` positive ones; empty: it stays as it is
  double parameter = 0;        ///< of the method: AWQ's r, SmoothQuant's alpha
  /// Of the block's outputs when rounded, Σ‖y' − y‖² / Σ‖y‖², without factors and with them; none
  /// where nothing was tried.
  std::optional<double> errorBefore, errorAfter;
};

struct ScalingRequest {
  std::string pass; ///< its name
  std::string key;  ///< its options (CalibrationRequest::key)
  CalibrationOptions calibration;
  WeightFilter filter;
  unsigned statistics = 0; ///< what `choose` needs of the rows
  bool evaluatesBlocks = false;
  bool table = true; ///< print what was chosen to the standard error stream
  std::string parameterName;
  std::function<mlir::FailureOr<ScaleChoice>(CalibrationSite &, const InputScale &)> choose;
};

/// Asks for every input of linears whose weights are all selected, and that a scale can be folded
/// into what makes it, for factors, and folds them in. The module is flat. Where there is no such
/// input, a warning says so.
mlir::LogicalResult scaleInputs(mlir::ModuleOp module, const ScalingRequest &request);

/// Multiplies the columns of the readers with factors and divides what makes the input by them.
void applyFactors(const InputScale &scale, llvm::ArrayRef<double> factors,
                  ParameterRewrite &rewrite);

/// The factor of each column of the input.
std::vector<double> spreadFactors(const InputScale &scale, llvm::ArrayRef<double> factors);

/// Of a number for each column, the mean or the largest of those that share a factor.
std::vector<double> getMeanPerFactor(const InputScale &scale, llvm::ArrayRef<float> ofColumns);
std::vector<double> getLargestPerFactor(const InputScale &scale, llvm::ArrayRef<float> ofColumns);

/// The parameters of the readers' weights, each once.
llvm::SmallVector<ParameterOp> getWeights(const InputScale &scale);

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_INPUTSCALING_H
