//===- UnreadParts.cpp - what nothing in a model reads ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/UnreadParts.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/Pruning/UnitRemoval.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

/// Erases operations, and parameters that only those have read.
static void eraseUnreadOperations(func::FuncOp step, ArrayRef<CacheAppendOp> appends) {
  const llvm::DenseSet<Operation *> updates(appends.begin(), appends.end());
  llvm::SetVector<Operation *> parameters;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(step.getBody().front()))) {
    if (!isOpTriviallyDead(&op) && !(updates.contains(&op) && op.use_empty()))
      continue;
    if (isa<ParameterValueOp>(op))
      for (ParameterOp parameter : getParametersOf(op.getResult(0)))
        parameters.insert(parameter);
    op.erase();
  }
  for (Operation *parameter : parameters)
    if (SymbolTable::symbolKnownUseEmpty(parameter, parameter->getParentOp()))
      parameter->erase();
}

/// A linear and those whose results are added to its own, such as branches beside it.
static SmallVector<LinearOp> findSummands(LinearOp linear) {
  SmallVector<LinearOp> summands{linear};
  Value result = linear.getResult();
  while (result.hasOneUse() && isa<arith::AddFOp>(*result.user_begin())) {
    result = result.user_begin()->getResult(0);
    for (Value operand : result.getDefiningOp()->getOperands())
      if (auto other = operand.getDefiningOp<LinearOp>(); other && other != linear)
        summands.push_back(other);
  }
  return summands;
}

/// The parameters that the rows of a linear's result are computed with.
static SmallVector<ParameterOp> getRowParameters(LinearOp linear) {
  SmallVector<ParameterOp> parameters = getParametersOf(linear.getWeight());
  if (linear.getBias())
    llvm::append_range(parameters, getParametersOf(linear.getBias()));
  return parameters;
}

/// Of parameters of linears that are read by slices alone: the rows that some slice takes.
static llvm::MapVector<Operation *, llvm::BitVector> findReadRows(func::FuncOp step) {
  const Structure structure(step);
  llvm::MapVector<Operation *, llvm::BitVector> rows;
  llvm::DenseSet<Operation *> sliced;
  for (auto linear : step.getOps<LinearOp>()) {
    llvm::BitVector read(cast<RankedTensorType>(linear.getType()).getDimSize(1));
    for (const LinearPart &part : structure.getParts(linear))
      read.set(part.begin, part.begin + part.size);
    if (read.all())
      continue;
    for (LinearOp summand : findSummands(linear)) {
      sliced.insert(summand);
      for (ParameterOp parameter : getRowParameters(summand))
        rows.try_emplace(parameter, read.size()).first->second |= read;
    }
  }
  // What other linears read as well stays whole.
  for (auto linear : step.getOps<LinearOp>())
    if (!sliced.contains(linear))
      for (ParameterOp parameter : getRowParameters(linear))
        if (auto found = rows.find(parameter); found != rows.end())
          found->second.set();
  return rows;
}

static LogicalResult eraseUnreadRows(func::FuncOp step) {
  const llvm::MapVector<Operation *, llvm::BitVector> read = findReadRows(step);
  std::vector<ChannelGroup> groups;
  groups.reserve(read.size());
  SmallVector<KeptUnits> kept;
  for (const auto &[parameter, rows] : read) {
    ChannelGroup &group = groups.emplace_back();
    group.count = rows.size();
    group.members.push_back({cast<ParameterOp>(parameter), /*axis=*/0, /*begin=*/0, /*perUnit=*/1});
    KeptUnits &units = kept.emplace_back(KeptUnits{&group, SmallVector<bool, 0>(rows.size())});
    for (unsigned row : rows.set_bits())
      units.kept[row] = true;
  }
  return keepUnits(step, kept);
}

LogicalResult llmc::eraseUnreadParts(func::FuncOp step, ArrayRef<CacheAppendOp> appends) {
  llvm::SetVector<Value> caches;
  for (CacheAppendOp append : appends)
    caches.insert(append.getCache());
  eraseUnreadOperations(step, appends);
  llvm::BitVector unread(step.getNumArguments());
  for (Value cache : caches)
    if (auto argument = dyn_cast<BlockArgument>(cache); argument && argument.use_empty())
      unread.set(argument.getArgNumber());
  (void)step.eraseArguments(unread);
  return eraseUnreadRows(step);
}
