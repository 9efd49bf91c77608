//===- CheckImport.h - a raised model compared with the graph it came from ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the raise concludes of a graph is proved on examples: the graph as it stands is run operator
// by operator, and the raised model as the compiled program that it becomes, on the same tokens. A
// library of its own, so that importing alone links no code generator.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_VERIFICATION_CHECKIMPORT_H
#define LLMC_VERIFICATION_CHECKIMPORT_H

#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"

namespace llmc {

/// What a comparison took and found.
struct ImportCheckResult {
  double seconds = 0;
  double difference = 0; ///< the largest, in parts of the largest logit of its row
  int64_t rows = 0;      ///< that were compared; 0 where the graph could not be run
};

/// Compares `raised` with the carrier's `graph` that it was raised from. A difference is an error
/// that names the first position and the first layer that differ. A graph that can't be run by
/// itself is a warning that says why.
mlir::FailureOr<ImportCheckResult> checkImport(mlir::ModuleOp graph, mlir::ModuleOp raised,
                                               ImportCheck check);

/// Lets the raise compare what it makes (ImportChecker), and say in a remark what that found.
void registerImportCheck(mlir::DialectRegistry &registry);

} // namespace llmc

#endif // LLMC_VERIFICATION_CHECKIMPORT_H
