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
// Where some positions are read as they were before they were rounded, which
// they are depends on a query's position. Blocks of keys in which a query that
// goes with others may see such are scored both ways, and each score is chosen;
// values are summed in runs that are read in one way, in ascending order.
//
// Where a cache keeps its first positions and the newest alone, what lies between them is left out.
// It would add nothing, so that the bits are those of attention to all positions as long as there
// is nothing between them.
//
// Where it keeps others that it chooses by what attention gives weight to, these stand behind the
// first ones, and rows go one after the other: what a row reads depends on those before it.
//
//===----------------------------------------------------------------------===//

#include "CacheAccess.h"
#include "CacheCodec.h"
#include "HeavyHitters.h"
#include "ObservedPositions.h"
#include "ValueSums.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

/// Positions that a query sees, itself the last: those of an attention's own window over a cache
/// that has one, too.
static std::optional<int64_t> getWindow(const AttentionKernel &kernel, const CacheLayout &layout) {
  std::optional<int64_t> own = kernel.window, ofCache = layout.window;
  return own && ofCache ? std::min(*own, *ofCache) : own ? own : ofCache;
}

/// Positions of the blocks that stand before the window.
static int64_t getFirstPositions(const CacheLayout &layout) {
  return static_cast<int64_t>(llvm::alignTo(layout.first, keyBlock));
}

/// Positions of the blocks that queries of `rows` rows see together.
static int64_t countSeen(const AttentionKernel &kernel, const CacheLayout &layout, int64_t rows) {
  std::optional<int64_t> window = getWindow(kernel, layout);
  if (!window)
    return layout.capacity;
  auto newest = static_cast<int64_t>(llvm::alignTo(*window + rows - 1, keyBlock));
  return std::min(layout.capacity, getFirstPositions(layout) + newest + keyBlock);
}

/// Bytes from one query's scores to the next one's; a line more than a power of
/// two often is, which would put all queries' scores in one set of the cache.
static int64_t getScoreStride(const AttentionKernel &kernel, const CacheLayout &layout) {
  constexpr int64_t line = 64, bytes = 4;
  return countSeen(kernel, layout, kernel.getRowsAtOnce()) * bytes + line;
}

int64_t AttentionKernel::getRowsAtOnce() const {
  if (oneRow || cache.choosesPositions())
    return 1;
  constexpr int64_t queriesAtOnce = 12, mostRows = 8;
  return std::clamp<int64_t>(queriesAtOnce / (heads / cache.getHeads()), 1, mostRows);
}

int64_t AttentionKernel::getScratchBytes() const {
  // Weights and what values are multiplied by are not the same where values have scales.
  int64_t kinds = cache.choosesPositions() ? 2 : 1;
  CacheLayout layout = CacheLayout::get(cache);
  int64_t weights =
      kinds * getRowsAtOnce() * (heads / cache.getHeads()) * getScoreStride(*this, layout);
  return layout.observed == 0 ? weights : weights + ObservedPositions::getScratchBytes(layout);
}

namespace {

/// Emits one attention kernel.
class AttentionEmitter {
public:
  AttentionEmitter(ModuleOp module, StringRef name, const AttentionKernel &spec,
                   const KernelTarget &target)
      : spec(spec), layout(CacheLayout::get(spec.cache)), keys(layout.keys, /*ofGroups=*/true),
        values(layout.values, /*ofGroups=*/false), exactKeys(makeExact(layout.exactKeys)),
        exactValues(makeExact(layout.exactValues)),
        k(module, name, spec.sinks ? "iiippppippp" : "iiippppipp", target),
        window(getWindow(spec, layout)), headsAtOnce(spec.heads / layout.heads),
        registers(target.floatRows * target.floatTiles), width(spec.heads * layout.keys.headSize),
        outputWidth(spec.heads * layout.values.headSize), query(k.argument(3)),
        caches{k.argument(4), k.argument(5), k.argument(6), k.argument(7)},
        sinks(spec.sinks ? k.argument(8) : Value()), output(k.argument(spec.sinks ? 9 : 8)),
        scores{k.argument(spec.sinks ? 10 : 9), getScoreStride(spec, layout)} {}

