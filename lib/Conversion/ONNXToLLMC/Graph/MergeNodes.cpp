//===- MergeNodes.cpp - equal nodes of a graph as one ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/MergeNodes.h"
#include "Evaluate/Operator.h"
#include "Graph/Node.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/Hashing.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

static bool areEqual(NodeOp a, NodeOp b) {
  if (a.getOpTypeAttr() != b.getOpTypeAttr() || a.getDomainAttr() != b.getDomainAttr() ||
      a.getNodeAttributesAttr() != b.getNodeAttributesAttr() ||
      a.getResultTypes() != b.getResultTypes() || a.getInputs().size() != b.getInputs().size())
    return false;
  // Absent operands are all the same.
  return llvm::all_of(llvm::zip(a.getInputs(), b.getInputs()), [](auto pair) {
    auto [first, second] = pair;
    return first == second ||
           (isa<AbsentType>(first.getType()) && isa<AbsentType>(second.getType()));
  });
}

static llvm::hash_code getHash(NodeOp node) {
  llvm::hash_code hash = llvm::hash_combine(node.getOpTypeAttr(), node.getNodeAttributesAttr());
  for (Value input : node.getInputs())
    if (!isa<AbsentType>(input.getType()))
      hash = llvm::hash_combine(hash, input);
  return hash;
}

void llmc::mergeEqualNodes(GraphOp graph) {
  DenseMap<size_t, SmallVector<NodeOp, 1>> seen;
  for (auto node : llvm::make_early_inc_range(graph.getBody().front().getOps<NodeOp>())) {
    if (node->getNumRegions() > 0 || node.getInputs().empty() ||
        !findOperator(Node(node).getType()))
      continue;
    SmallVector<NodeOp, 1> &alike = seen[getHash(node)];
    auto *found = llvm::find_if(alike, [&](NodeOp other) { return areEqual(node, other); });
    if (found == alike.end()) {
      alike.push_back(node);
      continue;
    }
    node->replaceAllUsesWith(*found);
    node.erase();
  }
}
