//===- SliceResidual.cpp - a residual stream of fewer channels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/SliceResidual.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// W ← I
static ParameterRewrite::Step makeIdentity() {
  return [](ExactValues &values) {
    llvm::fill(values.data, 0);
    for (int64_t i = 0; i < values.rows; ++i)
      values.row(i)[i] = 1;
  };
}

/// The first `count` rows.
static ParameterRewrite::Step takeRows(int64_t count) {
  return [count](ExactValues &values) {
    values.rows = count;
    values.data.resize(count * values.columns);
  };
}

/// The first `count` columns.
static ParameterRewrite::Step takeColumns(int64_t count) {
  return [count](ExactValues &values) {
    for (int64_t row = 0; row < values.rows; ++row)
      std::copy_n(values.data.begin() + row * values.columns, count,
                  values.data.begin() + row * count);
    values.columns = count;
    values.data.resize(values.rows * count);
  };
}

/// A linear of a new square weight that is read before `builder`'s place.
static LinearOp insertSquare(OpBuilder &builder, Value input, ParameterOp weight) {
  auto read = ParameterValueOp::create(builder, input.getLoc(), weight.getTensorType(),
                                       FlatSymbolRefAttr::get(weight.getSymNameAttr()));
  return LinearOp::create(builder, input.getLoc(), input.getType(), input, read.getResult(),
                          Value(), DynamicAttr());
}

//===----------------------------------------------------------------------===//
// Norms and embeddings
//===----------------------------------------------------------------------===//

namespace {

class SlicePreparation : StreamRewrite {
public:
  SlicePreparation(func::FuncOp step, ParameterRewrite &rewrite)
      : StreamRewrite(step, rewrite, "slice") {}

  LogicalResult run() {
    analyze();
    if (failed(checkStream()))
      return failure();
    separateTied();
    analyze();
    if (failed(foldGains()) || failed(collect()))
      return failure();
    if (takesMean)
      removeMean();
    return success();
  }

private:
  /// Lets embeddings that are heads write to the stream, and heads read it, through a linear.
  void separateTied() {
    llvm::SetVector<Operation *> tied;
    SmallVector<LinearOp> heads;
    for (const StreamRead &read : getStream().reads)
      for (LinearOp linear : getLinears(read)) {
        ParameterOp weight = getParameterOf(linear.getWeight());
        if (!weight || !isReadByEmbedding(weight))
          continue;
        tied.insert(weight);
        heads.push_back(linear);
      }
    for (LinearOp head : heads) {
      OpBuilder builder(head);
      ParameterOp weight = addIdentity(getParameterOf(head.getWeight()), ".from_stream");
      head.getInputMutable().assign(insertSquare(builder, head.getInput(), weight).getResult());
    }
    for (auto embedding : llvm::make_early_inc_range(step.getOps<EmbeddingOp>())) {
      ParameterOp table = getParameterOf(embedding.getTable());
      if (!tied.contains(table))
        continue;
      OpBuilder builder(embedding->getContext());
      builder.setInsertionPointAfter(embedding);
      LinearOp linear =
          insertSquare(builder, embedding.getResult(), addIdentity(table, ".to_stream"));
      embedding.getResult().replaceAllUsesExcept(linear.getResult(), linear);
    }
  }

  ParameterOp addIdentity(ParameterOp behind, StringRef suffix) {
    ParameterOp added = rewrite.addZeros(behind, suffix, {width, width});
    rewrite.add(added, makeIdentity());
    return added;
  }
};

} // namespace

