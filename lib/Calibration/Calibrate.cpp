//===- Calibrate.cpp - saves statistics of the inputs of linears ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Calibration/Passes.h"

namespace llmc {
#define GEN_PASS_DEF_CALIBRATE
#include "llmc/Calibration/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct CalibratePass : CalibratedPass<llmc::impl::CalibrateBase<CalibratePass>> {
  using CalibratedPass::CalibratedPass;

  FailureOr<unsigned> getKinds() {
    unsigned kinds = 0;
    for (const std::string &name : statistics) {
      unsigned kind = llvm::StringSwitch<unsigned>(name)
                          .Case("second_moment", SecondMoment)
                          .Case("mean", Mean)
                          .Case("mean_magnitude", MeanMagnitude)
                          .Case("max_magnitude", MaxMagnitude)
                          .Case("variance", Variance)
                          .Default(0);
      if (!kind)
        return emitError(getOperation().getLoc(),
                         "calibrate: expected kinds among second_moment, mean, "
                         "mean_magnitude, max_magnitude and variance, found ")
               << name;
      kinds |= kind;
    }
    return kinds ? kinds : SecondMoment | Mean | MeanMagnitude | MaxMagnitude | Variance;
  }

  void runOnOperation() override {
    FailureOr<unsigned> kinds = getKinds();
    if (failed(kinds))
      return signalPassFailure();
    if (saveStatistics.empty() && saveTokens.empty()) {
      emitError(getOperation().getLoc(),
                "calibrate: expected save-statistics or save-tokens, a file to write");
      return signalPassFailure();
    }
    CalibrationRequest request;
    request.statistics = *kinds;
    request.key = "calibrate";
    request.select = [](LinearOp, ParameterOp) { return true; };
    request.visit = [](CalibrationSite &) { return success(); };
    FailureOr<CalibrationTimes> times = calibrate(getOperation(), getCalibrationOptions(), request);
    if (failed(times))
      return signalPassFailure();
    emitRemark(getOperation().getLoc()) << "calibrate: " << describe(*times);
    markAllAnalysesPreserved();
  }
};

} // namespace
