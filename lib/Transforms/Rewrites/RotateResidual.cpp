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
    for (const TiedHead &head : tiedHeads)
      rotateTied(head, rotation->getHadamard()->order);
    return success();
  }

private:
  /// A linear whose weight is an embedding too, and the norm before it, whose gain differs.
  struct TiedHead {
    Operation *norm;
    LinearOp linear;
  };

  /// Whether an operation can do it while the model runs.
  static bool isOnline(const Rotation &rotation) {
    constexpr int64_t maxCore = 60;
    std::optional<Rotation::Signed> form = rotation.getHadamard();
    return form && Hadamard::get(form->order)->getCoreOrder() <= maxCore;
  }

  /// What becomes of linears behind a gain that has to be folded, where an embedding reads their
  /// weights too: the gain is multiplied with in the old basis, or the linear gets a weight of its
  /// own.
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
          tiedNorms.insert(read.norm);
          tiedHeads.push_back({read.norm, linear});
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

  /// Rotates back what reaches the norm before a head, and forth again what the head reads. The
  /// norm may see channels of other signs, since it treats each by itself.
  static void rotateTied(const TiedHead &head, int64_t order) {
    auto insert = [&](Operation *op, bool back) {
      OpBuilder builder(op);
      Value value = op->getOperand(0);
      op->setOperand(0, HadamardOp::create(builder, value.getLoc(), value.getType(), value,
                                           builder.getI64IntegerAttr(order),
                                           back ? builder.getUnitAttr() : UnitAttr()));
    };
    insert(head.norm, /*back=*/true);
    insert(head.linear, /*back=*/false);
  }

  bool canStayTied = false;
  SmallVector<TiedHead> tiedHeads;
};

} // namespace

LogicalResult llmc::rotateResidual(func::FuncOp step, const RotationRequest &request,
                                   ParameterRewrite &rewrite) {
  return ResidualRotator(step, rewrite).run(request);
}
