//===- RemoveUnused.cpp - nodes that nobody needs any more ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/RemoveUnused.h"
#include "Evaluate/Operator.h"
#include "Graph/Node.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Iterators.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

void llmc::removeUnusedNodes(GraphOp graph, SmallPtrSet<Operation *, 16> nodes) {
  // What reads a value comes after it, so a walk backwards meets readers first.
  graph->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (!nodes.contains(op) || !op->use_empty() || !isa<NodeOp, InitializerOp, AbsentOp>(op))
      return;
    auto addReads = [&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *producer = operand.getDefiningOp())
          nodes.insert(producer);
    };
    op->walk(addReads);
    nodes.erase(op);
    op->erase();
  });
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

namespace {

/// An output of the graph.
struct Output {
  StringRef name;
  Value value;
  Type type; ///< as the file declares it

  bool isNamed(StringRef part) const { return name.contains_insensitive(part); }
  int64_t getRank() const {
    auto ranked = dyn_cast<RankedTensorType>(type);
    return ranked ? ranked.getRank() : -1;
  }
  /// Whether it passes on what came in, or says a cache or a count by its name or type.
  bool isState() const {
    auto shaped = dyn_cast<ShapedType>(type);
    bool isNumber = shaped && !isa<FloatType>(shaped.getElementType());
    return isNamed("present") || isNamed("past") || isNamed("cache") || isNumber ||
           isa<BlockArgument>(value);
  }
};

} // namespace

static SmallVector<Output> getOutputs(GraphOp graph) {
  auto yield = cast<YieldOp>(graph.getBody().front().back());
  SmallVector<Output> outputs;
  for (auto [name, value, type] :
       llvm::zip(graph.getOutputNames(), yield.getValues(), graph.getOutputTypes()))
    outputs.push_back({cast<StringAttr>(name).getValue(), value, cast<TypeAttr>(type).getValue()});
  return outputs;
}

/// The outputs that may be the logits: the first one of that name, or all that are no state.
static SmallVector<size_t> findCandidates(ArrayRef<Output> outputs) {
  SmallVector<size_t> candidates;
  for (auto [i, output] : llvm::enumerate(outputs)) {
    if (output.isState() || output.getRank() >= 4)
      continue;
    if (output.isNamed("logits"))
      return {i};
    candidates.push_back(i);
  }
  return candidates;
}

LogicalResult llmc::keepLogits(GraphOp graph) {
  SmallVector<Output> outputs = getOutputs(graph);
  if (outputs.size() < 2)
    return success();
  SmallVector<size_t> candidates = findCandidates(outputs);
  if (candidates.empty())
    return graph.emitError("expected an output of logits, found none");
  if (candidates.size() > 1)
    return graph.emitError("expected one output of logits beside the cache, found ")
           << candidates.size() << ": '" << outputs[candidates[0]].name << "', '"
           << outputs[candidates[1]].name << "'" << (candidates.size() > 2 ? ", …" : "")
           << " (name the one with logits 'logits')";
  size_t logits = candidates[0];
  std::string others;
  SmallPtrSet<Operation *, 16> unused;
  for (auto [i, output] : llvm::enumerate(outputs)) {
    if (i == logits)
      continue;
    if (!output.isState())
      others += (others.empty() ? "'" : ", '") + output.name.str() + "'";
    if (Operation *op = output.value.getDefiningOp())
      unused.insert(op);
  }
  if (!others.empty())
    graph.emitRemark("takes output '")
        << outputs[logits].name << "' as the logits and leaves out " << others;
  Builder builder(graph.getContext());
  auto keep = [&](ArrayAttr list) { return builder.getArrayAttr(list[logits]); };
  graph.setOutputNamesAttr(keep(graph.getOutputNames()));
  graph.setOutputTypesAttr(keep(graph.getOutputTypes()));
  graph.setOutputDimsAttr(keep(graph.getOutputDims()));
  graph.getBody().front().back().setOperands(outputs[logits].value);
  removeUnusedNodes(graph, std::move(unused));
  return success();
}

/// Whether a node is a Softmax or LogSoftmax of each vector along the last of so many axes.
static bool isSoftmaxOfRows(NodeOp op, int64_t rank) {
  Node node(op);
  std::string type = node.getType();
  if ((type != "Softmax" && type != "LogSoftmax") || op.getInputs().size() != 1)
    return false;
  int64_t opset = getOpset(node);
  int64_t axis = node.getInt("axis", opset > 0 && opset < 13 ? 1 : -1);
  return axis == -1 || (rank > 0 && axis == rank - 1);
}

/// The node that an output is of, before what changes its type or name alone.
static NodeOp findLastNode(Value value) {
  auto node = value.getDefiningOp<NodeOp>();
  while (node && (node.getOpType() == "Identity" || node.getOpType() == "Cast") &&
         node->hasOneUse() && !node.getInputs().empty())
    node = node.getInputs()[0].getDefiningOp<NodeOp>();
  return node && node->hasOneUse() ? node : NodeOp();
}

SmallVector<std::string> llmc::leaveOutSoftmax(GraphOp graph) {
  SmallVector<std::string> changed;
  for (const Output &output : getOutputs(graph)) {
    NodeOp node = findLastNode(output.value);
    if (!node || output.isState() || !isSoftmaxOfRows(node, output.getRank()))
      continue;
    changed.push_back(Node(node).getType());
    node->getResult(0).replaceAllUsesWith(node.getInputs()[0]);
    removeUnusedNodes(graph, {node.getOperation()});
  }
  return changed;
}

DenseSet<Value> llmc::findNeededInputs(GraphOp graph) {
  SmallVector<Output> outputs = getOutputs(graph);
  SmallVector<size_t> candidates = findCandidates(outputs);
  DenseSet<Value> seen;
  SmallVector<Value> next;
  for (auto [i, output] : llvm::enumerate(outputs))
    if (candidates.size() != 1 || candidates[0] == i)
      next.push_back(output.value);
  while (!next.empty()) {
    Value value = next.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    if (Operation *op = value.getDefiningOp())
      op->walk([&](Operation *inner) { llvm::append_range(next, inner->getOperands()); });
  }
  return seen;
}
