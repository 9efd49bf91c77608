//===- Compile.h - a model on its way through the phases ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `llmc compile` does, as a library:
//
//   Compilation compilation(options, context);
//   if (failed(compilation.read(sources)) || failed(compilation.run()))
//     …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_COMPILE_H
#define LLMC_PIPELINES_COMPILE_H

#include "llmc/Pipelines/Compress.h"
#include "llmc/Pipelines/Emit.h"
#include "llmc/Pipelines/Lower.h"
#include "llmc/Pipelines/Phases.h"
#include "llmc/Pipelines/Raise.h"
#include "llmc/Support/OutputPaths.h"

#include "llvm/Support/SourceMgr.h"

#include <optional>

namespace llmc {

struct CompileOptions {
  std::string input;        ///< an ONNX model, or a module that a phase left
  std::string output;       ///< what the last phase makes
  Phase last = Phase::Emit; ///< the phase to stop after
  RaiseOptions raise;       // by default without a comparison
  CompressOptions compress;
  std::vector<LowerOptions> lower{{}}; ///< one for each architecture
  EmitOptions emit;
  std::string tokenizer;    ///< tokenizer.json or its folder; by default beside the model
  std::string chatTemplate; ///< by default the one beside the tokenizer
  std::string depfile;      ///< a rule for make, where it is named

  /// What is written: the output, the files beside it, and the depfile.
  llvm::SmallVector<NamedPath> getOutputs() const;
};

/// A model on its way through the phases. Everything that goes wrong is reported in the context,
/// without a location where it is not about a place in the model.
class Compilation {
public:
  Compilation(CompileOptions options, mlir::MLIRContext &context)
      : options(std::move(options)), context(context) {}

  /// Reads the input, whose text `sources` keeps to be shown in messages.
  mlir::LogicalResult read(llvm::SourceMgr &sources);

  /// The last phase that the input has been through.
  Phase getPhase() const { return done; }

  /// Runs the phases that are left, up to the last one asked for, and writes what that makes.
  mlir::LogicalResult run();

private:
  mlir::LogicalResult report(llvm::Error error) const;
  llvm::Error checkOutputs(llvm::StringRef tokenizer) const;
  mlir::LogicalResult takeTokenizer();
  mlir::LogicalResult compress();
  mlir::LogicalResult lower();
  mlir::LogicalResult write();
  llvm::Error writeRule(std::optional<class AtomicFile> &depfile);

  /// Whether `phase` is between what the input has been through and where to stop.
  bool runs(Phase phase) const { return done < phase && phase <= options.last; }

  CompileOptions options;
  mlir::MLIRContext &context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Phase done = Phase::Import;
  std::vector<std::string> parameterFiles;                       ///< of the input
  llvm::SmallVector<mlir::OwningOpRef<mlir::ModuleOp>> programs; ///< one for each architecture
};

} // namespace llmc

#endif // LLMC_PIPELINES_COMPILE_H
