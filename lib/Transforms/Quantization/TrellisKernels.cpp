//===- TrellisKernels.cpp - searches for paths through a trellis, for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled once for each instruction set, with LLMC_TRELLIS_KERNELS naming the table. Lanes are
// groups, or the states of a group; no sum runs over lanes, and no multiplication is fused with an
// addition (-ffp-contract=off): every variant gives the same bits.
//
//===----------------------------------------------------------------------===//

#include "TrellisKernels.h"

#include <type_traits>

namespace {

using namespace llmc;

/// What a state costs that no path has reached.
constexpr float unreached = 1e30f;

template <int count>
using Floats __attribute__((vector_size(count * sizeof(float)))) = float;
template <int count>
using Integers __attribute__((vector_size(count * sizeof(int)))) = int;

template <int count>
Floats<count> load(const float *from) {
  Floats<count> result;
  __builtin_memcpy(&result, from, sizeof result);
  return result;
}
template <typename Vector>
void store(void *to, Vector vector) {
  __builtin_memcpy(to, &vector, sizeof vector);
}

template <int halves>
struct Search {
  static constexpr int fewer = getTrellisBits(halves), more = halves - fewer;
  static constexpr int mostGroups = trellisStates >> fewer;

  explicit Search(const TrellisPath &path) : path(path) {}

  /// Calls `visit` with the bits of weight `index`, as a constant.
  template <typename Visit>
  void visitBits(long index, Visit visit) {
    if ((path.column + index) % 2 == 0)
      visit(std::integral_constant<int, fewer>());
    else
      visit(std::integral_constant<int, more>());
  }

  /// Finds for each group the state of least cost that leads to it, which has its number in the low
  /// bits.
  template <int bits>
  void selectBefore() {
    constexpr int codes = 1 << bits, groups = trellisStates >> bits;
    constexpr int groupLanes = groups < 16 ? groups : 16;
    for (int first = 0; first < groups; first += groupLanes) {
      Floats<groupLanes> lowest = load<groupLanes>(cost + first);
      Integers<groupLanes> chosen = {};
      for (int high = 1; high < codes; ++high) {
        Floats<groupLanes> other = load<groupLanes>(cost + high * groups + first);
        Integers<groupLanes> isLess = other < lowest;
        lowest = isLess ? other : lowest;
        chosen = isLess ? high - Integers<groupLanes>{} : chosen;
      }
      store(least + first, lowest);
      store(before + first, chosen);
    }
  }

  /// Goes on from each group to its states.
  template <int bits>
  void extend(int group, float weight, float importance) {
    constexpr int codes = 1 << bits, codeLanes = codes < 16 ? codes : 16;
    for (int first = 0; first < codes; first += codeLanes) {
      int state = group * codes + first;
      Floats<codeLanes> error = weight - load<codeLanes>(path.numbers + state);
      store(cost + state, least[group] + error * error * importance);
    }
  }

  template <int bits>
  void keepBefore(long index) {
    for (int group = 0; group < trellisStates >> bits; ++group)
      path.back[index * mostGroups + group] = static_cast<unsigned char>(before[group]);
  }

  /// Writes the states of the path that costs least.
  void trace() {
    int state = 0;
    for (int other = 1; other < trellisStates; ++other)
      if (cost[other] < cost[state])
        state = other;
    for (long index = path.count - 1; index >= 0; --index)
      visitBits(index, [&](auto bits) {
        path.states[index] = static_cast<unsigned char>(state);
        int group = state >> bits;
        state = group + path.back[index * mostGroups + group] * (trellisStates >> bits);
      });
  }

  void start() {
    for (int state = 0; state < trellisStates; ++state)
      cost[state] = state == path.state ? 0 : unreached;
  }

  void choose() {
    start();
    for (long index = 0; index < path.count; ++index)
      visitBits(index, [&](auto bits) {
        selectBefore<bits>();
        keepBefore<bits>(index);
        for (int group = 0; group < trellisStates >> bits; ++group)
          extend<bits>(group, path.weights[index], path.importance[index]);
      });
    trace();
  }

  /// The weights of a block as the path of a group has made them.
  using Block = Floats<trellisBlock>;

  void chooseFed() {
    Block now[mostGroups], next[mostGroups];
    Block given = {};
    for (long index = 0; index < path.count; ++index)
      given[index] = path.weights[index];
    start();
    int bitsBefore = fewer;
    for (long index = 0; index < path.count; ++index)
      visitBits(index, [&](auto bits) {
        constexpr int groups = trellisStates >> bits;
        selectBefore<bits>();
        keepBefore<bits>(index);
        for (int group = 0; group < groups; ++group) {
          int state = group + before[group] * groups;
          next[group] = index == 0 ? given : follow(now[state >> bitsBefore], state, index - 1);
        }
        for (int group = 0; group < groups; ++group) {
          now[group] = next[group];
          extend<bits>(group, now[group][index], path.importance[index]);
        }
        bitsBefore = bits;
      });
    trace();
  }

  /// What a block becomes where weight `index` becomes the number of `state`.
  Block follow(Block block, int state, long index) const {
    float error = block[index] - path.numbers[state];
    return block - error * load<trellisBlock>(path.feedback + index * trellisBlock);
  }

  const TrellisPath &path;
  alignas(64) float cost[trellisStates];
  alignas(64) float least[mostGroups]; ///< of the states that lead to each group
  alignas(64) int before[mostGroups];  ///< the high bits of that state
};

template <int halves>
void choose(const TrellisPath &path) {
  Search<halves>(path).choose();
}
template <int halves>
void chooseFed(const TrellisPath &path) {
  Search<halves>(path).chooseFed();
}

} // namespace

const llmc::TrellisKernels llmc::LLMC_TRELLIS_KERNELS = {
    {choose<4>, choose<5>, choose<6>, choose<7>, choose<8>, choose<9>, choose<10>},
    {chooseFed<4>, chooseFed<5>, chooseFed<6>, chooseFed<7>, chooseFed<8>, chooseFed<9>,
     chooseFed<10>}};
