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

static TargetFlags &getTargetFlags() {
  static TargetFlags flags;
  return flags;
}

void llmc::registerTargetOptions() { (void)getTargetFlags(); }

/// A planned module is for the target and the rows that it was planned for.
static llvm::Error checkNotGiven(const llvm::cl::Option &option) {
  if (option.getNumOccurrences() == 0)
    return llvm::Error::success();
  return llvm::createStringError("--%s: expected a module that is not planned yet",
                                 option.ArgStr.str().c_str());
}

/// Lowers `module` once by each of `options`, or copies what is lowered already. What is wrong is
/// reported; then there are no programs.
static Programs planAll(ModuleOp module, ArrayRef<LowerOptions> options) {
  const LowerFlags &flags = getTargetFlags().lower;
  Programs programs;
  if (failed(resolveParameterPaths(module, getInputFolder())))
    return programs;
  if (getPhase(module) == Phase::Lower) {
    if (failed(report(checkNotGiven(*flags.targets))) ||
        failed(report(checkNotGiven(flags.maxRows))))
      return programs;
    programs.push_back(module.clone());
    return programs;
  }
  for (const LowerOptions &each : options) {
    programs.push_back(lowerModel(module, each));
    if (!programs.back())
      return {};
  }
  return programs;
}

/// The same for one target alone, of a kind that `check` knows.
static OwningOpRef<ModuleOp> plan(ModuleOp module, ArrayRef<LowerOptions> options,
                                  llvm::function_ref<llvm::Error(StringRef target)> check) {
  bool isPlanned = getPhase(module) == Phase::Lower;
  for (const LowerOptions &each : options)
    if (!isPlanned && failed(report(check(each.target))))
      return nullptr;
  if (!isPlanned && options.size() != 1) {
    (void)report(
        llvm::createStringError("--target: expected one target, found %zu", options.size()));
    return nullptr;
  }
  Programs programs = planAll(module, options);
  return programs.empty() ? nullptr : std::move(programs.front());
}

OwningOpRef<ModuleOp> llmc::plan(ModuleOp module) {
  return ::plan(module, getTargetFlags().lower.get(),
                [](StringRef target) { return Target::parse(target).takeError(); });
}

OwningOpRef<ModuleOp> llmc::planForGPU(ModuleOp module) {
  std::vector<LowerOptions> options = getTargetFlags().lower.get();
  if (getTargetFlags().lower.targets->empty())
    options.front().target = "cuda";
  return ::plan(module, options,
                [](StringRef target) { return GPUTarget::parse(target).takeError(); });
}

Programs llmc::planForObject(ModuleOp module) {
  const LowerFlags &flags = getTargetFlags().lower;
  llvm::Expected<LowerFlags::Targets> targets = flags.getTargets();
  if (!targets) {
    (void)report(targets.takeError());
    return {};
  }
  if (getPhase(module) != Phase::Lower && targets->ofCPUs.size() != 1) {
    (void)report(llvm::createStringError("--target: expected one target of a CPU, found %zu",
                                         targets->ofCPUs.size()));
    return {};
  }
  return planAll(module, flags.get());
}

EmitOptions llmc::getEmitOptions() {
  const EmitFlags &flags = getTargetFlags().emit;
  return {/*object=*/true, flags.symbol, flags.force, {}, flags.ptxas};
}
