//===- ONNXToLLMC.h - from the onnx carrier to the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_ONNXTOLLMC_ONNXTOLLMC_H
#define LLMC_CONVERSION_ONNXTOLLMC_ONNXTOLLMC_H

#include "llmc/Support/ChoiceParser.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectInterface.h"
#include "mlir/Pass/Pass.h"

namespace llmc {

/// How much of a text a graph and the program that it was raised to are compared on.
enum class ImportCheck {
  Off,
  Quick, ///< a few dozen tokens: prompts and single steps, with a past and without
  Full   ///< some hundreds, past windows and tables of that length
};

/// The values of an option that chooses one.
inline llvm::cl::ValuesClass getImportCheckValues() {
  return llvm::cl::values(clEnumValN(ImportCheck::Off, "off", "not at all"),
                          clEnumValN(ImportCheck::Quick, "quick", "on a few dozen tokens"),
                          clEnumValN(ImportCheck::Full, "full", "on some hundreds of tokens"));
}

} // namespace llmc

template <>
class llvm::cl::parser<llmc::ImportCheck> : public llmc::ChoiceParser<llmc::ImportCheck> {
public:
  using ChoiceParser::ChoiceParser;
};

namespace llmc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmc/Conversion/ONNXToLLMC/Passes.h.inc"

/// Choices of the raise.
using RaiseOptions = RaiseONNXOptions;

/// Compares a raised module with its graph. The raise itself runs no programs: a tool that can
/// gives the dialect of the carrier this interface (registerImportCheck).
class ImportChecker : public mlir::DialectInterface::Base<ImportChecker> {
public:
  explicit ImportChecker(mlir::Dialect *dialect) : Base(dialect) {}
  virtual mlir::LogicalResult check(mlir::ModuleOp graph, mlir::ModuleOp raised,
                                    ImportCheck check) const = 0;
};

/// Replaces the module's `onnx.graph @main` by a function @step of the llmc dialect. What can't be
/// raised is reported all at once: operator, domain, version, count, a node's name and why.
/// With a check, both are compared.
mlir::LogicalResult raiseONNX(mlir::ModuleOp module, const RaiseOptions &options);

} // namespace llmc

#endif // LLMC_CONVERSION_ONNXTOLLMC_ONNXTOLLMC_H