LogicalResult llmc::prepareSlicing(func::FuncOp step, ParameterRewrite &rewrite) {
  return SlicePreparation(step, rewrite).run();
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

FailureOr<ResidualSlicer> ResidualSlicer::get(func::FuncOp step, ParameterRewrite &rewrite) {
  ResidualSlicer slicer(step, rewrite);
  slicer.analyze();
  if (failed(slicer.checkStream()) || failed(slicer.collect()) || failed(slicer.findPlaces()) ||
      failed(slicer.findAxes()))
    return failure();
  slicer.findChanges();
  return slicer;
}

LogicalResult ResidualSlicer::findPlaces() {
  for (const StreamRead &read : getStream().reads) {
    SmallVector<LinearOp> linears = getLinears(read);
    if (linears.empty())
      continue;
    const Value value = read.norm ? read.norm->getOperand(0) : linears.front().getInput();
    if (placeOf.try_emplace(value, places.size()).second)
      places.push_back(getParameterOf(linears.front().getWeight()).getSymName().str());
  }
  // What is not read has the basis of what is computed from it.
  for (Value value : llvm::reverse(getStream().values)) {
    if (placeOf.contains(value))
      continue;
    for (Operation *user : value.getUsers())
      if (user->getNumResults() == 1)
        if (auto found = placeOf.find(user->getResult(0)); found != placeOf.end())
          placeOf[value] = found->second;
    if (!placeOf.contains(value))
      return refuse(value.getDefiningOp() ? value.getDefiningOp() : step.getOperation())
             << "expected every value of the residual stream to be read, or to become another";
  }
  return success();
}

LogicalResult ResidualSlicer::addAxis(Value value, Axis axis) {
  ParameterOp parameter = getParameterOf(value);
  auto [found, isNew] = axes.insert({parameter, axis});
  if (!isNew &&
      (found->second.place != axis.place || found->second.isOfColumns != axis.isOfColumns))
    return refuse(parameter)
           << "expected a weight that is read at one place of the residual stream";
  return success();
}

LogicalResult ResidualSlicer::findAxes() {
  for (const StreamWrite &write : getStream().writes) {
    const size_t place = placeOf.lookup(getTarget(write));
    if (auto embedding = dyn_cast<EmbeddingOp>(write.source)) {
      if (failed(addAxis(embedding.getTable(), {place, true})))
        return failure();
      continue;
    }
    auto linear = cast<LinearOp>(write.source);
    if (failed(addAxis(linear.getWeight(), {place, false})) ||
        (linear.getBias() && failed(addAxis(linear.getBias(), {place, false}))))
      return failure();
  }
  llvm::MapVector<Operation *, int64_t> gains;
  for (const StreamRead &read : getStream().reads) {
    if (read.norm)
      ++gains[getParameterOf(read.norm->getOperand(1))];
    for (LinearOp linear : getLinears(read)) {
      const Value value = read.norm ? read.norm->getOperand(0) : linear.getInput();
      if (failed(addAxis(linear.getWeight(), {placeOf.lookup(value), true})))
        return failure();
    }
  }
  llvm::DenseMap<Operation *, int64_t> uses = countUses();
  for (auto [gain, count] : gains)
    if (uses.lookup(gain) != count)
      return refuse(gain) << "expected a gain of norms of the residual stream alone";
  return success();
}

void ResidualSlicer::findChanges() {
  for (Value value : getStream().values) {
    Operation *op = value.getDefiningOp();
    if (!isa_and_nonnull<arith::AddFOp, ScaleOp, OutputRowsOp>(op))
      continue;
    for (OpOperand &operand : op->getOpOperands())
      if (auto from = placeOf.find(operand.get());
          from != placeOf.end() && from->second != placeOf.lookup(value))
        changes.push_back({op, operand.getOperandNumber(), from->second, placeOf.lookup(value)});
  }
}

int64_t ResidualSlicer::getGrowth(int64_t kept) const {
  int64_t growth = static_cast<int64_t>(changes.size()) * kept * kept;
  for (auto [op, axis] : axes) {
    auto parameter = cast<ParameterOp>(op);
    growth -= parameter.getTensorType().getNumElements() / width * (width - kept);
  }
  llvm::DenseSet<Operation *> gains;
  for (const StreamRead &read : getStream().reads)
    if (read.norm && gains.insert(getParameterOf(read.norm->getOperand(1))).second)
      growth -= width - kept;
  return growth;
}

//===----------------------------------------------------------------------===//
// Slicing
//===----------------------------------------------------------------------===//

void ResidualSlicer::slice(int64_t kept, ArrayRef<RotationRef> bases) {
  scaleNorms(kept);
  for (auto [op, axis] : axes) {
    auto parameter = cast<ParameterOp>(op);
    const RotationRef &basis = bases[axis.place];
    rewrite.add(parameter, axis.isOfColumns ? rotateColumns(basis) : rotateRows(basis, 0, width));
    rewrite.add(parameter, axis.isOfColumns ? takeColumns(kept) : takeRows(kept));
  }
  for (const Change &change : changes)
    insert(change, kept, bases);
}

/// Of D channels k are left: √(Σx²/D + ε) = √(k/D) · √(Σx²/k + ε·D/k).
void ResidualSlicer::scaleNorms(int64_t kept) {
  if (kept == width)
    return;
  const double ratio = static_cast<double>(width) / static_cast<double>(kept);
  llvm::DenseSet<Operation *> seen;
  for (const StreamRead &read : getStream().reads) {
    auto norm = dyn_cast_or_null<RMSNormOp>(read.norm);
    if (!norm)
      continue;
    norm.setEpsilon(llvm::APFloat(static_cast<float>(norm.getEpsilon().convertToDouble() * ratio)));
    ParameterOp gain = getParameterOf(norm.getGain());
    if (!seen.insert(gain).second)
      continue;
    rewrite.add(gain, takeRows(kept));
    rewrite.add(gain, scaleRows(0, std::vector<double>(kept, std::sqrt(ratio))));
  }
}

void ResidualSlicer::insert(const Change &change, int64_t kept, ArrayRef<RotationRef> bases) {
  OpOperand &operand = change.user->getOpOperand(change.operand);
  auto behind = step->getParentOfType<ModuleOp>().lookupSymbol<ParameterOp>(places[change.to]);
  ParameterOp weight = rewrite.addZeros(behind, ".stream", {width, width});
  rewrite.add(weight, makeIdentity());
  rewrite.add(weight, rotateColumns(bases[change.from]));
  rewrite.add(weight, takeColumns(kept));
  rewrite.add(weight, rotateRows(bases[change.to], 0, width));
  rewrite.add(weight, takeRows(kept));
  OpBuilder builder(change.user);
  operand.set(insertSquare(builder, operand.get(), weight).getResult());
}
