//===- Regimes.cpp - the lengths at which a graph may behave differently ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Regimes.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Rows of a prompt that is long, and yet cheap to look at where it makes masks.
static constexpr int64_t longPrompt = 256;
/// Constants of at most this many elements hold lengths rather than tables.
static constexpr int64_t maxLengths = 64;

std::string llmc::spellRegime(ProbeSizes sizes) {
  std::string rows = std::to_string(sizes.rows) + (sizes.rows == 1 ? " row" : " rows");
  return rows + (sizes.past == 0 ? " without a past" : " after " + std::to_string(sizes.past));
}

/// Drops regimes that do not fit a context, and those that are there twice.
static std::vector<ProbeSizes> select(ArrayRef<ProbeSizes> regimes, int64_t context) {
  std::vector<ProbeSizes> result;
  std::set<std::pair<int64_t, int64_t>> known;
  for (ProbeSizes sizes : regimes)
    if (sizes.past >= 0 && sizes.rows > 0 && sizes.total() <= context &&
        known.insert({sizes.past, sizes.rows}).second)
      result.push_back(sizes);
  return result;
}

std::vector<ProbeSizes> llmc::getRegimes(int64_t context, bool hasPast) {
  if (!hasPast)
    return select({{0, 1}, {0, 2}, {0, 11}, {0, longPrompt}, {0, context}}, context);
  return select({{context - 3, 3},
                 {0, 1},
                 {0, 2},
                 {0, 11},
                 {0, std::min(context, longPrompt)},
                 {1, 1},
                 {18, 1},
                 {18, 11},
                 {context - 1, 1}},
                context);
}

std::set<int64_t> llmc::findLengths(const Probe &probe, const DenseSet<Value> &values,
                                    int64_t context) {
  std::set<int64_t> lengths;
  auto add = [&](double number) {
    number = std::fabs(number);
    if (number >= 2 && number <= static_cast<double>(context) && number == std::floor(number))
      lengths.insert(static_cast<int64_t>(number));
  };
  SmallVector<Value> next(values.begin(), values.end());
  DenseSet<Value> seen;
  while (!next.empty()) {
    Value value = probe.resolve(next.pop_back_val());
    const HostTensor *tensor = probe.get(value);
    if (!seen.insert(value).second || !tensor || (!tensor->isKnown() && !tensor->constant))
      continue;
    auto op = value.getDefiningOp<carrier::NodeOp>();
    if (!op || op.getInputs().empty()) {
      if (tensor->getNumElements() > maxLengths)
        for (int64_t size : tensor->shape)
          add(static_cast<double>(size));
      else if (tensor->isKnown())
        llvm::for_each(*tensor->data, add);
      continue;
    }
    for (NamedAttribute attribute : op.getNodeAttributes())
      if (auto integer = dyn_cast<IntegerAttr>(attribute.getValue()))
        add(static_cast<double>(integer.getValue().getSExtValue()));
    next.append(op.getInputs().begin(), op.getInputs().end());
  }
  return lengths;
}

std::vector<ProbeSizes> llmc::getRegimesAround(const Probe &probe, const DenseSet<Value> &values,
                                               int64_t context, bool hasPast) {
  std::vector<ProbeSizes> regimes;
  for (int64_t length : findLengths(probe, values, context)) {
    // A prompt's masks are as large as the square of its rows.
    if (!hasPast || length < longPrompt) {
      regimes.push_back({0, length});
      regimes.push_back({0, length + 1});
    }
    if (!hasPast)
      continue;
    regimes.push_back({length - 1, 1});
    regimes.push_back({length, 1});
    regimes.push_back({length - 2, 3});
    regimes.push_back({length, 2});
  }
  return select(regimes, context);
}
