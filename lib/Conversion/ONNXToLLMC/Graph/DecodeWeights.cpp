//===- DecodeWeights.cpp - weights in forms that only single operators read ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/DecodeWeights.h"
#include "Evaluate/Evaluate.h"
#include "Evaluate/Scales.h"
#include "Graph/GraphBuilder.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Weights of one matrix that are decoded.
static constexpr int64_t maxWeights = int64_t(1) << 31;

//===----------------------------------------------------------------------===//
// What the operators share
//===----------------------------------------------------------------------===//

namespace {

/// The sizes of a product with N × K weights in blocks.
struct Sizes {
  int64_t outputs, inputs, block;

  static std::optional<Sizes> get(const Node &node) {
    Sizes sizes{node.getInt("N", 0), node.getInt("K", 0), node.getInt("block_size", 0)};
    if (sizes.outputs < 1 || sizes.inputs < 1 || sizes.block < 1 || sizes.block > maxWeights ||
        sizes.outputs > maxWeights / sizes.inputs)
      return std::nullopt;
    return sizes;
  }
  int64_t count() const { return outputs * inputs; }
};

} // namespace

static std::optional<ConstantView> getConstant(NodeOp node, unsigned i) {
  Value value = getOperand(node, i);
  return value ? findConstant(value) : std::nullopt;
}

static bool isBytes(const std::optional<ConstantView> &view, int64_t count) {
  return view && view->element.isInteger(8) && view->getNumElements() == count;
}

/// Replaces a product with encoded weights by one with the matrix that they stand for, row by row.
static void replaceByMatMul(NodeOp node, const Sizes &sizes, std::vector<uint8_t> bytes,
                            int64_t stored, Value bias, DecodedSizes &total) {
  GraphBuilder builder(node);
  ++total.matrices;
  total.stored += stored;
  total.decoded += bytes.size();
  auto type =
      RankedTensorType::get({sizes.outputs, sizes.inputs}, builder.attributes().getF32Type());
  Attribute data = makeParameterData(node.getContext(), "decoded", std::move(bytes));
  Value weight = builder.addInitializer(node.getName(), type, data);
  auto order =
      builder.attributes().getNamedAttr("perm", builder.attributes().getDenseI64ArrayAttr({1, 0}));
  Value product =
      builder.add("MatMul", {node.getInputs()[0], builder.add("Transpose", weight, order)});
  builder.replace(bias ? builder.add("Add", {product, bias}) : product);
}

//===----------------------------------------------------------------------===//
// MatMulBnb4
//===----------------------------------------------------------------------===//

// The values of 4-bit codes as bitsandbytes defines them (Dettmers et al. 2023, "QLoRA"; the
// numbers of its kernels): 4-bit floats; NF4Attr has the quantiles of a normal distribution.
static constexpr float fp4Values[16] = {
    0.0f,  0.005208333333f,  0.66666667f,  1.0f,  0.33333333f,  0.5f,  0.16666667f,  0.25f,
    -0.0f, -0.005208333333f, -0.66666667f, -1.0f, -0.33333333f, -0.5f, -0.16666667f, -0.25f};

LogicalResult llmc::decodeBnb4(NodeOp op, DecodedSizes &total) {
  Node node(op);
  int64_t kind = node.getInt("quant_type", 1);
  if (kind != 0 && kind != 1)
    return op.emitError("expected a quant_type of 0 (FP4) or 1 (NF4), found ") << kind;
  if (node.getInt("transB", 1) != 1 || node.getInt("training_mode", 0) != 0)
    return op.emitError("expected transB = 1 and training_mode = 0, found ")
           << node.getInt("transB", 1) << " and " << node.getInt("training_mode", 0);
  std::optional<Sizes> sizes = Sizes::get(node);
  std::optional<ConstantView> codes = getConstant(op, 1), scales = getConstant(op, 2);
  // The blocks run on over the ends of rows.
  if (!sizes || !isBytes(codes, llvm::divideCeil(sizes->count(), 2)) || !scales ||
      scales->getNumElements() !=
          static_cast<int64_t>(llvm::divideCeil(sizes->count(), sizes->block)))
    return op.emitError(
        "expected K, N and block_size of 1 or more, and constants with a code for each "
        "of N × K weights and a scale for each block");
  auto bytes = codes->loadBytes();
  auto scale = scales->load();
  if (!bytes || !scale)
    return op.emitError("cannot read its weights");
  ArrayRef<float> values = kind == 0 ? ArrayRef(fp4Values) : NF4Attr::getNumbers();
  std::vector<uint8_t> decoded(sizes->count() * sizeof(float));
  Type f32 = Float32Type::get(op.getContext());
  for (int64_t i = 0; i < sizes->count(); ++i) {
    unsigned code = i % 2 == 0 ? (*bytes)[i / 2] >> 4 : (*bytes)[i / 2] & 15;
    writeFloat(decoded.data(), i, f32,
               values[code] * static_cast<float>((*scale)[i / sizes->block]));
  }
  replaceByMatMul(op, *sizes, std::move(decoded), bytes->size() + 4 * scale->size(), {}, total);
  return success();
}

