//===- MergedHeads.cpp - rows and heads along one axis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/MergedHeads.h"
#include "Raise/Matchers.h"
#include "Raise/Norms.h"
#include "Raise/Raise.h"

using namespace mlir;
using namespace llmc;

/// Whether a node gives its first operand another shape and moves no element.
static bool isReshape(const Node &node) {
  std::string type = node.getType();
  return type == "Reshape" || type == "Flatten" || type == "Unsqueeze" || type == "Squeeze";
}

std::optional<MergedHeads> MergedHeads::get(const View &view, ArrayRef<int64_t> shape) {
  int64_t width = view.countColumns();
  if (view.rowsAxis < 0 || shape.size() < 2 || shape.back() < 1 || width % shape.back() != 0 ||
      width / shape.back() < 2)
    return std::nullopt;
  // Rows come first, so that their elements lie together.
  ArrayRef<int64_t> before = ArrayRef(view.shape).take_front(view.rowsAxis);
  int64_t rows = view.shape[view.rowsAxis], heads = width / shape.back();
  bool merges = llvm::is_contained(shape.drop_back(), rows * heads) &&
                getProduct(shape) == rows * width &&
                llvm::all_of(before, [](int64_t size) { return size == 1; });
  if (!merges)
    return std::nullopt;
  View split = view;
  split.shape = {rows, heads, shape.back()};
  split.rowsAxis = 0;
  return MergedHeads(std::move(split));
}

/// Back to an axis of rows, or to another shape of the same kind.
static LogicalResult raiseReshape(Raise &raise, Node &node, const View &of) {
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  HostTensor places = getIndices(of);
  raise.spend(places.getNumElements());
  if (getProduct(shape) != places.getNumElements())
    return raise.fail("expected all elements to stay");
  places.shape.assign(shape.begin(), shape.end());
  if (std::optional<View> view =
          separate(places, of.base, of.past, raise.getRowCount(of), of.columns)) {
    raise.set(node, 0, std::move(*view));
    return success();
  }
  std::optional<MergedHeads> merged = MergedHeads::get(of, shape);
  if (!merged)
    return raise.fail("it mixes rows with columns");
  raise.set(node, 0, std::move(*merged));
  return success();
}

std::optional<LogicalResult> MergedHeads::raiseUse(Raise &raise, Node &node) const {
  if (raise.getIf<MergedHeads>(node, 0) != this)
    return std::nullopt;
  std::string type = node.getType();
  if (isReshape(node))
    return raiseReshape(raise, node, of);
  if (type == "Cast" || type == "Identity")
    return raiseMovement(raise, node);
  if (type != "SimplifiedLayerNormalization" && type != "RMSNormalization" &&
      type != "com.microsoft::SimplifiedLayerNormalization")
    return raise.fail("expected a norm of heads");
  std::optional<Weight> gain = raise.getVector(node, 1, of.shape.back());
  auto rank = static_cast<int64_t>(raise.getShape(node, 0).size());
  if (!gain || normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return raise.fail("expected a norm over the last axis with a constant gain");
  FailureOr<View> rows =
      Normal(of, false, node.getFloat("epsilon", 1e-5), std::move(gain)).toRows(raise);
  if (failed(rows))
    return failure();
  raise.set(node, 0, MergedHeads(std::move(*rows)));
  return success();
}
