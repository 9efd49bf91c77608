//===- Flags.cpp - the options of phases, on command lines and of pipelines ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Flags.h"
#include "llmc/Pipelines/Recipes.h"

#include "mlir/Pass/PassRegistry.h"

using namespace llmc;

std::vector<LowerOptions> LowerFlags::get() const {
  std::vector<std::string> names;
  if (targets)
    for (const std::string &given : *targets)
      llvm::append_range(names, splitTargets(given));
  if (names.empty())
    names = {target};
  std::vector<LowerOptions> options;
  options.reserve(names.size());
  for (const std::string &name : names)
    options.push_back({name, maxRows, kernels});
  return options;
}

llvm::Expected<LowerFlags::Targets> LowerFlags::getTargets() const {
  Targets parsed;
  for (const LowerOptions &each : get()) {
    if (GPUTarget::isNamedBy(each.target)) {
      llvm::Expected<GPUTarget> one = GPUTarget::parse(each.target);
      if (!one)
        return one.takeError();
      if (llvm::any_of(parsed.ofGPUs, [&](const GPUTarget &other) {
            return other.architecture == one->architecture;
          }))
        return llvm::createStringError(
            "expected one target for each architecture, found two for %s",
            one->architecture.c_str());
      parsed.ofGPUs.push_back(std::move(*one));
      continue;
    }
    llvm::Expected<Target> one = Target::parse(each.target);
    if (!one)
      return one.takeError();
    parsed.ofCPUs.push_back(std::move(*one));
  }
  return parsed;
}

void llmc::registerPipelines() {
  registerRecipes();
  mlir::PassPipelineRegistration<RaiseFlags>(
      "raise", "The phase raise: an ONNX graph in the language of models, its blocks as functions",
      [](mlir::OpPassManager &manager, const RaiseFlags &flags) {
        buildRaisePipeline(manager, flags.get());
      });
  mlir::PassPipelineRegistration<LowerFlags>(
      "lower", "The phase lower: a model as a program for a target",
      [](mlir::OpPassManager &manager, const LowerFlags &flags) {
        buildLowerPipeline(manager, {flags.target, flags.maxRows, flags.kernels});
      });
}
