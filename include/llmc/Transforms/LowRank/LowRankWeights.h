//===- LowRankWeights.h - the weights of a low-rank pass ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_LOWRANKWEIGHTS_H
#define LLMC_TRANSFORMS_LOWRANK_LOWRANKWEIGHTS_H

#include "llmc/Calibration/Calibration.h"
#include "llmc/Transforms/CompressionReport.h"
#include "llmc/Transforms/LowRank/Factors.h"
#include "llmc/Transforms/LowRank/RankPlan.h"
#include "llmc/Transforms/WeightSelection.h"

#include "llvm/ADT/MapVector.h"

namespace llmc {

/// How the inputs of a site count.
struct SiteInputs {
  InputMetric metric;
  std::vector<double> secondMoment; ///< for the report; empty: not known
};

/// The weights that a pass gives factors, from site to site. Known by their names: what is factored
/// goes. Keeps a reference to the report.
class LowRankWeights {
public:
  LowRankWeights(mlir::ModuleOp module, FactorsPlace place, FactorType type,
                 llvm::ArrayRef<SelectedWeight> weights, CompressionReport &report);

  bool contains(ParameterOp parameter) const { return layers.count(parameter.getSymName().str()); }

  /// Gives every matrix its rank, where that does not depend on what is lost, or notes that spectra
  /// are needed first. Reports a rank above the full one at the parameter.
  mlir::LogicalResult setRanks(const RankPlan &plan);
  /// Notes what each rank costs of these matrices.
  mlir::LogicalResult addSpectra(llvm::ArrayRef<ParameterOp> parameters, const InputMetric &metric);
  /// Gives every matrix its rank, by all spectra.
  void allocate(const RankPlan &plan);

  /// Gives matrices of the same inputs their factors, and reports that.
  mlir::LogicalResult factorize(llvm::ArrayRef<ParameterOp> parameters, const SiteInputs &inputs,
                                std::string &record);
  /// Reports what an earlier run has done at a restored site.
  mlir::LogicalResult restore(const CalibrationSite &site);

private:
  struct Layer {
    mlir::RankedTensorType type; ///< of the report: the matrix in the factors' type of numbers
    int64_t rank = 0;            ///< 0: it stays whole
    std::vector<double> squares; ///< of its spectrum
  };
  /// What factors are to come near to, and what its error is measured by.
  struct Target {
    std::vector<double> values, reference;
  };

  mlir::FailureOr<Target> read(ParameterOp parameter) const;
  mlir::LogicalResult insert(ParameterOp parameter, const Target &target,
                             const Decomposition &decomposition, const SiteInputs &inputs,
                             double seconds, std::string &record);

  mlir::ModuleOp module;
  FactorsPlace place;
  llvm::MapVector<std::string, Layer, std::map<std::string, unsigned>> layers;
  CompressionReport &report;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_LOWRANK_LOWRANKWEIGHTS_H
