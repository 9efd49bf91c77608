//===- View.cpp - rows of the model under an ONNX tensor's shape ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/View.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

FailureOr<View> View::toRows(Raise &) const { return *this; }

void View::setColumns(int64_t count) {
  columns.assign(count, Column());
  for (auto [i, column] : llvm::enumerate(columns))
    column.first.column = static_cast<int32_t>(i);
}

View View::over(Value value, Location location) const {
  View view = *this;
  view.base = std::make_shared<Base>(location);
  view.base->value = value;
  view.base->width = static_cast<int64_t>(columns.size());
  view.setColumns(view.base->width);
  return view;
}

View llmc::makeView(std::shared_ptr<Base> base, ArrayRef<int64_t> shape) {
  View view;
  view.base = std::move(base);
  view.shape.assign(shape.begin(), shape.end());
  // The width stands last; the rows are the one axis before it that is not of size one.
  for (int64_t axis = 0; axis + 1 < static_cast<int64_t>(shape.size()); ++axis)
    if (shape[axis] != 1)
      view.rowsAxis = static_cast<int>(axis);
  view.setColumns(view.base->width);
  return view;
}

View llmc::makeView(Value value, ArrayRef<int64_t> shape, Location location) {
  auto base = std::make_shared<Base>(location);
  base->value = value;
  base->width = cast<RankedTensorType>(value.getType()).getDimSize(1);
  return makeView(std::move(base), shape);
}

bool llmc::sameColumns(const View &a, const View &b) {
  if (a.base != b.base || a.past != b.past || a.columns.size() != b.columns.size())
    return false;
  return llvm::all_of(llvm::zip(a.columns, b.columns), [](const auto &pair) {
    Column one = std::get<0>(pair), other = std::get<1>(pair);
    double &factor = one.first.coefficient;
    if (std::fabs(factor - other.first.coefficient) <= 1e-12 * std::fabs(factor))
      factor = other.first.coefficient;
    return one == other;
  });
}

std::optional<double> llmc::takeFactor(View &view) {
  if (view.columns.empty())
    return std::nullopt;
  double factor = view.columns[0].first.coefficient;
  for (Column &column : view.columns) {
    if (!column.isPlain() || column.first.coefficient != factor || factor == 0)
      return std::nullopt;
    column.first.coefficient = 1;
  }
  return factor;
}

HostTensor llmc::getIndices(const View &view) {
  int64_t columns = view.columns.size();
  std::vector<double> values(getProduct(view.shape));
  int64_t outer = 1, count = 1, inner = columns;
  if (view.rowsAxis >= 0) {
    outer = getProduct(ArrayRef(view.shape).take_front(view.rowsAxis));
    count = view.shape[view.rowsAxis];
    inner = getProduct(ArrayRef(view.shape).drop_front(view.rowsAxis + 1));
  }
  size_t next = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t row = 0; row < count; ++row)
      for (int64_t i = 0; i < inner; ++i)
        values[next++] = static_cast<double>(row * columns + o * inner + i);
  return HostTensor::known(view.shape, std::move(values), true);
}

std::optional<View> llmc::separate(const HostTensor &indices, std::shared_ptr<Base> base, int past,
                                   int64_t rowCount, ArrayRef<Column> table) {
  int64_t width = table.size();
  View view;
  view.base = std::move(base);
  view.past = past;
  view.shape = indices.shape;
  auto rowOf = [&](int64_t i) { return static_cast<int64_t>(indices[i]) / width; };
  auto columnOf = [&](int64_t i) { return static_cast<int64_t>(indices[i]) % width; };
  int64_t count = indices.getNumElements();
  if (count == 0 || !indices.isKnown())
    return std::nullopt;
  auto tryAxis = [&](int axis) {
    int64_t inner = getProduct(ArrayRef(view.shape).drop_front(axis + 1));
    int64_t size = view.shape[axis];
    std::vector<Column> columns;
    columns.reserve(count / size);
    for (int64_t i = 0; i < count; ++i) {
      int64_t row = i / inner % size;
      int64_t first = i - row * inner;
      if (rowOf(i) != row || columnOf(i) != columnOf(first))
        return false;
      if (row == 0)
        columns.push_back(table[columnOf(i)]);
    }
    view.rowsAxis = axis;
    view.columns = std::move(columns);
    return true;
  };
  for (int axis = 0, rank = view.shape.size(); axis < rank; ++axis)
    if (view.shape[axis] == rowCount && tryAxis(axis))
      return view;
  // Only the last row.
  for (int64_t i = 0; i < count; ++i) {
    if (rowOf(i) != rowOf(0) || rowOf(0) != rowCount - 1)
      return std::nullopt;
    view.columns.push_back(table[columnOf(i)]);
  }
  return view;
}
