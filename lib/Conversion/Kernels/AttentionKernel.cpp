//===- AttentionKernel.cpp - attention over the cache ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Queries that look at the same keys and values go together, so that a key that
// was read serves them all: the heads that share a head of the cache, and of
// many rows a few that follow each other. Scores go to scratch, the softmax is
// made there, then values are summed.
//
// Every score and every output is one chain of operations, in ascending order
// of elements and of positions. What a query must not see has weight zero in
// that chain, so results do not depend on which queries went together: decode
// equals prefill bit for bit.
//
//===----------------------------------------------------------------------===//

#include "CacheAccess.h"
#include "CacheCodec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

/// Bytes between the values that are read and those that are asked for, in
/// decode: the cache comes from memory.
static constexpr int64_t prefetchDistance = 4096;

/// Bytes from one query's scores to the next one's; a line more than a power of
/// two often is, which would put all queries' scores in one set of the cache.
static int64_t getScoreStride(const CacheLayout &layout) { return layout.capacity * 4 + 64; }

int64_t AttentionKernel::getRowsAtOnce() const {
  if (oneRow)
    return 1;
  constexpr int64_t queriesAtOnce = 12, mostRows = 8;
  return std::clamp<int64_t>(queriesAtOnce / (heads / cache.getHeads()), 1, mostRows);
}

int64_t AttentionKernel::getScratchBytes() const {
  return getRowsAtOnce() * (heads / cache.getHeads()) * getScoreStride(CacheLayout::get(cache));
}

namespace {

/// Emits one attention kernel.
class AttentionEmitter {
public:
  AttentionEmitter(ModuleOp module, StringRef name, const AttentionKernel &spec,
                   const KernelTarget &target)
      : spec(spec), layout(CacheLayout::get(spec.cache)), keys(layout.keys, /*ofGroups=*/true),
        values(layout.values, /*ofGroups=*/false),
        k(module, name, spec.sinks ? "iiippppippp" : "iiippppipp", target),
        headsAtOnce(spec.heads / layout.heads), registers(target.floatRows * target.floatTiles),
        width(spec.heads * layout.headSize), scoreStride(getScoreStride(layout)),
        query(k.argument(3)), caches{k.argument(4), k.argument(5), k.argument(6), k.argument(7)},
        sinks(spec.sinks ? k.argument(8) : Value()), output(k.argument(spec.sinks ? 9 : 8)),
        scratch(k.argument(spec.sinks ? 10 : 9)) {}

  func::FuncOp emit() {
    if (spec.oneRow)
      emitOneRow(k.argument(1), k.argument(2));
    else
      emitManyRows(k.argument(0), k.argument(1), k.argument(2));
    return k.finish();
  }

private:
  /// Heads [begin, end) of the only row.
  void emitOneRow(Value begin, Value end) {
    Value first = k.div(begin, headsAtOnce);
    Value last = k.div(k.add(end, headsAtOnce - 1), headsAtOnce);
    k.loop(first, last, 1, [&](Value shared) {
      Value from = k.max(k.mul(shared, headsAtOnce), begin);
      Value to = k.min(k.mul(k.add(shared, 1), headsAtOnce), end);
      k.loopInBlocks(from, to, headsAtOnce,
                     [&](Value head, int64_t heads) { emitQueries(k.integer(0), head, 1, heads); });
    });
  }

