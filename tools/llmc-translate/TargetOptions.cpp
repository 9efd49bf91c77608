//===- TargetOptions.cpp - options of the directions that generate code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetOptions.h"
#include "Directions.h"
#include "llmc/Support/ParameterPaths.h"

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
  llvm::cl::opt<bool> force{
      "force",
      llvm::cl::desc("With --mlir-to-object: replace NAME.h and NAME.weights that llmc did not "
                     "write"),
      llvm::cl::cat(getOptionCategory())};
};
} // namespace

static TargetOptions &getOptions() {
  static TargetOptions options;
  return options;
}

bool llmc::getForce() { return getOptions().force; }

void llmc::registerTargetOptions() { (void)getOptions(); }

/// A planned module is for the target and the rows that it was planned for.
static llvm::Error checkNotGiven(const llvm::cl::Option &option) {
  if (option.getNumOccurrences() == 0)
    return llvm::Error::success();
  return llvm::createStringError("--%s: expected a module that is not planned yet",
                                 option.ArgStr.str().c_str());
}

llvm::Expected<OwningOpRef<ModuleOp>> llmc::plan(ModuleOp module) {
  const TargetOptions &options = getOptions();
  if (failed(resolveParameterPaths(module, getInputFolder())))
    return llvm::createStringError("cannot find the module's weights");
  if (getProgram(module)) {
    if (llvm::Error error = checkNotGiven(options.target))
      return std::move(error);
    if (llvm::Error error = checkNotGiven(options.maxRows))
      return std::move(error);
    return OwningOpRef<ModuleOp>(module.clone());
  }
  llvm::Expected<Target> target = Target::parse(options.target);
  if (!target)
    return target.takeError();
  FailureOr<OwningOpRef<ModuleOp>> planned =
      planProgram(module, *target, options.maxRows, {getInputPath(), /*passes=*/""});
  if (failed(planned))
    return llvm::createStringError("cannot generate code for %s", target->triple.str().c_str());
  return std::move(*planned);
}

llvm::Expected<CodeOptions> llmc::getCodeOptions(StringRef outputPath) {
  CodeOptions code{getOptions().symbol, 0};
  if (code.programSymbol.empty())
    code.programSymbol = llvm::sys::path::stem(outputPath).str();
  if (llvm::Error error = checkCodeOptions(code))
    return std::move(error);
  return code;
}
