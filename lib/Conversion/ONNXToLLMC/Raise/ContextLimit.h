//===- ContextLimit.h - how long a text the tables of a graph allow ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_CONTEXTLIMIT_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_CONTEXTLIMIT_H

#include "Evaluate/Probe.h"

namespace llmc {

/// Rows of the smallest table that is read by position; INT64_MAX where there is none.
int64_t findContextLimit(const Probe &probe);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_CONTEXTLIMIT_H
