//===- TargetOptions.cpp - options of the directions that generate code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetOptions.h"
#include "Directions.h"
#include "llmc/Conversion/EmitObject/Description.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;

namespace {
struct TargetOptions {
  llvm::cl::opt<std::string> target{
      "target", llvm::cl::desc("TRIPLE[:VARIANT|CPU,…], e.g. x86_64-linux-gnu:avx2; default: host"),
      llvm::cl::value_desc("target"), llvm::cl::init("host"), llvm::cl::cat(getOptionCategory())};
  llvm::cl::opt<int64_t> maxRows{"max-rows", llvm::cl::desc("Tokens of a step"),
                                 llvm::cl::init(128), llvm::cl::cat(getOptionCategory())};
  llvm::cl::opt<std::string> symbol{
      "symbol", llvm::cl::desc("C name of the llmc_program; default: the output file's name"),
      llvm::cl::value_desc("name"), llvm::cl::cat(getOptionCategory())};
};
} // namespace

static TargetOptions &getOptions() {
  static TargetOptions options;
  return options;
}

void llmc::registerTargetOptions() { (void)getOptions(); }

llvm::Expected<Target> llmc::getTarget() { return Target::parse(getOptions().target); }

llvm::Expected<CodeOptions> llmc::getCodeOptions(ModuleOp module, StringRef outputPath) {
  const TargetOptions &options = getOptions();
  CodeOptions code;
  code.maxRows = options.maxRows;
  code.programSymbol = options.symbol;
  if (code.programSymbol.empty())
    code.programSymbol = llvm::sys::path::stem(outputPath).str();
  code.description = describe(module, getInputPath(), /*passes=*/"");
  if (llvm::Error error = checkCodeOptions(code))
    return std::move(error);
  return code;
}

void llmc::insertCanonicalDialects(DialectRegistry &registry) {
  registry.insert<LLMCDialect, carrier::ONNXDialect, arith::ArithDialect, func::FuncDialect>();
}
