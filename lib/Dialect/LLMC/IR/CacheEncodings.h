//===- CacheEncodings.h - encodings of weights that caches can have too ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_DIALECT_LLMC_IR_CACHEENCODINGS_H
#define LLMC_LIB_DIALECT_LLMC_IR_CACHEENCODINGS_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// The code, the scale and the minimum of a number, in the order of planes: integers of `bits` bits
/// above the least of those that share them.
DecodeBuilder::Operands encodeAboveMinimum(EncodeBuilder &b, DecodeBuilder::Operand number,
                                           unsigned bits, mlir::Type scaleType);

/// What lies halfway between each of ascending numbers and the next.
llvm::SmallVector<float> getMiddles(llvm::ArrayRef<float> numbers);

/// Give `#llmc.grouped`, `#llmc.nf4` and `#llmc.float` the interface of cache encodings.
void attachGroupedCache(mlir::MLIRContext *context);
void attachNF4Cache(mlir::MLIRContext *context);
void attachSmallFloatCache(mlir::MLIRContext *context);

} // namespace llmc

#endif // LLMC_LIB_DIALECT_LLMC_IR_CACHEENCODINGS_H