  /// Tasks [begin, end): task t is head t % H of the cache and, of the B blocks
  /// of rows, block b/2 for even and B - 1 - b/2 for odd b = t / H. Later rows
  /// see more; so every worker gets early ones and late ones.
  void emitManyRows(Value rows, Value begin, Value end) {
    int64_t rowsAtOnce = spec.getRowsAtOnce();
    Value blocks = k.div(k.add(rows, rowsAtOnce - 1), rowsAtOnce);
    k.loop(begin, end, 1, [&](Value task) {
      Value head = k.mul(k.rem(task, k.integer(layout.heads)), headsAtOnce);
      Value index = k.div(task, layout.heads), half = k.div(index, 2);
      Value even = k.equal(k.rem(index, k.integer(2)), k.integer(0));
      Value block = k.select(even, half, k.sub(k.add(blocks, -1), half));
      Value row = k.mul(block, rowsAtOnce), last = k.min(k.add(row, rowsAtOnce), rows);
      if (rowsAtOnce == 1)
        return emitQueries(row, head, 1, headsAtOnce);
      Value whole = k.equal(k.sub(last, row), k.integer(rowsAtOnce));
      Value oneSequence = k.equal(loadIndex(k, caches.sequences, row),
                                  loadIndex(k, caches.sequences, k.add(last, -1)));
      Value together = k.bitAnd(whole, oneSequence);
      k.ifThen(together, [&] { emitQueries(row, head, rowsAtOnce, headsAtOnce); });
      Value next = k.select(together, last, row);
      k.loop(next, last, 1, [&](Value single) { emitQueries(single, head, 1, headsAtOnce); });
    });
  }

  /// What queries that go together have in common. Rows are of one sequence,
  /// following each other.
  struct Group {
    int64_t rows, heads;
    Value head; ///< the first
    Value keys, values, query, output;
    Values begins, ends; ///< of the positions that each row sees
    Value firstBlock;    ///< the first position of the first block of 16 that any
                         ///< sees

    int64_t count() const { return rows * heads; }
  };

  /// `heads` heads that share a head of the cache, from `head` on, of `rows`
  /// rows from `row` on.
  void emitQueries(Value row, Value head, int64_t rows, int64_t heads) {
    Group group{rows, heads, head, {}, {}, {}, {}, {}, {}, {}};
    Value base = getCacheOfRow(k, caches, row), shared = k.div(head, headsAtOnce);
    group.keys = k.offset(base, k.mul(shared, layout.keys.headBytes));
    group.values =
        k.offset(base, k.add(k.mul(shared, layout.values.headBytes), layout.values.offset));
    Value first = k.add(k.mul(row, rowBytes()), k.mul(head, layout.headSize * 4));
    group.query = k.offset(query, first);
    group.output = k.offset(output, first);
    Value position = loadIndex(k, caches.positions, row);
    for (int64_t i = 0; i < rows; ++i) {
      group.ends.push_back(k.add(position, i + 1));
      group.begins.push_back(spec.window ? k.max(k.add(group.ends[i], -*spec.window), k.integer(0))
                                         : k.integer(0));
    }
    group.firstBlock = k.mul(k.div(group.begins[0], keyBlock), keyBlock);
    computeScores(group);
    Values factors;
    for (int64_t i = 0; i < group.count(); ++i)
      factors.push_back(exponentiate(group, i));
    accumulate(group, factors);
    zeroPadding(group, head);
  }

  int64_t rowBytes() const { return getRowStride(width) * 4; }
  /// Bytes from the first query's elements to those of query `index`, of
  /// whatever is like them.
  int64_t queryOffset(const Group &group, int64_t index) const {
    return index / group.heads * rowBytes() + index % group.heads * layout.headSize * 4;
  }
  Value scoreAddress(int64_t index, Value position) {
    return k.offset(k.offset(scratch, k.mul(position, 4)), index * scoreStride);
  }

  void computeScores(const Group &group) {
    // Sums of one group of many stand beside those of all.
    int64_t sums = keys.getGroups() > 1 ? std::max<int64_t>(registers / 2, 1) : registers;
    int64_t atOnce = std::min(group.count(), sums);
    int64_t most = std::clamp<int64_t>(sums / atOnce, 1, 4);
    Value lastEnd = group.ends.back();
    for (int64_t first = 0; first < group.count(); first += atOnce) {
      int64_t count = std::min(atOnce, group.count() - first);
      // Whole blocks of 16 positions.
      Value begin = k.div(group.firstBlock, keyBlock);
      Value end = k.div(k.add(lastEnd, keyBlock - 1), keyBlock);
      k.loopInBlocks(begin, end, most, [&](Value block, int64_t blocks) {
        computeScores(group, {first, count, block, blocks});
      });
    }
  }

