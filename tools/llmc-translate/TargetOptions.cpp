//===- TargetOptions.cpp - options of the directions that generate code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetOptions.h"
#include "Directions.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Pipelines/Flags.h"
#include "llmc/Pipelines/Phases.h"
#include "llmc/Support/ParameterPaths.h"

using namespace mlir;
using namespace llmc;

namespace {
struct TargetFlags {
  LowerFlags lower{getOptionCategory()};
  EmitFlags emit{getOptionCategory()};
};
} // namespace

static TargetFlags &getFlags() {
  static TargetFlags flags;
  return flags;
}

void llmc::registerTargetOptions() { (void)getFlags(); }

/// A planned module is for the target and the rows that it was planned for.
static llvm::Error checkNotGiven(const llvm::cl::Option &option) {
  if (option.getNumOccurrences() == 0)
    return llvm::Error::success();
  return llvm::createStringError("--%s: expected a module that is not planned yet",
                                 option.ArgStr.str().c_str());
}

/// Lowers `module` by `options`, of which there is to be one, or copies what is lowered already.
/// `check` says what is wrong with a target.
static OwningOpRef<ModuleOp> plan(ModuleOp module, ArrayRef<LowerOptions> options,
                                  llvm::function_ref<llvm::Error(StringRef target)> check) {
  const LowerFlags &flags = getFlags().lower;
  if (failed(resolveParameterPaths(module, getInputFolder())))
    return nullptr;
  if (getPhase(module) == Phase::Lower) {
    if (failed(report(checkNotGiven(*flags.targets))) ||
        failed(report(checkNotGiven(flags.maxRows))))
      return nullptr;
    return module.clone();
  }
  for (const LowerOptions &each : options)
    if (failed(report(check(each.target))))
      return nullptr;
  if (options.size() != 1) {
    (void)report(
        llvm::createStringError("--target: expected it once, found it %zu times", options.size()));
    return nullptr;
  }
  return lowerModel(module, options.front());
}

OwningOpRef<ModuleOp> llmc::plan(ModuleOp module) {
  return ::plan(module, getFlags().lower.get(),
                [](StringRef target) { return Target::parse(target).takeError(); });
}

OwningOpRef<ModuleOp> llmc::planForGPU(ModuleOp module) {
  std::vector<LowerOptions> options = getFlags().lower.get();
  if (getFlags().lower.targets->empty())
    options.front().target = "cuda";
  return ::plan(module, options,
                [](StringRef target) { return GPUTarget::parse(target).takeError(); });
}

EmitOptions llmc::getEmitOptions() {
  return {/*object=*/true, getFlags().emit.symbol, getFlags().emit.force, {}};
}
