//===- GroupTensorAlgebra.cpp - tensor algebra in pieces that give activations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupTensorAlgebra.h"
#include "llmc/Dialect/SPMD/IR/BufferLayout.h"
#include "llmc/Dialect/SPMD/IR/RowWise.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"
#include "llmc/Support/ReadValues.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

/// Sums of activations are what llmc has operations for.
static bool isPlain(Operation *op) {
  return isTensorAlgebra(op) &&
         !(isa<arith::AddFOp>(op) && isActivations(op->getResultTypes().front()));
}

/// Whether what else there is in a function needs the result.
static bool isRoot(Operation *op) {
  return isPlain(op) && op->getNumResults() == 1 && isActivations(op->getResultTypes().front()) &&
         llvm::any_of(op->getUsers(), [&](Operation *user) {
           Operation *inBlock = op->getBlock()->findAncestorOpInBlock(*user);
           return !inBlock || !isPlain(inBlock);
         });
}

namespace {

/// What a root is computed of.
struct Group {
  llvm::SetVector<Operation *> ops; ///< operands first
  llvm::SetVector<Value> inputs;

  void add(Operation *root);
};

} // namespace

void Group::add(Operation *root) {
  SmallVector<std::pair<Operation *, bool>> stack{{root, false}};
  while (!stack.empty()) {
    auto [op, done] = stack.pop_back_val();
    if (done) {
      ops.insert(op);
      continue;
    }
    if (ops.contains(op))
      continue;
    stack.push_back({op, true});
    SmallVector<Value> values = getReadValues(op);
    for (Value operand : llvm::reverse(values)) {
      Operation *producer = operand.getDefiningOp();
      if (producer && isPlain(producer) && !isRoot(producer))
        stack.push_back({producer, false});
      else
        inputs.insert(operand);
    }
  }
}

static LogicalResult group(Operation *root) {
  Group group;
  group.add(root);
  for (Operation *op : group.ops)
    if (std::string reason = explainNotRowWise(op); !reason.empty())
      return op->emitOpError(reason);
  OpBuilder builder(root);
  auto map = spmd::MapRowsOp::create(builder, root->getLoc(), root->getResultTypes().front(),
                                     group.inputs.getArrayRef());
  Block &body = map.getBody().emplaceBlock();
  IRMapping mapping;
  for (Value input : group.inputs)
    mapping.map(input, body.addArgument(input.getType(), input.getLoc()));
  builder.setInsertionPointToStart(&body);
  for (Operation *op : group.ops)
    builder.clone(*op, mapping);
  spmd::YieldOp::create(builder, root->getLoc(), mapping.lookup(root->getResult(0)));
  // Other roots' groups, which come later, find this result as what it is.
  root->getResult(0).replaceAllUsesWith(map.getResult());
  return success();
}

LogicalResult llmc::groupTensorAlgebra(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    for (Block &block : function.getBody()) {
      SmallVector<Operation *> roots;
      for (Operation &op : block)
        if (isRoot(&op))
          roots.push_back(&op);
      for (Operation *root : roots)
        if (failed(group(root)))
          return failure();
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
        if (isPlain(&op) && isOpTriviallyDead(&op))
          op.erase();
    }
  }
  return success();
}
