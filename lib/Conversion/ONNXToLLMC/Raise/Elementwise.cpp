//===- Elementwise.cpp - arithmetic on rows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Elementwise.h"
#include "Raise/Embedding.h"
#include "Raise/Emission.h"
#include "Raise/Functions.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace llmc;

bool llmc::isElementwise(const Node &node) {
  std::string type = node.getType();
  return type != "IsNaN" && findElementwise(type);
}

/// A guard that is open at every length: rows with nothing to attend to do not occur.
static LogicalResult raiseWhere(Raise &raise, Node &node) {
  const HostTensor &condition = raise.getTensor(node, 0);
  if (!condition.isKnown() || condition.getNumElements() == 0)
    return raise.fail("expected a condition that does not depend on tokens");
  bool taken = condition[0] != 0;
  for (double value : *condition.data)
    if ((value != 0) != taken)
      return raise.fail("expected a condition that is the same for all elements");
  unsigned chosen = taken ? 1 : 2;
  if (!raise.isData(node, chosen) || raise.getShape(node, chosen) != raise.getResultShape(node))
    return raise.fail("expected the rows of the model to be chosen");
  raise.lengths.conditions.push_back({raise.getOperand(node, 0), taken, raise.location});
  raise.forward(node, chosen);
  return success();
}

static LogicalResult raiseWithConstant(Raise &raise, Node &node, unsigned data) {
  std::string type = node.getType();
  Value constant = raise.getOperand(node, 1 - data);
  std::optional<View> view = raise.getView(node, data);
  if (!view)
    return failure();
  int64_t width = view->shape.empty() ? 0 : view->shape.back();
  if (type == "Add") {
    // A bias of a linear that is still held back.
    std::optional<Weight> vector = raise.getVector(node, 1 - data, width);
    Base &base = *view->base;
    if (vector && !base.value && !base.bias && base.clip == 0 &&
        width == static_cast<int64_t>(view->columns.size())) {
      int64_t begin = view->columns[0].first.column;
      for (auto [i, column] : llvm::enumerate(view->columns))
        if (!column.isPlain() || column.first.coefficient != 1 ||
            column.first.column != begin + static_cast<int64_t>(i))
          return raise.fail("expected a bias of neighbouring columns");
      // Neighbouring rows can be had of any weight.
      std::optional<Weight> part = base.weight.takeRows(begin, width, 1);
      auto biased = std::make_shared<Base>(base.location);
      biased->width = width;
      biased->input = base.input;
      biased->weight = std::move(*part);
      biased->bias = std::move(*vector);
      biased->activation = base.activation;
      View result = *view;
      result.base = std::move(biased);
      for (auto [i, column] : llvm::enumerate(result.columns))
        column.first.column = i;
      raise.set(node, 0, std::move(result));
      return success();
    }
    // Something that depends on positions alone.
    FailureOr<Value> positionRows = emitPositionEmbedding(raise, constant);
    FailureOr<Value> own =
        failed(positionRows) ? FailureOr<Value>(failure()) : materializeExactly(raise, *view);
    if (failed(own))
      return raise.fail("expected a bias of a linear or an embedding of positions");
    Value sum = emitSum(raise, *own, *positionRows);
    raise.set(node, 0, makeView(sum, raise.getResultShape(node), raise.location));
    return success();
  }
  const HostTensor &known = raise.getTensor(constant);
  bool divides = type == "Div" && data == 0;
  if ((type != "Mul" && !divides) || !raise.probe.load(constant))
    return raise.fail("expected rows and a constant to be multiplied or added");
  // Factors by row and column: rotations.
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  if (shape != ArrayRef(view->shape) || view->rowsAxis < 0)
    return raise.fail("expected a constant that broadcasts to the rows");
  std::vector<int64_t> indices = getBroadcastIndices(known.shape, shape);
  raise.spend(indices.size());
  int64_t count = shape[view->rowsAxis];
  int64_t inner = getProduct(shape.drop_front(view->rowsAxis + 1));
  int64_t lastSize = known.shape.empty() ? 1 : known.shape.back();
  View result = *view;
  for (auto [i, column] : llvm::enumerate(result.columns)) {
    int64_t first = i / inner * count * inner + i % inner;
    std::vector<double> values(count);
    bool varies = false;
    for (int64_t row = 0; row < count; ++row) {
      values[row] = known[indices[first + row * inner]];
      if (divides)
        values[row] = 1 / values[row];
      varies |= values[row] != values[0];
    }
    if (!varies) {
      raise.lengths.addFixedColumn(constant, known, indices[first] % lastSize,
                                   known[indices[first]], raise.location);
      column.first.coefficient *= values[0];
      column.second.coefficient *= values[0];
      continue;
    }
    if (!column.isPlain() || divides)
      return raise.fail("expected rows that are multiplied by positions once");
    column.first.factor =
        raise.factors.add(std::move(values), known.roundoff, {constant, indices[first] % lastSize});
  }
  raise.set(node, 0, std::move(result));
  return success();
}

