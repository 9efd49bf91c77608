//===- LLMCToSPMD.h - from the language of models to stages of kernels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plans a model for CPUs: where weights lie in the packed file, where caches lie in a sequence's
// state, which kernels run in which order with which barriers, and where buffers lie.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOSPMD_LLMCTOSPMD_H
#define LLMC_CONVERSION_LLMCTOSPMD_LLMCTOSPMD_H

#include "llmc/Conversion/Kernels/KernelTarget.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

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

  bool contains(ParameterOp parameter) const { return entries.contains(parameter); }
  const Entry &lookup(ParameterOp parameter) const { return entries.find(parameter)->second; }
  int64_t getByteSize() const { return size; }
  int64_t getParameterCount() const { return entries.size(); }

  /// Writes the packed weights, getByteSize() bytes. Calls `advance` after each parameter.
  mlir::LogicalResult pack(llvm::MutableArrayRef<uint8_t> out,
                           llvm::function_ref<void()> advance = {}) const;

private:
  llvm::MapVector<mlir::Operation *, Entry> entries;
  int64_t size = 0;
};

struct SPMDOptions {
  int64_t maxRows = 128; ///< rows of a step; a multiple of nothing, at least 1
  llvm::SmallVector<const KernelTarget *> targets; ///< variants, best first
};

/// A planned program.
struct SPMDProgram {
  struct Region {
    int64_t offset, stride, block;
  };

  mlir::OwningOpRef<mlir::ModuleOp> code; ///< spmd, func and kernels
  llvm::SmallVector<const KernelTarget *> variants;
  llvm::SmallVector<Region> regions;
  int64_t vocabulary = 0, context = 0, maxRows = 0;
  int64_t arenaBytes = 0, workerArenaBytes = 0, stateBytes = 0;
};

/// The name of the function that the runtime calls for a variant.
std::string getEntryName(const KernelTarget &target);

/// Says of all functions of `code` that do not say so yet what they are generated for.
void setTarget(mlir::ModuleOp code, const KernelTarget &target);

/// Adds a variant's entry to `code`: the function that runs a step of one row by `row`, and others
/// by `rows`.
void addEntry(mlir::ModuleOp code, const KernelTarget &target, llvm::StringRef row,
              llvm::StringRef rows);

/// Plans `module`, whose function @step computes a step (see LLMCDialect.td).
mlir::FailureOr<SPMDProgram> lowerToSPMD(mlir::ModuleOp module, const WeightTable &weights,
                                         const SPMDOptions &options);

/// Plans a part of a model: a function of tokens, rows, caches and activations, in any order, that
/// gives activations, whose addresses are passed as llmc_step.activations. Such a program has no
/// vocabulary, and no function of its own for one row.
mlir::FailureOr<SPMDProgram> lowerPartToSPMD(mlir::func::FuncOp part, const WeightTable &weights,
                                             const SPMDOptions &options);

} // namespace llmc

#endif // LLMC_CONVERSION_LLMCTOSPMD_LLMCTOSPMD_H
