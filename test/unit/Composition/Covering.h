//===- Covering.h - few combinations in which all pairs occur ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_COMPOSITION_COVERING_H
#define LLMC_TEST_UNIT_COMPOSITION_COVERING_H

#include <vector>

namespace llmc::test {

/// One choice of each factor, by its number.
using Combination = std::vector<int>;

/// Combinations of factors, the i-th of which has choices[i] choices: every choice of any two
/// factors (`strength` 2) or of any three (3) occurs in one, and few combinations suffice. Found
/// greedily, as in Cohen et al. 1997, "The AETG system", without chance.
std::vector<Combination> cover(const std::vector<int> &choices, int strength);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_COMPOSITION_COVERING_H