//===----------------------------------------------------------------------===//
// MatMulNBits
//===----------------------------------------------------------------------===//

/// Zero points per row and block, as codes or as numbers; the middle where there are none.
static std::optional<std::vector<double>> loadZeros(const std::optional<ConstantView> &zeros,
                                                    int64_t rows, int64_t blocks, unsigned bits) {
  if (!zeros)
    return std::vector<double>(rows * blocks, 1 << (bits - 1));
  if (isa<FloatType>(zeros->element))
    return zeros->getNumElements() == rows * blocks ? zeros->load() : std::nullopt;
  int64_t perRow = llvm::divideCeil(blocks * bits, 8);
  auto packed = isBytes(zeros, rows * perRow) ? zeros->loadBytes() : std::nullopt;
  if (!packed)
    return std::nullopt;
  std::vector<double> values;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < blocks; ++i)
      values.push_back(readCode(packed->data() + row * perRow, i, bits));
  return values;
}

void llmc::decodePermutedNBits(NodeOp op, DecodedSizes &total) {
  Node node(op);
  std::optional<Sizes> sizes = Sizes::get(node);
  int64_t bits = node.getInt("bits", 4);
  std::optional<ConstantView> order = getConstant(op, 4);
  // ONNX Runtime reads other widths in no order that its documentation states.
  if (!sizes || !order || order->getNumElements() < sizes->inputs || (bits != 4 && bits != 8) ||
      sizes->block * bits % 8 != 0 || node.getInt("weight_prepacked", 0) != 0)
    return;
  std::optional<ConstantView> codes = getConstant(op, 1), scales = getConstant(op, 2),
                              zeros = getConstant(op, 3);
  int64_t blocks = llvm::divideCeil(sizes->inputs, sizes->block);
  int64_t rowBytes = blocks * (sizes->block * bits / 8);
  // Zero points that are codes it leaves out on CPUs, and reads on other devices.
  if (!isBytes(codes, sizes->outputs * rowBytes) || !scales ||
      scales->getNumElements() != sizes->outputs * blocks ||
      (getOperand(op, 3) && !(zeros && isa<FloatType>(zeros->element))))
    return;
  auto groups = order->load();
  bool counts = true, known = groups.has_value();
  for (int64_t k = 0; known && k < sizes->inputs; ++k) {
    double group = (*groups)[k];
    known = group >= 0 && group < static_cast<double>(blocks);
    counts &= known && static_cast<int64_t>(group) == k / sizes->block;
  }
  // An order that counts up by blocks says nothing.
  if (!known || counts)
    return;
  auto bytes = codes->loadBytes();
  auto scale = scales->load();
  auto zero = loadZeros(zeros, sizes->outputs, blocks, static_cast<unsigned>(bits));
  if (!bytes || !scale || !zero)
    return;
  std::vector<uint8_t> decoded(sizes->count() * sizeof(float));
  Type f32 = Float32Type::get(op.getContext());
  for (int64_t n = 0; n < sizes->outputs; ++n)
    for (int64_t k = 0; k < sizes->inputs; ++k) {
      int64_t at = n * blocks + static_cast<int64_t>((*groups)[k]);
      unsigned code = readCode(bytes->data() + n * rowBytes, k, static_cast<unsigned>(bits));
      writeFloat(decoded.data(), n * sizes->inputs + k, f32,
                 static_cast<float>((code - (*zero)[at]) * (*scale)[at]));
    }
  replaceByMatMul(op, *sizes, std::move(decoded), bytes->size() + 4 * scale->size(),
                  getOperand(op, 5), total);
}

