//===- ScalingPass.h - passes that scale inputs by what calibration sees ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between the base class that TableGen makes of a pass and the pass itself, where its
// options are `scalingOptions`, those of calibration, and `search-samples`.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_SCALINGPASS_H
#define LLMC_TRANSFORMS_REWRITES_SCALINGPASS_H

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Rewrites/InputScaling.h"

#include "llvm/ADT/StringExtras.h"

namespace llmc {

template <typename PassBase>
struct ScalingPass : CalibratedPass<PassBase> {
  using CalibratedPass<PassBase>::CalibratedPass;

  void runOnOperation() final {
    mlir::ModuleOp module = this->getOperation();
    auto scale = [&]() -> mlir::LogicalResult {
      if (this->searchSamples < 1)
        return module.emitError("search-samples: expected at least 1, found ")
               << this->searchSamples.getValue();
      ScalingRequest request;
      request.pass = this->getArgument().str();
      request.calibration = this->getCalibrationOptions();
      request.filter.only.assign(this->only.begin(), this->only.end());
      request.filter.ignore.assign(this->ignore.begin(), this->ignore.end());
      request.filter.head = false;
      request.table = this->table;
      if (failed(complete(module, request)))
        return mlir::failure();
      request.key = request.pass + " " + request.key + " only=" + llvm::join(this->only, ",") +
                    " ignore=" + llvm::join(this->ignore, ",");
      return scaleInputs(module, request);
    };
    if (failed(changeFlat(module, scale)))
      this->signalPassFailure();
  }

protected:
  /// Says what of a request is the pass's own: the parameter, its `choose`, what that asks for, and
  /// the options that are no others' in `key`. Reports options that can't be.
  virtual mlir::LogicalResult complete(mlir::ModuleOp module, ScalingRequest &request) = 0;

  /// How many samples a search runs.
  int64_t getSearchSamples() const { return std::min<int64_t>(this->searchSamples, this->samples); }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_SCALINGPASS_H
