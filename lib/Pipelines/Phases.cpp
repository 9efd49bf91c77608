//===- Phases.cpp - the phases of compiling ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Phases.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"
#include "llmc/Pipelines/Import.h"

using namespace llmc;

llvm::StringRef llmc::getName(Phase phase) {
  static constexpr llvm::StringLiteral names[] = {"import", "raise", "compress", "lower", "emit"};
  return names[static_cast<size_t>(phase)];
}

Phase llmc::getPhase(mlir::ModuleOp module) {
  if (isCarrier(module))
    return Phase::Import;
  return module.getOps<spmd::ProgramOp>().empty() ? Phase::Raise : Phase::Lower;
}
