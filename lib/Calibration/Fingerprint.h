//===- Fingerprint.h - tells whether two things are the same ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_FINGERPRINT_H
#define LLMC_LIB_CALIBRATION_FINGERPRINT_H

#include "FlatModel.h"

#include <string>

namespace llmc {

/// XXH3 of some bytes, 128 bits, in hexadecimal.
std::string getFingerprint(llvm::ArrayRef<uint8_t> bytes);

/// The fingerprint of a model in its flat form: of its operations, and of names, types and bytes of
/// the parameters that they read. It is the same with outlined blocks and without.
mlir::FailureOr<std::string> getFingerprint(const FlatModel &model);

/// Says what the operations do that `output` depends on (null: all), and which parameters and
/// linears of the module they are made of. For operations of parts up to `exactPart` also from
/// which bytes, unless the parameters are among `exempt`, and how linears' inputs are rounded.
std::string describeStructure(const FlatModel &model, mlir::Value output, int64_t exactPart,
                              llvm::ArrayRef<ParameterOp> exempt);

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_FINGERPRINT_H