  func::FuncOp emit() {
    if (layout.heavy != 0)
      emitInOrder(spec.oneRow ? k.integer(1) : k.argument(0), k.argument(1), k.argument(2));
    else if (spec.oneRow)
      emitOneRow(k.argument(1), k.argument(2));
    else
      emitManyRows(k.argument(0), k.argument(1), k.argument(2));
    return k.finish();
  }

private:
  using Group = AttentionGroup;

  static std::optional<CacheReader> makeExact(const std::optional<CacheArray> &array) {
    return array ? std::optional<CacheReader>(std::in_place, *array, /*ofGroups=*/false)
                 : std::nullopt;
  }

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

  /// Heads [begin, end) of the cache, of all rows.
  void emitInOrder(Value rows, Value begin, Value end) {
    k.loop(begin, end, 1, [&](Value shared) {
      k.loop(k.integer(0), rows, 1,
             [&](Value row) { emitQueries(row, k.mul(shared, headsAtOnce), 1, headsAtOnce); });
    });
  }

  /// `heads` heads that share a head of the cache, from `head` on, of `rows`
  /// rows from `row` on.
  void emitQueries(Value row, Value head, int64_t rows, int64_t heads) {
    Group group;
    group.rows = rows;
    group.heads = heads;
    group.rowBytes = getRowStride(width) * 4;
    group.headBytes = layout.keys.headSize * 4;
    group.outputRowBytes = getRowStride(outputWidth) * 4;
    group.outputHeadBytes = layout.values.headSize * 4;
    group.head = head;
    Value base = getCacheOfRow(k, caches, row), shared = k.div(head, headsAtOnce);
    Value ofValues = shared;
    if (layout.getHeadsPerValue() != 1)
      ofValues = k.div(shared, layout.getHeadsPerValue());
    auto memoryOf = [&](const CacheArray &array, Value head) {
      return k.offset(base, k.add(k.mul(head, array.headBytes), array.offset));
    };
    group.keys = memoryOf(layout.keys, shared);
    group.values = memoryOf(layout.values, ofValues);
    if (layout.exactKeys)
      group.exactKeys = memoryOf(*layout.exactKeys, shared);
    if (layout.exactValues)
      group.exactValues = memoryOf(*layout.exactValues, ofValues);
    group.query = k.offset(query, k.add(k.mul(row, group.rowBytes), k.mul(head, group.headBytes)));
    group.output = k.offset(
        output, k.add(k.mul(row, group.outputRowBytes), k.mul(head, group.outputHeadBytes)));
    Value position = loadIndex(k, caches.positions, row);
    for (int64_t i = 0; i < rows; ++i) {
      group.ends.push_back(k.add(position, i + 1));
      group.begins.push_back(getBegin(group.ends[i]));
      if (exactKeys)
        group.recentKeys.push_back(getRecent(group.ends[i], layout.keys.positions));
      if (exactValues)
        group.recentValues.push_back(getRecent(group.ends[i], layout.values.positions));
    }
    group.firstBlock = k.mul(k.div(group.begins[0], keyBlock), keyBlock);
    if (window)
      group.skipped = k.max(k.add(group.firstBlock, -getFirstPositions(layout)), k.integer(0));
    std::optional<HeavyHitters> hitters;
    if (layout.heavy != 0)
      hitters.emplace(k, layout, base, shared);
    if (layout.observed != 0)
      ObservedPositions(k, layout, base, shared, k.offset(scores.memory, getChoiceOffset()))
          .choose(position);
    else if (hitters)
      hitters->admit(position);
    computeScores(group);
    Values factors;
    for (int64_t i = 0; i < group.count(); ++i)
      factors.push_back(exponentiate(group, i));
    if (hitters)
      addWeights(group, *hitters, factors);
    ValueSums(k, layout, values, exactValues, scores, registers, spec.oneRow).emit(group, factors);
    zeroPadding(group, head);
  }

  /// The first of the newest positions that a row whose positions end at `end` sees.
  Value getBegin(Value end) {
    if (!window)
      return k.integer(0);
    Value begin = layout.observed == 0 ? k.add(end, -*window)
                                       : ObservedPositions::getNewest(k, layout, k.add(end, -1));
    return k.max(begin, k.integer(0));
  }
  /// Where in scratch a choice is made, behind scores and weights.
  int64_t getChoiceOffset() const {
    return spec.getScratchBytes() - ObservedPositions::getScratchBytes(layout);
  }

