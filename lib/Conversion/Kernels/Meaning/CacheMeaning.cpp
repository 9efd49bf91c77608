//===- CacheMeaning.cpp - caches by their meaning ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A piece is a row: what it writes to the cache, or what it reads there, of all heads.
//
//===----------------------------------------------------------------------===//

#include "../CacheAccess.h"
#include "../CacheCodec.h"
#include "CacheMemory.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

/// A name for the kernel of an operation on a cache; how that lies is not told by pieces.
static std::string getCacheMeaningName(Operation *op, KVCacheType cache, uint64_t hash,
                                       const KernelTarget &target) {
  return getMeaningName(op, 31 * hash + llvm::xxh3_64bits(getCacheName(cache)), target);
}

//===----------------------------------------------------------------------===//
// Appending
//===----------------------------------------------------------------------===//

namespace {

/// An array of a cache that rows are written to, and where its positions lie.
struct WrittenArray {
  const CacheArray *array;
  const CacheRing *ring;
  bool isKeys;
};

} // namespace

/// What a row is written to when it is appended.
static SmallVector<WrittenArray> getWritten(const CacheLayout &layout) {
  SmallVector<WrittenArray> written;
  // What positions share is rounded when the last of them is there.
  if (layout.keys.positions == 1)
    written.push_back({&layout.keys, &layout.stored, true});
  if (layout.exactKeys)
    written.push_back({&*layout.exactKeys, &layout.exact, true});
  written.push_back({&layout.values, &layout.stored, false});
  if (layout.exactValues)
    written.push_back({&*layout.exactValues, &layout.exact, false});
  return written;
}

FailureOr<MeaningKernel> llmc::emitCacheAppendMeaning(ModuleOp module, CacheAppendOp op,
                                                      const KernelTarget &target) {
  KVCacheType cache = op.getCache().getType();
  CacheLayout layout = CacheLayout::get(cache);
  SmallVector<WrittenArray> written = getWritten(layout);
  PieceMeaning piece(op.getLoc());
  Formula formula(piece.function.builder, op.getLoc());
  auto read = [&] {
    Value row = piece.readActivations(layout.heads * layout.headSize);
    return formula.splitHeads(row, layout.heads);
  };
  Value keys = read(), values = read();
  for (const WrittenArray &to : written)
    writePosition(piece, *to.array, to.isKeys ? keys : values);
  std::string name = getCacheMeaningName(op, cache, piece.getHash(), target);
  if (std::optional<MeaningKernel> existing = findMeaning(module, name))
    return *existing;
  if (failed(piece.lower()))
    return failure();
  KernelBuilder k(module, name, "iipppppip", target);
  CacheArguments caches{k.argument(4), k.argument(5), k.argument(6), k.argument(7)};
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value base = getCacheOfRow(k, caches, row), position = loadIndex(k, caches.positions, row);
    SmallVector<Value> bases{k.argument(2), k.argument(3)};
    for (const WrittenArray &to : written)
      addPositionAddresses(k, *to.array, base, getPlace(k, *to.ring, position, /*unit=*/1), bases);
    piece.inlineAt(k, bases, row, Value(), k.argument(8));
  });
  return finishMeaning(k.finish(), piece.getScratchBytes());
}

//===----------------------------------------------------------------------===//
// Rounding what positions share
//===----------------------------------------------------------------------===//

/// The exact keys of the group that ends at a position, [1, numbers of all heads, positions].
static Value readLines(PieceMeaning &piece, const CacheLayout &layout, Value position) {
  CacheMemory exact(piece, *layout.exactKeys, layout.exact, layout.heads);
  Formula formula(piece.function.builder, piece.function.location);
  AffineExpr one = formula.dim(0);
  int64_t group = layout.keys.positions;
  return formula.forEach(
      {formula.size(1), formula.size(layout.heads * layout.headSize), formula.size(group)},
      piece.function.builder.getF32Type(), {{position, {one}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        IndexBuilder index(b);
        Value last = arith::IndexCastOp::create(b, b.getIndexType(), v[0]);
        Value number = linalg::IndexOp::create(b, 1), place = linalg::IndexOp::create(b, 2);
        return exact.read(b,
                          {index.constant(0), index.add(index.add(last, 1 - group), place),
                           index.div(number, layout.headSize), index.rem(number, layout.headSize)});
      });
}

FailureOr<MeaningKernel> llmc::emitCacheRoundMeaning(ModuleOp module, CacheRoundOp op,
                                                     const KernelTarget &target) {
  KVCacheType cache = op.getCache().getType();
  CacheLayout layout = CacheLayout::get(cache);
  PieceMeaning piece(op.getLoc());
  Value lines = readLines(piece, layout, piece.readIndex());
  Formula formula(piece.function.builder, op.getLoc());
  writeGroup(piece, layout.keys, layout.heads, buildGroupPlanes(cache.getKeys(), formula, lines));
  std::string name = getCacheMeaningName(op, cache, piece.getHash(), target);
  if (std::optional<MeaningKernel> existing = findMeaning(module, name))
    return *existing;
  if (failed(piece.lower()))
    return failure();
  KernelBuilder k(module, name, "iipppip", target);
  CacheArguments caches{k.argument(2), k.argument(3), k.argument(4), k.argument(5)};
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value group = k.integer(layout.keys.positions);
    Value end = k.add(loadIndex(k, caches.positions, row), 1);
    k.ifThen(k.equal(k.rem(end, group), k.integer(0)), [&] {
      Value base = getCacheOfRow(k, caches, row);
      SmallVector<Value> bases{caches.positions};
      CacheMemory::addAddresses(k, *layout.exactKeys, base, bases);
      addGroupAddresses(k, layout.keys, base,
                        getPlace(k, layout.stored, k.sub(end, group), /*unit=*/1), bases);
      piece.inlineAt(k, bases, row, Value(), k.argument(6));
    });
  });
  return finishMeaning(k.finish(), piece.getScratchBytes());
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {

/// An attention of one row, over the first `positions` positions.
class AttentionRow {
public:
  AttentionRow(AttentionOp op, const CacheLayout &layout, int64_t positions, bool exactOutput);

  /// `zero` is the address of an integer that is zero.
  void inlineAt(KernelBuilder &k, Value row, Value cache, Value query, Value zero,
                Value rowPositions, Value sinks, Value output, Value scratch);

  PieceMeaning piece;
  int64_t positions;

private:
  /// Keys or values; takes their addresses.
  CacheNumbers readNumbers(const CacheArray &array, const std::optional<CacheArray> &exact);

  const CacheLayout &layout;
};

} // namespace

