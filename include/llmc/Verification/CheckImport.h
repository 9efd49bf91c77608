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

#include "llmc/Pipelines/Import.h"
#include "llmc/Support/ChoiceParser.h"

#include "llvm/Support/CommandLine.h"

namespace llmc {

/// How much of a text both are run on.
enum class ImportCheck {
  Off,
  Quick, ///< a few dozen tokens: prompts and single steps, with a past and without
  Full   ///< some hundreds, past windows and tables of that length
};

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

/// raiseModel, and then the comparison.
mlir::FailureOr<ImportCheckResult> raiseAndCheck(mlir::ModuleOp module, const RaiseOptions &options,
                                                 ImportCheck check);

/// The option that all tools have.
struct ImportCheckOption
    : llvm::cl::opt<ImportCheck, /*ExternalStorage=*/false, ChoiceParser<ImportCheck>> {
  ImportCheckOption(llvm::cl::OptionCategory &category, ImportCheck byDefault);
};

} // namespace llmc

#endif // LLMC_VERIFICATION_CHECKIMPORT_H
