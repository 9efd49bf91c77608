//===- AttentionMeaning.cpp - attention by its meaning ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A piece is a row, all heads of it. Where the cache chooses positions, rows go one after the
// other: before one reads, the cache brings positions to their places (HeavyHitters.h and
// ObservedPositions.h, which are no part of what attention means), and what it has given weight to
// is added to the scores.
//
//===----------------------------------------------------------------------===//

#include "../CacheAccess.h"
#include "../CacheCodec.h"
#include "../HeavyHitters.h"
#include "../ObservedPositions.h"
#include "CacheMemory.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

namespace {

/// Where what an attention takes and gives lies.
struct AttentionAddresses {
  Value query, positions, sinks, output; ///< of all rows
  Value zero;                            ///< an integer that is 0
  Value scratch;
};

/// An attention of one row, over the first `positions` positions.
class AttentionRow {
public:
  AttentionRow(AttentionOp op, const CacheLayout &layout, int64_t positions, bool exactOutput);

  void inlineAt(KernelBuilder &k, const AttentionAddresses &addresses, Value row, Value cache);

  PieceMeaning piece;
  int64_t positions;

private:
  /// Keys or values; takes their addresses.
  CacheNumbers readNumbers(const CacheArray &array, const std::optional<CacheArray> &exact);

  /// Scores of positions after the row has given them these weights.
  void addScores(AttentionFormula &formula, Value position, Value weights);

  const CacheLayout &layout;
  bool choosesPositions;
};

} // namespace

/// Memory of the scores of all heads, [head, place]; behind the places may be what they have been.
static MemRefType getScoreMemory(const CacheLayout &layout, Type f32) {
  return MemRefType::get({layout.heads, layout.getScoreBytes() / 4}, f32);
}

AttentionRow::AttentionRow(AttentionOp op, const CacheLayout &layout, int64_t positions,
                           bool exactOutput)
    : piece(op.getLoc()), positions(positions), layout(layout),
      choosesPositions(layout.heavy != 0) {
  Value query = piece.readActivations(op.getQuery().getType().getDimSize(1));
  // Memory is of the row's own sequence.
  PlainRows rows{piece.readZero(), piece.readIndex(), Value()};
  CacheNumbers keys = readNumbers(layout.keys, layout.exactKeys),
               values = readNumbers(layout.values, layout.exactValues);
  Value sinks = op.getSinks() ? piece.readVector(static_cast<int64_t>(op.getHeads())) : Value();
  AttentionFormula formula(op, piece.function.builder, rows, sinks, positions);
  Value weights = formula.buildWeights(query, keys);
  piece.writeActivations(formula.buildResult(weights, values), exactOutput);
  if (choosesPositions)
    addScores(formula, rows.positions, weights);
}

/// The newest position up to `position` that stands at a place, or a later one where there is none.
static Value getPositionAt(ImplicitLocOpBuilder &b, const CacheRing &ring, Value place,
                           Value position) {
  if (!ring.wraps())
    return place;
  IndexBuilder index(b);
  Value none = index.constant(0), before = arith::SubIOp::create(b, position, place).getResult();
  Value turned = index.rem(arith::MaxSIOp::create(b, before, none), ring.turning);
  Value newest = arith::SubIOp::create(b, position, turned);
  Value isFixed =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, place, index.constant(ring.fixed));
  Value isLater = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, before, none);
  return arith::SelectOp::create(b, arith::OrIOp::create(b, isFixed, isLater), place, newest);
}

void AttentionRow::addScores(AttentionFormula &formula, Value position, Value weights) {
  Formula f(piece.function.builder, piece.function.location);
  MemRefType memory = getScoreMemory(layout, piece.function.builder.getF32Type());
  Value scores = piece.readFound(memory);
  int64_t headsPerKey = cast<RankedTensorType>(weights.getType()).getDimSize(1) / layout.heads;
  AffineExpr h = f.dim(0), q = f.dim(1);
  Value next = f.forEach(
      {f.size(layout.heads), f.size(memory.getDimSize(1))}, memory.getElementType(),
      {{scores, {h, q}}}, [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        IndexBuilder index(b);
        Value zero = index.constant(0);
        Value own = arith::IndexCastOp::create(
            b, b.getIndexType(), tensor::ExtractOp::create(b, position, zero).getResult());
        Value head = linalg::IndexOp::create(b, 0), place = linalg::IndexOp::create(b, 1);
        Value t = getPositionAt(b, layout.stored, place, own);
        Value within = arith::MinSIOp::create(b, t, index.constant(positions - 1));
        Value first = index.mul(head, headsPerKey);
        Number sum = Number(b, v[0]).constant(0);
        for (int64_t i = 0; i < headsPerKey; ++i) {
          Value weight =
              tensor::ExtractOp::create(b, weights, ValueRange{zero, index.add(first, i), within});
          sum = sum + Number(b, weight);
        }
        // A position is new to its own row.
        Value isNew = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, t, own);
        Value before = arith::SelectOp::create(b, isNew, Number(b, v[0]).constant(0), v[0]);
        Value after = Number(b, before) + sum;
        Value isScore = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, place,
                                              index.constant(layout.stored.size()));
        Value isRead = arith::AndIOp::create(b, isScore, formula.isRead(b, t, head, own));
        return arith::SelectOp::create(b, isRead, after, v[0]);
      });
  piece.writeFound(next, memory);
}

