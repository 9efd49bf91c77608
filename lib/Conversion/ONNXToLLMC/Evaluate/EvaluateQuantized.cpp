//===- EvaluateQuantized.cpp - operators on integers with scales ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Operator.h"
#include "Evaluate/Product.h"
#include "Evaluate/Scales.h"
#include "Raise/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

namespace {
/// A matrix of codes in blocks that share a scale and a zero point, as MatMulNBits and
/// GatherBlockQuantized store it.
struct BlockedMatrix {
  int64_t rows = 0, columns = 0, bits = 4, block = 32;
  std::shared_ptr<const std::vector<double>> scales, zeros;
  std::vector<int64_t> groups; ///< by column, where columns are not in the order of their blocks
  bool zerosAreNumbers = false;

  int64_t getBlocks() const { return (columns + block - 1) / block; }
  int64_t getRowBytes() const { return getBlocks() * block * bits / 8; }

  /// Codes stand in bytes, low bits first.
  int64_t getCode(ArrayRef<double> bytes, int64_t index) const {
    int64_t perByte = 8 / bits;
    auto byte = static_cast<int64_t>(bytes[index / perByte]) & 255;
    return byte >> (index % perByte * bits) & ((int64_t(1) << bits) - 1);
  }
  double getZero(int64_t row, int64_t group) const {
    int64_t middle = int64_t(1) << (bits - 1), blocks = getBlocks();
    if (!zeros)
      return static_cast<double>(middle);
    if (zerosAreNumbers)
      return (*zeros)[row * blocks + group];
    int64_t bytes = (blocks * bits + 7) / 8;
    return static_cast<double>(getCode(ArrayRef(*zeros).slice(row * bytes, bytes), group));
  }
  /// One row's values, from its bytes.
  void decode(ArrayRef<double> bytes, int64_t row, double *out) const {
    for (int64_t column = 0; column < columns; ++column) {
      int64_t group = groups.empty() ? column / block : groups[column];
      out[column] = (static_cast<double>(getCode(bytes, column)) - getZero(row, group)) *
                    (*scales)[row * getBlocks() + group];
    }
  }
};
} // namespace

/// Rows of bytes, read from values or from the file.
static std::optional<std::vector<double>> readRows(const HostTensor &tensor, int64_t rowSize,
                                                   int64_t first, int64_t count) {
  if (tensor.data)
    return std::vector<double>(tensor.data->begin() + first * rowSize,
                               tensor.data->begin() + (first + count) * rowSize);
  if (!tensor.constant)
    return std::nullopt;
  auto flat = tensor.constant->reshape({tensor.getNumElements() / rowSize, rowSize});
  return flat ? flat->slice(0, first, count).load() : std::nullopt;
}

/// Whether codes, scales and zero points have the sizes that rows × columns ask for.
static bool fits(const Evaluation &evaluation, const BlockedMatrix &matrix, const HostTensor &codes,
                 unsigned zeroInput) {
  int64_t blocks = matrix.getBlocks(), zeroBytes = (blocks * matrix.bits + 7) / 8;
  return codes.getNumElements() == matrix.rows * matrix.getRowBytes() && matrix.scales &&
         static_cast<int64_t>(matrix.scales->size()) == matrix.rows * blocks &&
         (!evaluation.has(zeroInput) ||
          (matrix.zeros && static_cast<int64_t>(matrix.zeros->size()) ==
                               matrix.rows * (matrix.zerosAreNumbers ? blocks : zeroBytes)));
}

static bool hasBits(int64_t bits) { return bits == 2 || bits == 4 || bits == 8; }