  /// `count` queries from the `first` on, and `blocks` blocks of keys from
  /// `block` on.
  struct ScoreTile {
    int64_t first, count;
    Value block;
    int64_t blocks;

    int64_t size() const { return count * blocks; }
  };

  /// Sums of products of queries with lines [begin, end) of keys.
  Values sumProducts(const Group &group, const ScoreTile &tile, Value begin, Value end) {
    return k.loop(begin, end, 1, Values(tile.size(), k.real(k.vector(k.f32()), 0.0)),
                  [&](Value line, ValueRange carried) {
                    Values next(carried);
                    SmallVector<Values> numbers;
                    for (int64_t b = 0; b < tile.blocks; ++b) {
                      numbers.push_back(keys.loadPositions(k, group.keys, tile.block, b, line));
                      if (spec.oneRow)
                        keys.prefetchPositions(k, group.keys, tile.block, b + tile.blocks, line);
                    }
                    Value elements = k.offset(group.query, k.mul(keys.getFirstNumber(k, line), 4));
                    for (int64_t place = 0; place < keys.getNumbersPerLine(); ++place)
                      for (int64_t i = 0; i < tile.count; ++i) {
                        int64_t offset = queryOffset(group, tile.first + i) + place * lanes * 4;
                        Value x = k.loadBroadcast(k.offset(elements, offset));
                        for (int64_t b = 0; b < tile.blocks; ++b) {
                          Value &sum = next[i * tile.blocks + b];
                          sum = k.fma(numbers[b][place], x, sum);
                        }
                      }
                    return next;
                  });
  }

  /// Products of queries with keys.
  Values computeProducts(const Group &group, const ScoreTile &tile) {
    Value begin = k.integer(0), end = k.integer(keys.getLines());
    if (!keys.hasScales())
      return sumProducts(group, tile, begin, end);
    auto loadScales = [&](Value ofGroup) {
      Values scales;
      for (int64_t b = 0; b < tile.blocks; ++b)
        scales.push_back(keys.loadScales(k, group.keys, tile.block, b, ofGroup));
      return scales;
    };
    if (keys.getGroups() == 1) {
      Values sums = sumProducts(group, tile, begin, end), scales = loadScales(begin);
      for (auto [index, sum] : llvm::enumerate(sums))
        sum = k.fmul(sum, scales[index % tile.blocks]);
      return sums;
    }
    Value zero = k.real(k.vector(k.f32()), 0.0);
    return k.loop(begin, k.integer(keys.getGroups()), 1, Values(tile.size(), zero),
                  [&](Value ofGroup, ValueRange carried) {
                    Value first = k.mul(ofGroup, keys.getLinesPerGroup());
                    Value last = k.min(k.add(first, keys.getLinesPerGroup()), end);
                    Values sums = sumProducts(group, tile, first, last),
                           scales = loadScales(ofGroup);
                    for (auto [index, sum] : llvm::enumerate(sums))
                      sum = k.fma(sum, scales[index % tile.blocks], carried[index]);
                    return sums;
                  });
  }

  void computeScores(const Group &group, const ScoreTile &tile) {
    Values products = computeProducts(group, tile);
    for (int64_t i = 0; i < tile.count; ++i)
      for (int64_t b = 0; b < tile.blocks; ++b) {
        Value score = k.fmul(products[i * tile.blocks + b], k.real(k.vector(k.f32()), spec.scale));
        if (spec.softcap) {
          Value cap = k.real(k.vector(k.f32()), *spec.softcap);
          score = k.fmul(k.tanh(k.fdiv(score, cap)), cap);
        }
        Value position = k.mul(k.add(tile.block, b), keyBlock);
        if (!spec.slopes.empty())
          score = addBias(score, group, tile.first + i, position);
        k.storeVector(score, scoreAddress(tile.first + i, position));
      }
  }

  Value spread(Value position) { return k.broadcast(k.truncate(position, k.i32())); }

