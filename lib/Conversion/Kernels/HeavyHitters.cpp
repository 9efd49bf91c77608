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

std::pair<Value, Value> HeavyHitters::findLightest() const {
  int64_t begin = layout.first - layout.heavy, end = layout.first;
  Type floats = k.vector(k.f32()), integers = k.vector(k.i32());
  Value most = k.real(floats, 3.0e38);
  // Of each lane. Places are numbers that fp32 holds.
  Values lightest =
      k.loop(k.integer(begin / lanes * lanes), k.integer(end), lanes,
             {most, k.real(floats, static_cast<double>(begin))},
             [&](Value first, ValueRange carried) -> Values {
               Value places = countFrom(k, first), score = k.loadVector(getScore(first));
               Value isChosen = k.bitAnd(k.lessInteger(k.integer(integers, begin - 1), places),
                                         k.lessInteger(places, k.integer(integers, end)));
               Value isLess = k.bitAnd(isChosen, k.less(score, carried[0]));
               return {k.select(isLess, score, carried[0]),
                       k.select(isLess, k.toFloat(places), carried[1])};
             });
  Value least = k.fneg(k.maxLanes(k.fneg(lightest[0])));
  Value places = k.select(k.less(k.broadcast(least), lightest[0]), most, lightest[1]);
  Value place = k.toInteger(k.fneg(k.maxLanes(k.fneg(places))));
  return {least, k.extendSigned(place, k.i64())};
}

void HeavyHitters::admit(Value position) const {
  Value leaving = k.add(position, -*layout.window);
  k.ifThen(k.lessInteger(k.integer(layout.first - 1), leaving), [&] {
    Value place = getPlace(k, layout.stored, leaving, /*unit=*/1);
    Value own = k.load(k.f32(), getScore(place));
    Value least, lightest;
    std::tie(least, lightest) = findLightest();
    k.ifThen(k.less(least, own), [&] {
      for (const CacheArray *array : {&layout.keys, &layout.values}) {
        Value memory = k.offset(cache, k.add(k.mul(head, array->headBytes), array->offset));
        emitCacheMove(k, *array, memory, place, lightest);
      }
      k.store(own, getScore(lightest));
    });
  });
}
