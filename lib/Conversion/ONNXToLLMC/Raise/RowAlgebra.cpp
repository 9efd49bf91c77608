//===- RowAlgebra.cpp - what rows are computed of that llmc has no operation for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/RowAlgebra.h"
#include "Raise/Emission.h"
#include "Raise/Raise.h"
#include "llmc/Support/Formula.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

/// Axes of a view but its rows.
static SmallVector<int64_t> getColumnShape(const View &view) {
  SmallVector<int64_t> shape(view.shape);
  shape.erase(shape.begin() + view.rowsAxis);
  return shape;
}

/// Dimension 0 alone, all others together.
static SmallVector<ReassociationIndices> getColumnGroups(int64_t rank) {
  SmallVector<ReassociationIndices> groups(2);
  groups[0].push_back(0);
  for (int64_t dim = 1; dim < rank; ++dim)
    groups[1].push_back(dim);
  return groups;
}

/// rows × columns as rows × the other axes.
static Value split(Formula &formula, Value rows, ArrayRef<int64_t> columns) {
  if (columns.size() == 1)
    return rows;
  SmallVector<int64_t> shape{ShapedType::kDynamic};
  SmallVector<OpFoldResult> sizes{formula.sizeOf(rows, 0)};
  for (int64_t size : columns) {
    shape.push_back(size);
    sizes.push_back(formula.size(size));
  }
  auto type = RankedTensorType::get(shape, cast<RankedTensorType>(rows.getType()).getElementType());
  return tensor::ExpandShapeOp::create(formula.getBuilder(), type, rows,
                                       getColumnGroups(shape.size()), sizes);
}

/// The way back.
static Value join(Formula &formula, Value rows) {
  int64_t rank = cast<RankedTensorType>(rows.getType()).getRank();
  return rank == 2
             ? rows
             : tensor::CollapseShapeOp::create(formula.getBuilder(), rows, getColumnGroups(rank))
                   .getResult();
}

/// An operand as rows × its other axes.
static FailureOr<Value> emitOperand(Raise &raise, Formula &formula, const View &view) {
  if (view.rowsAxis < 0)
    return raise.fail("expected all rows of the step");
  FailureOr<Value> rows = materializeExactly(raise, view);
  return failed(rows) ? rows : FailureOr<Value>(split(formula, *rows, getColumnShape(view)));
}

/// Numbers that count up along axes, the last one fastest: their sizes, and the steps along them.
/// Nothing where they count otherwise.
static std::optional<std::pair<SmallVector<int64_t>, SmallVector<int64_t>>>
findAxes(ArrayRef<int64_t> numbers) {
  SmallVector<int64_t> sizes, steps, rest(numbers);
  while (rest.size() > 1) {
    int64_t step = rest[1] - rest[0];
    size_t size = 2;
    while (size < rest.size() && rest[size] - rest[size - 1] == step)
      ++size;
    if (step <= 0 || rest.size() % size != 0)
      return std::nullopt;
    SmallVector<int64_t> firsts;
    for (size_t i = 0; i < rest.size(); ++i) {
      if (i % size == 0)
        firsts.push_back(rest[i]);
      else if (rest[i] - rest[i - 1] != step)
        return std::nullopt;
    }
    sizes.insert(sizes.begin(), static_cast<int64_t>(size));
    steps.insert(steps.begin(), step);
    rest = std::move(firsts);
  }
  return std::pair(sizes, steps);
}

Value llmc::emitTransposed(Raise &raise, Value matrix, ArrayRef<int64_t> columns) {
  auto axes = findAxes(columns);
  if (!axes || columns.front() != 0)
    return {};
  Formula formula(raise.builder, raise.location);
  SmallVector<OpFoldResult> sizes{formula.sizeOf(matrix, 0)};
  AffineExpr column = raise.builder.getAffineConstantExpr(0);
  for (auto [i, size, step] : llvm::enumerate(axes->first, axes->second)) {
    sizes.push_back(formula.size(size));
    column = column + formula.dim(i + 1) * step;
  }
  Value moved =
      formula.forEach(sizes, raise.builder.getF32Type(), {{matrix, {formula.dim(0), column}}},
                      [](ImplicitLocOpBuilder &, ValueRange v) { return v[0]; });
  return join(formula, moved);
}

LogicalResult llmc::raiseRowSoftmax(Raise &raise, Node &node) {
  std::optional<View> view = raise.getRows(node, 0);
  if (!view)
    return failure();
  if (int64_t rank = view->shape.size(); normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return raise.fail("expected a softmax over the last axis");
  Formula formula(raise.builder, raise.location);
  FailureOr<Value> operand = emitOperand(raise, formula, *view);
  if (failed(operand))
    return failure();
  auto type = cast<RankedTensorType>(operand->getType());
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    sizes.push_back(formula.sizeOf(*operand, dim));
  ImplicitLocOpBuilder &builder = formula.getBuilder();
  Value empty = tensor::EmptyOp::create(builder, sizes, type.getElementType());
  Value softmax = linalg::SoftmaxOp::create(builder, TypeRange(type), *operand, empty,
                                            static_cast<uint64_t>(type.getRank() - 1))
                      ->getResult(0);
  raise.set(node, 0, view->over(join(formula, softmax), raise.location));
  return success();
}

bool llmc::isRowProduct(const View &left, const View &right) {
  return left.shape.size() == right.shape.size() && left.rowsAxis >= 0 &&
         left.rowsAxis == right.rowsAxis && left.rowsAxis < static_cast<int>(left.shape.size()) - 2;
}

LogicalResult llmc::raiseRowProduct(Raise &raise, Node &node, const View &left, const View &right) {
  SmallVector<int64_t> a = getColumnShape(left), b = getColumnShape(right);
  size_t batch = a.size() - 2;
  if (ArrayRef(a).take_front(batch) != ArrayRef(b).take_front(batch) || a.back() != b[batch])
    return raise.fail("expected matrices of each row of one batch");
  Formula formula(raise.builder, raise.location);
  FailureOr<Value> x = emitOperand(raise, formula, left);
  FailureOr<Value> y = failed(x) ? x : emitOperand(raise, formula, right);
  if (failed(y))
    return failure();
  // Rows, what both have, a row of the left and a column of the right; then what is summed over.
  SmallVector<OpFoldResult> sizes{formula.sizeOf(*x, 0)};
  SmallVector<AffineExpr> shared{formula.dim(0)};
  for (size_t i = 0; i < batch; ++i) {
    sizes.push_back(formula.size(a[i]));
    shared.push_back(formula.dim(i + 1));
  }
  sizes.append({formula.size(a[batch]), formula.size(b.back())});
  AffineExpr m = formula.dim(batch + 1), n = formula.dim(batch + 2), k = formula.dim(batch + 3);
  auto index = [&](AffineExpr first, AffineExpr second) {
    SmallVector<AffineExpr> all(shared);
    all.append({first, second});
    return all;
  };
  Value product = formula.sumOfProducts(sizes, index(m, n), {*x, index(m, k)}, {*y, index(k, n)});
  View result = left;
  result.shape.assign(raise.getResultShape(node).begin(), raise.getResultShape(node).end());
  result.columns.resize(getProduct(getColumnShape(result)));
  raise.set(node, 0, result.over(join(formula, product), raise.location));
  return success();
}
