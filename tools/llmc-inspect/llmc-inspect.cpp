//===- llmc-inspect.cpp - says what the source of a model is ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `llmc inspect` of what needs the compiler to be read: writes the description of a module or an
// ONNX model as JSON, for the driver to show.
//
//===----------------------------------------------------------------------===//

#include "CarrierDescription.h"
#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Pipelines/Raise.h"
#include "llmc/Support/CommandLine.h"
#include "llmc/Support/ToolProcess.h"

#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace llmc;

static LogicalResult report(llvm::Error error) {
  if (!error)
    return success();
  llvm::WithColor::error(llvm::errs(), "llmc inspect") << llvm::toString(std::move(error)) << "\n";
  return failure();
}

/// Raises a carrier; gives what was said where that fails.
static std::optional<std::string> raise(ModuleOp module) {
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &diagnostic) {
    stream << (messages.empty() ? "" : "; ") << diagnostic.str();
    for (const Diagnostic &note : diagnostic.getNotes())
      stream << "; " << note.str();
    return success();
  });
  if (failed(raiseModel(module)))
    return messages;
  return std::nullopt;
}

/// What an object of a planned module would say of itself; a plan is for no target yet.
static FailureOr<llvm::json::Object> describePlanned(ModuleOp module, spmd::ProgramOp program) {
  FailureOr<Target> target = program.getTriple() ? getTarget(module) : Target();
  if (failed(target))
    return failure();
  FailureOr<llvm::json::Object> description = describeProgram(program, *target);
  if (succeeded(description))
    (*description)["kind"] = "planned module";
  return description;
}

static FailureOr<llvm::json::Object> describeModule(ModuleOp module, StringRef path) {
  if (!isCarrier(module)) {
    if (spmd::ProgramOp program = getProgram(module))
      return describePlanned(module, program);
    llvm::json::Object description = describe(module, {path, /*passes=*/""});
    description.erase("passes");
    description["kind"] = "module";
    return description;
  }
  llvm::json::Object description = describeCarrier(module);
  description["kind"] = isONNXPath(path) ? "ONNX model" : "module of an ONNX model's carrier";
  description["model"] = llvm::sys::path::filename(path);
  if (std::optional<std::string> problem = raise(module)) {
    description["not_raised"] = *problem;
    return description;
  }
  // Names and encodings are then those that passes and reports use.
  for (auto &[key, value] : describe(module, {path, /*passes=*/""}))
    if (key != "passes")
      description[key] = std::move(value);
  return description;
}

int main(int argc, char **argv) {
  ToolProcess process("llmc inspect", argc, argv);
  llvm::cl::opt<std::string> input(llvm::cl::Positional, llvm::cl::Required,
                                   llvm::cl::desc("MODEL.onnx|.mlir"));
  llvm::cl::ParseCommandLineOptions(argc, argv, "llmc-inspect: what a model is, as JSON\n");
  DialectRegistry registry;
  insertAllDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  llvm::Expected<OwningOpRef<ModuleOp>> module = readModel(input, &context, sources);
  if (!module)
    return failed(report(module.takeError()));
  if (!*module)
    return 1;
  FailureOr<llvm::json::Object> description = describeModule(**module, input);
  if (failed(description))
    return 1;
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(*description)) << "\n";
  return failed(report(writeStandardOutput(text)));
}
