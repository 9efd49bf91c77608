//===- Movement.cpp - reshapes, transposes, cuts and joins of rows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Movement.h"
#include "Raise/Matchers.h"
#include "Raise/MergedHeads.h"
#include "Raise/Raise.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

std::optional<View> llmc::moveView(Raise &raise, const View &view, ArrayRef<int64_t> newShape,
                                   ArrayRef<int64_t> permutation) {
  HostTensor indices = getIndices(view);
  raise.spend(indices.getNumElements());
  if (getProduct(newShape) != indices.getNumElements())
    return std::nullopt;
  SmallVector<int64_t> shape, steps, strides = getRowMajorStrides(newShape);
  for (int64_t axis : permutation) {
    shape.push_back(newShape[axis]);
    steps.push_back(strides[axis]);
  }
  std::vector<double> values(indices.data->size());
  SmallVector<int64_t> own = getRowMajorStrides(shape);
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t from = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      from += static_cast<int64_t>(i) / own[axis] % shape[axis] * steps[axis];
    values[i] = indices[from];
  }
  return separate(HostTensor::known(shape, std::move(values), true), view.base, view.past,
                  raise.getRowCount(view), view.columns);
}

bool llmc::onlyMoves(const Node &node) {
  std::string type = node.getType();
  return isMovement(type) && (type != "Concat" || node.op.getInputs().size() == 1);
}

/// Applies a movement to the places of its first operand's elements.
static bool movePlaces(Raise &raise, Node &node, const HostTensor &places,
                       SmallVectorImpl<HostTensor> &moved) {
  raise.spend(places.getNumElements());
  Evaluation evaluation = raise.getEvaluation(node);
  evaluation.inputs[0] = &places;
  if (!findMovement(node.getType())(evaluation)) {
    (void)raise.fail(evaluation.error);
    return false;
  }
  for (const HostTensor &output : evaluation.outputs)
    if (!output.isKnown()) {
      (void)raise.fail("expected where elements go not to depend on tokens");
      return false;
    }
  moved = std::move(evaluation.outputs);
  return true;
}

/// Whether where elements go is computed, and may depend on the length.
static bool isComputed(Raise &raise, const Node &node) {
  for (unsigned i = 1; i < node.op.getInputs().size(); ++i)
    if (raise.has(node, i) && !raise.getTensor(node, i).constant)
      return true;
  return false;
}

/// Numbers stay numbers, and tokens integers.
static LogicalResult checkCast(Raise &raise, const Node &node) {
  int64_t to = node.getInt("to", 1);
  bool toFloat = to == 1 || to == 10 || to == 11 || to == 16;
  if (node.getType() == "Cast" && toFloat == (raise.getIf<TokensValue>(node, 0) != nullptr))
    return raise.fail("expected rows to stay numbers and tokens to stay integers");
  return success();
}

LogicalResult llmc::keepMeaning(Raise &raise, Node &node) {
  if (failed(checkCast(raise, node)))
    return failure();
  std::string type = node.getType();
  if (type != "Cast" && type != "Identity" && type != "Dropout") {
    ArrayRef<int64_t> shape = raise.getShape(node, 0);
    std::vector<double> places(getProduct(shape));
    std::iota(places.begin(), places.end(), 0.0);
    SmallVector<HostTensor> moved;
    if (!movePlaces(raise, node, HostTensor::known(shape, std::move(places), true), moved))
      return failure();
    const HostTensor &first = moved.front();
    bool kept = first.getNumElements() == getProduct(shape);
    for (int64_t i = 0; kept && i < first.getNumElements(); ++i)
      kept = first[i] == static_cast<double>(i);
    if (!kept)
      return raise.fail("expected all elements to stay, in their order");
    if (isComputed(raise, node))
      raise.lengths.movements.push_back({node.op, std::nullopt, {}});
  }
  raise.forward(node, 0);
  return success();
}

std::optional<LogicalResult> TokensValue::raiseUse(Raise &raise, Node &node) const {
  if (onlyMoves(node) && raise.getIf<TokensValue>(node, 0) == this)
    return keepMeaning(raise, node);
  return std::nullopt;
}

LogicalResult llmc::raiseMovement(Raise &raise, Node &node) {
  if (failed(checkCast(raise, node)))
    return failure();
  std::string type = node.getType();
  // A half-finished norm or function keeps its meaning under a change of type.
  if (type == "Cast" || type == "Identity" || type == "Dropout") {
    raise.forward(node, 0);
    return success();
  }
  std::optional<View> view = raise.getView(node, 0);
  if (!view)
    return failure();
  SmallVector<HostTensor> moved;
  if (!movePlaces(raise, node, getIndices(*view), moved))
    return failure();
  // Seen from the operand: its columns as they stand.
  View plain = *view;
  plain.setColumns(view->countColumns());
  LengthRecord::Movement record{node.op, plain, {}};
  for (auto [i, output] : llvm::enumerate(moved)) {
    record.results.emplace_back();
    if (output.getNumElements() == 0) {
      raise.set(node, i, NoElements());
      continue;
    }
    std::optional<View> part =
        separate(output, view->base, view->past, raise.getRowCount(*view), plain.columns);
    if (!part && type == "Reshape")
      if (std::optional<MergedHeads> merged = MergedHeads::get(*view, output.shape)) {
        raise.set(node, i, std::move(*merged));
        return success();
      }
    if (!part)
      return raise.fail("it mixes rows with columns");
    record.results.back() = part;
    for (Column &column : part->columns)
      column = view->columns[column.first.column];
    raise.set(node, i, std::move(*part));
  }
  if (isComputed(raise, node))
    raise.lengths.movements.push_back(std::move(record));
  return success();
}

LogicalResult llmc::raiseConcat(Raise &raise, Node &node) {
  unsigned count = node.op.getInputs().size();
  if (count == 1)
    return raiseMovement(raise, node);
  std::vector<View> views;
  std::vector<Column> table;
  std::vector<HostTensor> indices;
  for (unsigned i = 0; i < count; ++i) {
    if (raise.getIf<NoElements>(node, i))
      continue;
    std::optional<View> view = raise.isData(node, i) ? raise.getView(node, i) : std::nullopt;
    if (!view)
      return raise.fail("expected rows of the model alone to be joined");
    views.push_back(std::move(*view));
    table.insert(table.end(), views.back().columns.begin(), views.back().columns.end());
  }
  int64_t offset = 0, width = table.size();
  for (const View &view : views) {
    if (view.base != views[0].base || view.past != views[0].past)
      return raise.fail("expected parts of one matrix to be joined");
    HostTensor own = getIndices(view);
    raise.spend(own.getNumElements());
    std::vector<double> values(*own.data);
    int64_t columns = view.columns.size();
    for (double &value : values) {
      int64_t index = static_cast<int64_t>(value);
      int64_t row = index / columns;
      value = static_cast<double>(row * width + offset + index % columns);
    }
    indices.push_back(HostTensor::known(own.shape, std::move(values), true));
    offset += columns;
  }
  Evaluation evaluation{node, {}, {}, {}};
  for (const HostTensor &own : indices)
    evaluation.inputs.push_back(&own);
  if (!findMovement("Concat")(evaluation))
    return raise.fail(evaluation.error);
  std::optional<View> joined = separate(evaluation.outputs[0], views[0].base, views[0].past,
                                        raise.getRowCount(views[0]), table);
  if (!joined)
    return raise.fail("it mixes rows with columns");
  raise.set(node, 0, std::move(*joined));
  return success();
}
