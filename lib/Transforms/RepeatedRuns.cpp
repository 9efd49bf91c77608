//===- RepeatedRuns.cpp - runs of a sequence that come back ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RepeatedRuns.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

#include <queue>
#include <tuple>

using namespace llmc;

/// A block of more pieces than this is not looked for, which bounds time and memory.
static constexpr unsigned maxPieces = 64;

namespace {

/// A run and every place where it stands, overlapping or not.
struct RunCandidate {
  RepeatedRun run;
  int64_t weight = 0;
  int64_t saved = 0; ///< by the places that were free when it was last looked at

  auto getRank() const { return std::make_tuple(saved, weight, -int64_t(run.starts.front())); }
};

class RunSearch {
public:
  RunSearch(llvm::ArrayRef<RunPiece> pieces, int64_t minWeight)
      : pieces(pieces), minWeight(minWeight), taken(pieces.size()) {}

  std::vector<RepeatedRun> search() {
    collectCandidates();
    auto less = [&](size_t a, size_t b) {
      return candidates[a].getRank() < candidates[b].getRank();
    };
    std::priority_queue<size_t, std::vector<size_t>, decltype(less)> queue(less);
    for (size_t i = 0; i < candidates.size(); ++i)
      if (update(candidates[i]); candidates[i].saved > 0)
        queue.push(i);
    std::vector<RepeatedRun> chosen;
    while (!queue.empty()) {
      RunCandidate &best = candidates[queue.top()];
      size_t index = queue.top();
      queue.pop();
      // What others have taken since makes it worth less: it waits for its turn then.
      int64_t before = best.saved;
      RepeatedRun free = update(best);
      if (best.saved <= 0)
        continue;
      if (best.saved < before) {
        queue.push(index);
        continue;
      }
      for (unsigned start : free.starts)
        std::fill_n(taken.begin() + start, free.length, true);
      chosen.push_back(std::move(free));
    }
    return chosen;
  }

private:
  /// All runs of up to maxPieces that stand at two or more places.
  void collectCandidates() {
    std::vector<unsigned> ids(pieces.size(), 0);
    std::vector<int64_t> weights(pieces.size(), 0);
    for (unsigned length = 1; length <= std::min<size_t>(maxPieces, pieces.size()); ++length) {
      // A run is its first part and one more piece.
      llvm::DenseMap<std::pair<unsigned, unsigned>, unsigned> known;
      std::vector<llvm::SmallVector<unsigned, 1>> starts;
      ids.resize(pieces.size() - length + 1);
      for (auto [start, id] : llvm::enumerate(ids)) {
        const RunPiece &last = pieces[start + length - 1];
        weights[start] += last.weight;
        id = known.try_emplace({id, last.kind}, known.size()).first->second;
        starts.resize(known.size());
        starts[id].push_back(start);
      }
      bool repeats = false;
      for (llvm::ArrayRef<unsigned> places : starts) {
        if (places.size() < 2)
          continue;
        repeats = true;
        if (weights[places.front()] >= minWeight)
          candidates.push_back(
              {{length, llvm::SmallVector<unsigned>(places)}, weights[places.front()], 0});
      }
      if (!repeats)
        return;
    }
  }

  /// The places of a candidate that are free and don't overlap, and what they save.
  RepeatedRun update(RunCandidate &candidate) {
    RepeatedRun free{candidate.run.length, {}};
    unsigned end = 0;
    for (unsigned start : candidate.run.starts)
      if (start >= end && std::none_of(taken.begin() + start, taken.begin() + start + free.length,
                                       [](bool value) { return value; })) {
        free.starts.push_back(start);
        end = start + free.length;
      }
    candidate.saved = (static_cast<int64_t>(free.starts.size()) - 1) * candidate.weight;
    return free;
  }

  llvm::ArrayRef<RunPiece> pieces;
  int64_t minWeight;
  std::vector<bool> taken;
  std::vector<RunCandidate> candidates;
};

} // namespace

std::vector<RepeatedRun> llmc::findRepeatedRuns(llvm::ArrayRef<RunPiece> pieces,
                                                int64_t minWeight) {
  return RunSearch(pieces, minWeight).search();
}
