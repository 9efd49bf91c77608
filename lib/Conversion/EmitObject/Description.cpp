//===- Description.cpp - what a compiled program says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitObject/Description.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

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

std::string llmc::describe(ModuleOp module, StringRef input, StringRef passes) {
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
  llvm::json::Object description{{"model", llvm::sys::path::filename(input)},
                                 {"passes", passes},
                                 {"parameters", std::move(list)}};
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(description));
  return text;
}