CacheNumbers AttentionRow::readNumbers(const CacheArray &array,
                                       const std::optional<CacheArray> &exact) {
  auto makeReader = [&](const CacheArray &from, const CacheRing &ring) -> ReadNumber {
    return [memory = CacheMemory(piece, from, ring)](
               ImplicitLocOpBuilder &b, const CachePlace &place) { return memory.read(b, place); };
  };
  CacheNumbers numbers;
  numbers.rounded = makeReader(array, layout.stored);
  if (exact)
    numbers.exact = makeReader(*exact, layout.exact);
  return numbers;
}

void AttentionRow::inlineAt(KernelBuilder &k, const AttentionAddresses &addresses, Value row,
                            Value cache) {
  SmallVector<Value> bases{addresses.query, addresses.zero, addresses.positions};
  for (const auto &[array, exact] :
       {std::tie(layout.keys, layout.exactKeys), std::tie(layout.values, layout.exactValues)}) {
    CacheMemory::addAddresses(k, array, cache, bases);
    if (exact)
      CacheMemory::addAddresses(k, *exact, cache, bases);
  }
  if (addresses.sinks)
    bases.push_back(addresses.sinks);
  bases.push_back(addresses.output);
  // Read and written.
  if (choosesPositions)
    bases.append(2, k.offset(cache, layout.scores));
  piece.inlineAt(k, bases, row, Value(), addresses.scratch);
}

/// How many positions pieces look at, the last ones at all: a row takes the shortest that has its
/// own, so that what it costs is at most some times what it has to.
static SmallVector<int64_t> getLengths(int64_t capacity) {
  constexpr int64_t least = 64, factor = 8;
  SmallVector<int64_t> lengths;
  for (int64_t length = least; length < capacity; length *= factor)
    lengths.push_back(length);
  lengths.push_back(capacity);
  return lengths;
}

/// Brings positions to their places in all heads, as a row at `position` is to find them.
static void emitChoice(KernelBuilder &k, const CacheLayout &layout, Value cache, Value position,
                       Value scratch) {
  k.loop(k.integer(0), k.integer(layout.heads), 1, [&](Value head) {
    if (layout.observed == 0)
      HeavyHitters(k, layout, cache, head).admit(position);
    else
      ObservedPositions(k, layout, cache, head, scratch).choose(position);
  });
}

/// The rows of each length: a kernel takes the first that has the row's position.
using AttentionRows = std::vector<std::unique_ptr<AttentionRow>>;

/// One row of the sequence whose cache lies at `cache`.
static void emitRow(KernelBuilder &k, const AttentionRows &lengths,
                    const AttentionAddresses &addresses, Value row, Value cache, Value position) {
  int64_t from = 0;
  for (const std::unique_ptr<AttentionRow> &piece : lengths) {
    Value fits = k.bitAnd(k.lessInteger(k.integer(from - 1), position),
                          k.lessInteger(position, k.integer(piece->positions)));
    k.ifThen(fits, [&] { piece->inlineAt(k, addresses, row, cache); });
    from = piece->positions;
  }
}

FailureOr<MeaningKernel> llmc::emitAttentionMeaning(ModuleOp module, AttentionOp op,
                                                    bool exactOutput, const KernelTarget &target) {
  KVCacheType cache = op.getCache().getType();
  CacheLayout layout = CacheLayout::get(cache);
  AttentionRows lengths;
  uint64_t hash = 0;
  for (int64_t length : getLengths(cache.getCapacity())) {
    lengths.push_back(std::make_unique<AttentionRow>(op, layout, length, exactOutput));
    hash = 31 * hash + lengths.back()->piece.getHash();
  }
  std::string name = getCacheMeaningName(op, cache, hash, target);
  if (std::optional<MeaningKernel> existing = findMeaning(module, name))
    return *existing;
  // The zero, and what the longest takes.
  constexpr int64_t zeroBytes = 64;
  int64_t scratchBytes = layout.observed == 0 ? 0 : ObservedPositions::getScratchBytes(layout);
  for (const std::unique_ptr<AttentionRow> &row : lengths) {
    if (failed(row->piece.lower()))
      return failure();
    scratchBytes = std::max(scratchBytes, row->piece.getScratchBytes());
  }
  bool hasSinks = static_cast<bool>(op.getSinks());
  KernelBuilder k(module, name, hasSinks ? "iiippppippp" : "iiippppipp", target);
  CacheArguments caches{k.argument(4), k.argument(5), k.argument(6), k.argument(7)};
  Value zero = k.argument(hasSinks ? 10 : 9);
  AttentionAddresses addresses{k.argument(3),
                               caches.positions,
                               hasSinks ? k.argument(8) : Value(),
                               k.argument(hasSinks ? 9 : 8),
                               zero,
                               k.offset(zero, zeroBytes)};
  k.store(k.integer(k.i32(), 0), zero);
  bool inOrder = cache.choosesPositions();
  Value begin = inOrder ? k.integer(0) : k.argument(1), end = k.argument(inOrder ? 0 : 2);
  k.loop(begin, end, 1, [&](Value row) {
    Value base = getCacheOfRow(k, caches, row), position = loadIndex(k, caches.positions, row);
    if (inOrder)
      emitChoice(k, layout, base, position, addresses.scratch);
    emitRow(k, lengths, addresses, row, base, position);
  });
  return finishMeaning(k.finish(), zeroBytes + scratchBytes);
}
