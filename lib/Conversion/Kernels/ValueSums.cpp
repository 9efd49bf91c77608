//===- ValueSums.cpp - sums of values in attention kernels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValueSums.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

void ValueSums::emit(const AttentionGroup &group, ArrayRef<Value> factors) const {
  int64_t whole = layout.values.headSize / lanes, rest = layout.values.headSize % lanes;
  int64_t chunk = std::min<int64_t>({std::max<int64_t>(whole, 1), 4, registers});
  int64_t atOnce = std::max<int64_t>(1, registers / chunk);
  for (int64_t first = 0; first < group.count(); first += atOnce) {
    int64_t count = std::min(atOnce, group.count() - first);
    for (int64_t vector = 0; vector < whole; vector += chunk)
      emitTile(group, factors,
               {first, count, vector * lanes, std::min(chunk, whole - vector), lanes});
    if (rest != 0)
      emitTile(group, factors, {first, count, whole * lanes, rest, 1});
  }
}

void ValueSums::emitTile(const AttentionGroup &group, ArrayRef<Value> factors,
                         const SumTile &tile) const {
  Type type = tile.isScalar() ? k.f32() : Type(k.vector(k.f32()));
  Values sums(tile.count * tile.parts, k.real(type, 0.0));
  if (layout.first != 0)
    sums = sumFirst(group, tile, sums);
  if (exactValues)
    sums = sumExact(group, tile, sums);
  else
    sums = sumValues(tile, group.skipped, group.begins[0], group.ends.back(), sums,
                     [&](Value position) { return loadValues(group, tile, position); });
  auto spread = [&](Value value) { return tile.isScalar() ? value : k.broadcast(value); };
  for (int64_t i = 0; i < tile.count; ++i)
    for (int64_t part = 0; part < tile.parts; ++part)
      k.store(k.fmul(sums[i * tile.parts + part], spread(factors[tile.first + i])),
              k.offset(group.output, group.getOutputOffset(tile.first + i) +
                                         (tile.element + part * tile.partWidth) * 4),
              4);
}

Values ValueSums::sumFirst(const AttentionGroup &group, const SumTile &tile, Values sums) const {
  // Of these the sinks alone are read exactly.
  Value last = k.min(k.integer(layout.first), group.begins[0]), rounded = k.integer(0);
  if (exactValues) {
    rounded = k.min(k.integer(layout.sinks), last);
    sums = sumValues(tile, /*skipped=*/{}, k.integer(0), rounded, sums,
                     [&](Value position) { return loadExactValues(group, tile, position); });
  }
  return sumValues(tile, /*skipped=*/{}, rounded, last, sums,
                   [&](Value position) { return loadValues(group, tile, position); });
}

Values ValueSums::sumExact(const AttentionGroup &group, const SumTile &tile, Values sums) const {
  Value begin = group.begins[0], end = group.ends.back(), skipped = group.skipped;
  auto readExact = [&](Value position) { return loadExactValues(group, tile, position); };
  Value rounded = k.min(k.max(begin, k.integer(layout.sinks)), end);
  Value recent = k.max(rounded, group.recentValues[0]);
  if (layout.sinks != 0)
    sums = sumValues(tile, skipped, begin, rounded, sums, readExact);
  sums = sumValues(tile, skipped, rounded, recent, sums,
                   [&](Value position) { return loadValues(group, tile, position); });
  if (group.rows == 1)
    return sumValues(tile, skipped, recent, end, sums, readExact);
  return sumRecent(group, tile, recent, end, sums);
}

Values ValueSums::sumRecent(const AttentionGroup &group, const SumTile &tile, Value begin,
                            Value end, ValueRange sums) const {
  auto choose = [&](Value position, int64_t query, ArrayRef<Value> exact,
                    ArrayRef<Value> rounded) -> Values {
    Value older = k.lessInteger(position, group.recentValues[query / group.heads]);
    Values chosen;
    for (auto [a, b] : llvm::zip_equal(rounded, exact))
      chosen.push_back(k.select(older, a, b));
    return chosen;
  };
  return k.loop(begin, end, 1, sums, [&](Value position, ValueRange carried) {
    Values exact = loadExactValues(group, tile, position),
           rounded = loadValues(group, tile, position), next(carried);
    for (int64_t i = 0; i < tile.count; ++i)
      addValues(tile, i, group.getSeenPlace(k, position),
                choose(position, tile.first + i, exact, rounded), next);
    return next;
  });
}

Values ValueSums::loadValues(const AttentionGroup &group, const SumTile &tile,
                             Value position) const {
  Value place = getPlace(k, layout.stored, position, /*unit=*/1);
  if (oneRow)
    values.prefetchElements(k, group.values, place, tile.element, tile.parts * tile.partWidth,
                            prefetchDistance);
  return loadLine(values, group.values, tile, place);
}

Values ValueSums::loadExactValues(const AttentionGroup &group, const SumTile &tile,
                                  Value position) const {
  return loadLine(*exactValues, group.exactValues, tile,
                  getPlace(k, layout.exact, position, /*unit=*/1));
}

Values ValueSums::loadLine(const CacheReader &reader, Value memory, const SumTile &tile,
                           Value position) const {
  Values line;
  for (int64_t part = 0; part < tile.parts; ++part)
    line.push_back(reader.loadElements(k, memory, position, tile.element + part * tile.partWidth,
                                       tile.partWidth));
  return line;
}

void ValueSums::addValues(const SumTile &tile, int64_t query, Value place, ArrayRef<Value> line,
                          Values &sums) const {
  Value weight = k.load(k.f32(), scores.getAddress(k, tile.first + query, place));
  if (!tile.isScalar())
    weight = k.broadcast(weight);
  for (int64_t part = 0; part < tile.parts; ++part) {
    Value &sum = sums[query * tile.parts + part];
    sum = k.fma(line[part], weight, sum);
  }
}

Values ValueSums::sumValues(const SumTile &tile, Value skipped, Value begin, Value end,
                            ValueRange sums, function_ref<Values(Value position)> read) const {
  return k.loop(begin, end, 1, sums, [&](Value position, ValueRange carried) {
    Values next(carried), line = read(position);
    Value place = skipped ? k.sub(position, skipped) : position;
    for (int64_t i = 0; i < tile.count; ++i)
      addValues(tile, i, place, line, next);
    return next;
  });
}
