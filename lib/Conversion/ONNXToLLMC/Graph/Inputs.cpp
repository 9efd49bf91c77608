//===- Inputs.cpp - what a model's inputs are for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Inputs.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace llmc;

/// A dimension's size, also where an exporter wrote the number as a name; -1 where it is open.
static int64_t getDimension(RankedTensorType type, ArrayAttr names, unsigned axis) {
  if (!type.isDynamicDim(axis))
    return type.getDimSize(axis);
  int64_t size;
  if (axis < names.size() && !cast<StringAttr>(names[axis]).getValue().getAsInteger(10, size) &&
      size > 0)
    return size;
  return -1;
}

static std::optional<ModelInput> classify(StringRef name, Type type, ArrayAttr dims) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked)
    return std::nullopt;
  Type element = ranked.getElementType();
  std::string lower = name.lower();
  auto named = [&](StringRef part) { return StringRef(lower).contains(part); };
  if (isa<FloatType>(element)) {
    if (ranked.getRank() == 4 && (named("past") || named("key") || named("value")))
      return ModelInput{InputRole::Past, getDimension(ranked, dims, 1),
                        getDimension(ranked, dims, 3)};
    return std::nullopt;
  }
  if (element.isInteger(1) && named("cache"))
    return ModelInput{InputRole::UseCache};
  if (named("mask") && ranked.getRank() == 2)
    return ModelInput{InputRole::Mask};
  if (named("cache_position"))
    return ModelInput{InputRole::CachePositions};
  if (named("position") && ranked.getRank() == 2)
    return ModelInput{InputRole::Positions};
  if (ranked.getRank() == 2 && element.isIntOrIndex() && !named("type"))
    return ModelInput{InputRole::Tokens};
  return std::nullopt;
}

FailureOr<SmallVector<ModelInput>> llmc::classifyInputs(carrier::GraphOp graph) {
  SmallVector<ModelInput> inputs;
  std::string unknown;
  llvm::raw_string_ostream stream(unknown);
  unsigned tokens = 0;
  for (auto [name, argument, dims] :
       llvm::zip(graph.getInputNames(), graph.getBody().getArguments(), graph.getInputDims())) {
    StringRef text = cast<StringAttr>(name).getValue();
    // Nobody reads it: whatever it is for, it does not matter.
    auto input = classify(text, argument.getType(), cast<ArrayAttr>(dims));
    if (!input && argument.use_empty())
      input = ModelInput{InputRole::UseCache};
    if (!input)
      stream << (unknown.empty() ? "" : ", ") << "'" << text << "' (" << argument.getType() << ")";
    else
      tokens += input->role == InputRole::Tokens;
    inputs.push_back(input.value_or(ModelInput{InputRole::Tokens}));
  }
  if (!unknown.empty())
    return graph.emitError("expected inputs that hold tokens, positions, a mask or a cache, found ")
           << unknown;
  if (tokens != 1)
    return graph.emitError("expected one input of tokens, a matrix of integers, found ") << tokens;
  return inputs;
}
