//===- StructureReport.h - what became of a model's parts and size ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_STRUCTUREREPORT_H
#define LLMC_TRANSFORMS_PRUNING_STRUCTUREREPORT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/OutputPaths.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

#include <string>
#include <vector>

namespace llmc {

/// How large a flat module is.
struct ModelSize {
  int64_t parameters = 0; ///< elements, each stored once
  int64_t bytes = 0;      ///< that they take
  int64_t operations = 0; ///< of all linears for one row: a product and a sum for each weight

  static mlir::FailureOr<ModelSize> get(mlir::ModuleOp module);
};

/// What a pass did to one part of a model.
struct StructureChange {
  std::string name;
  /// What is said of it, in the order in which it is printed.
  std::vector<std::pair<std::string, llvm::json::Value>> figures;
};

/// The report of passes that leave out parts of a model.
class StructureReport {
public:
  /// Measures the model as it is. Reports at the module where finish() could not write `path`, or
  /// would write over what the module is made of or over one of `others`.
  static mlir::FailureOr<StructureReport> start(mlir::ModuleOp module, llvm::StringRef pass,
                                                llvm::StringRef path,
                                                llvm::ArrayRef<NamedPath> others = {});

  void add(StructureChange change) { changes.push_back(std::move(change)); }

  /// Measures the model again, emits remarks, prints the lines if asked to, and writes JSON unless
  /// the path is empty.
  mlir::LogicalResult finish(bool print) const;

private:
  StructureReport(mlir::ModuleOp module, llvm::StringRef pass, llvm::StringRef path,
                  ModelSize before)
      : module(module), pass(pass), path(path), before(before) {}
  void emitRemarks() const;
  void printLines(const ModelSize &after) const;
  std::string spellJSON(const ModelSize &after) const;

  mlir::ModuleOp module;
  std::string pass, path;
  ModelSize before;
  std::vector<StructureChange> changes;
};

/// Numbers as text and back, bit for bit, for records of sites; none where the text is of other
/// numbers than `count`.
std::string spellNumbers(llvm::ArrayRef<double> numbers);
std::optional<std::vector<double>> readNumbers(llvm::StringRef text, size_t count);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_STRUCTUREREPORT_H
