//===- CalibrationText.cpp - the text that models are calibrated on by default ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationText.h"

// CMake says where the text lies; the assembler takes it in as it is.
__asm__(".pushsection .rodata.llmc_calibration_text,\"a\",%progbits\n"
        ".globl llmc_calibration_text\n"
        "llmc_calibration_text:\n"
        ".incbin \"" LLMC_CALIBRATION_TEXT "\"\n"
        ".globl llmc_calibration_text_end\n"
        "llmc_calibration_text_end:\n"
        ".popsection\n");

extern "C" {
extern const char llmc_calibration_text[];
extern const char llmc_calibration_text_end[];
}

llvm::StringRef llmc::getCalibrationText() {
  return {llmc_calibration_text,
          static_cast<size_t>(llmc_calibration_text_end - llmc_calibration_text)};
}
