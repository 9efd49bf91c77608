//===- CalibratedPass.h - passes that run the model on calibration tokens ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between the base class that TableGen makes of a pass and the pass itself, where its
// options are those of CalibrationOptions.td:
//
//   struct Calibrate : CalibratedPass<impl::CalibrateBase<Calibrate>> { …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CALIBRATION_CALIBRATEDPASS_H
#define LLMC_CALIBRATION_CALIBRATEDPASS_H

#include "llmc/Calibration/Calibration.h"
#include "llmc/Support/OutputPaths.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace llmc {

/// A pass with `calibrationOptions`.
template <typename PassBase>
struct CalibratedPass : PassBase {
  using PassBase::PassBase;

  void getDependentDialects(mlir::DialectRegistry &registry) const override {
    PassBase::getDependentDialects(registry);
    insertCalibrationDialects(registry);
  }

protected:
  CalibrationOptions getCalibrationOptions() const {
    CalibrationOptions options;
    options.calibration = this->calibration;
    options.tokenizer = this->tokenizer;
    options.samples = this->samples;
    options.sequenceLength = this->sequenceLength;
    options.firstTokenWeight = this->firstTokenWeight;
    options.seed = this->seed;
    // MiB, as far as they can be counted in bytes. What is negative is refused later.
    options.memory = this->memory < 0
                         ? this->memory
                         : std::min<int64_t>(this->memory, INT64_MAX >> 20) * (1 << 20);
    options.saveStatistics = this->saveStatistics;
    options.saveTokens = this->saveTokens;
    options.resume = this->resume;
    options.threads = this->threads;
    return options;
  }

  /// The files that the options name, which no other output may lie over.
  std::vector<NamedPath> getNamedPaths() const {
    std::vector<NamedPath> paths{{this->calibration, "is the calibration text"},
                                 {this->tokenizer, "is the tokenizer"},
                                 {this->saveStatistics, "statistics go to"},
                                 {this->saveTokens, "tokens go to"}};
    if constexpr (requires { this->statistics; })
      paths.push_back({this->statistics, "statistics are read from"});
    return paths;
  }
};

/// A pass with `sequentialOptions` beside them.
template <typename PassBase>
struct SequentialPass : CalibratedPass<PassBase> {
  using CalibratedPass<PassBase>::CalibratedPass;

protected:
  CalibrationOptions getCalibrationOptions() const {
    CalibrationOptions options = CalibratedPass<PassBase>::getCalibrationOptions();
    options.trueSequential = this->trueSequential;
    options.statistics = this->statistics;
    return options;
  }
};

} // namespace llmc

#endif // LLMC_CALIBRATION_CALIBRATEDPASS_H
