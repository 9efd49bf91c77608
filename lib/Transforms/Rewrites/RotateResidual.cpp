//===- RotateResidual.cpp - the residual stream in another basis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All that writes to the stream writes x·Q instead of x, and all that reads it multiplies its
// inputs with Qᵀ first. RMS norms of equal gains lie between: ‖x·Q‖ = ‖x‖. Other gains are folded
// into what reads them, and a norm that takes the mean off needs a stream without one, which what
// writes to it can see to (Ashkboos et al. 2024, "SliceGPT", section 3.2).
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/Hadamard.h"
#include "llmc/Transforms/Rewrites/ModelRewrite.h"
#include "llmc/Transforms/Rewrites/NormFolding.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

namespace {

class ResidualRotator {
public:
  ResidualRotator(func::FuncOp step, ParameterRewrite &rewrite) : step(step), rewrite(rewrite) {}

  LogicalResult run(const RotationRequest &request) {
    structure.emplace(step);
    if (failed(checkStream()))
      return failure();
    FailureOr<RotationRef> made = request.make(width);
    if (failed(made))
      return failure();
    const RotationRef &rotation = *made;
    if (!rotation)
      return refuse(step) << "expected a Hadamard matrix of an order that divides " << width
                          << ", found none";
    canStayTied = !request.untieHead && !takesMean && isOnline(*rotation);
    if (failed(separateHeads()))
      return failure();
    structure.emplace(step); // weights of heads may be others
    if (failed(foldGains()) || failed(collect()))
      return failure();
    if (takesMean)
      removeMean();
    for (Operation *op : readers)
      rewrite.add(cast<ParameterOp>(op), rotateColumns(rotation));
    for (Operation *op : writers)
      rewrite.add(cast<ParameterOp>(op), rotateRows(rotation, 0, width));
    if (!tables.empty())
      rotateTied(*rotation->getHadamard());
    return success();
  }

private:
  const ResidualStream &getStream() const { return structure->getStreams().front(); }

  static SmallVector<LinearOp> getLinears(const StreamRead &read) {
    SmallVector<LinearOp> linears;
    for (Operation *reader : read.readers)
      if (auto linear = dyn_cast<LinearOp>(reader))
        linears.push_back(linear);
    return linears;
  }

  InFlightDiagnostic refuse(Operation *op) const {
    return op->emitError("rotate: where=residual: ");
  }

  //===--------------------------------------------------------------------===//
  // What can be rotated
  //===--------------------------------------------------------------------===//

