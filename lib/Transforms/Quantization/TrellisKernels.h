//===- TrellisKernels.h - searches for paths through a trellis, for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A state has 8 bits; a weight of b bits leads from state s to (s << b | code) mod 256 and becomes
// the number of the state that it leads to. States whose high 8 − b bits agree are a group: all of
// them are reached from the same 2^b states, so that a search keeps one path for each group. Of
// weights of h half bits, h odd, that of an odd column has a bit more than the one before.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISKERNELS_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISKERNELS_H

namespace llmc {

constexpr int trellisStates = 256;
/// Half bits of a weight: the least, and how many numbers of them there are.
constexpr int leastTrellisHalves = 4, trellisRates = 7;
/// Weights whose path is looked for at a time where errors are made up for.
constexpr int trellisBlock = 32;

/// Of the bits that weights of so many half bits have, the fewer.
constexpr int getTrellisBits(int halves) { return halves / 2; }

/// Weights whose path is looked for.
struct TrellisPath {
  const float *numbers;    ///< [trellisStates], what each state stands for
  const float *weights;    ///< [count]
  const float *importance; ///< [count], what a squared error of each costs
  const float *feedback;   ///< [count, trellisBlock]: what weight j loses of the error of weight i
  long count;              ///< with feedback at most trellisBlock
  long column;             ///< of the first weight
  int state;               ///< before the first weight
  unsigned char *back;     ///< [count, trellisStates >> getTrellisBits(halves)], scratch
  unsigned char *states;   ///< [count], the result
};

/// For so many half bits a weight, at halves − leastTrellisHalves. Every variant gives the same
/// bits.
struct TrellisKernels {
  /// The path of the least Σ h·(w − w')² (Viterbi 1967). Feedback is not read.
  void (*choose[trellisRates])(const TrellisPath &path);
  /// The same where w_j is less what feedback takes off it for the errors w_i − w'_i, i < j, of the
  /// path itself. The path of each group that has lost least up to a weight is the one kept.
  void (*chooseFed[trellisRates])(const TrellisPath &path);
};

extern const TrellisKernels trellisKernels_baseline, trellisKernels_avx2, trellisKernels_avx512;

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_TRELLISKERNELS_H
