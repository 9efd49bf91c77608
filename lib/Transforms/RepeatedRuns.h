//===- RepeatedRuns.h - runs of a sequence that come back ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_REPEATEDRUNS_H
#define LLMC_LIB_TRANSFORMS_REPEATEDRUNS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <vector>

namespace llmc {

/// A run of `length` pieces that stands at each of `starts`, in ascending order.
struct RepeatedRun {
  unsigned length = 0;
  llvm::SmallVector<unsigned> starts;
};

/// A piece of a sequence: pieces of one kind are alike, and each is `weight` long.
struct RunPiece {
  unsigned kind;
  int64_t weight;
};

/// Chooses runs that come back, none of which overlap, so that writing each once saves much: the
/// run that saves most first, then among what is left. Runs lighter than `minWeight` are not
/// considered.
std::vector<RepeatedRun> findRepeatedRuns(llvm::ArrayRef<RunPiece> pieces, int64_t minWeight);

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_REPEATEDRUNS_H
