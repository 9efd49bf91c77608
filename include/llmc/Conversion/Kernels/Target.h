//===- Target.h - targets as users name them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_KERNELS_TARGET_H
#define LLMC_CONVERSION_KERNELS_TARGET_H

#include "llmc/Conversion/Kernels/KernelTarget.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

namespace llmc {

/// A triple and the variants to generate for it, best first.
struct Target {
  llvm::Triple triple;
  llvm::SmallVector<const KernelTarget *> variants;

  /// Reads `TRIPLE[:VARIANT[,VARIANT…]]`, e.g. `x86_64-linux-gnu:avx512vnni,avx2`; `host` stands
  /// for the triple of this machine. In place of a variant stands any CPU that LLVM knows, which
  /// means the best one that it runs. Without variants all that llmc has for the triple are meant.
  static llvm::Expected<Target> parse(llvm::StringRef text);
};

} // namespace llmc

#endif // LLMC_CONVERSION_KERNELS_TARGET_H
