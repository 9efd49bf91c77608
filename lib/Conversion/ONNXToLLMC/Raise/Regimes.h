//===- Regimes.h - the lengths at which a graph may behave differently ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_REGIMES_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_REGIMES_H

#include "Evaluate/Probe.h"

#include <set>

namespace llmc {

/// As a message names it: "3 rows after 18".
std::string spellRegime(ProbeSizes sizes);

/// The regimes that every graph has: with and without a past, one row and several, the first
/// positions and the last of a context.
std::vector<ProbeSizes> getRegimes(int64_t context, bool hasPast);

/// Whole numbers of 2 to a context's length that values are computed from, without what depends on
/// tokens.
std::set<int64_t> findLengths(const Probe &probe, const llvm::DenseSet<mlir::Value> &values,
                              int64_t context);

/// Lengths around the whole numbers that any of these values are computed from, such as windows,
/// sizes of tables and thresholds of conditions.
std::vector<ProbeSizes> getRegimesAround(const Probe &probe,
                                         const llvm::DenseSet<mlir::Value> &values, int64_t context,
                                         bool hasPast);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_REGIMES_H
