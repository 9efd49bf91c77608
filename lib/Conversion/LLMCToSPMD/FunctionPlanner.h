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
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <map>

namespace llmc {

inline int64_t getWidth(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getDimSize(1);
}
/// Whether values of the type are rows of fp32.
bool isActivations(mlir::Type type);

/// The angles of a rotation: its frequencies and its scaling.
using RotationKey = std::pair<mlir::Attribute, mlir::Attribute>;
inline RotationKey getRotationKey(RopeOp op) {
  return {op.getFrequenciesAttr(), op.getScalingAttr()};
}

/// What all functions of one variant share.
struct PlanContext {
  const WeightTable &weights;
  const KernelTarget &target;
  mlir::ModuleOp code; ///< where planned functions and kernels go
  bool oneRow;
  int64_t maxRows;
  int64_t workerArenaBytes = 0; ///< the largest scratch of any kernel, so far

  struct Planned {
    mlir::func::FuncOp function;
    int64_t frameBytes = 0;
    llvm::SmallVector<RotationKey> rotations; ///< tables that it takes
    llvm::SmallVector<Partition> resultPartitions;
    /// What it touches before its first barrier and after its last, for its callers: space 0 is its
    /// frame, space i its argument i after that. Without a barrier all is `leading`.
    llvm::SmallVector<Access> leading, trailing;
    bool hasBarrier = false;
  };
  /// A function of the model, and how many rows each of its activations has.
  using Key = std::pair<mlir::Operation *, llvm::SmallVector<Partition>>;
  std::map<Key, Planned> planned;              ///< functions that are done
  llvm::SmallVector<mlir::Operation *> active; ///< functions that are being planned
};

/// Plans a function of a model. The planned function takes the step, its frame, and for each
/// argument of the original but !llmc.rows: the address of activations, integers or weights, or
/// the offset of a cache in a state (i64); then the address of each table of rotations it needs,
/// and of each result.
class FunctionPlanner {
public:
  FunctionPlanner(PlanContext &context, mlir::func::FuncOp source);

  /// Plans a function whose activations have all rows of the step or its output rows.
  mlir::FailureOr<PlanContext::Planned> plan(llvm::ArrayRef<Partition> partitions);

  /// Plans @step: tokens and logits come from the step, caches lie at `cacheOffsets`.
  mlir::FailureOr<PlanContext::Planned> planStep(llvm::ArrayRef<int64_t> cacheOffsets);

  /// Plans a part of a model the same way; its arguments and results of activations come from the
  /// step as well.
  mlir::FailureOr<PlanContext::Planned> planPart(llvm::ArrayRef<int64_t> cacheOffsets);

private:
  /// Memory that a value of the original stands for.
  struct Place {
    mlir::Value address; ///< or the offset of a cache
    int64_t space = 0;   ///< of hazards
    int64_t begin = 0, end = 0;
    Partition partition = Partition::Rows; ///< Rows or OutputRows: how many rows it has
    std::optional<FrameBuffer> buffer;     ///< owned: returned after the last use
    int64_t stride = 0;                    ///< floats from row to row
  };
  /// Activations rounded to integers.
  struct Rounded {
    Place codes, scales, sums;
  };

  /// Places a function's arguments; gives the planned function its own.
  void placeArguments(llvm::ArrayRef<Partition> partitions, llvm::ArrayRef<RotationKey> rotations);
  mlir::LogicalResult placeStepArguments(llvm::ArrayRef<int64_t> cacheOffsets, bool isPart);
  /// The address of a part's `index`-th argument or result of activations.
  mlir::Value loadActivations(int64_t index);
  mlir::LogicalResult checkResults();
  void createFunction(llvm::StringRef name, llvm::ArrayRef<mlir::Type> types);
  Place makeArgument(mlir::Value address);
  mlir::LogicalResult planBody();
  /// Fills the function that was created, and says what is alike for steps, parts and functions.
  mlir::FailureOr<PlanContext::Planned> planFunction();
  /// The operations in an order that needs few barriers.
  llvm::SmallVector<mlir::Operation *> order();

  mlir::LogicalResult planOp(mlir::Operation *op);
  /// Reports operands that are no activations, or not those of all rows.
  mlir::LogicalResult checkAllRows(mlir::Operation *op, mlir::ValueRange operands);
  mlir::LogicalResult planEmbedding(EmbeddingOp op);
  mlir::LogicalResult planOutputRows(OutputRowsOp op);
  mlir::LogicalResult planLinear(LinearOp op, mlir::Value residual, mlir::Value result);
  mlir::LogicalResult planNorm(mlir::Operation *op, mlir::Value input, mlir::Value gain,
                               mlir::Value bias);
  mlir::LogicalResult planRope(RopeOp op);
  mlir::LogicalResult planAppend(CacheAppendOp op);
  mlir::LogicalResult planAttention(AttentionOp op);
  mlir::LogicalResult planElementwise(mlir::Operation *op);
  mlir::LogicalResult planCall(mlir::func::CallOp op);

  Rounded &getRounded(mlir::Value value, int64_t group);
  /// The table of a rotation's cosines and sines: a function is given it, a step computes it once.
  Place getRotation(RotationKey key);

  /// Accesses that the next stage makes; `place` belongs to the stage's own rows or to anything.
  Access access(const Place &place, bool write, Partition partition);
  /// Emits a stage, after a barrier if it conflicts with what came since the last.
  void emitStage(llvm::StringRef name, mlir::Value count, llvm::ArrayRef<Access> accesses,
                 llvm::function_ref<void(mlir::Value begin, mlir::Value end)> body);
  void emitBarrier();
  /// Notes accesses that come now, after a barrier if they conflict with what came since the last.
  void recordAccesses(llvm::ArrayRef<Access> accesses);
  void call(mlir::func::FuncOp kernel, mlir::ValueRange arguments);

  Place makeBuffer(int64_t bytesPerRow, Partition partition);
  Place makeResult(mlir::Value value);
  Place &place(mlir::Value value);
  mlir::Value rowCount(Partition partition);
  mlir::Value constant(int64_t value);
  mlir::Value pointerTo(mlir::Value base, int64_t offset);
  mlir::Value scratch(int64_t bytes);
  /// Returns the buffers of operands that `op` was the last to use.
  void releaseOperands(mlir::Operation *op);
  std::string nameOf(mlir::Operation *op);
  /// The linear whose result `op`, an addition, adds to something: both become one kernel.
  LinearOp getFusedLinear(mlir::Operation *op);

  PlanContext &context;
  mlir::func::FuncOp source, function;
  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::Value step, frame;
  Hazards hazards;
  llvm::SmallVector<Access> leading; ///< before the first barrier
  bool hasBarrier = false;
  FrameAllocator frameAllocator;
  llvm::DenseMap<mlir::Value, Place> places;
  llvm::DenseMap<mlir::Value, unsigned> remainingUses;
  std::map<std::pair<void *, int64_t>, Rounded> roundedPlaces;
  llvm::DenseMap<RotationKey, Place> rotationTables;
  llvm::DenseMap<mlir::Value, Place> resultPlaces; ///< of returned values
  int64_t spaces = 1;                              ///< space 0 is the frame
  bool isStep = false;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOSPMD_FUNCTIONPLANNER_H
