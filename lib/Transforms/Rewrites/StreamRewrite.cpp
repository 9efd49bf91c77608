//===- StreamRewrite.cpp - the residual stream in another basis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Rewrites/StreamRewrite.h"
#include "llmc/Transforms/Rewrites/NormFolding.h"
#include "llmc/Transforms/Rewrites/Rotation.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

SmallVector<LinearOp> StreamRewrite::getLinears(const StreamRead &read) {
  SmallVector<LinearOp> linears;
  for (Operation *reader : read.readers)
    if (auto linear = dyn_cast<LinearOp>(reader))
      linears.push_back(linear);
  return linears;
}

//===----------------------------------------------------------------------===//
// What can be rotated
//===----------------------------------------------------------------------===//

LogicalResult StreamRewrite::checkStream() {
  if (size_t count = structure->getStreams().size(); count != 1)
    return refuse(step) << "expected one residual stream, found " << count;
  width = cast<RankedTensorType>(getStream().values.front().getType()).getDimSize(1);
  for (const StreamWrite &write : getStream().writes)
    if (failed(checkWrite(write)))
      return failure();
  size_t means = 0;
  for (const StreamRead &read : getStream().reads) {
    if (failed(checkRead(read)))
      return failure();
    means += isa_and_nonnull<LayerNormOp>(read.norm);
  }
  takesMean = means > 0;
  if (takesMean && means != getStream().reads.size())
    return refuse(step) << "expected every reader of the residual stream behind a layer norm, or "
                           "none, found "
                        << means << " of " << getStream().reads.size();
  return success();
}

Value StreamRewrite::getTarget(const StreamWrite &write) const {
  Value value = write.source->getResult(0);
  while (!llvm::is_contained(getStream().values, value)) {
    if (!value.hasOneUse())
      return Value();
    value = (*value.user_begin())->getResult(0);
  }
  return value;
}

LogicalResult StreamRewrite::checkWrite(const StreamWrite &write) const {
  if (!isa_and_nonnull<LinearOp, EmbeddingOp>(write.source))
    return refuse(write.source ? write.source : func::FuncOp(step).getOperation())
           << "expected linears and embeddings to write to the residual stream";
  for (Operation *between : write.through)
    if (!isa<ScaleOp>(between))
      return refuse(between) << "expected no '" << between->getName().getStringRef()
                             << "' between what is added and the residual stream";
  if (!getTarget(write))
    return refuse(write.source)
           << "expected what is added to the residual stream to be read by nothing else";
  return success();
}

LogicalResult StreamRewrite::checkRead(const StreamRead &read) const {
  auto rms = dyn_cast_or_null<RMSNormOp>(read.norm);
  if (rms && rms.getGroups() != 1)
    return refuse(rms) << "expected norms of all channels, found one of " << rms.getGroups()
                       << " groups";
  for (Operation *reader : read.readers)
    if (!isa<LinearOp, tensor::DimOp>(reader))
      return refuse(reader) << "expected linears to read the residual stream, found '"
                            << reader->getName().getStringRef() << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

FailureOr<bool> StreamRewrite::isUniform(Operation *norm) {
  for (Value weight : norm->getOperands().drop_front())
    if (!getParameterOf(weight))
      return LogicalResult(refuse(norm) << "expected weights that are parameters");
  FailureOr<ExactValues> gain = rewrite.evaluate(getParameterOf(norm->getOperand(1)));
  if (failed(gain))
    return failure();
  bool uniform = llvm::all_equal(gain->data);
  if (Value bias = getNormBias(norm)) {
    FailureOr<ExactValues> terms = rewrite.evaluate(getParameterOf(bias));
    if (failed(terms))
      return failure();
    uniform = uniform && llvm::all_of(terms->data, [](double term) { return term == 0; });
  }
  return uniform;
}

LogicalResult StreamRewrite::foldGains() {
  for (const StreamRead &read : getStream().reads)
    if (read.norm && !tiedNorms.contains(read.norm) && failed(foldGain(read)))
      return failure();
  return success();
}

LogicalResult StreamRewrite::foldGain(const StreamRead &read) {
  for (LinearOp reader : getLinears(read)) {
    FailureOr<bool> uniform = isUniform(read.norm);
    if (failed(uniform))
      return failure();
    if (*uniform) // it was, or a reader before this one has seen to it
      return success();
    FailureOr<std::string> reason = foldNorm(*structure->getScale(reader), rewrite);
    if (failed(reason))
      return failure();
    if (!reason->empty())
      return refuse(read.norm) << "expected a gain that can be folded: " << *reason;
  }
  return success();
}

void StreamRewrite::removeMean() {
  for (Operation *op : writers)
    rewrite.add(cast<ParameterOp>(op), centerRows());
  for (Operation *op : embeddings)
    rewrite.add(cast<ParameterOp>(op), centerColumns());
  for (const StreamRead &read : getStream().reads) {
    auto norm = cast<LayerNormOp>(read.norm);
    OpBuilder builder(norm);
    auto rms =
        RMSNormOp::create(builder, norm.getLoc(), norm.getType(), norm.getInput(), norm.getGain(),
                          norm.getEpsilonAttr(), builder.getI64IntegerAttr(1));
    norm.replaceAllUsesWith(rms.getResult());
    norm.erase();
  }
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

bool StreamRewrite::isReadByEmbedding(ParameterOp parameter) {
  return llvm::any_of(step.getOps<EmbeddingOp>(), [&](EmbeddingOp embedding) {
    return getParameterOf(embedding.getTable()) == parameter;
  });
}

LogicalResult StreamRewrite::collect() {
  llvm::MapVector<Operation *, int64_t> taken;
  auto take = [&](Operation *op, Value value, llvm::SetVector<Operation *> &set) {
    ParameterOp parameter = getParameterOf(value);
    if (!parameter)
      return LogicalResult(refuse(op) << "expected weights that are parameters");
    set.insert(parameter);
    ++taken[parameter];
    return success();
  };
  for (const StreamWrite &write : getStream().writes) {
    if (auto embedding = dyn_cast<EmbeddingOp>(write.source)) {
      if (failed(take(embedding, embedding.getTable(), readers)))
        return failure();
      embeddings.insert(getParameterOf(embedding.getTable()));
      continue;
    }
    auto linear = cast<LinearOp>(write.source);
    if (failed(take(linear, linear.getWeight(), writers)) ||
        (linear.getBias() && failed(take(linear, linear.getBias(), writers))))
      return failure();
  }
  for (const StreamRead &read : getStream().reads)
    for (LinearOp reader : getLinears(read))
      if (failed(take(reader, reader.getWeight(), readers)))
        return failure();
  llvm::DenseMap<Operation *, int64_t> uses = countUses();
  for (auto [parameter, count] : taken)
    if (uses.lookup(parameter) != count ||
        (readers.contains(parameter) && writers.contains(parameter)))
      return refuse(parameter) << "expected a weight that is read for the residual stream alone";
  return success();
}

llvm::DenseMap<Operation *, int64_t> StreamRewrite::countUses() {
  llvm::DenseMap<Operation *, int64_t> uses;
  step.walk([&](ParameterValueOp read) {
    if (ParameterOp parameter = getParameterOf(read.getResult()))
      uses[parameter] += std::distance(read->use_begin(), read->use_end());
  });
  return uses;
}
