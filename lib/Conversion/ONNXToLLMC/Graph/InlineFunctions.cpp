//===- InlineFunctions.cpp - calls of a model's own functions replaced by their nodes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/InlineFunctions.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Calls inside calls that a file may have.
static constexpr int maxDepth = 32;

/// Gives attributes that stand for the function's the values of the call.
static LogicalResult bindAttributes(NodeOp node, NodeOp call, FunctionOp function) {
  NamedAttrList bound;
  for (NamedAttribute attribute : node.getNodeAttributes()) {
    auto reference = dyn_cast<AttributeRefAttr>(attribute.getValue());
    if (!reference) {
      bound.append(attribute);
      continue;
    }
    Attribute value = call.getNodeAttributes().get(reference.getName());
    if (!value)
      value = function.getDefaults().get(reference.getName());
    // An attribute that the call leaves out is left out.
    if (value)
      bound.append(attribute.getName(), value);
  }
  node.setNodeAttributesAttr(bound.getDictionary(node.getContext()));
  return success();
}

/// Replaces one call; gives the nodes that took its place.
static LogicalResult inlineCall(NodeOp call, FunctionOp function, SmallVectorImpl<NodeOp> &added) {
  Block &body = function.getBody().front();
  if (!call.getBodies().empty())
    return call.emitError("expected no graphs as attributes of a call of '")
           << function.getSymName() << "', found " << call.getBodies().size();
  if (call.getInputs().size() > body.getNumArguments())
    return call.emitError("expected at most ")
           << body.getNumArguments() << " inputs for '" << function.getSymName() << "', found "
           << call.getInputs().size();
  OpBuilder builder(call);
  IRMapping mapping;
  for (auto [i, argument] : llvm::enumerate(body.getArguments()))
    mapping.map(argument,
                i < call.getInputs().size()
                    ? call.getInputs()[i]
                    : AbsentOp::create(builder, call.getLoc(), AbsentType::get(call.getContext())));
  auto yield = cast<YieldOp>(body.back());
  if (call.getNumResults() > yield.getValues().size())
    return call.emitError("expected at most ")
           << yield.getValues().size() << " outputs of '" << function.getSymName() << "', found "
           << call.getNumResults();
  for (Operation &op : body.without_terminator()) {
    Operation *copy = builder.clone(op, mapping);
    WalkResult result = copy->walk([&](NodeOp node) {
      added.push_back(node);
      StringRef domain = node.getDomain().empty() ? "ai.onnx" : node.getDomain();
      if (auto version = function.getOpsets().getAs<IntegerAttr>(domain);
          version && !node->hasAttr(opsetName))
        node->setAttr(opsetName, version);
      return failed(bindAttributes(node, call, function)) ? WalkResult::interrupt()
                                                          : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
  }
  for (auto [result, value] : llvm::zip(call.getResults(), yield.getValues()))
    result.replaceAllUsesWith(mapping.lookupOrDefault(value));
  call.erase();
  return success();
}

LogicalResult llmc::inlineFunctions(ModuleOp module) {
  llvm::StringMap<FunctionOp> functions;
  for (auto function : module.getOps<FunctionOp>())
    functions[function.getSymName()] = function;
  if (functions.empty())
    return success();
  SmallVector<NodeOp> level;
  int64_t nodes = 0;
  for (auto graph : module.getOps<GraphOp>())
    graph.walk([&](NodeOp node) { level.push_back(node); });
  for (int depth = 0; !level.empty(); ++depth) {
    SmallVector<NodeOp> next;
    for (NodeOp node : level) {
      auto overload = node->getAttrOfType<StringAttr>(overloadName);
      auto found = functions.find(getFunctionSymbol(node.getDomain(), node.getOpType(),
                                                    overload ? overload.getValue() : ""));
      if (found == functions.end())
        continue;
      if (depth == maxDepth)
        return node.emitError("expected functions that call each other at most ")
               << maxDepth << " deep, found more at '" << found->first()
               << "' (does it call itself?)";
      if (nodes > maxNodes)
        return node.emitError("expected functions that make at most ")
               << maxNodes << " nodes, found more at '" << found->first() << "'";
      if (failed(inlineCall(node, found->second, next)))
        return failure();
      nodes = nodes + next.size();
    }
    level = std::move(next);
  }
  return success();
}