  LogicalResult checkStream() {
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

  LogicalResult checkWrite(const StreamWrite &write) {
    if (!isa_and_nonnull<LinearOp, EmbeddingOp>(write.source))
      return refuse(write.source ? write.source : step.getOperation())
             << "expected linears and embeddings to write to the residual stream";
    for (Operation *between : write.through)
      if (!isa<ScaleOp>(between))
        return refuse(between) << "expected no '" << between->getName().getStringRef()
                               << "' between what is added and the residual stream";
    Value value = write.source->getResult(0);
    while (!llvm::is_contained(getStream().values, value)) {
      if (!value.hasOneUse())
        return refuse(write.source)
               << "expected what is added to the residual stream to be read by nothing else";
      value = (*value.user_begin())->getResult(0);
    }
    return success();
  }

  LogicalResult checkRead(const StreamRead &read) {
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

  //===--------------------------------------------------------------------===//
  // Norms
  //===--------------------------------------------------------------------===//

  /// Whether a norm does the same to all channels.
  FailureOr<bool> isUniform(Operation *norm) {
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

  /// Whether an operation can do it while the model runs.
  static bool isOnline(const Rotation &rotation) {
    constexpr int64_t maxCore = 60;
    std::optional<Rotation::Signed> form = rotation.getHadamard();
    return form && Hadamard::get(form->order)->getCoreOrder() <= maxCore;
  }

  /// What becomes of linears behind a gain that has to be folded, where an embedding reads their
  /// weights too: both stay in the old basis, or the linear gets a weight of its own.
  LogicalResult separateHeads() {
    for (const StreamRead &read : getStream().reads) {
      if (!read.norm)
        continue;
      FailureOr<bool> uniform = isUniform(read.norm);
      if (failed(uniform))
        return failure();
      if (*uniform)
        continue;
      for (LinearOp linear : getLinears(read)) {
        ParameterOp weight = getParameterOf(linear.getWeight());
        if (!weight || !isReadByEmbedding(weight))
          continue;
        if (canStayTied && getLinears(read).size() == 1) {
          tables.insert(weight);
          tiedNorms.insert(read.norm);
        } else {
          untie(linear, weight);
        }
      }
    }
    return success();
  }

  void untie(LinearOp linear, ParameterOp weight) {
    ParameterOp own = rewrite.copy(weight, ".head");
    OpBuilder builder(linear);
    auto value = ParameterValueOp::create(builder, linear.getLoc(), own.getTensorType(),
                                          FlatSymbolRefAttr::get(own.getSymNameAttr()));
    linear.getWeightMutable().assign(value.getResult());
  }

  /// Rotates what embeddings of `tables` give, and back what reaches the norms before their heads.
  void rotateTied(const Rotation::Signed &form) {
    if (llvm::is_contained(form.signs, -1.0))
      for (Operation *table : tables)
        rewrite.add(cast<ParameterOp>(table), scaleColumns(form.signs));
    auto insert = [&](OpBuilder &builder, Value value, bool back) {
      return HadamardOp::create(builder, value.getLoc(), value.getType(), value,
                                builder.getI64IntegerAttr(form.order),
                                back ? builder.getUnitAttr() : UnitAttr());
    };
    for (auto embedding : step.getOps<EmbeddingOp>()) {
      if (!tables.contains(getParameterOf(embedding.getTable())))
        continue;
      OpBuilder builder(embedding->getContext());
      builder.setInsertionPointAfter(embedding);
      HadamardOp rotated = insert(builder, embedding.getResult(), /*back=*/false);
      embedding.getResult().replaceAllUsesExcept(rotated.getResult(), rotated);
    }
    for (Operation *norm : tiedNorms) {
      OpBuilder builder(norm);
      norm->setOperand(0, insert(builder, norm->getOperand(0), /*back=*/true));
    }
  }

  bool isReadByEmbedding(ParameterOp parameter) {
    return llvm::any_of(step.getOps<EmbeddingOp>(), [&](EmbeddingOp embedding) {
      return getParameterOf(embedding.getTable()) == parameter;
    });
  }

  LogicalResult foldGains() {
    for (const StreamRead &read : getStream().reads) {
      if (!read.norm || tiedNorms.contains(read.norm))
        continue;
      FailureOr<bool> uniform = isUniform(read.norm);
      if (failed(uniform))
        return failure();
      if (*uniform)
        continue;
      for (LinearOp reader : getLinears(read)) {
        FailureOr<bool> again = isUniform(read.norm);
        if (failed(again))
          return failure();
        if (*again) // a reader before this one has seen to it
          break;
        FailureOr<std::string> reason = foldNorm(*structure->getScale(reader), rewrite);
        if (failed(reason))
          return failure();
        if (!reason->empty())
          return refuse(read.norm) << "expected a gain that can be folded: " << *reason;
      }
    }
    return success();
  }

  /// Makes the stream one without a mean, and its norms RMS norms.
  void removeMean() {
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

  //===--------------------------------------------------------------------===//
  // Parameters
  //===--------------------------------------------------------------------===//

  LogicalResult collect() {
    llvm::MapVector<Operation *, int64_t> taken;
    auto take = [&](Operation *op, Value value, llvm::SetVector<Operation *> &set) {
      ParameterOp parameter = getParameterOf(value);
      if (!parameter)
        return LogicalResult(refuse(op) << "expected weights that are parameters");
      if (!tables.contains(parameter))
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

  /// How many operands read each parameter.
  llvm::DenseMap<Operation *, int64_t> countUses() {
    llvm::DenseMap<Operation *, int64_t> uses;
    step.walk([&](ParameterValueOp read) {
      if (ParameterOp parameter = getParameterOf(read.getResult()))
        uses[parameter] += std::distance(read->use_begin(), read->use_end());
    });
    return uses;
  }

  func::FuncOp step;
  ParameterRewrite &rewrite;
  std::optional<Structure> structure;
  int64_t width = 0;
  bool takesMean = false; ///< norms take the mean off
  /// Parameters whose columns are the stream's channels, and those whose rows are.
  llvm::SetVector<Operation *> readers, writers;
  llvm::SetVector<Operation *> embeddings; ///< of the readers
  bool canStayTied = false;
  /// Embeddings that stay as they are, and so do heads of them, behind these norms.
  llvm::SetVector<Operation *> tables, tiedNorms;
};

} // namespace

LogicalResult llmc::rotateResidual(func::FuncOp step, const RotationRequest &request,
                                   ParameterRewrite &rewrite) {
  return ResidualRotator(step, rewrite).run(request);
}
