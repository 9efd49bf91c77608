//===- CacheMemory.h - keys and values in a sequence's state, as meanings see them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels read and write caches by CacheCodec.h, line by line. Here the same bytes (CacheLayout.h)
// are tensors, of which formulas read one number at a time, and numbers of a position become one.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_MEANING_CACHEMEMORY_H
#define LLMC_LIB_CONVERSION_KERNELS_MEANING_CACHEMEMORY_H

#include "PieceMeaning.h"
#include "llmc/Conversion/LLMCToLinalg/AttentionFormula.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace llmc {

/// Short names for operations on indices, in bodies of formulas.
class IndexBuilder {
public:
  using Value = mlir::Value;

  explicit IndexBuilder(mlir::ImplicitLocOpBuilder &b) : b(b) {}

  Value constant(int64_t number) { return mlir::arith::ConstantIndexOp::create(b, number); }
  Value add(Value x, Value y) { return mlir::arith::AddIOp::create(b, x, y); }
  Value add(Value x, int64_t y) { return add(x, constant(y)); }
  Value mul(Value x, int64_t y) { return mlir::arith::MulIOp::create(b, x, constant(y)); }
  Value div(Value x, int64_t y) { return mlir::arith::DivUIOp::create(b, x, constant(y)); }
  Value rem(Value x, int64_t y) { return mlir::arith::RemUIOp::create(b, x, constant(y)); }

private:
  mlir::ImplicitLocOpBuilder &b;
};

/// The keys or the values of a sequence, to be read.
class CacheMemory {
public:
  using Value = mlir::Value;

  /// Takes the next address of `piece` for each plane: those of addAddresses().
  CacheMemory(PieceMeaning &piece, const CacheArray &array, const CacheRing &ring);

  /// Builds what the number at `place` is, f32. There is one sequence.
  Value read(mlir::ImplicitLocOpBuilder &b, const CachePlace &place) const;

  /// Adds the address of each plane, in the cache at `cache`.
  static void addAddresses(KernelBuilder &k, const CacheArray &array, Value cache,
                           llvm::SmallVectorImpl<Value> &addresses);

private:
  /// The element of a plane that belongs to a number: integers of fewer than 8 bits as bytes.
  Value readElement(mlir::ImplicitLocOpBuilder &b, const CachePlane &plane, Value tensor,
                    const CachePlace &place) const;

  CacheArray array;
  CacheRing ring;
  llvm::SmallVector<Value> tensors; ///< of each plane
};

/// A name for the kernel of an operation on a cache and pieces of this hash, which don't tell how
/// that lies.
std::string getCacheMeaningName(mlir::Operation *op, KVCacheType cache, uint64_t hash,
                                const KernelTarget &target);

/// Writes numbers of heads, [1, heads, size], to a position that the kernel finds: takes the next
/// address of `piece` for each plane, those of addPositionAddresses().
void writePosition(PieceMeaning &piece, const CacheArray &array, mlir::Value numbers);

/// Adds the address of the first element of a position in each plane, in the cache at `cache`.
/// `place` is where the position lies (getPlace).
void addPositionAddresses(KernelBuilder &k, const CacheArray &array, mlir::Value cache,
                          mlir::Value place, llvm::SmallVectorImpl<mlir::Value> &addresses);

/// Writes the keys of a group of positions that share elements, which the kernel finds: `planes`
/// are those of buildGroupPlanes(). Takes the next address for each: those of addGroupAddresses().
void writeGroup(PieceMeaning &piece, const CacheArray &array, mlir::ValueRange planes);

/// Adds the address of the first element of a group in each plane, in the cache at `cache`. `place`
/// is where its first position lies.
void addGroupAddresses(KernelBuilder &k, const CacheArray &array, mlir::Value cache,
                       mlir::Value place, llvm::SmallVectorImpl<mlir::Value> &addresses);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_MEANING_CACHEMEMORY_H
