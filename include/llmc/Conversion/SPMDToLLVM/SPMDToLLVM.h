//===- SPMDToLLVM.h - from stages to the LLVM dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_SPMDTOLLVM_SPMDTOLLVM_H
#define LLMC_CONVERSION_SPMDTOLLVM_SPMDTOLLVM_H

#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Runs convert-spmd-to-llvm (see its description) on a planned program.
mlir::LogicalResult lowerSPMDToLLVM(mlir::ModuleOp code);

/// Replaces every llmc.group_dot in `function` as `lowering` says.
void lowerGroupDots(mlir::func::FuncOp function, spmd::DotLowering lowering);

} // namespace llmc

#endif // LLMC_CONVERSION_SPMDTOLLVM_SPMDTOLLVM_H