  /// The first position that a row whose positions end at `end` reads exactly
  /// because it is recent. `positions` are rounded together.
  Value getRecent(Value end, int64_t positions) {
    Value first = k.max(k.add(end, -layout.residual), k.integer(0));
    return positions == 1 ? first : k.mul(k.div(first, positions), positions);
  }
  /// Lanes of the block at `first` that are read exactly.
  Value isExact(Value first, Value recent) {
    Value positions = countFrom(k, first);
    Value exact = k.lessInteger(spread(k.add(recent, -1)), positions);
    if (layout.sinks == 0)
      return exact;
    return k.bitOr(exact, k.lessInteger(positions, k.integer(k.vector(k.i32()), layout.sinks)));
  }

  /// Where a query's weights are kept.
  Value weightAddress(const Group &group, int64_t index, Value place) {
    return scores.getAddress(k, values.hasScales() ? group.count() + index : index, place);
  }

  void computeScores(const Group &group) {
    // Sums of one group of many stand beside those of all.
    int64_t sums = keys.getGroups() > 1 ? std::max<int64_t>(registers / 2, 1) : registers;
    int64_t atOnce = std::min(group.count(), sums);
    int64_t most = std::clamp<int64_t>(sums / atOnce, 1, 4);
    Value lastEnd = group.ends.back();
    for (int64_t first = 0; first < group.count(); first += atOnce) {
      int64_t count = std::min(atOnce, group.count() - first);
      // Whole blocks of 16 positions, by their place among those that are seen.
      SeenBlocks seen = getSeenBlocks(group, lastEnd);
      Value begin = seen.begin, end = seen.end;
      auto computeRounded = [&](Value index, int64_t blocks) {
        ScoreTile tile = makeTile(seen, first, count, index, blocks);
        storeScores(group, tile, computeProducts(group, tile, keys, group.keys));
      };
      if (!exactKeys) {
        k.loopInBlocks(begin, end, most, computeRounded);
        continue;
      }
      // [begin, rounded) and [recent, end) have positions that are read exactly.
      Value sinkBlocks = getIndex(seen, k.integer((layout.sinks + keyBlock - 1) / keyBlock));
      Value rounded = k.min(k.max(begin, sinkBlocks), end);
      Value recent = k.max(rounded, getIndex(seen, k.div(group.recentKeys[0], keyBlock)));
      k.loopInBlocks(rounded, recent, most, computeRounded);
      Value oldest = k.sub(rounded, begin), skipped = k.sub(recent, rounded);
      k.loop(begin, k.sub(end, skipped), 1, [&](Value index) {
        Value isOld = k.lessInteger(k.sub(index, begin), oldest);
        Value next = k.select(isOld, index, k.add(index, skipped));
        chooseScores(group, makeTile(seen, first, count, next, 1));
      });
    }
  }

  /// The blocks of 16 positions that some query of a group sees, as indices from `begin` to `end`:
  /// a block's own number where all from one on are seen, else the first `first` ones count on
  /// without the `skipped` ones behind them.
  struct SeenBlocks {
    Value begin, end, first, skipped;
  };

  SeenBlocks getSeenBlocks(const Group &group, Value lastEnd) {
    Value begin = k.div(group.firstBlock, keyBlock);
    Value end = k.div(k.add(lastEnd, keyBlock - 1), keyBlock);
    if (layout.first == 0)
      return {begin, end, {}, {}};
    Value first = k.min(k.integer((layout.first + keyBlock - 1) / keyBlock), begin);
    Value skipped = k.sub(begin, first);
    return {k.integer(0), k.sub(end, skipped), first, skipped};
  }
  /// The index of a block, or of the next that is seen.
  Value getIndex(const SeenBlocks &seen, Value block) {
    if (!seen.first)
      return block;
    Value later = k.max(k.sub(block, seen.skipped), seen.first);
    return k.select(k.lessInteger(block, seen.first), block, later);
  }
  Value getBlock(const SeenBlocks &seen, Value index) {
    if (!seen.first)
      return index;
    return k.select(k.lessInteger(index, seen.first), index, k.add(index, seen.skipped));
  }

  /// `count` queries from the `first` on, and `blocks` blocks of keys from
  /// `block` on.
  struct ScoreTile {
    int64_t first, count;
    Value block;
    int64_t blocks;
    Value seen; ///< the place of the block's scores
    /// Of each block its number and where it lies, where they do not follow each other.
    Values numbers = {}, places = {};

