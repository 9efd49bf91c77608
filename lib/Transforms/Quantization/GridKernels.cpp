//===- GridKernels.cpp - what candidates for a group's grid lose, for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled once for each instruction set, with LLMC_GRID_KERNELS naming the table. Each lane of a
// vector is a candidate, so that sums run over the weights in their order whatever the width of the
// machine's vectors, and no multiplication is fused with an addition (-ffp-contract=off): every
// variant gives the same bits.
//
//===----------------------------------------------------------------------===//

#include "GridKernels.h"

namespace {

using namespace llmc;

typedef float Lanes __attribute__((vector_size(gridLanes * sizeof(float))));

/// Sums in fp32 run over so many weights at most.
constexpr long chunk = 256;

/// A sum with it has no place for a fraction: numbers below 2^22 are rounded, half to even.
constexpr float rounder = 12582912;

template <bool withMinimum>
void addSums(const float *weights, const float *importance, long count,
             const GridCandidates &candidates, GridSums &sums) {
  auto load = [](const float *from) { return *reinterpret_cast<const Lanes *>(from); };
  const Lanes scale = load(candidates.scale), inverse = load(candidates.inverse),
              minimum = load(candidates.minimum), low = load(candidates.low),
              high = load(candidates.high);
  for (long begin = 0; begin < count; begin += chunk) {
    long end = begin + chunk < count ? begin + chunk : count;
    Lanes errors = {}, codes = {}, product = {}, code = {}, error = {};
    for (long i = begin; i < end; ++i) {
      Lanes weight = weights[i] - Lanes{}, part = importance[i] - Lanes{};
      Lanes place = withMinimum ? (weight - minimum) * inverse : weight * inverse;
      place = place > low ? place : low;
      place = place < high ? place : high;
      Lanes nearest = (place + rounder) - rounder;
      Lanes lost = withMinimum ? weight - (nearest * scale + minimum) : weight - nearest * scale;
      Lanes weighed = part * nearest;
      errors += part * lost * lost;
      codes += weighed * nearest;
      product += weighed * lost;
      if (withMinimum) {
        code += weighed;
        error += part * lost;
      }
    }
    for (int lane = 0; lane < gridLanes; ++lane) {
      sums.errors[lane] += errors[lane];
      sums.codes[lane] += codes[lane];
      sums.product[lane] += product[lane];
      if (withMinimum) {
        sums.code[lane] += code[lane];
        sums.error[lane] += error[lane];
      }
    }
  }
}

} // namespace

const llmc::GridKernels llmc::LLMC_GRID_KERNELS = {addSums<false>, addSums<true>};
