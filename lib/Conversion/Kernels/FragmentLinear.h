//===- FragmentLinear.h - linear kernels of a warp's matrix products ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_FRAGMENTLINEAR_H
#define LLMC_LIB_CONVERSION_KERNELS_FRAGMENTLINEAR_H

#include "llmc/Conversion/Kernels/Kernels.h"

namespace llmc {

/// Emits a linear kernel that usesFragments(): a thread's part of what a warp does.
mlir::func::FuncOp emitFragmentLinear(mlir::ModuleOp module, llvm::StringRef name,
                                      const LinearKernel &kernel, const KernelTarget &target);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_FRAGMENTLINEAR_H