//===----------------------------------------------------------------------===//
// GatherBlockQuantized
//===----------------------------------------------------------------------===//

void llmc::spellGatherBlockQuantized(NodeOp op) {
  Node node(op);
  std::optional<ConstantView> data = getConstant(op, 0);
  // Bytes are raised as they are.
  if (!data || !data->element.isInteger(4) || !getOperand(op, 1) || !getOperand(op, 2))
    return;
  GraphBuilder builder(op);
  SmallVector<Value> inputs{op.getInputs()[0], op.getInputs()[2]};
  if (Value zeros = getOperand(op, 3))
    inputs.push_back(zeros);
  Value table = builder.add("DequantizeLinear", inputs,
                            {builder.getInt("axis", node.getInt("quantize_axis", 1)),
                             builder.getInt("block_size", node.getInt("block_size", 128))});
  builder.replace(builder.add("Gather", {table, op.getInputs()[1]},
                              builder.getInt("axis", node.getInt("gather_axis", 0))));
}

//===----------------------------------------------------------------------===//
// QuantizeLinear
//===----------------------------------------------------------------------===//

/// Writes a code of up to 16 bits at its place in a packed array of zeros.
static void writeInteger(std::vector<uint8_t> &bytes, int64_t index, unsigned bits, int code) {
  if (bits == 16) {
    bytes[2 * index] = static_cast<uint8_t>(code);
    bytes[2 * index + 1] = static_cast<uint8_t>(code >> 8);
  } else {
    writeCode(bytes.data(), index, bits, static_cast<unsigned>(code) & ((1u << bits) - 1));
  }
}

LogicalResult llmc::foldQuantizeLinear(NodeOp op) {
  std::optional<ConstantView> values = getConstant(op, 0), scales = getConstant(op, 1),
                              zeros = getConstant(op, 2);
  if (!values || !isa<FloatType>(values->element) || !scales || (getOperand(op, 2) && !zeros))
    return success();
  Node node(op);
  IntegerType type = getCodeType(node, zeros ? zeros->element : Type());
  int64_t count = values->getNumElements();
  std::optional<ScaleIndex> index = ScaleIndex::get(
      values->shape, scales->shape, node.getInt("axis", 1), node.getInt("block_size", 0));
  // Elements in the IR itself may stand for any number of equal ones.
  int64_t most = isa<DenseElementsAttr>(values->source) ? maxEvaluatedElements : maxWeights;
  if (!type || !index || count < 0 || count > most ||
      (zeros && zeros->getNumElements() != scales->getNumElements()))
    return success();
  auto scale = scales->load();
  auto zero = zeros ? zeros->load() : std::vector<double>(scale ? scale->size() : 0);
  if (!scale || !zero)
    return op.emitError("cannot read its scales and zero points");
  unsigned bits = type.getWidth();
  auto [low, high] = getCodeRange(type);
  std::vector<uint8_t> bytes(llvm::divideCeil(count * bits, 8));
  // Row by row: the matrix may be large.
  const ConstantView &flat = *values;
  int64_t rows = flat.shape.empty() ? 1 : flat.shape[0], width = rows > 0 ? count / rows : 0;
  for (int64_t row = 0; row < rows; ++row) {
    auto numbers = flat.shape.empty() ? flat.load() : flat.slice(0, row, 1).load();
    if (!numbers)
      return op.emitError("cannot read its weights");
    for (auto [i, number] : llvm::enumerate(*numbers)) {
      int64_t element = row * width + static_cast<int64_t>(i), at = (*index)(element);
      // Rounded as in fp32, in which it is computed.
      float quotient = static_cast<float>(number) / static_cast<float>((*scale)[at]);
      double code = std::nearbyint(quotient) + (*zero)[at];
      if (std::isnan(code))
        return op.emitError(
                   "expected numbers divided by scales, found what is no number at element ")
               << element;
      writeInteger(bytes, element, bits, static_cast<int>(std::clamp(code, low, high)));
    }
  }
  GraphBuilder builder(op);
  Attribute data = makeParameterData(op.getContext(), "rounded", std::move(bytes));
  builder.replace(
      builder.addInitializer(op.getName(), RankedTensorType::get(values->shape, type), data));
  return success();
}
