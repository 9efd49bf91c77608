//===- UnitPruning.h - passes that leave out channels or heads ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_UNITPRUNING_H
#define LLMC_TRANSFORMS_PRUNING_UNITPRUNING_H

#include "llmc/Analysis/Structure.h"
#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Pruning/StructureReport.h"
#include "llmc/Transforms/Pruning/UnitScores.h"

namespace llmc {

/// What is left out, and how much of it.
struct UnitRequest {
  ChannelGroup::Kind kind = ChannelGroup::Kind::Hidden;
  std::string pass; ///< its name
  std::string what; ///< "channels" or "heads"
  double ratio = 0;
  UnitScore score = UnitScore::FLAP;
  UnitAllocation allocation = UnitAllocation::Global;
  bool compensate = true;
  int64_t multiple = 1;
  WeightFilter filter;
  CalibrationOptions calibration;
};

/// Leaves out units of the flat @step of a module, and says so.
mlir::LogicalResult pruneUnits(mlir::ModuleOp module, const UnitRequest &request,
                               StructureReport &report);

/// A pass with `unitOptions` and `unitWalkOptions`.
template <typename PassBase>
struct UnitPass : CalibratedPass<PassBase> {
  using CalibratedPass<PassBase>::CalibratedPass;

  void runOnOperation() final {
    mlir::ModuleOp module = this->getOperation();
    if (failed(changeFlat(module, [&] { return prune(module); })))
      this->signalPassFailure();
  }

protected:
  /// Says what is left out.
  virtual void complete(UnitRequest &request) const = 0;

private:
  mlir::LogicalResult prune(mlir::ModuleOp module) {
    UnitRequest request;
    request.pass = this->getArgument().str();
    request.ratio = this->ratio;
    request.score = this->score;
    request.allocation = this->allocation;
    request.compensate = this->compensate;
    request.filter.only.assign(this->only.begin(), this->only.end());
    request.filter.ignore.assign(this->ignore.begin(), this->ignore.end());
    request.calibration = this->getCalibrationOptions();
    request.calibration.statistics = this->statistics;
    complete(request);
    mlir::FailureOr<StructureReport> result =
        StructureReport::start(module, request.pass, this->report, this->getNamedPaths());
    if (failed(result) || failed(pruneUnits(module, request, *result)))
      return mlir::failure();
    return result->finish(this->table);
  }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_UNITPRUNING_H
