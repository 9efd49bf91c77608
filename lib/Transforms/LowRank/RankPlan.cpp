//===- RankPlan.cpp - the ranks that matrices are left with ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/RankPlan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

static constexpr double defaultKeep = 0.8;

FailureOr<RankPlan> RankPlan::get(ModuleOp module, int64_t rank, StringRef keep,
                                  RankAllocation allocation) {
  RankPlan plan{rank, defaultKeep, allocation};
  if (rank < 0)
    return module.emitError("rank: expected at least 1, found ") << rank;
  if (!keep.empty() && (keep.getAsDouble(plan.keep) || !(plan.keep > 0 && plan.keep < 1)))
    return module.emitError("keep: expected a number between 0 and 1, found '") << keep << "'";
  if (rank == 0)
    return plan;
  if (!keep.empty())
    return module.emitError("keep: expected no rank with it, found rank=") << rank;
  if (allocation == RankAllocation::Loss)
    return module.emitError("allocation: expected keep with allocation=loss, found rank=") << rank;
  return plan;
}

int64_t RankPlan::getRank(int64_t rows, int64_t columns) const {
  if (rank != 0)
    return rank;
  const double kept = keep * static_cast<double>(rows) * static_cast<double>(columns);
  return std::max<int64_t>(static_cast<int64_t>(kept / static_cast<double>(rows + columns)), 1);
}

namespace {

/// What a matrix can be left with.
class Choices {
public:
  explicit Choices(const Spectrum &spectrum)
      : squares(spectrum.squares), whole(spectrum.rows * spectrum.columns),
        perRank(spectrum.rows + spectrum.columns) {
    total = std::accumulate(squares.rbegin(), squares.rend(), 0.0);
  }

  int64_t getParameters(int64_t rank) const { return rank == 0 ? whole : rank * perRank; }

  /// The rank of least relative loss and parameters, each of which costs `price`; 0: all of it.
  /// Losses fall by less and less, so that the ranks worth their price come first.
  int64_t choose(double price) const {
    if (squares.empty())
      return 0;
    const int64_t most = std::max<int64_t>((whole - 1) / perRank, 1);
    const double threshold = price * static_cast<double>(perRank) * total;
    int64_t rank = 1;
    double loss = total - squares.front();
    while (rank < most && squares[rank] > threshold)
      loss -= squares[rank++];
    const bool staysWhole = loss > price * total * static_cast<double>(whole - getParameters(rank));
    return staysWhole ? 0 : rank;
  }

  /// What of the relative loss each parameter saves that the next rank takes; 0 where there is none
  /// that is less than the whole matrix.
  double getGain(int64_t rank) const {
    if (rank == 0 || (rank + 1) * perRank >= whole || rank >= static_cast<int64_t>(squares.size()))
      return 0;
    return squares[rank] / (total * static_cast<double>(perRank));
  }
  int64_t getParametersPerRank() const { return perRank; }

private:
  ArrayRef<double> squares;
  int64_t whole, perRank; ///< parameters
  double total = 0;
};

} // namespace

/// Spends what is left of a budget of parameters on the ranks that save most. Matrices that would
/// stay whole at a lower price leave some of it.
static void spend(ArrayRef<Choices> matrices, double left, std::vector<int64_t> &ranks) {
  while (true) {
    double most = 0;
    size_t best = 0;
    for (auto [i, matrix] : llvm::enumerate(matrices)) {
      const double gain = matrix.getGain(ranks[i]);
      if (gain > most && static_cast<double>(matrix.getParametersPerRank()) <= left) {
        most = gain;
        best = i;
      }
    }
    if (most == 0)
      return;
    ++ranks[best];
    left -= static_cast<double>(matrices[best].getParametersPerRank());
  }
}

std::vector<int64_t> RankPlan::allocate(ArrayRef<Spectrum> spectra) const {
  std::vector<Choices> matrices(spectra.begin(), spectra.end());
  double budget = 0;
  for (const Choices &matrix : matrices)
    budget += keep * static_cast<double>(matrix.getParameters(0));
  auto chooseAt = [&](double exponent) {
    std::vector<int64_t> ranks(matrices.size());
    for (auto [matrix, rank] : llvm::zip_equal(matrices, ranks))
      rank = matrix.choose(std::exp2(exponent));
    return ranks;
  };
  auto countParameters = [&](ArrayRef<int64_t> ranks) {
    double kept = 0;
    for (auto [matrix, rank] : llvm::zip_equal(matrices, ranks))
      kept += static_cast<double>(matrix.getParameters(rank));
    return kept;
  };
  // The more a parameter costs, the fewer are kept: the least price at which they are few enough.
  double low = -100, high = 10;
  constexpr int halvings = 60;
  for (int step = 0; step < halvings; ++step) {
    const double middle = (low + high) / 2;
    (countParameters(chooseAt(middle)) <= budget ? high : low) = middle;
  }
  std::vector<int64_t> ranks = chooseAt(high);
  spend(matrices, budget - countParameters(ranks), ranks);
  return ranks;
}
