//===- CheckOptions.h - options of a calibration that go together ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_CHECKOPTIONS_H
#define LLMC_LIB_CALIBRATION_CHECKOPTIONS_H

#include "llmc/Calibration/Calibration.h"

namespace llmc {

/// Reports at the module options that can't be followed, would have no effect, or would destroy
/// what is read.
mlir::LogicalResult checkOptions(mlir::ModuleOp module, const CalibrationOptions &options,
                                 const CalibrationRequest &request);

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_CHECKOPTIONS_H