AttentionRow::AttentionRow(AttentionOp op, const CacheLayout &layout, int64_t positions,
                           bool exactOutput)
    : piece(op.getLoc()), positions(positions), layout(layout) {
  Value query = piece.readActivations(op.getQuery().getType().getDimSize(1));
  // Memory is of the row's own sequence.
  PlainRows rows{piece.readZero(), piece.readIndex(), Value()};
  CacheNumbers keys = readNumbers(layout.keys, layout.exactKeys),
               values = readNumbers(layout.values, layout.exactValues);
  Value sinks = op.getSinks() ? piece.readVector(static_cast<int64_t>(op.getHeads())) : Value();
  AttentionFormula formula(op, piece.function.builder, rows, sinks, positions);
  piece.writeActivations(formula.buildResult(formula.buildWeights(query, keys), values),
                         exactOutput);
}

CacheNumbers AttentionRow::readNumbers(const CacheArray &array,
                                       const std::optional<CacheArray> &exact) {
  auto makeReader = [&](const CacheArray &from, const CacheRing &ring) -> ReadNumber {
    return [memory = CacheMemory(piece, from, ring, layout.heads)](
               ImplicitLocOpBuilder &b, const CachePlace &place) { return memory.read(b, place); };
  };
  CacheNumbers numbers;
  numbers.rounded = makeReader(array, layout.stored);
  if (exact)
    numbers.exact = makeReader(*exact, layout.exact);
  return numbers;
}

void AttentionRow::inlineAt(KernelBuilder &k, Value row, Value cache, Value query, Value zero,
                            Value rowPositions, Value sinks, Value output, Value scratch) {
  SmallVector<Value> bases{query, zero, rowPositions};
  for (const auto &[array, exact] :
       {std::tie(layout.keys, layout.exactKeys), std::tie(layout.values, layout.exactValues)}) {
    CacheMemory::addAddresses(k, array, cache, bases);
    if (exact)
      CacheMemory::addAddresses(k, *exact, cache, bases);
  }
  if (sinks)
    bases.push_back(sinks);
  bases.push_back(output);
  piece.inlineAt(k, bases, row, Value(), scratch);
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

FailureOr<MeaningKernel> llmc::emitAttentionMeaning(ModuleOp module, AttentionOp op,
                                                    bool exactOutput, const KernelTarget &target) {
  KVCacheType cache = op.getCache().getType();
  if (cache.choosesPositions())
    return op.emitOpError("has no meaning in memory over a cache that chooses positions by what "
                          "they are given weight: expected kernels=all, or a cache without 'heavy' "
                          "(evict-kv-cache{policy=sinks}), found ")
           << cache;
  CacheLayout layout = CacheLayout::get(cache);
  std::vector<std::unique_ptr<AttentionRow>> rows;
  uint64_t hash = 0;
  for (int64_t length : getLengths(cache.getCapacity())) {
    rows.push_back(std::make_unique<AttentionRow>(op, layout, length, exactOutput));
    hash = 31 * hash + rows.back()->piece.getHash();
  }
  std::string name = getCacheMeaningName(op, cache, hash, target);
  if (std::optional<MeaningKernel> existing = findMeaning(module, name))
    return *existing;
  // The zero, and what the longest takes.
  constexpr int64_t zeroBytes = 64;
  int64_t scratchBytes = 0;
  for (auto &row : rows) {
    if (failed(row->piece.lower()))
      return failure();
    scratchBytes = std::max(scratchBytes, row->piece.getScratchBytes());
  }
  bool hasSinks = static_cast<bool>(op.getSinks());
  KernelBuilder k(module, name, hasSinks ? "iippppippp" : "iippppipp", target);
  CacheArguments caches{k.argument(3), k.argument(4), k.argument(5), k.argument(6)};
  Value sinks = hasSinks ? k.argument(7) : Value(), output = k.argument(hasSinks ? 8 : 7),
        zero = k.argument(hasSinks ? 9 : 8), own = k.offset(zero, zeroBytes);
  k.store(k.integer(k.i32(), 0), zero);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value base = getCacheOfRow(k, caches, row), position = loadIndex(k, caches.positions, row);
    int64_t from = 0;
    for (auto &piece : rows) {
      Value fits = k.bitAnd(k.lessInteger(k.integer(from - 1), position),
                            k.lessInteger(position, k.integer(piece->positions)));
      k.ifThen(fits, [&] {
        piece->inlineAt(k, row, base, k.argument(2), zero, caches.positions, sinks, output, own);
      });
      from = piece->positions;
    }
  });
  return finishMeaning(k.finish(), zeroBytes + scratchBytes);
}
