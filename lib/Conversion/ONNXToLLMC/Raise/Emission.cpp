//===- Emission.cpp - from views to operations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Emission.h"
#include "Raise/Raise.h"
#include "Raise/Rotation.h"
#include "Raise/RowAlgebra.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

RankedTensorType llmc::getRowsType(MLIRContext *context, int64_t width) {
  return RankedTensorType::get({ShapedType::kDynamic, width}, Float32Type::get(context));
}

/// The distance of neighbouring numbers, where it is the same for all; else nothing.
static std::optional<int64_t> getDistance(ArrayRef<int64_t> numbers) {
  int64_t step = numbers.size() > 1 ? numbers[1] - numbers[0] : 1;
  for (size_t i = 1; i < numbers.size(); ++i)
    if (numbers[i] - numbers[i - 1] != step)
      return std::nullopt;
  return step;
}

/// Values that end at ± `bound`.
static Value emitClip(Raise &raise, Value value, double bound) {
  auto limit = static_cast<float>(bound);
  Type type = value.getType();
  auto name = NonlinearityAttr::get(raise.builder.getContext(), Nonlinearity::HardTanh);
  Value inner = raise.step.getScaled(value, 1 / limit, raise.builder, raise.location);
  inner = ActivationOp::create(raise.builder, raise.location, type, name, inner);
  return raise.step.getScaled(inner, limit, raise.builder, raise.location);
}

/// Those columns of a matrix, each times a factor where there are some: a part of its weights where
/// it is a linear that is held back.
static FailureOr<Value> emitColumns(Raise &raise, Base &base, std::vector<int64_t> columns,
                                    std::vector<double> factors) {
  std::optional<int64_t> step = getDistance(columns);
  int64_t begin = columns[0], count = columns.size();
  if (!factors.empty() && (base.value || base.clip != 0))
    return raise.fail("expected one factor for all columns");
  if (base.value) {
    if (begin == 0 && step == 1 && count == base.width)
      return base.value;
    Value &moved = base.slices[{columns, factors}];
    if (!moved && count == base.width)
      moved = emitTransposed(raise, base.value, columns);
    if (moved)
      return moved;
    return raise.fail(count == base.width ? Twine("expected the columns of a matrix in their order")
                                          : "expected all of a matrix, found " + Twine(count) +
                                                " of its " + Twine(base.width) + " columns");
  }
  Value &slice = base.slices[{columns, factors}];
  if (slice)
    return slice;
  // Rows at equal distances stay where they are; others are copied side by side.
  auto take = [&](const Weight &weight) {
    return step && *step > 0 ? weight.takeRows(begin, count, *step) : weight.gatherRows(columns);
  };
  std::optional<Weight> weight = take(base.weight);
  std::optional<Weight> bias = base.bias ? take(*base.bias) : std::nullopt;
  if (!weight || (base.bias && !bias))
    return raise.fail("cannot read its weights");
  if (!factors.empty()) {
    weight = weight->scaleRows(factors);
    bias = bias ? bias->scaleRows(factors) : bias;
    if (!weight || (base.bias && !bias))
      return raise.fail("expected one factor for all columns of quantized weights");
  }
  Value weightValue = raise.parameters.get(raise.builder, base.location, *weight);
  Value biasValue = bias ? raise.parameters.get(raise.builder, base.location, *bias) : Value();
  if (!weightValue || (bias && !biasValue))
    return raise.fail("cannot read its weights");
  Value result =
      LinearOp::create(raise.builder, base.location, getRowsType(raise.builder.getContext(), count),
                       base.input, weightValue, biasValue, base.activation);
  slice = base.clip != 0 ? emitClip(raise, result, base.clip) : result;
  return slice;
}

FailureOr<Value> llmc::emitClipped(Raise &raise, const View &view, double bound) {
  FailureOr<Value> value = materializeExactly(raise, view);
  return failed(value) ? value : emitClip(raise, *value, bound);
}

FailureOr<Matrix> llmc::materialize(Raise &raise, const View &view) {
  if (view.columns.empty())
    return raise.fail("expected at least one column");
  if (view.past >= 0)
    return raise.fail("expected rows of the step alone, found them joined with the cache");
  bool plain = llvm::all_of(view.columns, [](const Column &column) { return column.isPlain(); });
  if (!plain)
    return emitRotation(raise, view);
  double coefficient = view.columns[0].first.coefficient;
  std::vector<int64_t> columns;
  std::vector<double> factors;
  bool differ = false;
  for (const Column &column : view.columns) {
    differ |= column.first.coefficient != coefficient;
    columns.push_back(column.first.column);
    factors.push_back(column.first.coefficient);
  }
  // A factor of its own for each column, as where a branch has a gain, becomes part of the weights.
  if (!differ)
    factors.clear();
  FailureOr<Value> value = emitColumns(raise, *view.base, std::move(columns), std::move(factors));
  if (failed(value))
    return failure();
  return Matrix{*value, differ ? 1 : coefficient};
}

Value llmc::emitSum(Raise &raise, Value a, Value b) {
  Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
  if (first && (!second || second->isBeforeInBlock(first)))
    std::swap(a, b);
  return arith::AddFOp::create(raise.builder, raise.location, a, b);
}

FailureOr<Value> llmc::materializeExactly(Raise &raise, const View &view) {
  FailureOr<Matrix> matrix = materialize(raise, view);
  if (failed(matrix))
    return failure();
  auto factor = static_cast<float>(matrix->coefficient);
  if (factor == 1)
    return matrix->value;
  if (!std::isfinite(factor))
    return raise.fail("expected rows times a number of fp32, found " +
                      std::to_string(matrix->coefficient));
  return raise.step.getScaled(matrix->value, factor, raise.builder, raise.location);
}
