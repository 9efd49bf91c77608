//===- MergeBranches.cpp - choices between the same ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/MergeBranches.h"
#include "Graph/Node.h"
#include "Graph/RemoveUnused.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Values of one branch and what stands for them in the other.
using Pairs = DenseMap<Value, Value>;

/// Whether two operations do the same, names aside. Notes their results as pairs.
static bool areEqual(Operation *a, Operation *b, Pairs &pairs) {
  if (a->getName() != b->getName() || a->getNumOperands() != b->getNumOperands() ||
      a->getNumResults() != b->getNumResults() || a->getNumRegions() > 0 || b->getNumRegions() > 0)
    return false;
  for (auto [left, right] : llvm::zip(a->getOperands(), b->getOperands())) {
    auto known = pairs.find(left);
    if ((known == pairs.end() ? left : known->second) != right)
      return false;
  }
  if (auto node = dyn_cast<NodeOp>(a)) {
    auto other = cast<NodeOp>(b);
    if (Node(node).getType() != Node(other).getType() ||
        node.getNodeAttributes() != other.getNodeAttributes() ||
        node->getAttr(opsetName) != other->getAttr(opsetName))
      return false;
  } else if (auto initializer = dyn_cast<InitializerOp>(a)) {
    if (initializer.getData() != cast<InitializerOp>(b).getData() ||
        initializer.getType() != cast<InitializerOp>(b).getType())
      return false;
  }
  for (auto [left, right] : llvm::zip(a->getResults(), b->getResults()))
    pairs[left] = right;
  return true;
}

static bool areEqual(Block &a, Block &b) {
  Pairs pairs;
  auto left = a.begin(), right = b.begin();
  for (; left != a.end() && right != b.end(); ++left, ++right)
    if (!areEqual(&*left, &*right, pairs))
      return false;
  return left == a.end() && right == b.end();
}

void llmc::mergeEqualBranches(GraphOp graph) {
  SmallPtrSet<Operation *, 16> conditions;
  // Inner ones first: what contains them may become equal by that.
  graph.walk([&](NodeOp op) {
    if (Node(op).getType() != "If" || op.getBodies().size() != 2 ||
        !areEqual(op.getBodies()[0].front(), op.getBodies()[1].front()))
      return;
    Block &body = op.getBodies()[0].front();
    auto yield = cast<YieldOp>(body.back());
    if (yield.getValues().size() != op.getNumResults())
      return;
    for (auto [result, value] : llvm::zip(op.getResults(), yield.getValues()))
      result.replaceAllUsesWith(value);
    yield.erase();
    for (Value condition : op.getInputs())
      if (Operation *producer = condition.getDefiningOp())
        conditions.insert(producer);
    op->getBlock()->getOperations().splice(op->getIterator(), body.getOperations());
    op.erase();
  });
  removeUnusedNodes(graph, std::move(conditions));
}
