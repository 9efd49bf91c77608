//===- FunctionConverter.h - a function of a plan for one instruction set ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_SPMDTOCPU_FUNCTIONCONVERTER_H
#define LLMC_LIB_CONVERSION_SPMDTOCPU_FUNCTIONCONVERTER_H

#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Conversion/Kernels/Meaning.h"
#include "llmc/Dialect/CPU/IR/CPU.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace llmc {

/// Memory that a value of a plan has become.
struct Memory {
  mlir::Value address;    ///< of a cache, its offset in a state (i64); none of !llmc.rows
  int64_t rows = 0;       ///< that it has room for
  bool exactRows = false; ///< rows end at the value's width, without padding
};

/// What a kernel is called with, after its share of the work; that of row r is `value` + r ·
/// `rowBytes`.
struct KernelArgument {
  mlir::Value value;
  int64_t rowBytes = 0;
};

/// A call of a kernel that computes one or two operations of a stage.
struct KernelCall {
  mlir::func::FuncOp function;
  mlir::Value rows; ///< the first argument, if it takes the number of rows
  llvm::SmallVector<KernelArgument> arguments;
  mlir::Value pieces; ///< null where a piece is a row
};

/// Converts a function of a plan for one variant.
class FunctionConverter {
public:
  /// `code` is where functions and kernels go.
  FunctionConverter(mlir::ModuleOp code, spmd::ProgramOp program, const KernelTarget &target,
                    const KernelChoice &kernels, mlir::func::FuncOp plan);

  mlir::FailureOr<mlir::func::FuncOp> convert();

  /// Bytes of a worker's own memory that the function needs.
  int64_t getWorkerArenaBytes() const { return workerArenaBytes; }

private:
  // The function (FunctionConverter.cpp).
  mlir::LogicalResult createFunction();
  mlir::LogicalResult convertOp(mlir::Operation *op);
  mlir::LogicalResult convertWeight(spmd::WeightOp op);
  void convertInput(spmd::InputOp op);
  void convertActivations(spmd::ActivationsOp op);
  mlir::LogicalResult convertCall(mlir::func::CallOp op);
  mlir::LogicalResult convertStage(spmd::StageOp op);
  mlir::LogicalResult placeStageValues(spmd::StageOp op);
  void emitStage(spmd::StageOp op, llvm::ArrayRef<KernelCall> calls);
  void emitCalls(llvm::ArrayRef<KernelCall> calls, mlir::Value begin, mlir::Value end);
  void emitRowByRow(llvm::ArrayRef<KernelCall> calls, mlir::Value begin, mlir::Value end);

  // Kernels (ChooseKernels.cpp).
  /// Chooses kernels for all operations of a stage's body, in order.
  mlir::LogicalResult chooseKernels(spmd::StageOp op, llvm::SmallVector<KernelCall> &calls);
  mlir::LogicalResult chooseKernel(mlir::Operation *op, KernelCall &call);
  mlir::LogicalResult chooseLinear(LinearOp op, mlir::Operation *add, KernelCall &call);
  mlir::LogicalResult chooseAttention(AttentionOp op, KernelCall &call);
  mlir::LogicalResult chooseTable(RotationTableOp op, KernelCall &call);
  mlir::LogicalResult chooseRotation(RotateOp op, KernelCall &call);
  mlir::LogicalResult chooseElementwise(mlir::Operation *op, KernelCall &call);
  /// What an operation that works row by row means, where no kernel is to compute it.
  mlir::LogicalResult chooseMeaning(mlir::Operation *op, KernelCall &call);
  mlir::FailureOr<MeaningKernel> emitMeaning(mlir::Operation *op);
  /// What a kernel reads or writes of a value: rows of activations, planes of rounded ones, or
  /// anything that has no rows.
  void addArguments(KernelCall &call, mlir::Value value);
  /// Rows of activations that the kernel writes up to their padding.
  mlir::LogicalResult addOutput(KernelCall &call, mlir::Operation *op);
  /// Where caches are, and those of a step's rows (CacheAccess.h).
  void addCache(KernelCall &call, mlir::Value cache);

  // Memory and numbers.
  mlir::Type getConverted(mlir::Type type);
  mlir::Value constant(int64_t value);
  mlir::Value pointerTo(mlir::Value base, int64_t offset);
  mlir::Value field(cpu::Field field);
  mlir::Value rowCount(spmd::Extent extent);
  /// Part of the worker's own memory, `offset` bytes from its start.
  mlir::Value scratch(int64_t offset, int64_t bytes);
  Memory &memory(mlir::Value value) { return memories.find(value)->second; }

  mlir::ModuleOp code;
  spmd::ProgramOp program;
  const KernelTarget &target;
  const KernelChoice &kernels;
  mlir::func::FuncOp plan, function;
  mlir::OpBuilder builder;
  mlir::Location location;
  mlir::Value step;
  bool oneRow;
  spmd::Extent extent = spmd::Extent::Rows; ///< of the stage in hand
  int64_t stageBytes = 0;                   ///< of scratch that values of the stage take
  llvm::DenseMap<mlir::Value, Memory> memories;
  int64_t workerArenaBytes = 0;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_SPMDTOCPU_FUNCTIONCONVERTER_H
