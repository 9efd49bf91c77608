//===- HeavyHitters.cpp - positions that a cache chooses by score ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeavyHitters.h"
#include "CacheCodec.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

HeavyHitters::HeavyHitters(KernelBuilder &k, const CacheLayout &layout, Value cache, Value head)
    : k(k), layout(layout), cache(cache), head(head),
      scores(k.offset(cache, k.add(k.mul(head, layout.getScoreBytes()), layout.scores))) {}

Value HeavyHitters::getScores(Value block) const {
  return getScore(k.mul(getPlace(k, layout.stored, block, keyBlock), keyBlock));
}

std::pair<Value, Value> llmc::findLeast(KernelBuilder &k, Value numbers, Value begin, Value end) {
  Type floats = k.vector(k.f32());
  Value most = k.real(floats, 3.0e38);
  auto spread = [&](Value place) { return k.broadcast(k.truncate(place, k.i32())); };
  Value before = spread(k.add(begin, -1)), behind = spread(end);
  // Of each lane. Places are numbers that fp32 holds.
  Values least =
      k.loop(k.mul(k.div(begin, lanes), lanes), end, lanes, {most, k.toFloat(spread(begin))},
             [&](Value first, ValueRange carried) -> Values {
               Value places = countFrom(k, first);
               Value number = k.loadVector(k.offset(numbers, k.mul(first, 4)));
               Value isOne = k.bitAnd(k.lessInteger(before, places), k.lessInteger(places, behind));
               Value isLess = k.bitAnd(isOne, k.less(number, carried[0]));
               return {k.select(isLess, number, carried[0]),
                       k.select(isLess, k.toFloat(places), carried[1])};
             });
  Value smallest = k.fneg(k.maxLanes(k.fneg(least[0])));
  Value places = k.select(k.less(k.broadcast(smallest), least[0]), most, least[1]);
  Value place = k.toInteger(k.fneg(k.maxLanes(k.fneg(places))));
  return {smallest, k.extendSigned(place, k.i64())};
}

void llmc::emitPositionMove(KernelBuilder &k, const CacheLayout &layout, Value cache, Value head,
                            Value from, Value to) {
  for (const CacheArray *array : {&layout.keys, &layout.values}) {
    Value memory = k.offset(cache, k.add(k.mul(head, array->headBytes), array->offset));
    emitCacheMove(k, *array, memory, from, to);
  }
}

void HeavyHitters::admit(Value position) const {
  Value leaving = k.add(position, -*layout.window);
  k.ifThen(k.lessInteger(k.integer(layout.first - 1), leaving), [&] {
    Value place = getPlace(k, layout.stored, leaving, /*unit=*/1);
    Value own = k.load(k.f32(), getScore(place));
    Value least, lightest;
    std::tie(least, lightest) =
        findLeast(k, scores, k.integer(layout.first - layout.heavy), k.integer(layout.first));
    k.ifThen(k.less(least, own), [&] {
      emitPositionMove(k, layout, cache, head, place, lightest);
      k.store(own, getScore(lightest));
    });
  });
}