static bool evaluateMatMulNBits(Evaluation &evaluation) {
  const Node &node = evaluation.node;
  SmallVector<int64_t> shape(evaluation.in(0).shape);
  BlockedMatrix matrix;
  matrix.rows = node.getInt("N", 0);
  matrix.columns = node.getInt("K", 0);
  matrix.bits = node.getInt("bits", 4);
  matrix.block = node.getInt("block_size", 32);
  if (shape.empty() || matrix.rows < 1 || matrix.rows > maxShapeElements ||
      shape.back() != matrix.columns || matrix.columns < 1)
    return evaluation.fail("expected an input of width K and a positive N");
  shape.back() = matrix.rows;
  if (!evaluation.computes()) {
    evaluation.outputs.push_back(HostTensor::unknown(shape));
    return true;
  }
  const HostTensor &codes = evaluation.in(1);
  matrix.scales = evaluation.values(2);
  matrix.zeros = evaluation.values(3);
  matrix.zerosAreNumbers = evaluation.has(3) && !evaluation.in(3).isInteger;
  if (!hasBits(matrix.bits) || matrix.block < 16 || matrix.block > (1 << 20) ||
      !fits(evaluation, matrix, codes, 3))
    return evaluation.fail("expected codes, scales and zero points for N × K weights in blocks");
  if (auto order = evaluation.values(4))
    for (double group : *order) {
      matrix.groups.push_back(toInteger(group));
      if (group < 0 || group >= static_cast<double>(matrix.getBlocks()))
        return evaluation.fail("expected a g_idx below " + Twine(matrix.getBlocks()));
    }
  if (!matrix.groups.empty() && static_cast<int64_t>(matrix.groups.size()) < matrix.columns)
    return evaluation.fail("expected a g_idx of " + Twine(matrix.columns) + " elements");
  Factor factor{matrix.columns, matrix.rows, /*givesColumns=*/true, {}};
  factor.read = [&](int64_t first, int64_t count, double *out) {
    int64_t size = matrix.getRowBytes();
    auto bytes = readRows(codes, size, first, count);
    for (int64_t i = 0; bytes && i < count; ++i)
      matrix.decode(ArrayRef(*bytes).slice(i * size, size), first + i, out + i * matrix.columns);
    return bytes.has_value();
  };
  auto input = evaluation.values(0);
  int64_t rows = getProduct(ArrayRef(shape).drop_back());
  auto product = input ? multiply(*input, rows, factor) : std::nullopt;
  if (!product)
    return evaluation.fail("cannot read its weights");
  if (auto bias = evaluation.values(5)) {
    if (static_cast<int64_t>(bias->size()) != matrix.rows)
      return evaluation.fail("expected a bias as wide as the result");
    for (size_t i = 0; i < product->size(); ++i)
      (*product)[i] += (*bias)[i % matrix.rows];
  }
  evaluation.push(shape, std::move(*product));
  return true;
}

static bool evaluateGatherBlockQuantized(Evaluation &evaluation) {
  const HostTensor &table = evaluation.in(0), &indices = evaluation.in(1);
  if (table.shape.size() != 2)
    return evaluation.fail("expected a table of rank 2");
  BlockedMatrix matrix;
  matrix.bits = evaluation.node.getInt("bits", 4);
  matrix.block = evaluation.node.getInt("block_size", 128);
  if (!hasBits(matrix.bits))
    return evaluation.fail("expected 2, 4 or 8 bits, found " + Twine(matrix.bits));
  bool isBytes = !table.constant || table.constant->element.isInteger(8);
  matrix.rows = table.shape[0];
  matrix.columns = table.shape[1] * (isBytes ? 8 / matrix.bits : 1);
  SmallVector<int64_t> shape(indices.shape);
  shape.push_back(matrix.columns);
  if (!evaluation.computes()) {
    evaluation.outputs.push_back(HostTensor::unknown(shape));
    return true;
  }
  matrix.scales = evaluation.values(2);
  matrix.zeros = evaluation.values(3);
  if (!isBytes || matrix.block < 16 || matrix.columns % matrix.block != 0 ||
      !fits(evaluation, matrix, table, 3))
    return evaluation.fail("expected bytes of codes, and scales and zero points, for a table in "
                           "blocks");
  std::vector<double> values(getProduct(shape));
  for (int64_t i = 0, count = indices.getNumElements(); i < count; ++i) {
    int64_t row = toInteger(indices[i]);
    row = row < 0 ? row + matrix.rows : row;
    auto bytes = row >= 0 && row < matrix.rows ? readRows(table, matrix.getRowBytes(), row, 1)
                                               : std::nullopt;
    if (!bytes)
      return evaluation.fail("expected indices below " + Twine(matrix.rows) + ", found " +
                             Twine(row));
    matrix.decode(*bytes, row, values.data() + i * matrix.columns);
  }
  evaluation.push(shape, std::move(values));
  return true;
}

//===----------------------------------------------------------------------===//
// Scales and zero points of tensors
//===----------------------------------------------------------------------===//

/// Activations in 8 bits: integers, and the scale and zero point of all.
static bool evaluateDynamicQuantizeLinear(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0);
  if (!evaluation.computes()) {
    evaluation.outputs = {HostTensor::unknown(input.shape, true), HostTensor::unknown({}),
                          HostTensor::unknown({}, true)};
    evaluation.outputs.resize(std::min<size_t>(3, evaluation.numOutputs()));
    return true;
  }
  double low = 0, high = 0;
  for (double value : *input.data) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // As ONNX Runtime computes them, in fp32.
  double scale = high == low ? 1 : static_cast<float>((high - low) / 255);
  double zero = std::clamp(std::nearbyint(-low / scale), 0.0, 255.0);
  std::vector<double> values(*input.data);
  for (double &value : values) {
    value = value / scale + zero;
    if (evaluation.roundsActivations)
      value = std::clamp(std::nearbyint(value - zero) + zero, 0.0, 255.0);
  }
  evaluation.push(input.shape, std::move(values), true);
  evaluation.push({}, {scale});
  evaluation.push({}, {zero}, true);
  return true;
}

