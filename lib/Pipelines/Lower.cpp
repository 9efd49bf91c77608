//===- Lower.cpp - the phase lower: from the language of models to a program for a target ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Lower.h"
#include "llmc/Conversion/LLMCToSPMD/Passes.h"
#include "llmc/Conversion/SPMDToCPU/Passes.h"
#include "llmc/Conversion/SPMDToGPU/Passes.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Transforms/Passes.h"

#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace llmc;

/// Whether a part of `T[,T…]` is a target by itself, and no variant of the one before it.
static bool beginsTarget(StringRef part) {
  StringRef name = part.split(':').first;
  if (name == "host" || name == "cuda")
    return true;
  llvm::Triple triple(llvm::Triple::normalize(name));
  return part.contains(':') || triple.isOSLinux();
}

std::vector<std::string> llmc::splitTargets(StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, ',');
  std::vector<std::string> targets;
  for (StringRef part : parts)
    if (targets.empty() || beginsTarget(part))
      targets.push_back(part.str());
    else if (StringRef(targets.back()).starts_with("cuda:"))
      targets.push_back(("cuda:" + part).str());
    else
      targets.back() += ("," + part).str();
  return targets;
}

void llmc::buildLowerPipeline(OpPassManager &manager, const LowerOptions &options) {
  manager.addPass(createBoundKeptWeights());
  manager.addPass(createConvertLLMCToSPMD({options.maxRows}));
  if (!GPUTarget::isNamedBy(options.target)) {
    manager.addPass(createConvertSPMDToCPU({options.target, options.kernels}));
    return;
  }
  ConvertSPMDToGPUOptions gpu;
  gpu.target = options.target;
  gpu.kernels = options.kernels;
  manager.addPass(createConvertSPMDToGPU(gpu));
}

OwningOpRef<ModuleOp> llmc::lowerModel(ModuleOp module, const LowerOptions &options) {
  OwningOpRef<ModuleOp> program = module.clone();
  PassManager manager(module.getContext());
  buildLowerPipeline(manager, options);
  return succeeded(manager.run(*program)) ? std::move(program) : nullptr;
}