  /// The positions of the block at `first`.
  Value getPositions(Value first) {
    SmallVector<int32_t> numbers(keyBlock);
    std::iota(numbers.begin(), numbers.end(), 0);
    Value lane = arith::ConstantOp::create(
        k.builder, k.location,
        DenseElementsAttr::get(k.vector(k.i32()), ArrayRef<int32_t>(numbers)));
    return k.add(lane, spread(first));
  }

  /// A query's scores for the block at `position`, less its head's slope times
  /// the distance.
  Value addBias(Value score, const Group &group, int64_t index, Value position) {
    Value own = k.add(group.ends[index / group.heads], -1);
    Value distance = k.toFloat(k.sub(getPositions(position), spread(own)));
    Value head = k.add(group.head, index % group.heads);
    Value slope = k.loadBroadcast(k.offset(k.table(spec.slopes), k.mul(head, 4)));
    return k.fma(slope, distance, score);
  }

  /// Lanes of the block at `first` whose position lies in [begin, end).
  Value inRange(Value first, Value begin, Value end) {
    Value positions = getPositions(first);
    Value seen = k.lessInteger(positions, spread(end));
    if (spec.window)
      seen = k.bitAnd(seen, k.lessInteger(spread(k.add(begin, -1)), positions));
    return seen;
  }

  /// Replaces a query's scores by exp(score - largest), and by 0 where it sees
  /// nothing; gives the reciprocal of their sum. Where values have scales, each
  /// is multiplied by its value's.
  Value exponentiate(const Group &group, int64_t index) {
    Value begin = group.begins[index / group.heads], end = group.ends[index / group.heads];
    Value lastEnd = group.ends.back();
    Value nothing = k.real(k.vector(k.f32()), -3.0e38), zero = k.real(k.vector(k.f32()), 0.0);
    Value largest = k.maxLanes(k.loop(group.firstBlock, end, keyBlock, Values{nothing},
                                      [&](Value first, ValueRange carried) -> Values {
                                        Value score = k.loadVector(scoreAddress(index, first));
                                        score =
                                            k.select(inRange(first, begin, end), score, nothing);
                                        return {k.fmax(carried[0], score)};
                                      })[0]);
    Value sink = loadSink(group, index);
    if (sink)
      largest = k.fmax(largest, sink);
    Value sum = k.loop(group.firstBlock, lastEnd, keyBlock, Values{zero},
                       [&](Value first, ValueRange carried) -> Values {
                         Value seen = inRange(first, begin, end);
                         Value score = k.loadVector(scoreAddress(index, first));
                         // Beyond the end there may be anything.
                         score = k.select(seen, score, nothing);
                         Value weight = k.exp(k.fsub(score, k.broadcast(largest)));
                         weight = k.select(seen, weight, zero);
                         Value stored = weight;
                         if (values.hasScales()) {
                           stored = k.fmul(weight, values.loadScales(k, group.values,
                                                                     k.div(first, keyBlock), 0,
                                                                     k.integer(0)));
                           stored = k.select(seen, stored, zero);
                         }
                         k.storeVector(stored, scoreAddress(index, first));
                         return {k.fadd(carried[0], weight)};
                       })[0];
    Value total = k.sumLanes(sum);
    if (sink)
      total = k.fadd(total, k.exp(k.fsub(sink, largest)));
    return k.fdiv(k.real(k.f32(), 1.0), total);
  }

  /// The sink of a query's head, or null.
  Value loadSink(const Group &group, int64_t index) {
    if (!sinks)
      return {};
    Value head = k.add(group.head, index % group.heads);
    return k.load(k.f32(), k.offset(sinks, k.mul(head, 4)));
  }

