//===- Outputs.cpp - the end of the function that a raise builds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Outputs.h"
#include "Raise/Attention.h"
#include "Raise/Emission.h"
#include "Raise/Raise.h"
#include "Raise/StaticRounding.h"

using namespace mlir;
using namespace llmc;

/// Whether an operation's rows depend on the same rows of its first operand alone.
static bool isRowwise(Operation *op) {
  return isa_and_nonnull<LinearOp, RMSNormOp, LayerNormOp, ActivationOp, ScaleOp>(op);
}

/// Lets the wanted rows alone pass through what follows the last attention: the norm and the head.
static Value selectOutputRows(Raise &raise, Value logits) {
  // The operations on the way, from the logits back to the last value that others read too.
  llvm::SmallPtrSet<Operation *, 8> way;
  Value at = logits;
  while (isRowwise(at.getDefiningOp()) && (at == logits || at.hasOneUse())) {
    way.insert(at.getDefiningOp());
    at = at.getDefiningOp()->getOperand(0);
  }
  OpBuilder here(raise.builder.getContext());
  here.setInsertionPointAfterValue(at);
  Value wanted = OutputRowsOp::create(here, raise.location, at.getType(), at, raise.step.getRows())
                     .getResult();
  at.replaceUsesWithIf(wanted, [&](OpOperand &use) { return way.contains(use.getOwner()); });
  return at == logits ? wanted : logits;
}

/// The output that is the model's logits: of those that hold rows the only one, or the one of that
/// name. The others, such as hidden states, are then named in a remark and left out.
static FailureOr<View> findLogits(Raise &raise) {
  carrier::GraphOp graph = raise.graph;
  auto yield = cast<carrier::YieldOp>(graph.getBody().front().back());
  SmallVector<std::pair<StringRef, Value>> candidates;
  SmallVector<StringRef> strange; // such as the weights of attention
  for (auto [value, name] : llvm::zip(yield.getValues(), graph.getOutputNames())) {
    StringRef text = cast<StringAttr>(name).getValue();
    const Meaning *found = raise.getMeaning(value);
    auto *view = dyn_cast_or_null<View>(found);
    if (isa_and_nonnull<PastValue, CacheValue>(found) || (view && view->past >= 0))
      continue;
    // Without past inputs, keys and values may still be given out: rank 4, one per attention.
    if (view && view->shape.size() == 4 && !candidates.empty())
      continue;
    if (found && found->isRows())
      candidates.push_back({text, value});
    else
      strange.push_back(text);
  }
  if (candidates.empty() && strange.empty())
    return graph.emitError("expected an output of logits, found none");
  auto *chosen = llvm::find_if(candidates, [](const auto &candidate) {
    return candidate.first.contains_insensitive("logits");
  });
  if (chosen == candidates.end() && candidates.size() + strange.size() > 1)
    return graph.emitError("expected outputs to be logits and the cache, found '")
           << (strange.empty() ? candidates[1].first : strange[0]) << "'";
  if (candidates.empty())
    return graph.emitError("expected outputs to be logits and the cache, found '")
           << strange[0] << "'";
  if (chosen == candidates.end())
    chosen = candidates.begin();
  std::string others;
  for (const auto &candidate : candidates)
    if (candidate != *chosen)
      others += (others.empty() ? "'" : ", '") + candidate.first.str() + "'";
  for (StringRef name : strange)
    others += (others.empty() ? "'" : ", '") + name.str() + "'";
  if (!others.empty())
    graph.emitRemark("takes output '")
        << chosen->first << "' as the logits and leaves out " << others;
  raise.startAt(graph.getLoc());
  FailureOr<View> logits = raise.getMeaning(chosen->second)->toRows(raise);
  if (failed(logits))
    return graph.emitError("expected outputs to be logits and the cache, found '")
           << chosen->first << "': " << raise.getReason();
  return logits;
}

LogicalResult llmc::emitOutputs(Raise &raise) {
  FailureOr<View> logits = findLogits(raise);
  if (failed(logits))
    return failure();
  FailureOr<Value> value = materializeExactly(raise, *logits);
  if (failed(value))
    return raise.graph.emitError("cannot compute the logits: ") << raise.getReason();

  reportStaticRounding(raise);
  value = selectOutputRows(raise, *value);
  func::ReturnOp::create(raise.builder, raise.location, *value);
  func::FuncOp function = raise.step.getFunction();
  function.setFunctionType(raise.builder.getFunctionType(
      function.getBody().front().getArgumentTypes(), value->getType()));
  return success();
}