    int64_t size() const { return count * blocks; }
    /// Where a block lies: so many blocks behind one.
    std::pair<Value, int64_t> getPlace(int64_t b) const {
      return places.empty() ? std::pair(block, b) : std::pair(places[b], int64_t(0));
    }
  };

  ScoreTile makeTile(const SeenBlocks &seen, int64_t first, int64_t count, Value index,
                     int64_t blocks) {
    // Without first blocks indices are numbers of blocks.
    Value place = k.mul(!seen.first && window ? k.sub(index, seen.begin) : index, keyBlock);
    ScoreTile tile{first, count, getBlock(seen, index), blocks, place};
    if (!seen.first && !layout.stored.wraps())
      return tile;
    for (int64_t b = 0; b < blocks; ++b) {
      tile.numbers.push_back(getBlock(seen, k.add(index, b)));
      tile.places.push_back(getPlace(k, layout.stored, tile.numbers[b], keyBlock));
    }
    return tile;
  }

  /// Scores of a block some positions of which are read exactly.
  void chooseScores(const Group &group, const ScoreTile &tile) {
    Values products = computeProducts(group, tile, keys, group.keys);
    ScoreTile place{tile.first, tile.count, getPlace(k, layout.exact, tile.block, keyBlock),
                    tile.blocks, tile.seen};
    Values exact = computeProducts(group, place, *exactKeys, group.exactKeys);
    for (int64_t i = 0; i < tile.count; ++i) {
      Value recent = group.recentKeys[(tile.first + i) / group.heads];
      products[i] = k.select(isExact(k.mul(tile.block, keyBlock), recent), exact[i], products[i]);
    }
    storeScores(group, tile, products);
  }

  /// Sums of products of queries with lines [begin, end) of keys.
  Values sumProducts(const Group &group, const ScoreTile &tile, const CacheReader &keys,
                     Value memory, Value begin, Value end) {
    int64_t together = spec.oneRow ? keys.getLinesTogether() : 1;
    return k.loop(begin, end, together, Values(tile.size(), k.real(k.vector(k.f32()), 0.0)),
                  [&](Value first, ValueRange carried) {
                    Values sums(carried);
                    if (spec.oneRow)
                      for (int64_t b = 0; b < tile.blocks; ++b) {
                        auto [block, next] = tile.getPlace(b);
                        keys.prefetchPositions(k, memory, block, next + tile.blocks, first);
                      }
                    for (int64_t i = 0; i < together; ++i)
                      addProducts(group, tile, keys, memory, k.add(first, i), sums);
                    return sums;
                  });
  }

  /// Adds the products with a line of keys to the sums.
  void addProducts(const Group &group, const ScoreTile &tile, const CacheReader &keys, Value memory,
                   Value line, Values &sums) {
    SmallVector<Values> numbers;
    for (int64_t b = 0; b < tile.blocks; ++b) {
      auto [block, next] = tile.getPlace(b);
      numbers.push_back(keys.loadPositions(k, memory, block, next, line));
    }
    Value elements = k.offset(group.query, k.mul(keys.getFirstNumber(k, line), 4));
    for (int64_t place = 0; place < keys.getNumbersPerLine(); ++place)
      for (int64_t i = 0; i < tile.count; ++i) {
        int64_t offset = group.getOffset(tile.first + i) + place * keys.getNumbersApart() * 4;
        Value x = k.loadBroadcast(k.offset(elements, offset));
        for (int64_t b = 0; b < tile.blocks; ++b) {
          Value &sum = sums[i * tile.blocks + b];
          sum = k.fma(numbers[b][place], x, sum);
        }
      }
  }

