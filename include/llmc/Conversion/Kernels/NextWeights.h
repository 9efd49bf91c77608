//===- NextWeights.h - weights that workers read after a wait ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights are read from memory once a step, and no stage writes them: what a worker will read of
// them is known before the stages that come first are through. A worker that has done its part of
// some linears can ask for the start of its part of the next ones before it waits for others, and
// before stages of rows, in which most workers have nothing to do.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_KERNELS_NEXTWEIGHTS_H
#define LLMC_CONVERSION_KERNELS_NEXTWEIGHTS_H

#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/CPU/IR/CPU.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// The weights of a linear kernel, and the barrier before which they can be asked for: the first
/// one after the linears that come before, or of the function.
struct NextWeights {
  mlir::func::FuncOp kernel;
  mlir::Value address; ///< known before `barrier`
  TilesAttribute tiles;
  spmd::BarrierOp barrier;
};

/// Those of a function whose stages have kernels, in the order in which they are read. Linears with
/// no barrier before them in the function, or behind a call of another, have none.
llvm::SmallVector<NextWeights> findNextWeights(mlir::ModuleOp code, mlir::func::FuncOp function);

} // namespace llmc

#endif // LLMC_CONVERSION_KERNELS_NEXTWEIGHTS_H
