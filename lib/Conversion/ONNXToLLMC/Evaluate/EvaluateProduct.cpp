//===- EvaluateProduct.cpp - products of matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Operator.h"
#include "Evaluate/Product.h"
#include "Graph/Expansions.h"
#include "Raise/Matchers.h"
#include "llmc/Support/LinearAlgebra.h"

using namespace mlir;
using namespace llmc;

/// Elements of a matrix that are held as fp64 at a time.
static constexpr int64_t pieceElements = int64_t(1) << 17;

//===----------------------------------------------------------------------===//
// One product
//===----------------------------------------------------------------------===//

Factor llmc::makeFactor(const HostTensor &tensor, int64_t index, bool isTransposed) {
  int64_t rank = tensor.shape.size();
  int64_t rows = tensor.shape[rank - 2], columns = tensor.shape[rank - 1];
  Factor factor{isTransposed ? columns : rows, isTransposed ? rows : columns, isTransposed, {}};
  if (tensor.data) {
    factor.read = [data = tensor.data, start = index * rows * columns,
                   columns](int64_t first, int64_t count, double *out) {
      auto begin = data->begin() + start + first * columns;
      std::copy(begin, begin + count * columns, out);
      return true;
    };
    return factor;
  }
  ConstantView view = *tensor.constant;
  for (int64_t axis = 0, left = index; axis < rank - 2; ++axis) {
    int64_t inner = getProduct(ArrayRef(tensor.shape).slice(axis + 1, rank - 3 - axis));
    view = view.slice(axis, inner == 0 ? 0 : left / inner, 1);
    left = inner == 0 ? 0 : left % inner;
  }
  view.shape.erase(view.shape.begin(), view.shape.end() - 2);
  view.strides.erase(view.strides.begin(), view.strides.end() - 2);
  // What lies together in the file is read together.
  bool swap = view.strides[0] == 1 && view.strides[1] != 1;
  if (swap) {
    view = view.transpose({1, 0});
    factor.givesColumns = !factor.givesColumns;
  }
  factor.read = [view](int64_t first, int64_t count, double *out) {
    std::optional<std::vector<double>> values = view.slice(0, first, count).load();
    if (values)
      llvm::copy(*values, out);
    return values.has_value();
  };
  return factor;
}

