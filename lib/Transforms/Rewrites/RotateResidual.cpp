//===- RotateResidual.cpp - one rotation of the residual stream ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/Hadamard.h"
#include "llmc/Transforms/Rewrites/ModelRewrite.h"
#include "llmc/Transforms/Rewrites/StreamRewrite.h"

using namespace mlir;
using namespace llmc;

namespace {

class ResidualRotator : StreamRewrite {
public:
  ResidualRotator(func::FuncOp step, ParameterRewrite &rewrite)
      : StreamRewrite(step, rewrite, "rotate: where=residual") {}

  LogicalResult run(const RotationRequest &request) {
    analyze();
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
    analyze(); // weights of heads may be others
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

  bool canStayTied = false;
};

} // namespace

LogicalResult llmc::rotateResidual(func::FuncOp step, const RotationRequest &request,
                                   ParameterRewrite &rewrite) {
  return ResidualRotator(step, rewrite).run(request);
}
