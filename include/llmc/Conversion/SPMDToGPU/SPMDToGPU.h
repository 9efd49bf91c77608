//===- SPMDToGPU.h - from plans to a kernel for GPUs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_SPMDTOGPU_SPMDTOGPU_H
#define LLMC_CONVERSION_SPMDTOGPU_SPMDTOGPU_H

#include "llmc/Conversion/Kernels/Meaning.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llmc {

/// Threads that run a kernel's 16 lanes.
inline constexpr int64_t groupThreads = 16;
/// Threads that multiply fragments of matrices together.
inline constexpr int64_t warpThreads = 32;
/// Where everything is that a step reads and writes: LLVM's number for global memory.
inline constexpr unsigned globalMemory = 1;

/// What a kernel is generated for.
struct GPUTarget {
  std::string architecture = "sm_80"; ///< NVIDIA's name, as LLVM spells it
  int64_t threads = 256;              ///< of a block

  /// Whether it copies any number of bytes with one instruction (cp.async.bulk), which the PTX that
  /// has the architecture first knows.
  bool hasBulkCopies() const;

  /// Reads `cuda[:ARCHITECTURE]`.
  static llvm::Expected<GPUTarget> parse(llvm::StringRef text);
  /// Whether `text` names a target of this kind, known or not.
  static bool isNamedBy(llvm::StringRef text);
  /// LLVM's feature of the oldest PTX that has an architecture, or nothing for one that llmc
  /// doesn't know.
  static llvm::StringRef getPTXFeature(llvm::StringRef architecture);
};

/// The attribute of a kernel that says what it is generated for, an #nvvm.target.
inline constexpr llvm::StringLiteral gpuTargetAttrName = "nvvm.target";

/// Runs convert-spmd-to-gpu (see its description) on a plan, which stays as it is.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
convertSPMDToGPU(mlir::ModuleOp plan, const GPUTarget &target, const KernelChoice &kernels = {});

/// The kernel of a program that convertSPMDToGPU() made, or null where there is none: a func.func
/// or an llvm.func.
mlir::Operation *getKernel(mlir::ModuleOp program);

} // namespace llmc

#endif // LLMC_CONVERSION_SPMDTOGPU_SPMDTOGPU_H
