//===- llmc-evaluate-onnx.cpp - what the compiler makes of ONNX operators, for tests and docs
//---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `llmc-evaluate-onnx MODEL.onnx …` runs models without inputs, and writes what they give as JSON,
// a line for each model: outputs with shape and values, or the error. `--operators` writes the
// table of operators in Markdown.
//
//===----------------------------------------------------------------------===//

#include "Evaluate/GraphRun.h"
#include "Evaluate/Operator.h"
#include "Graph/InlineFunctions.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace llmc;

static llvm::cl::list<std::string> models(llvm::cl::Positional, llvm::cl::desc("<models>"));
static llvm::cl::opt<bool> operators("operators", llvm::cl::desc("Write the table of operators"));
static llvm::cl::opt<bool> exact("exact-activations",
                                 llvm::cl::desc("Leave out the rounding of activations"));

/// Outputs by name; values are texts, since JSON has no infinities.
static LogicalResult evaluate(StringRef path, MLIRContext &context, llvm::json::Object &out) {
  llvm::SourceMgr sources;
  llvm::Expected<OwningOpRef<ModuleOp>> module = readModel(path, &context, sources);
  if (!module) {
    out["error"] = llvm::toString(module.takeError());
    return failure();
  }
  if (!*module || failed(inlineFunctions(**module)))
    return failure();
  auto graph = (*module)->lookupSymbol<carrier::GraphOp>("main");
  GraphRun run(graph);
  run.roundsActivations = !exact;
  if (failed(run.run()))
    return failure();
  for (auto [index, name] : llvm::enumerate(graph.getOutputNames())) {
    FailureOr<HostTensor> tensor = run.getOutput(index);
    if (failed(tensor) || !tensor->data)
      continue;
    llvm::json::Array values;
    for (double value : *tensor->data) {
      std::string text;
      llvm::raw_string_ostream(text) << llvm::format("%.17g", value);
      values.push_back(std::move(text));
    }
    out[cast<StringAttr>(name).getValue()] = llvm::json::Object{
        {"shape", llvm::json::Array(ArrayRef(tensor->shape))}, {"values", std::move(values)}};
  }
  return success();
}

int main(int argc, char **argv) {
  llvm::cl::ParseCommandLineOptions(argc, argv, "llmc-evaluate-onnx: runs ONNX graphs\n");
  if (operators)
    printOperators(llvm::outs());
  DialectRegistry registry;
  insertAllDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  for (const std::string &path : models) {
    llvm::json::Object out;
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        message += diagnostic.str();
    });
    if (failed(evaluate(path, context, out)) && !out.get("error"))
      out["error"] = message;
    llvm::outs() << llvm::json::Value(std::move(out)) << "\n";
  }
  return 0;
}
