//===- MeaningFunction.h - a meaning on memory, in the making ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_MEANING_MEANINGFUNCTION_H
#define LLMC_LIB_CONVERSION_KERNELS_MEANING_MEANINGFUNCTION_H

#include "../KernelBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llmc {

/// A function of tensors of static shapes that are read from memory and written to it:
///
///   MeaningFunction meaning(location);
///   Value x = meaning.read(…);
///   … operations of llmc, linalg, tensor, arith and math, made by meaning.builder …
///   meaning.write(y, …);
///   if (failed(meaning.lower()))
///     …
///   meaning.inlineAt(k, addresses);
class MeaningFunction {
public:
  explicit MeaningFunction(mlir::Location location);

  /// What lies in memory of this type, as a tensor. Each call adds an address to what the function
  /// is given.
  mlir::Value read(mlir::MemRefType type);
  /// Says that `tensor` goes to memory of this type, the next address.
  void write(mlir::Value tensor, mlir::MemRefType type);

  /// Tells functions apart. Before lower() alone.
  uint64_t getHash();

  /// Turns operations on tensors into loops over memory; reports what can't be.
  mlir::LogicalResult lower();
  /// Bytes of memory for what lies between the operations. After lower().
  int64_t getScratchBytes() const { return scratchBytes; }

  /// Moves the loops into a kernel, where `k` builds: memory is at these addresses. Once, after
  /// lower().
  void inlineAt(KernelBuilder &k, llvm::ArrayRef<mlir::Value> addresses, mlir::Value scratch);

private:
  mlir::Value addMemory(mlir::MemRefType type);
  mlir::LogicalResult convertToLinalg();
  mlir::LogicalResult convertToLoops();
  mlir::LogicalResult placeBuffers();
  mlir::LogicalResult check();

  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  int64_t scratchBytes = 0;

public:
  mlir::OpBuilder builder;
  mlir::Location location;
};

/// The attribute of an allocation that says where in the scratch it is, i64.
inline constexpr llvm::StringLiteral scratchOffsetName = "llmc.scratch_offset";

/// Says what of an operation has no code, or nothing: what inlineLoops() takes.
std::string explainNoCode(mlir::Operation *op);

/// Rewrites operations on memory, which `k` builds among, into loads and stores at addresses.
void rewriteMemory(KernelBuilder &k, llvm::ArrayRef<mlir::Operation *> ops,
                   llvm::DenseMap<mlir::Value, mlir::Value> addresses, mlir::Value scratch);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_MEANING_MEANINGFUNCTION_H
