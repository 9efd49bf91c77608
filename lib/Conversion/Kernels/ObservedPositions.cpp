//===- ObservedPositions.cpp - positions that several queries choose together ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ObservedPositions.h"
#include "CacheCodec.h"
#include "HeavyHitters.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

/// Positions on either side whose scores a position weighs, too.
static constexpr int64_t neighbours = 2;

/// Room for numbers of all candidates, which are read 16 by 16.
static int64_t getListBytes(const CacheLayout &layout) {
  auto candidates = static_cast<int64_t>(llvm::alignTo(layout.heavy + layout.observed, lanes));
  return (candidates + lanes) * 4;
}

int64_t ObservedPositions::getScratchBytes(const CacheLayout &layout) {
  return 2 * getListBytes(layout);
}

/// How many queries before that at `position` choose together with it.
static Value countSince(KernelBuilder &k, const CacheLayout &layout, Value position) {
  // Of every `observed` positions that is one, which the first that does not fit is among.
  int64_t budget = layout.first + *layout.window;
  int64_t ahead = llvm::alignTo(budget, layout.observed) - budget;
  return k.rem(k.add(position, ahead), k.integer(layout.observed));
}

Value ObservedPositions::getNewest(KernelBuilder &k, const CacheLayout &layout, Value position) {
  return k.add(k.sub(position, countSince(k, layout, position)), layout.observed - *layout.window);
}

ObservedPositions::ObservedPositions(KernelBuilder &k, const CacheLayout &layout, Value cache,
                                     Value head, Value scratch)
    : k(k), layout(layout), cache(cache), head(head),
      sums(k.offset(cache, k.add(k.mul(head, layout.getScoreBytes()), layout.scores))),
      scores(scratch), weights(k.offset(scratch, getListBytes(layout))) {}

Value ObservedPositions::getScore(Value candidate) const {
  return k.offset(scores, k.mul(k.add(candidate, neighbours), 4));
}

void ObservedPositions::choose(Value position) const {
  Value since = countSince(k, layout, position);
  k.ifThen(k.equal(since, k.integer(0)), [&] {
    endInterval(position);
    Value leaving = k.add(position, -*layout.window);
    k.ifThen(k.lessInteger(k.integer(layout.first - 1), leaving), [&] {
      weigh(leaving);
      keepHeaviest(leaving);
    });
  });
}

void ObservedPositions::endInterval(Value position) const {
  // What the query before has read.
  Value begin = k.max(k.add(position, -*layout.window), k.integer(0));
  Value block = k.div(begin, keyBlock), end = k.div(k.add(position, keyBlock - 1), keyBlock);
  auto firstBlocks = static_cast<int64_t>(llvm::divideCeil(layout.first, keyBlock));
  k.loop(k.integer(0), k.min(k.integer(firstBlocks), block), 1, [&](Value index) {
    Value first = k.mul(index, keyBlock);
    endInterval(position, first, first);
  });
  k.loop(block, end, 1, [&](Value index) {
    endInterval(position, k.mul(index, keyBlock),
                k.mul(getPlace(k, layout.stored, index, keyBlock), keyBlock));
  });
}

void ObservedPositions::endInterval(Value position, Value first, Value place) const {
  auto spread = [&](Value number) { return k.broadcast(k.truncate(number, k.i32())); };
  Value positions = countFrom(k, first);
  Value isNewest = k.lessInteger(spread(k.add(position, -*layout.window - 1)), positions);
  Value isFirst = k.lessInteger(positions, k.integer(k.vector(k.i32()), layout.first));
  Value isRead = k.bitAnd(k.bitOr(isNewest, isFirst), k.lessInteger(positions, spread(position)));
  Value isNew = k.lessInteger(spread(k.add(position, -layout.observed - 1)), positions);
  Value sum = k.loadVector(getSum(place)), most = k.loadVector(getMost(place));
  Value next = k.select(isNew, sum, k.fmax(most, sum));
  k.storeVector(k.select(isRead, next, most), getMost(place));
  k.storeVector(k.select(isRead, k.real(k.vector(k.f32()), 0.0), sum), getSum(place));
}

Value ObservedPositions::forEachCandidate(
    Value leaving, Value carried,
    function_ref<Value(Value candidate, Value place, Value carried)> body) const {
  carried = k.loop(k.integer(0), k.integer(layout.heavy), 1, {carried},
                   [&](Value candidate, ValueRange before) -> Values {
                     return {body(candidate, k.add(candidate, getFirstChosen()), before[0])};
                   })[0];
  return k.loop(k.integer(layout.heavy), k.integer(countCandidates()), 1, {carried},
                [&](Value candidate, ValueRange before) -> Values {
                  Value position = k.add(leaving, k.add(candidate, -layout.heavy));
                  Value place = getPlace(k, layout.stored, position, /*unit=*/1);
                  return {body(candidate, place, before[0])};
                })[0];
}

void ObservedPositions::weigh(Value leaving) const {
  Value zero = k.real(k.f32(), 0.0);
  for (int64_t i = 1; i <= neighbours; ++i)
    for (int64_t candidate : {-i, countCandidates() + i - 1})
      k.store(zero, getScore(k.integer(candidate)));
  forEachCandidate(leaving, k.integer(0), [&](Value candidate, Value place, Value count) {
    k.store(k.load(k.f32(), getMost(place)), getScore(candidate));
    return count;
  });
  // Beyond the end there may be anything.
  k.loop(k.integer(0), k.integer(countCandidates()), lanes, [&](Value first) {
    Value sum = k.loadVector(getScore(k.add(first, -neighbours)));
    for (int64_t i = 1 - neighbours; i <= neighbours; ++i)
      sum = k.fadd(sum, k.loadVector(getScore(k.add(first, i))));
    k.storeVector(sum, getWeight(first));
  });
}

/// What stands for the weight of one that leaves.
static constexpr double left = 3.0e38;

void ObservedPositions::keepHeaviest(Value leaving) const {
  Value begin = k.integer(0), end = k.integer(countCandidates());
  k.loop(begin, k.integer(layout.observed), 1, [&](Value) {
    Value lightest = findLeast(k, weights, begin, end).second;
    k.store(k.real(k.f32(), left), getWeight(lightest));
  });
  forEachCandidate(leaving, k.integer(0), [&](Value candidate, Value place, Value kept) {
    return keep(candidate, place, kept);
  });
}

Value ObservedPositions::keep(Value candidate, Value place, Value kept) const {
  Value weight = k.load(k.f32(), getWeight(candidate));
  // What is no number has no place: as many as there is room for stay, whatever they weigh.
  Value stays =
      k.bitAnd(k.less(weight, k.real(k.f32(), left)), k.lessInteger(kept, k.integer(layout.heavy)));
  Value to = k.add(kept, getFirstChosen());
  k.ifThen(k.bitAnd(stays, k.lessInteger(to, place)), [&] {
    emitPositionMove(k, layout, cache, head, place, to);
    k.store(k.load(k.f32(), getMost(place)), getMost(to));
  });
  return k.select(stays, k.add(kept, 1), kept);
}
