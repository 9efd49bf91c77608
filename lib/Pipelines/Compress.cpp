//===- Compress.cpp - the phase compress: passes that the user chooses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Compress.h"
#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Pipelines/Recipes.h"
#include "llmc/Support/PassOptions.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace llmc;

/// Adds passes, or says what is wrong with their text.
static llvm::Error addPasses(OpPassManager &manager, StringRef passes) {
  if (llvm::Error error = checkPassOptionsGivenOnce(passes))
    return error;
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (failed(parsePassPipeline(passes, manager, stream)))
    return llvm::createStringError(StringRef(message).trim());
  return llvm::Error::success();
}

static llvm::Error atOption(const Twine &option, llvm::Error error) {
  return error ? llvm::createStringError(option + ": " + llvm::toString(std::move(error)))
               : llvm::Error::success();
}

/// The passes of a recipe; none where none is named.
static llvm::Expected<std::string> findRecipePasses(StringRef recipe) {
  if (recipe.empty())
    return "";
  llvm::Expected<std::string> text = readRecipe(recipe);
  if (!text)
    return atOption("--recipe", text.takeError());
  llvm::Expected<std::string> passes = getRecipePasses(*text);
  if (!passes)
    return atOption("--recipe=" + recipe, passes.takeError());
  return passes;
}

/// Adds the passes of the phase, those of the recipe read before.
static llvm::Error addPhase(OpPassManager &manager, StringRef recipe,
                            const CompressOptions &options) {
  if (llvm::Error error = addPasses(manager, recipe))
    return atOption("--recipe=" + options.recipe, std::move(error));
  if (llvm::Error error = addPasses(manager, options.passes))
    return atOption("--passes", std::move(error));
  if (options.activation == Activation::None)
    manager.addPass(createStripActivationRounding());
  return llvm::Error::success();
}

llvm::Error llmc::buildCompressPipeline(OpPassManager &manager, const CompressOptions &options) {
  llvm::Expected<std::string> recipe = findRecipePasses(options.recipe);
  return recipe ? addPhase(manager, *recipe, options) : recipe.takeError();
}

/// Adds what is done to the module to what has been done before.
static void recordPasses(ModuleOp module, StringRef passes) {
  if (passes.empty())
    return;
  auto before = module->getAttrOfType<StringAttr>(passesAttributeName);
  std::string all = before ? before.getValue().str() + "," : "";
  module->setAttr(passesAttributeName, StringAttr::get(module.getContext(), all + passes));
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

static constexpr StringLiteral cachePass = "quantize-kv-cache";

/// The parameters whose weights are stored rounded, and how.
static DenseMap<StringAttr, Attribute> collectRounded(ModuleOp module) {
  DenseMap<StringAttr, Attribute> rounded;
  for (auto parameter : module.getOps<ParameterOp>()) {
    Attribute encoding = parameter.getTensorType().getEncoding();
    auto sparsity = dyn_cast_or_null<SparsityInterface>(encoding);
    if (isa_and_nonnull<EncodingInterface>(sparsity ? sparsity.getWeights() : encoding))
      rounded[parameter.getSymNameAttr()] = encoding;
  }
  return rounded;
}

/// Whether the model has caches, all of them in fp32.
static bool hasPlainCaches(ModuleOp module) {
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step)
    return false;
  int64_t caches = 0;
  for (Type type : step.getArgumentTypes())
    if (auto cache = dyn_cast<KVCacheType>(type)) {
      for (CacheEncodingInterface encoding : {cache.getKeys(), cache.getValues()})
        if (auto plain = dyn_cast<PlainAttr>(encoding); !plain || !plain.getElement().isF32())
          return false;
      ++caches;
    }
  return caches > 0;
}

/// Whether a pass of this or an earlier run has said how caches are stored.
static bool choosesCaches(ModuleOp module) {
  auto passes = module->getAttrOfType<StringAttr>(passesAttributeName);
  return passes && passes.getValue().contains(cachePass);
}

/// Stores keys and values in f16 where weights have been rounded since they were `before`.
static LogicalResult chooseCaches(ModuleOp module, const DenseMap<StringAttr, Attribute> &before) {
  bool hasRounded = llvm::any_of(collectRounded(module), [&](const auto &entry) {
    return before.lookup(entry.first) != entry.second;
  });
  if (!hasRounded || choosesCaches(module) || !hasPlainCaches(module))
    return success();
  QuantizeKVCacheOptions options;
  options.keys = options.values = "f16";
  PassManager manager(module.getContext());
  manager.addPass(createQuantizeKVCache(options));
  if (failed(manager.run(module)))
    return failure();
  recordPasses(module, (cachePass + "{keys=f16 values=f16}").str());
  return success();
}

LogicalResult llmc::compressModel(ModuleOp module, const CompressOptions &options) {
  PassManager manager(module.getContext());
  auto report = [&](llvm::Error error) {
    return emitError(UnknownLoc::get(module.getContext())) << llvm::toString(std::move(error));
  };
  // Read once: it may be a pipe, or change meanwhile.
  llvm::Expected<std::string> recipe = findRecipePasses(options.recipe);
  if (!recipe)
    return report(recipe.takeError());
  if (llvm::Error error = addPhase(manager, *recipe, options))
    return report(std::move(error));
  DenseMap<StringAttr, Attribute> before = collectRounded(module);
  if (failed(manager.run(module)))
    return failure();
  recordPasses(module, *recipe);
  recordPasses(module, options.passes);
  return options.caches == Caches::Auto ? chooseCaches(module, before) : success();
}
