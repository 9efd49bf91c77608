//===- llmc-compile.cpp - compiles a model into one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `llmc compile`: takes a model through the phases (Options.h) and writes an artifact, an object,
// or the module that a phase leaves.
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "llmc/Calibration/Passes.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/CommandLine.h"
#include "llmc/Support/ToolProcess.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Verification/CheckImport.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace llmc;

static constexpr char toolName[] = "llmc compile";

/// Fails with a message for the user.
static LogicalResult report(llvm::Error error) {
  if (!error)
    return success();
  llvm::WithColor::error(llvm::errs(), toolName) << llvm::toString(std::move(error)) << "\n";
  return failure();
}

/// Shows what is about no place in the model as the tool's own message; leaves the rest to others.
static LogicalResult showMessage(Diagnostic &diagnostic) {
  if (!isa<UnknownLoc>(diagnostic.getLocation()))
    return failure();
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    llvm::WithColor::error(llvm::errs(), toolName) << diagnostic << "\n";
  else if (diagnostic.getSeverity() == DiagnosticSeverity::Warning)
    llvm::WithColor::warning(llvm::errs(), toolName) << diagnostic << "\n";
  else
    llvm::WithColor::remark(llvm::errs(), toolName) << diagnostic << "\n";
  return success();
}

static LogicalResult compile(const Options &options) {
  DialectRegistry registry;
  insertAllDialects(registry);
  registerImportCheck(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  ScopedDiagnosticHandler messages(&context, showMessage);
  Compilation compilation(options.get(), context);
  if (failed(compilation.read(sources)) ||
      failed(report(options.checkInput(compilation.getPhase()))))
    return failure();
  return compilation.run();
}

int main(int argc, char **argv) {
  ToolProcess process(toolName, argc, argv);
  llmc::registerCalibrate();
  llmc::registerTransformsPasses();
  Options options;
  llvm::cl::HideUnrelatedOptions(options.category);
  llvm::cl::ParseCommandLineOptions(argc, argv, "llmc compile: a model in one file\n");
  if (failed(report(checkGivenOnce())) || failed(report(options.check())) ||
      // Before passes that may take minutes.
      failed(report(AtomicFile::create(options.output).takeError())))
    return 1;
  return failed(compile(options));
}
