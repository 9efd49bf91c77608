//===- CacheMeaning.cpp - writing to caches by its meaning ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A piece is a row: what it writes to the cache, of all heads.
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

std::string llmc::getCacheMeaningName(Operation *op, KVCacheType cache, uint64_t hash,
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
  auto read = [&](const CacheArray &array) {
    return formula.splitHeads(piece.readActivations(array.getWidth()), array.heads);
  };
  Value keys = read(layout.keys), values = read(layout.values);
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
  CacheMemory exact(piece, *layout.exactKeys, layout.exact);
  Formula formula(piece.function.builder, piece.function.location);
  AffineExpr one = formula.dim(0);
  int64_t group = layout.keys.positions, size = layout.keys.headSize;
  return formula.forEach(
      {formula.size(1), formula.size(layout.keys.getWidth()), formula.size(group)},
      piece.function.builder.getF32Type(), {{position, {one}}},
      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
        IndexBuilder index(b);
        Value last = arith::IndexCastOp::create(b, b.getIndexType(), v[0]);
        Value number = linalg::IndexOp::create(b, 1), place = linalg::IndexOp::create(b, 2);
        return exact.read(b, {index.constant(0), index.add(index.add(last, 1 - group), place),
                              index.div(number, size), index.rem(number, size)});
      });
}

FailureOr<MeaningKernel> llmc::emitCacheRoundMeaning(ModuleOp module, CacheRoundOp op,
                                                     const KernelTarget &target) {
  KVCacheType cache = op.getCache().getType();
  CacheLayout layout = CacheLayout::get(cache);
  PieceMeaning piece(op.getLoc());
  Value lines = readLines(piece, layout, piece.readIndex());
  Formula formula(piece.function.builder, op.getLoc());
  writeGroup(piece, layout.keys, buildGroupPlanes(cache.getKeys(), formula, lines));
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
