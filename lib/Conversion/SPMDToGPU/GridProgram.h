//===- GridProgram.h - the parts of convert-spmd-to-gpu ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_SPMDTOGPU_GRIDPROGRAM_H
#define LLMC_LIB_CONVERSION_SPMDTOGPU_GRIDPROGRAM_H

#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "llvm/ADT/SmallPtrSet.h"

namespace llmc {

/// A place in a function, with the few operations that everything here is built of.
class ThreadBuilder {
public:
  using Value = mlir::Value;

  ThreadBuilder(mlir::OpBuilder &builder, mlir::Location location)
      : builder(builder), location(location) {}

  mlir::Type i32() { return builder.getI32Type(); }
  mlir::Type i64() { return builder.getI64Type(); }
  mlir::Type pointer();
  Value integer(mlir::Type type, int64_t value);
  Value threadIndex(); ///< in the block, i32
  Value blockIndex();  ///< i64
  Value blockCount();  ///< i64
  /// The thread's group in its block, i64, where groups have so many threads.
  Value groupIndex(int64_t threads);
  /// What a group of `threads` has of `count` pieces (i64), its share of the block's, which has
  /// `ofBlock` threads: the first, and the one after the last.
  std::pair<Value, Value> groupShare(Value count, int64_t threads, int64_t ofBlock);
  /// The address `bytes` (i64) after `base`.
  Value offset(Value base, Value bytes);

  mlir::OpBuilder &builder;
  mlir::Location location;

private:
  std::pair<Value, Value> share(Value count, Value index, Value shares);
};

/// Turns what functions of a plan share out over workers (cpu.stage, cpu.field, spmd.barrier …)
/// into what a block of threads does, and `entry` into the kernel. Addresses are of global memory
/// already.
mlir::LogicalResult lowerSteps(mlir::ModuleOp code, spmd::EntryOp entry, const GPUTarget &target);

/// Whether a kernel is for all threads of a block, whose warps multiply fragments, and not for
/// groups of 16 that have lanes of vectors.
bool isOfBlock(mlir::func::FuncOp kernel);

/// Lets each group ask for what it will read first of weights, before barriers of a function of the
/// plan.
void prefetchWeights(mlir::ModuleOp code, mlir::func::FuncOp function, const GPUTarget &target);

/// What of a kernel is the same in all threads of a group, and what isn't.
struct GroupWork {
  llvm::SmallPtrSet<mlir::Operation *, 16> stores;    ///< of what all threads have
  llvm::SmallPtrSet<mlir::Operation *, 16> withLanes; ///< loops and branches with lanes inside
};

/// Gives each of 16 threads a lane of a kernel's vectors, and reports what has no lanes.
mlir::FailureOr<GroupWork> distributeLanes(mlir::func::FuncOp kernel);

/// Lets the first thread of a group alone do what all would do alike and store, and has threads
/// wait where they read what others of the group have stored, or store where others may read.
void synchronizeGroups(mlir::func::FuncOp kernel, const GroupWork &work);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_SPMDTOGPU_GRIDPROGRAM_H
