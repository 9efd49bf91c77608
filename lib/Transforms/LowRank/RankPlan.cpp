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
                                  RankAllocation allocation, int64_t multiple) {
  RankPlan plan{rank, defaultKeep, allocation, multiple};
  if (rank < 0)
    return module.emitError("rank: expected at least 1, found ") << rank;
  if (!keep.empty() && (keep.getAsDouble(plan.keep) || !(plan.keep > 0 && plan.keep < 1)))
    return module.emitError("keep: expected a number between 0 and 1, found '") << keep << "'";
  if (multiple < 1)
    return module.emitError("multiple: expected at least 1, found ") << multiple;
  if (rank == 0)
    return plan;
  if (!keep.empty())
    return module.emitError("keep: expected no rank with it, found rank=") << rank;
  if (allocation == RankAllocation::Loss)
    return module.emitError("allocation: expected keep with allocation=loss, found rank=") << rank;
  return plan;
}

/// The largest rank of two factors that have fewer parameters than the matrix.
static int64_t getMost(int64_t rows, int64_t columns) {
  return std::max<int64_t>((rows * columns - 1) / (rows + columns), 1);
}

/// The multiple nearest to a rank, of those up to `most`; what is less than one stays as it is.
static int64_t roundRank(int64_t rank, int64_t multiple, int64_t most) {
  if (rank < multiple)
    return rank;
  const int64_t nearest = (rank + multiple / 2) / multiple * multiple;
  return nearest <= most ? nearest : most / multiple * multiple;
}

int64_t RankPlan::getRank(int64_t rows, int64_t columns) const {
  if (rank != 0)
    return rank;
  const double kept = keep * static_cast<double>(rows) * static_cast<double>(columns);
  const auto exact = static_cast<int64_t>(kept / static_cast<double>(rows + columns));
  return std::max<int64_t>(roundRank(exact, multiple, getMost(rows, columns)), 1);
}

namespace {

/// What a matrix can be left with.
class Choices {
public:
  Choices(const Spectrum &spectrum, int64_t multiple)
      : squares(spectrum.squares), whole(spectrum.rows * spectrum.columns),
        perRank(spectrum.rows + spectrum.columns), most(getMost(spectrum.rows, spectrum.columns)),
        multiple(multiple) {
    total = std::accumulate(squares.rbegin(), squares.rend(), 0.0);
  }

  int64_t getParameters(int64_t rank) const { return rank == 0 ? whole : rank * perRank; }

  /// The rank of least relative loss and parameters, each of which costs `price`; 0: all of it.
  /// Losses fall by less and less, so that the ranks worth their price come first.
  int64_t choose(double price) const {
    if (squares.empty())
      return 0;
    const double threshold = price * static_cast<double>(perRank) * total;
    int64_t rank = 1;
    while (rank < most && squares[rank] > threshold)
      ++rank;
    rank = roundRank(rank, multiple, most);
    const double loss = std::accumulate(squares.begin() + rank, squares.end(), 0.0);
    const bool staysWhole = loss > price * total * static_cast<double>(whole - getParameters(rank));
    return staysWhole ? 0 : rank;
  }

  /// How many ranks follow at once: up to the next multiple; 0 where they would not be less than
  /// the whole matrix.
  int64_t getStep(int64_t rank) const {
    const int64_t step = rank < multiple ? 1 : multiple;
    return rank == 0 || rank + step > most || total == 0 ? 0 : step;
  }
  /// What of the relative loss each parameter saves that these take.
  double getGain(int64_t rank) const {
    const int64_t step = getStep(rank);
    const double saved =
        std::accumulate(squares.begin() + rank, squares.begin() + rank + step, 0.0);
    return step == 0 ? 0 : saved / (total * static_cast<double>(step * perRank));
  }
  double getStepCost(int64_t rank) const { return static_cast<double>(getStep(rank) * perRank); }

private:
  ArrayRef<double> squares;
  int64_t whole, perRank; ///< parameters
  int64_t most, multiple; ///< of ranks
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
      if (gain > most && matrix.getStepCost(ranks[i]) <= left) {
        most = gain;
        best = i;
      }
    }
    if (most == 0)
      return;
    const int64_t step = matrices[best].getStep(ranks[best]);
    left -= matrices[best].getStepCost(ranks[best]);
    ranks[best] += step;
  }
}

std::vector<int64_t> RankPlan::allocate(ArrayRef<Spectrum> spectra) const {
  std::vector<Choices> matrices;
  for (const Spectrum &spectrum : spectra)
    matrices.emplace_back(spectrum, multiple);
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
