//===- KernelTarget.h - the instruction sets that kernels are generated for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_KERNELS_KERNELTARGET_H
#define LLMC_CONVERSION_KERNELS_KERNELTARGET_H

#include "llmc/Dialect/CPU/IR/CPUEnums.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/TargetParser/Triple.h"

#include <cstdint>

namespace llmc {

/// Tiles of 16 weight rows that any target multiplies at once.
inline constexpr unsigned maxTilesAtOnce = 3;

/// One variant of a program.
struct KernelTarget {
  llvm::StringLiteral name;
  llvm::StringLiteral cpu;          ///< LLVM's name of the CPU whose scheduling model is used
  llvm::StringLiteral llvmFeatures; ///< LLVM's feature string
  uint64_t features;                ///< bits of llmc_cpu_feature
  unsigned floatRows;    ///< rows of activations in the register tile of fp32 matrix products
  unsigned floatTiles;   ///< tiles of 16 weight rows in that register tile
  unsigned integerRows;  ///< rows of activations in the register tile of integer products
  unsigned integerTiles; ///< tiles of 16 weight rows in that register tile
  bool fma;              ///< has fused multiply-add
  bool halfConversion;   ///< converts f16 in hardware
  /// Of a worker that is a block of threads, which multiply fragments of matrices (nvvm.mma.sync);
  /// 0: a worker is one thread.
  uint16_t warps;
  cpu::DotLowering dot; ///< what llmc.group_dot becomes
  /// The variant that does as well where no weights are found in tables of bytes; empty: none.
  llvm::StringLiteral without = "";
};

/// The variants for an architecture, best first; empty where llmc has none.
llvm::ArrayRef<KernelTarget> getKernelTargets(const llvm::Triple &triple);

} // namespace llmc

#endif // LLMC_CONVERSION_KERNELS_KERNELTARGET_H
