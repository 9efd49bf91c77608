//===- Description.cpp - what a compiled program says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Path.h"

#include <map>

using namespace mlir;
using namespace llmc;

/// How the inputs of linears are rounded, by parameter: the first that says so.
static llvm::DenseMap<Operation *, DynamicAttr> findActivations(ModuleOp module) {
  llvm::DenseMap<Operation *, DynamicAttr> activations;
  module.walk([&](LinearOp linear) {
    if (DynamicAttr activation = linear.getActivationAttr())
      for (ParameterOp parameter : getParametersOf(linear.getWeight()))
        activations.try_emplace(parameter, activation);
  });
  return activations;
}

static llvm::json::Object describeParameter(ParameterOp parameter) {
  RankedTensorType type = parameter.getTensorType();
  llvm::json::Array shape(type.getShape());
  FailureOr<int64_t> bytes = getParameterByteSize(type, [&] { return parameter.emitOpError(); });
  double bits = type.getElementTypeBitWidth();
  if (auto encoding = dyn_cast_or_null<EncodingInterface>(type.getEncoding()))
    bits = encoding.getBitsPerWeight(type.getShape());
  return llvm::json::Object{{"name", parameter.getSymName()},
                            {"shape", std::move(shape)},
                            {"encoding", spellEncoding(type)},
                            {"bytes", succeeded(bytes) ? *bytes : 0},
                            {"bits_per_weight", bits}};
}

namespace {

/// Counts how often a step runs each operation of the dialect, through all calls.
class OperationCounter {
public:
  using Counts = llvm::StringMap<int64_t>;

  explicit OperationCounter(ModuleOp module) : symbols(module) {}

  const Counts &count(func::FuncOp function) {
    auto [known, isNew] = counts.try_emplace(function);
    // Where functions call each other in a circle, the call that closes it counts as nothing.
    if (!isNew)
      return known->second;
    Counts own;
    function.walk([&](Operation *op) {
      if (isa<LLMCDialect>(op->getDialect()) && !isa<ParameterValueOp>(op))
        ++own[op->getName().stripDialect()];
      if (auto call = dyn_cast<func::CallOp>(op))
        if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee()))
          for (const auto &entry : count(callee))
            own[entry.getKey()] += entry.getValue();
    });
    return counts[function] = std::move(own);
  }

private:
  SymbolTable symbols;
  std::map<Operation *, Counts> counts;
};

} // namespace

/// How a cache is stored: "keys …, values …, the newest 32 and the first 4 positions in f16".
static std::string spellCache(KVCacheType cache) {
  auto spell = [](CacheEncodingInterface encoding) {
    auto plain = dyn_cast<PlainAttr>(encoding);
    return spellForPeople(plain ? Attribute(TypeAttr::get(plain.getElement())) : encoding);
  };
  std::string text = "keys " + spell(cache.getKeys()) + ", values " + spell(cache.getValues());
  auto spellHeads = [](const CacheVectors &vectors) {
    return std::to_string(vectors.heads) + "x" + std::to_string(vectors.size);
  };
  if (std::string own = spellHeads(cache.getValueVectors()),
      keys = spellHeads(cache.getKeyVectors());
      own != keys)
    text += ", " + own + " numbers of values beside " + keys + " of keys";
  if (cache.getResidual() != 0)
    text += ", the newest " + std::to_string(cache.getResidual()) + " and the first " +
            std::to_string(cache.getSinks()) + " positions in f16";
  std::string chosen;
  if (cache.choosesPositions())
    chosen = ", " + std::to_string(cache.getHeavy()) + " of most weight";
  if (cache.getObserved() != 0)
    chosen += " by " + std::to_string(cache.getObserved()) + " queries";
  if (cache.evicts())
    text += ", of " + std::to_string(cache.getBudget()) + " positions, the first " +
            std::to_string(cache.getFirst()) + chosen + " and the newest";
  return text;
}

/// Adds what the function that computes a step says of its model.
static void describeStep(ModuleOp module, llvm::json::Object &description) {
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.isExternal())
    return;
  int64_t context = 0;
  llvm::json::Array caches;
  for (Type type : step.getArgumentTypes())
    if (auto cache = dyn_cast<KVCacheType>(type)) {
      context = caches.empty() ? cache.getCapacity() : std::min(context, cache.getCapacity());
      caches.push_back("cache " + std::to_string(caches.size()) + ": " + spellCache(cache));
    }
  OperationCounter counter(module);
  const auto &counts = counter.count(step);
  if (!caches.empty()) {
    // Layers may read one cache.
    description["layers"] = counts.lookup("attention");
    description["context"] = context;
    description["caches"] = std::move(caches);
  }
  if (step.getNumResults() == 1)
    if (auto logits = dyn_cast<RankedTensorType>(step.getResultTypes().front());
        logits && logits.getRank() == 2 && !logits.isDynamicDim(1))
      description["vocabulary"] = logits.getDimSize(1);
  llvm::json::Object operations;
  for (const auto &entry : counts)
    operations[entry.getKey().str()] = entry.getValue();
  if (!operations.empty())
    description["operations"] = std::move(operations);
}

llvm::json::Object llmc::describe(ModuleOp module, ModelNames names) {
  llvm::SetVector<Operation *> parameters;
  SymbolTableCollection symbols;
  module.walk([&](ParameterValueOp read) {
    if (auto parameter =
            symbols.lookupNearestSymbolFrom<ParameterOp>(read, read.getParameterAttr()))
      parameters.insert(parameter);
  });
  llvm::DenseMap<Operation *, DynamicAttr> activations = findActivations(module);
  llvm::json::Array list;
  for (Operation *parameter : parameters) {
    llvm::json::Object described = describeParameter(cast<ParameterOp>(parameter));
    if (DynamicAttr activation = activations.lookup(parameter))
      described["activation"] = spellForPeople(activation);
    list.push_back(std::move(described));
  }
  llvm::json::Object description{{"model", llvm::sys::path::filename(names.input)},
                                 {"passes", names.passes},
                                 {"parameters", std::move(list)}};
  describeStep(module, description);
  return description;
}

std::string llmc::spellDescription(llvm::json::Object description) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(description));
  return text;
}
