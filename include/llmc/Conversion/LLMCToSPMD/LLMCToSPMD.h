//===- LLMCToSPMD.h - from the language of models to plans ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plans a model, for any target: where weights lie in the packed file, where caches lie in a
// sequence's state, which operations share a stage, in which order and with which barriers stages
// run, and where buffers lie.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOSPMD_LLMCTOSPMD_H
#define LLMC_CONVERSION_LLMCTOSPMD_LLMCTOSPMD_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/MapVector.h"

namespace llmc {

/// Where every parameter that the program uses lies in the packed weights.
class WeightTable {
public:
  struct Entry {
    int64_t offset, bytes;
    bool tiled; ///< a matrix in tiles; else a vector of fp32, padded with zeros
  };

  /// Plans all parameters that `module` reads, or reports why one can't be packed.
  static mlir::FailureOr<WeightTable> plan(mlir::ModuleOp module);
  /// The same with places that follow from the parameters' types alone, so that code for one module
  /// serves others that differ in weights. There may be bytes between them that nobody uses.
  static mlir::FailureOr<WeightTable> planByTypes(mlir::ModuleOp module);

  /// The table that a planned program was made with, or reports what is wrong with its parameters.
  static mlir::FailureOr<WeightTable> read(spmd::ProgramOp program);

  /// Copies the parameters to a program, each with its place.
  void write(spmd::ProgramOp program) const;

  const Entry &lookup(ParameterOp parameter) const { return entries.find(parameter)->second; }
  int64_t getByteSize() const { return size; }
  int64_t getParameterCount() const { return entries.size(); }

  /// Writes the packed weights, getByteSize() bytes. Calls `advance` after each parameter.
  mlir::LogicalResult pack(llvm::MutableArrayRef<uint8_t> out,
                           llvm::function_ref<void()> advance = {}) const;

private:
  static mlir::FailureOr<WeightTable> plan(mlir::ModuleOp module, bool byTypes);

  llvm::MapVector<mlir::Operation *, Entry> entries;
  int64_t size = 0;
};

/// The program that a planned module is of, or null where `module` is none.
spmd::ProgramOp getProgram(mlir::ModuleOp module);

/// The largest number of rows that a step can have: far more than is of use, so that sizes that
/// depend on it can't overflow.
inline constexpr int64_t maxRowsOfStep = 65536;

/// Makes values of what several layers share; see the pass materialize-shared-values.
void materializeSharedValues(mlir::ModuleOp module);

/// Plans `module`, whose function @step computes a step (see LLMCDialect.td), for steps of up to
/// `maxRows` rows: functions, their entry, and a program with the parameters of `weights`.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
planStep(mlir::ModuleOp module, const WeightTable &weights, int64_t maxRows);

/// Plans a part of a model: a function of tokens, rows, caches and activations, in any order, that
/// gives activations, whose addresses are passed as llmc_step.activations. Such a program has no
/// vocabulary, and no function of its own for one row.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
planPart(mlir::func::FuncOp part, const WeightTable &weights, int64_t maxRows);

/// What a user calls a model, for its description.
struct ModelNames {
  llvm::StringRef input;  ///< the path it was read from
  llvm::StringRef passes; ///< what was done to it
};

/// Plans a whole model: with the parameters that it reads, and a description.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> planModel(mlir::ModuleOp module, int64_t maxRows,
                                                             ModelNames names);

} // namespace llmc

#endif // LLMC_CONVERSION_LLMCTOSPMD_LLMCTOSPMD_H