  /// output = factor · Σ weight_t · value_t, for every query.
  void accumulate(const Group &group, ArrayRef<Value> factors) {
    int64_t whole = layout.headSize / lanes, rest = layout.headSize % lanes;
    int64_t chunk = std::min<int64_t>({std::max<int64_t>(whole, 1), 4, registers});
    int64_t atOnce = std::max<int64_t>(1, registers / chunk);
    for (int64_t first = 0; first < group.count(); first += atOnce) {
      int64_t count = std::min(atOnce, group.count() - first);
      for (int64_t vector = 0; vector < whole; vector += chunk)
        accumulate(group, factors, first, count, vector * lanes, std::min(chunk, whole - vector),
                   lanes);
      if (rest != 0)
        accumulate(group, factors, first, count, whole * lanes, rest, 1);
    }
  }

  /// `parts` parts of `partWidth` elements (16 or 1) of the output, from
  /// `element` on.
  void accumulate(const Group &group, ArrayRef<Value> factors, int64_t first, int64_t count,
                  int64_t element, int64_t parts, int64_t partWidth) {
    bool scalar = partWidth == 1;
    Type type = scalar ? k.f32() : Type(k.vector(k.f32()));
    auto spread = [&](Value value) { return scalar ? value : k.broadcast(value); };
    Values sums =
        k.loop(group.begins[0], group.ends.back(), 1, Values(count * parts, k.real(type, 0.0)),
               [&](Value position, ValueRange carried) {
                 Values next(carried), line;
                 if (spec.oneRow)
                   values.prefetchElements(k, group.values, position, element, parts * partWidth,
                                           prefetchDistance);
                 for (int64_t part = 0; part < parts; ++part)
                   line.push_back(values.loadElements(k, group.values, position,
                                                      element + part * partWidth, partWidth));
                 for (int64_t i = 0; i < count; ++i) {
                   Value weight = spread(k.load(k.f32(), scoreAddress(first + i, position)));
                   for (int64_t part = 0; part < parts; ++part)
                     next[i * parts + part] = k.fma(line[part], weight, next[i * parts + part]);
                 }
                 return next;
               });
    for (int64_t i = 0; i < count; ++i)
      for (int64_t part = 0; part < parts; ++part)
        k.store(k.fmul(sums[i * parts + part], spread(factors[first + i])),
                k.offset(group.output,
                         queryOffset(group, first + i) + (element + part * partWidth) * 4),
                4);
  }

  /// Who computes the last head of a row also zeros the row's padding.
  void zeroPadding(const Group &group, Value head) {
    if (getRowStride(width) == width)
      return;
    k.ifThen(k.equal(head, k.integer(spec.heads - group.heads)), [&] {
      for (int64_t row = 0; row < group.rows; ++row)
        for (int64_t i = width; i < getRowStride(width); ++i)
          k.store(
              k.real(k.f32(), 0.0),
              k.offset(group.output,
                       row * rowBytes() + (i - (spec.heads - group.heads) * layout.headSize) * 4));
    });
  }

  const AttentionKernel &spec;
  CacheLayout layout;
  CacheReader keys, values;
  KernelBuilder k;
  int64_t headsAtOnce; ///< heads that share a head of the cache
  int64_t registers;   ///< vectors of sums that registers hold
  int64_t width;       ///< of a row of queries
  int64_t scoreStride;
  Value query;
  CacheArguments caches;
  Value sinks; ///< null where there are none
  Value output, scratch;
};

} // namespace

func::FuncOp llmc::emitAttention(ModuleOp module, const AttentionKernel &kernel,
                                 const KernelTarget &target) {
  std::string name = "attention_" + getCacheName(kernel.cache) + "h" +
                     std::to_string(kernel.heads) + "s" +
                     llvm::utohexstr(llvm::bit_cast<uint32_t>(kernel.scale));
  if (kernel.window)
    name += "w" + std::to_string(*kernel.window);
  if (kernel.softcap)
    name += "t" + llvm::utohexstr(llvm::bit_cast<uint32_t>(*kernel.softcap));
  if (!kernel.slopes.empty())
    name += "b" + llvm::utohexstr(hashNumbers(kernel.slopes));
  if (kernel.sinks)
    name += "k";
  name += (kernel.oneRow ? "_row_" : "_rows_") + target.name.str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  return AttentionEmitter(module, name, kernel, target).emit();
}