static std::vector<double> transpose(ArrayRef<double> values, int64_t rows, int64_t columns) {
  std::vector<double> result(values.size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      result[c * rows + r] = values[r * columns + c];
  return result;
}

std::optional<std::vector<double>> llmc::multiply(ArrayRef<double> left, int64_t rows,
                                                  const Factor &right) {
  int64_t inner = right.inner, columns = right.columns, size = right.getLineSize();
  std::vector<double> result(rows * columns, 0.0);
  if (rows == 0 || inner == 0 || columns == 0)
    return result;
  int64_t lines = right.givesColumns ? columns : inner;
  int64_t step = std::min(lines, std::max<int64_t>(pieceElements / size, 1));
  std::vector<double> piece(step * size);
  // Given columns, the transposed product is made row by row.
  std::vector<double> turned =
      right.givesColumns ? transpose(left, rows, inner) : std::vector<double>();
  for (int64_t first = 0; first < lines; first += step) {
    int64_t count = std::min(step, lines - first);
    if (!right.read(first, count, piece.data()))
      return std::nullopt;
    MatrixView<const double> matrix(piece.data(), count, size);
    if (right.givesColumns)
      addProduct({result.data() + first * rows, count, rows}, 1, matrix,
                 MatrixView<const double>(turned.data(), inner, rows));
    else
      addProduct({result.data(), rows, columns}, 1,
                 MatrixView<const double>(left.data() + first, rows, count, inner), matrix);
  }
  return right.givesColumns ? transpose(result, columns, rows) : result;
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// What a product of matrices is of.
struct ProductOptions {
  bool transposesLeft = false, transposesRight = false;
  double factor = 1;
};

/// Steps of all products, for the bounds of a probe.
static bool isTooMuch(Evaluation &evaluation, int64_t count, int64_t inner) {
  // Each element is read `columns` or `rows` times.
  evaluation.work = count < 0 || count > maxEvaluatedElements || inner > maxEvaluatedElements
                        ? INT64_MAX
                        : count * std::max<int64_t>(inner, 1) / 8;
  bool isMuch = count < 0 || count > maxEvaluatedElements ||
                (!evaluation.isWhole && evaluation.work > maxEvaluatedElements * 8);
  if (isMuch)
    (void)evaluation.fail("expected a smaller product of matrices of " + Twine(count) +
                          " elements and " + Twine(inner) + " columns");
  return isMuch;
}

static bool multiplyMatrices(Evaluation &evaluation, const ProductOptions &options) {
  HostTensor a = evaluation.in(0), b = evaluation.in(1);
  // A vector is a matrix of one row or column, which the result goes without.
  bool leftIsVector = a.shape.size() == 1, rightIsVector = b.shape.size() == 1;
  if ((leftIsVector || rightIsVector) && !evaluation.computes())
    return evaluation.fail("expected matrices");
  if (leftIsVector)
    a.shape.insert(a.shape.begin(), 1);
  if (rightIsVector) {
    b.shape.push_back(1);
    b.constant = b.constant ? b.constant->reshape(b.shape) : b.constant;
  }
  if (a.shape.size() < 2 || b.shape.size() < 2)
    return evaluation.fail("expected matrices");
  int64_t rows = a.shape[a.shape.size() - 2], inner = a.shape.back();
  if (options.transposesLeft)
    std::swap(rows, inner);
  int64_t found = b.shape[b.shape.size() - 2], columns = b.shape.back();
  if (options.transposesRight)
    std::swap(found, columns);
  if (found != inner)
    return evaluation.fail("expected " + Twine(inner) + " rows of the second matrix, found " +
                           Twine(found));
  auto batch = broadcastShapes(ArrayRef(a.shape).drop_back(2), ArrayRef(b.shape).drop_back(2));
  if (!batch)
    return evaluation.fail("expected shapes that broadcast");
  SmallVector<int64_t> shape(*batch);
  if (!leftIsVector)
    shape.push_back(rows);
  if (!rightIsVector)
    shape.push_back(columns);
  if (!evaluation.computes()) {
    evaluation.outputs.push_back(HostTensor::unknown(shape));
    return true;
  }
  int64_t count = getProduct(shape);
  if (isTooMuch(evaluation, count, inner))
    return false;
  auto leftValues = evaluation.values(0);
  if (!leftValues || !(b.data || b.constant))
    return evaluation.fail("cannot read a matrix");
  std::vector<int64_t> left = getBroadcastIndices(ArrayRef(a.shape).drop_back(2), *batch);
  std::vector<int64_t> right = getBroadcastIndices(ArrayRef(b.shape).drop_back(2), *batch);
  // One matrix for the whole batch is read once.
  bool isShared = !options.transposesLeft && b.shape.size() == 2;
  size_t products = isShared ? std::min<size_t>(left.size(), 1) : left.size();
  int64_t productRows = isShared ? rows * static_cast<int64_t>(left.size()) : rows;
  std::vector<double> values;
  values.reserve(count);
  for (size_t m = 0; m < products; ++m) {
    ArrayRef<double> matrix =
        ArrayRef(*leftValues).slice(left[m] * rows * inner, productRows * inner);
    std::vector<double> turned;
    if (options.transposesLeft)
      matrix = turned = transpose(matrix, inner, rows);
    auto product = multiply(matrix, productRows, makeFactor(b, right[m], options.transposesRight));
    if (!product)
      return evaluation.fail("cannot read a matrix");
    values.insert(values.end(), product->begin(), product->end());
  }
  if (options.factor != 1)
    for (double &value : values)
      value *= options.factor;
  evaluation.push(shape, std::move(values));
  return true;
}

static bool evaluateMatMul(Evaluation &evaluation) { return multiplyMatrices(evaluation, {}); }

/// A tensor whose first axis stands behind all but the last.
static std::optional<HostTensor> moveFirstAxis(Evaluation &evaluation, unsigned i) {
  const HostTensor &tensor = evaluation.in(i);
  SmallVector<int64_t> permutation;
  int64_t rank = tensor.shape.size();
  for (int64_t axis = 0; axis < rank; ++axis)
    permutation.push_back(rank < 2 || axis == rank - 1 ? axis : (axis + 1) % (rank - 1));
  auto values = evaluation.computes() ? evaluation.values(i) : nullptr;
  SmallVector<int64_t> shape, steps, strides = getRowMajorStrides(tensor.shape);
  for (int64_t axis : permutation) {
    shape.push_back(tensor.shape[axis]);
    steps.push_back(strides[axis]);
  }
  if (!values)
    return evaluation.computes() ? std::nullopt
                                 : std::optional(HostTensor::unknown(shape, tensor.isInteger));
  std::vector<double> moved(values->size());
  SmallVector<int64_t> own = getRowMajorStrides(shape);
  for (size_t at = 0; at < moved.size(); ++at) {
    int64_t from = 0;
    for (int64_t axis = 0; axis < rank; ++axis)
      from += static_cast<int64_t>(at) / own[axis] % shape[axis] * steps[axis];
    moved[at] = (*values)[from];
  }
  return HostTensor::known(shape, std::move(moved), tensor.isInteger);
}

static bool evaluateFusedMatMul(Evaluation &evaluation) {
  const Node &node = evaluation.node;
  std::optional<HostTensor> moved[2];
  for (unsigned i : {0u, 1u}) {
    if (node.getInt(i == 0 ? "transBatchA" : "transBatchB", 0) == 0)
      continue;
    moved[i] = moveFirstAxis(evaluation, i);
    if (!moved[i])
      return evaluation.fail("cannot read input " + Twine(i));
    evaluation.inputs[i] = &*moved[i];
  }
  return multiplyMatrices(evaluation, {node.getInt("transA", 0) != 0, node.getInt("transB", 0) != 0,
                                       node.getFloat("alpha", 1)});
}

static bool evaluateGemm(Evaluation &evaluation) {
  const Node &node = evaluation.node;
  if (evaluation.in(0).shape.size() != 2 || evaluation.in(1).shape.size() != 2)
    return evaluation.fail("expected matrices");
  if (!multiplyMatrices(evaluation, {node.getInt("transA", 0) != 0, node.getInt("transB", 0) != 0,
                                     node.getFloat("alpha", 1)}))
    return false;
  HostTensor &product = evaluation.outputs[0];
  double beta = node.getFloat("beta", 1);
  if (!evaluation.has(2))
    return true;
  auto broadcast = broadcastShapes(product.shape, evaluation.in(2).shape);
  if (!broadcast || ArrayRef(*broadcast) != ArrayRef(product.shape))
    return evaluation.fail("expected an input 'C' that broadcasts to the product");
  if (!product.data)
    return true;
  auto added = evaluation.values(2);
  if (!added)
    return evaluation.fail("cannot read input 'C'");
  std::vector<double> values(*product.data);
  std::vector<int64_t> places = getBroadcastIndices(evaluation.in(2).shape, product.shape);
  for (auto [value, place] : llvm::zip(values, places))
    value += beta * (*added)[place];
  product = HostTensor::known(product.shape, std::move(values), product.isInteger);
  return true;
}

/// Of integers less their zero points: one for all, or one for each row of A or column of B.
static bool evaluateMatMulInteger(Evaluation &evaluation) {
  if (!multiplyMatrices(evaluation, {}))
    return false;
  HostTensor &product = evaluation.outputs[0];
  product.isInteger = true;
  if (!product.data)
    return true;
  auto leftZeros = evaluation.values(2), rightZeros = evaluation.values(3);
  const HostTensor &b = evaluation.in(1);
  int64_t columns = b.shape.back(), inner = evaluation.in(0).shape.back();
  int64_t rows = columns == 0 ? 0 : product.getNumElements() / columns;
  int64_t count = leftZeros ? leftZeros->size() : 1;
  int64_t zeroColumns = rightZeros ? rightZeros->size() : 1;
  if (b.shape.size() != 2 || (count != 1 && count != rows) ||
      (zeroColumns != 1 && zeroColumns != columns))
    return evaluation.fail("expected a matrix of integers, and a zero point for all, for each row "
                           "or for each column");
  std::vector<double> values(*product.data), ones(inner, 1.0);
  auto columnSums = multiply(ones, 1, makeFactor(b, 0, false));
  auto left = evaluation.values(0);
  if (!columnSums || !left)
    return evaluation.fail("cannot read a matrix");
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0, az = leftZeros ? (*leftZeros)[count == 1 ? 0 : row] : 0;
    for (double value : ArrayRef(*left).slice(row * inner, inner))
      sum += value;
    for (int64_t column = 0; column < columns; ++column) {
      double bz = rightZeros ? (*rightZeros)[zeroColumns == 1 ? 0 : column] : 0;
      values[row * columns + column] -=
          az * (*columnSums)[column] + bz * (sum - az * static_cast<double>(inner));
    }
  }
  product = HostTensor::known(product.shape, std::move(values), true);
  return true;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

ArrayRef<Operator> llmc::getProductOperators() {
  static const Operator rows[] = {
      Operator::onnx("MatMul", 1)
          .takes({"A", "B"})
          .streams()
          .evaluatedBy(evaluateMatMul)
          .raisedBy(raiseMatMul),
      Operator::onnx("Gemm", 7)
          .takes({"A", "B", "C?"})
          .reads({"alpha", "beta", "transA=0|1", "transB=0|1"})
          .streams()
          .evaluatedBy(evaluateGemm)
          .raisedBy(raiseGemm)
          .expandedBy(expandGemm),
      Operator::onnx("MatMulInteger", 10)
          .takes({"A", "B", "a_zero_point?", "b_zero_point?"})
          .streams()
          .evaluatedBy(evaluateMatMulInteger)
          .raisedBy(raiseMatMulInteger),
      Operator::contrib("FusedMatMul")
          .takes({"A", "B"})
          .reads({"alpha", "transA=0|1", "transB=0|1", "transBatchA=0|1", "transBatchB=0|1"})
          .streams()
          .evaluatedBy(evaluateFusedMatMul)
          .expandedBy(expandFusedMatMul),
  };
  return rows;
}