/// The index of the scales that are a node's second operand, and of the zero points that are its
/// third.
static std::optional<ScaleIndex> getScaleIndex(Evaluation &evaluation) {
  const HostTensor &scales = evaluation.in(1);
  auto index =
      ScaleIndex::get(evaluation.in(0).shape, scales.shape, evaluation.node.getInt("axis", 1),
                      evaluation.node.getInt("block_size", 0));
  if (index && evaluation.has(2) && evaluation.in(2).getNumElements() != scales.getNumElements())
    index.reset();
  if (!index)
    evaluation.fail("expected a scale and zero point for all, for each place of an axis, or for "
                    "each block");
  return index;
}

/// Numbers as integers of a scale and a zero point.
static bool evaluateQuantizeLinear(Evaluation &evaluation) {
  const HostTensor &input = evaluation.in(0), &scales = evaluation.in(1);
  if (!evaluation.computes()) {
    evaluation.outputs.push_back(HostTensor::unknown(input.shape, true));
    return true;
  }
  const HostTensor *zeros = evaluation.has(2) ? &evaluation.in(2) : nullptr;
  IntegerType type;
  if (!zeros || zeros->constant)
    type = getCodeType(evaluation.node, zeros ? zeros->constant->element : Type());
  if (!type)
    return evaluation.fail("expected integers of 2, 4, 8 or 16 bits, and constant zero points");
  std::optional<ScaleIndex> index = getScaleIndex(evaluation);
  if (!index)
    return false;
  auto [low, high] = getCodeRange(type);
  bool rounds = evaluation.roundsActivations || evaluation.isFixed();
  std::vector<double> values(*input.data);
  for (auto [i, value] : llvm::enumerate(values)) {
    int64_t at = (*index)(static_cast<int64_t>(i));
    double zero = zeros ? (*zeros)[at] : 0;
    // Rounded as in fp32, in which it is computed. Where it isn't, one sign stays what integers
    // without it make of it.
    if (rounds)
      value = std::clamp(
          std::nearbyint(static_cast<float>(value) / static_cast<float>(scales[at])) + zero, low,
          high);
    else
      value = std::clamp(value / scales[at] + zero, zero == low ? low : -INFINITY,
                         zero == high ? high : INFINITY);
  }
  evaluation.push(input.shape, std::move(values), true);
  return true;
}

static bool evaluateDequantizeLinear(Evaluation &evaluation) {
  const HostTensor &codes = evaluation.in(0), &scales = evaluation.in(1);
  if (!evaluation.computes()) {
    evaluation.outputs.push_back(HostTensor::unknown(codes.shape));
    return true;
  }
  std::optional<ScaleIndex> index = getScaleIndex(evaluation);
  if (!index)
    return false;
  std::vector<double> values(*codes.data);
  for (auto [i, value] : llvm::enumerate(values)) {
    int64_t at = (*index)(static_cast<int64_t>(i));
    value = (value - (evaluation.has(2) ? evaluation.in(2)[at] : 0)) * scales[at];
  }
  evaluation.push(codes.shape, std::move(values));
  return true;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

ArrayRef<Operator> llmc::getQuantizedOperators() {
  static const Operator rows[] = {
      Operator::contrib("MatMulNBits")
          .takes({"A", "B", "scales", "zero_points?", "g_idx?", "bias?"})
          .reads({"K", "N", "bits", "block_size", "accuracy_level", "weight_prepacked=0"})
          .streams()
          .evaluatedBy(evaluateMatMulNBits)
          .raisedBy(raiseMatMulNBits),
      Operator::contrib("GatherBlockQuantized")
          .takes({"data", "indices", "scales", "zero_points?"})
          .reads({"bits", "block_size", "gather_axis", "quantize_axis=1|-1"})
          .streams()
          .evaluatedBy(evaluateGatherBlockQuantized)
          .raisedBy(raiseGatherBlockQuantized),
      Operator::onnx("DynamicQuantizeLinear", 11)
          .takes({"x"})
          .evaluatedBy(evaluateDynamicQuantizeLinear)
          .raisedBy(raiseDynamicQuantizeLinear),
      Operator::onnx("QuantizeLinear", 10)
          .takes({"x", "y_scale", "y_zero_point?"})
          .reads({"axis", "block_size", "output_dtype", "precision=0", "saturate=0|1"})
          .evaluatedBy(evaluateQuantizeLinear)
          .raisedBy(raiseQuantizeLinear),
      Operator::onnx("DequantizeLinear", 10)
          .takes({"x", "x_scale", "x_zero_point?"})
          .reads({"axis", "block_size", "output_dtype"})
          .evaluatedBy(evaluateDequantizeLinear)
          .raisedBy(raiseDequantizeLinear),
  };
  return rows;
}
