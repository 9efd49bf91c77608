//===- FunctionPlanner.h - plans one function of a model as stages ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOSPMD_FUNCTIONPLANNER_H
#define LLMC_LIB_CONVERSION_LLMCTOSPMD_FUNCTIONPLANNER_H

#include "FrameAllocator.h"
#include "Hazards.h"
#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Dialect/SPMD/IR/BufferLayout.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

#include <map>

namespace llmc {

/// What the functions for one row, or for any number, share.
struct PlanContext {
  mlir::ModuleOp plan; ///< where planned functions go
  bool oneRow;
  int64_t maxRows;

  struct Planned {
    mlir::func::FuncOp function;
    int64_t frameBytes = 0;
    llvm::SmallVector<spmd::Extent> resultExtents;
    /// What it touches before its first barrier and after its last, for its callers: space 0 is its
    /// frame, space i its argument i after that. Without a barrier all is `leading`.
    llvm::SmallVector<Access> leading, trailing;
    bool hasBarrier = false;
  };
  /// A function of the model, and how many rows each of its activations has.
  using Key = std::pair<mlir::Operation *, llvm::SmallVector<spmd::Extent>>;
  std::map<Key, Planned> planned;              ///< functions that are done
  llvm::SmallVector<mlir::Operation *> active; ///< functions that are being planned
};

/// Plans a function of a model. The planned function takes the step, its frame, and the buffers of
/// each argument of the original but !llmc.rows, then of each result.
class FunctionPlanner {
public:
  FunctionPlanner(PlanContext &context, mlir::func::FuncOp source);

  /// Plans a function whose activations have all rows of the step or its output rows.
  mlir::FailureOr<PlanContext::Planned> plan(llvm::ArrayRef<spmd::Extent> extents);

  /// Plans @step: tokens and logits come from the step, caches lie at `cacheOffsets`.
  mlir::FailureOr<PlanContext::Planned> planStep(llvm::ArrayRef<int64_t> cacheOffsets);

  /// Plans a part of a model the same way; its arguments and results of activations come from the
  /// step as well.
  mlir::FailureOr<PlanContext::Planned> planPart(llvm::ArrayRef<int64_t> cacheOffsets);

private:
  /// Where a value of the original lies.
  struct Place {
    mlir::Value buffer;
    int64_t space = 0; ///< of hazards; below 0 for what no stage writes
    int64_t begin = 0, end = 0;
    std::optional<FrameBuffer> owned; ///< returned after the last use
  };
  /// Operations that are computed in one stage.
  struct Stage {
    llvm::SmallVector<mlir::Operation *> ops;
    bool rowWise = false;
    spmd::Extent extent = spmd::Extent::Whole; ///< of what it computes
  };

  // What a function takes and gives (PlanCalls.cpp).
  void placeArguments(llvm::ArrayRef<spmd::Extent> extents);
  mlir::LogicalResult placeStepArguments(llvm::ArrayRef<int64_t> cacheOffsets, bool isPart);
  mlir::LogicalResult checkResults();
  void createFunction(llvm::StringRef name, llvm::ArrayRef<mlir::Type> types);
  /// Fills the function that was created, and says what is alike for steps, parts and functions.
  mlir::FailureOr<PlanContext::Planned> planFunction();
  mlir::LogicalResult planCall(mlir::func::CallOp op);

  // Stages (FunctionPlanner.cpp).
  mlir::LogicalResult planBody();
  /// The operations in an order that needs few barriers.
  llvm::SmallVector<mlir::Operation *> order();
  /// The operation whose result `op` is computed along with, before it is stored.
  mlir::Operation *getAbsorbing(mlir::Operation *op);
  bool isAbsorbed(mlir::Operation *op);
  /// Adds an operation (and what it is computed along with) to the stage in the making.
  mlir::LogicalResult addToStage(mlir::Operation *op);
  /// How many rows an operation's result has; reports operands whose rows do not fit.
  mlir::FailureOr<spmd::Extent> inferExtent(mlir::Operation *op);
  /// Whether operations of this extent can follow those of the stage, row by row.
  bool joinsStage(llvm::ArrayRef<mlir::Operation *> ops, bool rowWise, spmd::Extent extent);
  /// What operations touch of values that have a place.
  llvm::SmallVector<Access> collectAccesses(llvm::ArrayRef<mlir::Operation *> ops, bool rowWise,
                                            spmd::Extent extent);
  void emitStage();
  std::string nameStage();

  // Memory (PlanMemory.cpp).
  /// Notes accesses that come now, after a barrier if they conflict with what came since the last.
  void recordAccesses(llvm::ArrayRef<Access> accesses);
  Access access(const Place &place, bool write, spmd::Extent extent);
  mlir::Type getBufferType(mlir::Value value);
  /// A buffer of the frame, or the one that the caller gave for a result.
  Place makePlace(mlir::Value value);
  Place makeArgument(mlir::Value buffer);
  /// A buffer that no stage writes.
  Place makeInput(mlir::Type value, spmd::Extent extent, spmd::Input input);
  void placeParameter(mlir::Operation *op);
  Place &place(mlir::Value value);
  spmd::Extent getExtent(mlir::Value value);
  /// Counts off an operation's uses of its operands; gives back the buffers of those with none
  /// left.
  void countUses(mlir::Operation *op);
  void releaseUnused();

  PlanContext &context;
  mlir::func::FuncOp source, function;
  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::Value step, frame;
  Hazards hazards;
  llvm::SmallVector<Access> leading; ///< before the first barrier
  bool hasBarrier = false;
  FrameAllocator frameAllocator;
  Stage stage; ///< in the making
  llvm::DenseMap<mlir::Value, Place> places;
  llvm::DenseMap<mlir::Value, spmd::Extent> extents;
  llvm::DenseMap<mlir::Value, unsigned> remainingUses;
  llvm::SetVector<mlir::Value> unused;             ///< to be released after the stage
  llvm::DenseMap<mlir::Value, Place> resultPlaces; ///< of returned values
  int64_t spaces = 1;                              ///< space 0 is the frame
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOSPMD_FUNCTIONPLANNER_H
