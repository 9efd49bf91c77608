//===- CalibrationText.h - the text that models are calibrated on by default ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_CALIBRATIONTEXT_H
#define LLMC_LIB_CALIBRATION_CALIBRATIONTEXT_H

#include "llvm/ADT/StringRef.h"

namespace llmc {

/// models/calibration/text.txt, UTF-8. It is a part of the program, so that an installed one has it
/// wherever it lies.
llvm::StringRef getCalibrationText();

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_CALIBRATIONTEXT_H