/// Two matrices of rows, element by element.
static Value emitBinary(Raise &raise, StringRef type, Value a, Value b) {
  OpBuilder &builder = raise.builder;
  if (type == "Add")
    return emitSum(raise, a, b);
  if (type == "Sub")
    return arith::SubFOp::create(builder, raise.location, a, b);
  if (type == "Mul")
    return arith::MulFOp::create(builder, raise.location, a, b);
  return arith::DivFOp::create(builder, raise.location, a, b);
}

static LogicalResult raiseBinary(Raise &raise, Node &node) {
  std::string type = node.getType();
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  if (type != "Add" && type != "Sub" && type != "Mul" && type != "Div")
    return raise.fail(
        "expected two matrices of rows to be added, subtracted, multiplied or divided");
  std::optional<View> left = raise.getView(node, 0), right = raise.getView(node, 1);
  if (!left || !right)
    return failure();
  if (ArrayRef(left->shape) != shape || ArrayRef(right->shape) != shape)
    return raise.fail("expected rows of one shape");
  double sign = type == "Add" ? 1 : -1;
  // Two terms of a rotation.
  if ((type == "Add" || type == "Sub") && left->base == right->base && left->past == right->past &&
      left->rowsAxis == right->rowsAxis) {
    for (auto [a, b] : llvm::zip(left->columns, right->columns)) {
      if (a.second.column >= 0 || b.second.column >= 0)
        return raise.fail("expected two terms of a rotation");
      a.second = b.first;
      a.second.coefficient *= sign;
    }
    raise.set(node, 0, std::move(*left));
    return success();
  }
  FailureOr<Value> a = materializeExactly(raise, *left);
  FailureOr<Value> b = failed(a) ? a : materializeExactly(raise, *right);
  if (failed(b))
    return failure();
  if (a->getType() != b->getType() || left->rowsAxis != right->rowsAxis)
    return raise.fail("expected rows of one width");
  raise.set(node, 0, left->over(emitBinary(raise, type, *a, *b), raise.location));
  return success();
}

/// Rows that end at ± a number, as some models bound queries, keys and values. Nothing where a node
/// is something else.
static std::optional<LogicalResult> raiseClip(Raise &raise, Node &node) {
  if (node.getType() != "Clip" || !raise.getIf<View>(node, 0))
    return std::nullopt;
  auto getBound = [&](unsigned i, double none) -> std::optional<double> {
    return raise.has(node, i) ? raise.getScalar(node, i) : none;
  };
  std::optional<double> low = getBound(1, -INFINITY), high = getBound(2, INFINITY);
  if (!low || !high)
    return raise.fail("expected constant bounds");
  // Numbers of fp32 end there anyway.
  const double last = std::numeric_limits<float>::max();
  if (*low <= -last && *high >= last) {
    raise.forward(node, 0);
    return success();
  }
  // Others may be a part of a function such as relu.
  if (!(*high > 0 && *low == -*high))
    return std::nullopt;
  // Rows are divided by it.
  if (!std::isnormal(1 / static_cast<float>(*high)))
    return raise.fail("expected bounds whose reciprocal is a number of fp32");
  View view = *raise.getIf<View>(node, 0);
  bool plain = llvm::all_of(view.columns, [](const Column &column) {
    return column.isPlain() && column.first.coefficient == 1;
  });
  const Base &base = *view.base;
  if (!base.value && plain && base.clip == 0 && view.past < 0) {
    // A linear that is held back, of which parts may be taken.
    auto clipped = std::make_shared<Base>(base);
    clipped->slices.clear();
    clipped->clip = *high;
    view.base = std::move(clipped);
    raise.set(node, 0, std::move(view));
    return success();
  }
  FailureOr<Value> value = emitClipped(raise, view, *high);
  if (failed(value))
    return failure();
  raise.set(node, 0, view.over(*value, raise.location));
  return success();
}

LogicalResult llmc::raiseElementwise(Raise &raise, Node &node) {
  if (std::optional<LogicalResult> result = raiseClip(raise, node))
    return *result;
  if (std::optional<LogicalResult> result = raiseAsFunction(raise, node))
    return *result;
  if (node.getType() == "Where")
    return raiseWhere(raise, node);
  if (node.op.getInputs().size() != 2 || !raise.has(node, 0) || !raise.has(node, 1))
    return raise.fail("expected a function of one operand");
  if (!raise.isData(node, 0) || !raise.isData(node, 1))
    return raiseWithConstant(raise, node, raise.isData(node, 0) ? 0 : 1);
  return raiseBinary(raise, node);
}
