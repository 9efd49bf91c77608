//===- CacheAccess.h - where a row's keys and values are ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_CACHEACCESS_H
#define LLMC_LIB_CONVERSION_KERNELS_CACHEACCESS_H

#include "KernelBuilder.h"
#include "llmc/Conversion/Kernels/Kernels.h"

namespace llmc {

/// A name for a type of caches that may stand in a function's name.
std::string getCacheName(KVCacheType type);

/// Arguments of a kernel that say where caches are: states p, positions p, sequences p, offset i.
struct CacheArguments {
  mlir::Value states, positions, sequences, offset;
};

/// Element `index` of an array of i32, as i64.
mlir::Value loadIndex(KernelBuilder &k, mlir::Value array, mlir::Value index);

/// The cache of row's sequence.
mlir::Value getCacheOfRow(KernelBuilder &k, const CacheArguments &arguments, mlir::Value row);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_CACHEACCESS_H
