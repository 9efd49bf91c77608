//===- Compress.cpp - the phase compress: passes that the user chooses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Compress.h"
#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Support/PassOptions.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace llmc;

llvm::Error llmc::buildCompressPipeline(OpPassManager &manager, const CompressOptions &options) {
  if (!options.passes.empty()) {
    if (llvm::Error error = checkPassOptionsGivenOnce(options.passes))
      return llvm::createStringError("--passes: %s", llvm::toString(std::move(error)).c_str());
    std::string message;
    llvm::raw_string_ostream stream(message);
    if (failed(parsePassPipeline(options.passes, manager, stream)))
      return llvm::createStringError("--passes: %s", StringRef(message).trim().str().c_str());
  }
  if (options.activation == Activation::None)
    manager.addPass(createStripActivationRounding());
  return llvm::Error::success();
}

/// Adds what is done to the module to what has been done before.
static void recordPasses(ModuleOp module, StringRef passes) {
  if (passes.empty())
    return;
  auto before = module->getAttrOfType<StringAttr>(passesAttributeName);
  std::string all = before ? before.getValue().str() + "," : "";
  module->setAttr(passesAttributeName, StringAttr::get(module.getContext(), all + passes));
}

LogicalResult llmc::compressModel(ModuleOp module, const CompressOptions &options) {
  PassManager manager(module.getContext());
  if (llvm::Error error = buildCompressPipeline(manager, options))
    return emitError(UnknownLoc::get(module.getContext())) << llvm::toString(std::move(error));
  if (failed(manager.run(module)))
    return failure();
  recordPasses(module, options.passes);
  return success();
}
