//===- SPMDToCPU.h - from plans to kernels for CPUs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Chooses kernels for the stages of a plan, and says of a program what CPUs it is for.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_SPMDTOCPU_SPMDTOCPU_H
#define LLMC_CONVERSION_SPMDTOCPU_SPMDTOCPU_H

#include "llmc/Conversion/Kernels/Meaning.h"
#include "llmc/Conversion/Kernels/Target.h"
#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Dialect/CPU/IR/CPU.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/JSON.h"

namespace llmc {

/// Runs convert-spmd-to-cpu (see its description) on a plan, which stays as it is.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
convertSPMDToCPU(mlir::ModuleOp plan, const Target &target, const KernelChoice &kernels = {});

/// Plans a model (planStep) and chooses kernels.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowerToCPU(mlir::ModuleOp module,
                                                              const WeightTable &weights,
                                                              const Target &target, int64_t maxRows,
                                                              const KernelChoice &kernels = {});

/// Plans a part of a model (planPart) and chooses kernels.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
lowerPartToCPU(mlir::func::FuncOp part, const WeightTable &weights, const Target &target,
               int64_t maxRows, const KernelChoice &kernels = {});

/// The name of the function that the runtime calls for a variant.
std::string getEntryName(const KernelTarget &target);

/// Says of all functions of `code` that do not say so yet what they are generated for.
void setTarget(mlir::ModuleOp code, const KernelTarget &target);

/// Adds a variant's entry to `code`: the function that runs a step of one row by `row`, and others
/// by `rows`.
void addEntry(mlir::ModuleOp code, const KernelTarget &target, llvm::StringRef row,
              llvm::StringRef rows);

/// The target that a program's kernels are for: its triple, and a variant for each entry. Reports
/// what llmc has no target for.
mlir::FailureOr<Target> getTarget(mlir::ModuleOp planned);

/// A program's description, and what is known of its code: architecture, variants with the bits of
/// llmc_cpu_feature that they need, bytes of packed weights, of a session's state and of scratch.
/// Reports a description that is no JSON object.
mlir::FailureOr<llvm::json::Object> describeProgram(spmd::ProgramOp program, const Target &target);

} // namespace llmc

#endif // LLMC_CONVERSION_SPMDTOCPU_SPMDTOCPU_H
