//===- CPUToLLVM.h - from stages to the LLVM dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_CPUTOLLVM_CPUTOLLVM_H
#define LLMC_CONVERSION_CPUTOLLVM_CPUTOLLVM_H

#include "llmc/Dialect/CPU/IR/CPU.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Runs convert-cpu-to-llvm (see its description) on a planned program.
mlir::LogicalResult lowerCPUToLLVM(mlir::ModuleOp code);

/// The attribute of functions whose loops are left to LLVM to vectorize; others are vectorized as
/// they are to be.
inline constexpr llvm::StringLiteral vectorizedAttrName = "llmc-vectorize";

/// Replaces every llmc.group_dot in `function` as `lowering` says.
void lowerGroupDots(mlir::func::FuncOp function, cpu::DotLowering lowering);

/// Replaces every cpu.table_lookup and cpu.take_bytes in `function` by what suits the same
/// instruction set.
void lowerLookups(mlir::func::FuncOp function, cpu::DotLowering lowering);

/// Replaces every cpu.expand_bytes in `function` by what suits LLVM's features and the instruction
/// set.
void lowerExpansions(mlir::func::FuncOp function, cpu::TargetAttr target);

/// Replaces every llvm.intr.masked.expandload in `function` that no instruction is for. Of what is
/// kept 16 bytes more can be read than there are.
void lowerExpandLoads(mlir::func::FuncOp function, cpu::TargetAttr target);

/// Replaces every cpu.shuffle_bytes in `function` by what suits LLVM's features.
void lowerShuffles(mlir::func::FuncOp function, cpu::TargetAttr target);

/// Replaces every cpu.look_up_bytes and cpu.windows in `function` by what suits LLVM's features.
void lowerByteLookups(mlir::func::FuncOp function, llvm::StringRef features);

} // namespace llmc

#endif // LLMC_CONVERSION_CPUTOLLVM_CPUTOLLVM_H