  /// Products of queries with keys, which `keys` reads from `memory`.
  Values computeProducts(const Group &group, const ScoreTile &tile, const CacheReader &keys,
                         Value memory) {
    Value begin = k.integer(0), end = k.integer(keys.getLines());
    if (!keys.hasScales())
      return sumProducts(group, tile, keys, memory, begin, end);
    auto loadScales = [&](Value ofGroup) {
      Values scales;
      for (int64_t b = 0; b < tile.blocks; ++b) {
        auto [block, next] = tile.getPlace(b);
        scales.push_back(keys.loadScales(k, memory, block, next, ofGroup));
      }
      return scales;
    };
    if (keys.getGroups() == 1) {
      Values sums = sumProducts(group, tile, keys, memory, begin, end), scales = loadScales(begin);
      for (auto [index, sum] : llvm::enumerate(sums))
        sum = k.fmul(sum, scales[index % tile.blocks]);
      return sums;
    }
    Value zero = k.real(k.vector(k.f32()), 0.0);
    return k.loop(begin, k.integer(keys.getGroups()), 1, Values(tile.size(), zero),
                  [&](Value ofGroup, ValueRange carried) {
                    Value first = k.mul(ofGroup, keys.getLinesPerGroup());
                    Value last = k.min(k.add(first, keys.getLinesPerGroup()), end);
                    Values sums = sumProducts(group, tile, keys, memory, first, last),
                           scales = loadScales(ofGroup);
                    for (auto [index, sum] : llvm::enumerate(sums))
                      sum = k.fma(sum, scales[index % tile.blocks], carried[index]);
                    return sums;
                  });
  }

  void storeScores(const Group &group, const ScoreTile &tile, ArrayRef<Value> products) {
    for (int64_t i = 0; i < tile.count; ++i)
      for (int64_t b = 0; b < tile.blocks; ++b) {
        Value score = k.fmul(products[i * tile.blocks + b], k.real(k.vector(k.f32()), spec.scale));
        if (spec.softcap) {
          Value cap = k.real(k.vector(k.f32()), *spec.softcap);
          score = k.fmul(k.tanh(k.fdiv(score, cap)), cap);
        }
        Value block = tile.numbers.empty() ? k.add(tile.block, b) : tile.numbers[b];
        if (!spec.slopes.empty())
          score = addBias(score, group, tile.first + i, k.mul(block, keyBlock));
        k.storeVector(score, scores.getAddress(k, tile.first + i, k.add(tile.seen, b * keyBlock)));
      }
  }

  Value spread(Value position) { return k.broadcast(k.truncate(position, k.i32())); }

  /// A query's scores for the block at `position`, less its head's slope times
  /// the distance.
  Value addBias(Value score, const Group &group, int64_t index, Value position) {
    Value own = k.add(group.ends[index / group.heads], -1);
    Value distance = k.toFloat(k.sub(countFrom(k, position), spread(own)));
    Value head = k.add(group.head, index % group.heads);
    Value slope = k.loadBroadcast(k.offset(k.table(spec.slopes), k.mul(head, 4)));
    return k.fma(slope, distance, score);
  }

  /// Lanes of the block at `first` whose position lies in [begin, end), or is one of the first that
  /// the cache keeps.
  Value inRange(Value first, Value begin, Value end) {
    Value positions = countFrom(k, first);
    Value seen = k.lessInteger(positions, spread(end));
    if (!window)
      return seen;
    Value isKept = k.lessInteger(spread(k.add(begin, -1)), positions);
    if (layout.first != 0)
      isKept = k.bitOr(isKept, k.lessInteger(positions, spread(k.integer(layout.first))));
    return k.bitAnd(seen, isKept);
  }

  /// Goes through the blocks of 16 positions that a group sees some of, up to `end`; `place` is
  /// that of their scores.
  Values loopSeen(const Group &group, Value end, Value carried,
                  function_ref<Values(Value first, Value place, ValueRange carried)> body) {
    Values results{carried};
    if (layout.first != 0)
      results = k.loop(
          k.integer(0), k.min(k.integer(getFirstPositions(layout)), group.firstBlock), keyBlock,
          results, [&](Value first, ValueRange carried) { return body(first, first, carried); });
    return k.loop(group.firstBlock, end, keyBlock, results, [&](Value first, ValueRange carried) {
      return body(first, group.getSeenPlace(k, first), carried);
    });
  }

