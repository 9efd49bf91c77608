//===- Covering.cpp - few combinations in which all pairs occur ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Covering.h"

#include <cstddef>
#include <set>
#include <utility>

using namespace llmc::test;

namespace {

/// Choices of some factors: (factor, choice) in order.
using Tuple = std::vector<std::pair<int, int>>;

/// Calls `visit` with every tuple of `strength` factors.
template <typename Visit>
void forEachTuple(const std::vector<int> &choices, int strength, Tuple &tuple, const Visit &visit) {
  if (tuple.size() == static_cast<size_t>(strength)) {
    visit(tuple);
    return;
  }
  int from = tuple.empty() ? 0 : tuple.back().first + 1;
  for (int factor = from; factor < static_cast<int>(choices.size()); ++factor)
    for (int choice = 0; choice < choices[factor]; ++choice) {
      tuple.emplace_back(factor, choice);
      forEachTuple(choices, strength, tuple, visit);
      tuple.pop_back();
    }
}

constexpr int open = -1; ///< a factor without a choice yet

bool agrees(const Tuple &tuple, const Combination &combination, bool orOpen) {
  for (auto [factor, choice] : tuple)
    if (combination[factor] != choice && !(orOpen && combination[factor] == open))
      return false;
  return true;
}

int countCovered(const std::set<Tuple> &missing, const Combination &combination) {
  int count = 0;
  for (const Tuple &tuple : missing)
    count += agrees(tuple, combination, /*orOpen=*/false);
  return count;
}

/// Takes in tuples that still fit, and then whatever covers most.
Combination build(const std::vector<int> &choices, const std::set<Tuple> &missing) {
  Combination combination(choices.size(), open);
  for (const Tuple &tuple : missing)
    if (agrees(tuple, combination, /*orOpen=*/true))
      for (auto [factor, choice] : tuple)
        combination[factor] = choice;
  for (size_t factor = 0; factor < choices.size(); ++factor) {
    if (combination[factor] != open)
      continue;
    int best = 0, most = -1;
    for (int choice = 0; choice < choices[factor]; ++choice) {
      combination[factor] = choice;
      if (int count = countCovered(missing, combination); count > most)
        best = choice, most = count;
    }
    combination[factor] = best;
  }
  return combination;
}

} // namespace

std::vector<Combination> llmc::test::cover(const std::vector<int> &choices, int strength) {
  std::set<Tuple> missing;
  Tuple tuple;
  forEachTuple(choices, strength, tuple, [&](const Tuple &each) { missing.insert(each); });
  std::vector<Combination> combinations;
  while (!missing.empty()) {
    combinations.push_back(build(choices, missing));
    for (auto each = missing.begin(); each != missing.end();)
      each = agrees(*each, combinations.back(), false) ? missing.erase(each) : std::next(each);
  }
  return combinations;
}
