//===- WeightSelection.cpp - the weights that a compression pass takes in ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/WeightSelection.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace llmc;

/// The linears that compute logits: they see only the rows whose logits are wanted.
static llvm::DenseSet<Operation *> findHeads(ModuleOp module) {
  llvm::SetVector<Operation *> reached;
  module.walk([&](OutputRowsOp rows) { reached.insert(rows); });
  llvm::DenseSet<Operation *> heads;
  for (size_t i = 0; i < reached.size(); ++i) {
    if (isa<LinearOp>(reached[i]))
      heads.insert(reached[i]);
    for (Operation *user : reached[i]->getUsers())
      reached.insert(user);
  }
  return heads;
}

static bool readsTokens(EmbeddingOp embedding) {
  return isa<BlockArgument>(embedding.getIndices());
}

FailureOr<SmallVector<SelectedWeight>>
llmc::selectWeights(ModuleOp module, ArrayRef<std::string> ignore, bool includeHead) {
  std::vector<llvm::Regex> expressions;
  for (const std::string &text : ignore) {
    std::string message;
    if (!expressions.emplace_back(text).isValid(message))
      return module.emitError("ignore: expected a regular expression, found '")
             << text << "': " << message;
  }
  llvm::DenseSet<Operation *> heads = findHeads(module), excluded;
  llvm::DenseMap<Operation *, SmallVector<LinearOp>> found;
  module.walk([&](LinearOp linear) {
    bool excludes = heads.contains(linear) && !includeHead;
    for (ParameterOp parameter : getParametersOf(linear.getWeight())) {
      found[parameter].push_back(linear);
      if (excludes)
        excluded.insert(parameter);
    }
  });
  module.walk([&](EmbeddingOp embedding) {
    // A table of positions is not worth its error.
    bool excludes = !readsTokens(embedding) || !includeHead;
    for (ParameterOp parameter : getParametersOf(embedding.getTable())) {
      found.try_emplace(parameter);
      if (excludes)
        excluded.insert(parameter);
    }
  });

  for (auto [text, expression] : llvm::zip(ignore, expressions))
    if (llvm::none_of(found, [&, &expression = expression](const auto &entry) {
          return expression.match(cast<ParameterOp>(entry.first).getSymName());
        }))
      module.emitWarning("ignore: no weight's name matches '") << text << "'";

  SmallVector<SelectedWeight> selected;
  for (auto parameter : module.getOps<ParameterOp>()) {
    auto linears = found.find(parameter);
    bool ignored = llvm::any_of(expressions, [&](llvm::Regex &expression) {
      return expression.match(parameter.getSymName());
    });
    if (linears != found.end() && !ignored && !excluded.contains(parameter))
      selected.push_back({parameter, linears->second});
  }
  return selected;
}
