//===- WeightSelection.cpp - the weights that a compression pass takes in ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/WeightSelection.h"
#include "llmc/Analysis/Structure.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/NamePatterns.h"

using namespace mlir;
using namespace llmc;

/// The matrices that linears and the token embedding read; tables of positions are not worth their
/// error.
static llvm::DenseMap<Operation *, SelectedWeight> findWeights(ModuleOp module) {
  llvm::DenseSet<Operation *> positions;
  llvm::DenseMap<Operation *, SelectedWeight> found;
  for (auto function : module.getOps<func::FuncOp>()) {
    Structure structure(function);
    function.walk([&](LinearOp linear) {
      for (ParameterOp parameter : getParametersOf(linear.getWeight())) {
        SelectedWeight &weight = found[parameter];
        weight.linears.push_back(linear);
        weight.isHead |= structure.isOfOutputRows(linear);
      }
    });
    function.walk([&](EmbeddingOp embedding) {
      for (ParameterOp parameter : getParametersOf(embedding.getTable())) {
        found[parameter].isHead = true;
        if (structure.getRole(embedding) != Role::Embedding)
          positions.insert(parameter);
      }
    });
  }
  for (Operation *table : positions)
    found.erase(table);
  return found;
}

/// "'a', 'b', 'c' and 4 others"
static std::string listNames(ArrayRef<ParameterOp> parameters) {
  constexpr size_t limit = 3;
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(parameters.take_front(limit), stream, [&](ParameterOp parameter) {
    stream << "'" << parameter.getSymName() << "'";
  });
  if (parameters.size() > limit)
    stream << " and " << parameters.size() - limit << " others";
  return text;
}

/// Whether weights are stored as less than floats.
static bool isRounded(RankedTensorType type) {
  auto sparsity = dyn_cast_or_null<SparsityInterface>(type.getEncoding());
  return sparsity ? !isa<TypeAttr>(sparsity.getWeights()) : type.getEncoding() != nullptr;
}

FailureOr<SmallVector<SelectedWeight>> llmc::selectWeights(ModuleOp module,
                                                           const WeightFilter &filter) {
  FailureOr<NamePatterns> only = NamePatterns::get(module.getLoc(), "only", filter.only);
  FailureOr<NamePatterns> ignore = NamePatterns::get(module.getLoc(), "ignore", filter.ignore);
  if (failed(only) || failed(ignore))
    return failure();
  llvm::DenseMap<Operation *, SelectedWeight> found = findWeights(module);
  SmallVector<SelectedWeight> selected;
  SmallVector<ParameterOp> rounded;
  for (auto parameter : module.getOps<ParameterOp>()) {
    auto weight = found.find(parameter);
    if (weight == found.end())
      continue;
    bool taken = only->match(parameter.getSymName()) || filter.only.empty();
    bool ignored = ignore->match(parameter.getSymName()).has_value();
    if (ignored || !taken || (weight->second.isHead && !filter.head))
      continue;
    if (isRounded(parameter.getTensorType()) && !filter.requantize) {
      rounded.push_back(parameter);
      continue;
    }
    weight->second.parameter = parameter;
    selected.push_back(std::move(weight->second));
  }
  only->warnOfUnused(module);
  ignore->warnOfUnused(module);
  if (!rounded.empty())
    module.emitRemark("requantize: left alone what is rounded already: ")
        << listNames(rounded) << "; requantize=true rounds it anew";
  return selected;
}