  /// Replaces a query's scores by exp(score - largest), and by 0 where it sees
  /// nothing; gives the reciprocal of their sum. Where values have scales, each
  /// is multiplied by its value's.
  Value exponentiate(const Group &group, int64_t index) {
    Value begin = group.begins[index / group.heads], end = group.ends[index / group.heads];
    Value lastEnd = group.ends.back();
    Value nothing = k.real(k.vector(k.f32()), -3.0e38), zero = k.real(k.vector(k.f32()), 0.0);
    Value largest = k.maxLanes(
        loopSeen(group, end, nothing, [&](Value first, Value place, ValueRange carried) -> Values {
          Value score = k.loadVector(scores.getAddress(k, index, place));
          score = k.select(inRange(first, begin, end), score, nothing);
          return {k.fmax(carried[0], score)};
        })[0]);
    Value sink = loadSink(group, index);
    if (sink)
      largest = k.fmax(largest, sink);
    Value sum =
        loopSeen(group, lastEnd, zero, [&](Value first, Value place, ValueRange carried) -> Values {
          Value seen = inRange(first, begin, end);
          Value score = k.loadVector(scores.getAddress(k, index, place));
          // Beyond the end there may be anything.
          score = k.select(seen, score, nothing);
          Value weight = k.exp(k.fsub(score, k.broadcast(largest)));
          weight = k.select(seen, weight, zero);
          Value stored = weight;
          if (values.hasScales() && layout.heavy != 0)
            k.storeVector(weight, weightAddress(group, index, place));
          if (values.hasScales()) {
            Value scale = values.loadScales(
                k, group.values, getPlace(k, layout.stored, k.div(first, keyBlock), keyBlock), 0,
                k.integer(0));
            if (exactValues)
              scale = k.select(isExact(first, group.recentValues[index / group.heads]),
                               k.real(k.vector(k.f32()), 1.0), scale);
            stored = k.fmul(weight, scale);
            stored = k.select(seen, stored, zero);
          }
          k.storeVector(stored, scores.getAddress(k, index, place));
          return {k.fadd(carried[0], weight)};
        })[0];
    Value total = k.sumLanes(sum);
    if (sink)
      total = k.fadd(total, k.exp(k.fsub(sink, largest)));
    return k.fdiv(k.real(k.f32(), 1.0), total);
  }

  /// Adds what the queries of one row give weight to, to the scores that the cache chooses by.
  void addWeights(const Group &group, const HeavyHitters &hitters, ArrayRef<Value> factors) {
    Value begin = group.begins[0], end = group.ends[0];
    Value own = spread(k.add(end, -1)), zero = k.real(k.vector(k.f32()), 0.0);
    loopSeen(group, end, zero, [&](Value first, Value place, ValueRange carried) -> Values {
      Value sum = zero;
      for (int64_t i = 0; i < group.count(); ++i) {
        Value weight = k.loadVector(weightAddress(group, i, place));
        sum = k.fadd(sum, k.fmul(weight, k.broadcast(factors[i])));
      }
      Value address = hitters.getScores(k.div(first, keyBlock));
      // A position is new to its own row.
      Value before = k.loadVector(address);
      before = k.select(k.equal(countFrom(k, first), own), zero, before);
      Value after = k.select(inRange(first, begin, end), k.fadd(before, sum), before);
      k.storeVector(after, address);
      return {carried[0]};
    });
  }

  /// The sink of a query's head, or null.
  Value loadSink(const Group &group, int64_t index) {
    if (!sinks)
      return {};
    Value head = k.add(group.head, index % group.heads);
    return k.load(k.f32(), k.offset(sinks, k.mul(head, 4)));
  }

  /// Who computes the last head of a row also zeros the row's padding.
  void zeroPadding(const Group &group, Value head) {
    if (getRowStride(outputWidth) == outputWidth)
      return;
    k.ifThen(k.equal(head, k.integer(spec.heads - group.heads)), [&] {
      for (int64_t row = 0; row < group.rows; ++row)
        for (int64_t i = outputWidth; i < getRowStride(outputWidth); ++i)
          k.store(k.real(k.f32(), 0.0),
                  k.offset(group.output, row * group.outputRowBytes + i * 4 -
                                             (spec.heads - group.heads) * group.outputHeadBytes));
    });
  }

  const AttentionKernel &spec;
  CacheLayout layout;
  CacheReader keys, values;
  std::optional<CacheReader> exactKeys, exactValues; ///< of what is kept as f16 too
  KernelBuilder k;
  std::optional<int64_t> window; ///< positions that a query sees, itself the last
  int64_t headsAtOnce;           ///< heads that share a head of the cache
  int64_t registers;             ///< vectors of sums that registers hold
  int64_t width, outputWidth;    ///< of a row of queries, and of results
  Value query;
  CacheArguments caches;
  Value sinks; ///< null where there are none
  Value output;
  AttentionScores scores;
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
