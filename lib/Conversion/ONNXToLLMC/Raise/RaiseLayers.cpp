//===- RaiseLayers.cpp - linears, embeddings and norms ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Raiser.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Linear
//===----------------------------------------------------------------------===//

/// A matrix that DequantizeLinear computes from constants, seen through what only moves it.
std::optional<Dequantized> Raiser::getDequantized(Value value) {
  value = probe.resolve(value);
  auto op = value.getDefiningOp<carrier::NodeOp>();
  if (!op || op.getInputs().empty())
    return std::nullopt;
  Node node(op);
  std::string type = node.getType();
  bool keeps = type == "Identity" || (type == "Cast" && !tensor(value).isInteger);
  if (keeps || type == "Transpose") {
    std::optional<Dequantized> found = getDequantized(op.getInputs()[0]);
    if (!found || keeps || node.getInts("perm") == ArrayRef<int64_t>({0, 1}))
      return found;
    return found->transpose();
  }
  if (type != "DequantizeLinear")
    return std::nullopt;
  std::optional<ConstantView> codes = getConstant(node, 0), scales = getConstant(node, 1),
                              zeros = getConstant(node, 2);
  if (!codes || !scales || (has(node, 2) && !zeros))
    return std::nullopt;
  return Dequantized::get(std::move(*codes), std::move(*scales), std::move(zeros),
                          node.getInt("axis", 1), node.getInt("block_size", 0));
}

/// Computes the values of weights that no encoding holds.
LogicalResult Raiser::settle(Weight &weight) {
  if (!weight.dequantized || weight.dequantized->isGrouped())
    return success();
  std::optional<std::vector<double>> values = weight.dequantized->load();
  if (!values)
    return fail("cannot compute weights whose scales are not shared along the inputs");
  weight.values = std::make_shared<const std::vector<double>>(std::move(*values));
  weight.dequantized.reset();
  return success();
}

/// A constant matrix of the file or a computed one.
std::optional<Weight> Raiser::getMatrix(Node &node, unsigned i) {
  const HostTensor *found = has(node, i) ? probe.get(operand(node, i)) : nullptr;
  if (!found || found->shape.size() != 2)
    return std::nullopt;
  Weight weight;
  weight.shape = found->shape;
  weight.dequantized = getDequantized(operand(node, i));
  if (weight.dequantized)
    return weight;
  if (found->constant)
    weight.view = *found->constant;
  else if (found->data)
    weight.values = found->data;
  else
    return std::nullopt;
  return weight;
}

/// Swaps rows and columns.
static Weight transpose(Weight weight) {
  int64_t rows = weight.shape[0], columns = weight.shape[1];
  std::swap(weight.shape[0], weight.shape[1]);
  if (weight.dequantized) {
    weight.dequantized = weight.dequantized->transpose();
    return weight;
  }
  if (!weight.values) {
    weight.view = weight.view.transpose({1, 0});
    return weight;
  }
  std::vector<double> values(weight.values->size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      values[c * rows + r] = (*weight.values)[r * columns + c];
  weight.values = std::make_shared<const std::vector<double>>(std::move(values));
  return weight;
}

/// Holds a linear back until what follows is known. `weight` is out × in.
LogicalResult Raiser::emitLinear(Node &node, const View &input, Weight weight,
                                 std::optional<Weight> bias, DynamicAttr activation) {
  int64_t last = static_cast<int64_t>(input.shape.size()) - 1;
  if (last < 0 || input.rowsAxis == last ||
      static_cast<int64_t>(input.columns.size()) != input.shape[last])
    return fail("expected rows whose columns are the last axis");
  if (weight.shape[0] < 1 || weight.shape[0] > maxColumns)
    return fail("expected 1 to " + Twine(maxColumns) + " outputs, found " + Twine(weight.shape[0]));
  FailureOr<Value> rowsValue = materializeExactly(input);
  if (failed(rowsValue) || failed(settle(weight)))
    return failure();
  auto base = std::make_shared<Base>(location);
  base->input = *rowsValue;
  base->width = weight.shape[0];
  base->weight = std::move(weight);
  base->bias = std::move(bias);
  base->activation = activation;
  View view = input;
  view.base = base;
  view.shape[last] = base->width;
  view.columns.assign(base->width, Column());
  for (auto [i, column] : llvm::enumerate(view.columns))
    column.first.column = i;
  set(node, 0, std::move(view));
  return success();
}

LogicalResult Raiser::raiseMatMul(Node &node) {
  if (!isData(node, 1)) {
    std::optional<View> input = getView(node, 0);
    std::optional<Weight> weight = getMatrix(node, 1);
    if (!input || !weight)
      return fail("expected rows times a constant matrix");
    return emitLinear(node, *input, transpose(std::move(*weight)), std::nullopt, {});
  }
  if (!isData(node, 0))
    return fail("expected rows as the first operand");
  ArrayRef<int64_t> shape = tensor(node.op.getResult(0)).shape;
  ArrayRef<int64_t> batch = shape.drop_back(2);
  if (auto *scores = getIf<Scores>(node, 0)) {
    std::optional<View> view = getView(node, 1);
    if (!view || !scores->isSoftmax)
      return fail("expected the softmax of scores times values");
    if (view->shape.size() < 2 || view->rowsAxis != static_cast<int>(view->shape.size()) - 2)
      return fail("expected values with heads before rows");
    FailureOr<View> values = makeHeads(*view, batch, shape.back());
    FailureOr<View> result =
        failed(values) ? values
                       : emitAttention(scores->query, scores->keys, *values, *scores, shape);
    if (failed(result))
      return failure();
    set(node, 0, std::move(*result));
    return success();
  }
  std::optional<View> query = getView(node, 0), keys = getView(node, 1);
  if (!query || !keys)
    return failure();
  int queryRank = query->shape.size(), keyRank = keys->shape.size();
  if (query->rowsAxis != queryRank - 2 || keys->rowsAxis != keyRank - 1)
    return fail("expected queries times transposed keys");
  int64_t size = query->shape.back();
  FailureOr<View> queryHeads = makeHeads(*query, batch, size);
  FailureOr<View> keyHeads = failed(queryHeads) ? queryHeads : makeHeads(*keys, batch, size);
  if (failed(keyHeads))
    return failure();
  Scores scores;
  scores.query = std::move(*queryHeads);
  scores.keys = std::move(*keyHeads);
  set(node, 0, std::move(scores));
  return success();
}

LogicalResult Raiser::raiseGemm(Node &node) {
  std::optional<View> input = getView(node, 0);
  std::optional<Weight> weight = getMatrix(node, 1);
  if (!input || !weight || node.getInt("transA", 0) != 0 || node.getFloat("alpha", 1) != 1)
    return fail("expected rows times a constant matrix, not scaled");
  if (node.getInt("transB", 0) == 0)
    *weight = transpose(std::move(*weight));
  std::optional<Weight> bias;
  if (has(node, 2)) {
    bias = getVector(node, 2, weight->shape[0]);
    if (!bias || node.getFloat("beta", 1) != 1)
      return fail("expected a bias as wide as the result");
  }
  return emitLinear(node, *input, std::move(*weight), std::move(bias), {});
}

/// The operands that hold blocks of integers, from the codes on.
static std::optional<BlockQuantized> getBlocks(const HostTensor *codes, const HostTensor *scales,
                                               const HostTensor *zeros) {
  if (!codes || !scales || !codes->constant || !scales->constant ||
      !codes->constant->isContiguous() || !scales->constant->isContiguous() ||
      !codes->constant->element.isInteger(8))
    return std::nullopt;
  Type scale = scales->constant->element;
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return std::nullopt;
  BlockQuantized blocks{};
  blocks.codes = *codes->constant;
  blocks.scales = *scales->constant;
  if (zeros) {
    if (!zeros->constant || !zeros->constant->isContiguous() ||
        !zeros->constant->element.isInteger(8))
      return std::nullopt;
    blocks.zeros = *zeros->constant;
  }
  return blocks;
}

/// Checks that the operands have as many elements as the sizes ask for.
static bool fits(const BlockQuantized &blocks) {
  int64_t perRow = (blocks.columns + blocks.block - 1) / blocks.block;
  int64_t blobBytes = blocks.block * blocks.bits / 8;
  int64_t zeroBytes = blocks.packedZeros ? (perRow * blocks.bits + 7) / 8 : perRow;
  return blocks.codes.getNumElements() == blocks.rows * perRow * blobBytes &&
         blocks.scales.getNumElements() == blocks.rows * perRow &&
         (!blocks.zeros || blocks.zeros->getNumElements() == blocks.rows * zeroBytes);
}

static Weight makeQuantized(BlockQuantized blocks) {
  Weight weight;
  weight.count = blocks.rows;
  weight.shape = {blocks.rows, blocks.columns};
  weight.quantized = std::make_shared<const BlockQuantized>(std::move(blocks));
  return weight;
}

LogicalResult Raiser::raiseMatMulNBits(Node &node) {
  std::optional<View> input = getView(node, 0);
  if (!input)
    return failure();
  auto find = [&](unsigned i) { return has(node, i) ? probe.get(operand(node, i)) : nullptr; };
  std::optional<BlockQuantized> blocks = getBlocks(find(1), find(2), find(3));
  if (!blocks)
    return fail("expected bytes of codes, scales, and zero points as bytes or none");
  if (has(node, 4)) {
    // An order of the inputs; counting up by blocks it says nothing.
    auto order = probe.load(operand(node, 4));
    int64_t block = node.getInt("block_size", 32);
    if (block <= 0)
      return fail("expected a block_size above 0, found " + Twine(block));
    for (size_t i = 0; order && i < order->size(); ++i)
      if (const int64_t expected = static_cast<int64_t>(i) / block;
          (*order)[i] != static_cast<double>(expected))
        return fail("expected inputs in their own order, found a g_idx that permutes them");
  }
  blocks->bits = static_cast<unsigned>(node.getInt("bits", 4));
  blocks->block = node.getInt("block_size", 32);
  blocks->rows = node.getInt("N", 0);
  blocks->columns = node.getInt("K", 0);
  if ((blocks->bits != 2 && blocks->bits != 4 && blocks->bits != 8) || blocks->block < 16 ||
      blocks->block > maxColumns || blocks->rows < 1 || blocks->columns < 1 ||
      blocks->rows > maxColumns || blocks->columns > maxColumns || !fits(*blocks))
    return fail("expected codes and scales for N × K weights in blocks");
  // accuracy_level 4: activations in 8 bits per block.
  DynamicAttr activation;
  if (node.getInt("accuracy_level", 0) == 4 && blocks->block % 32 == 0)
    activation = DynamicAttr::get(builder.getContext(), 8, blocks->block);
  std::optional<Weight> bias;
  if (has(node, 5)) {
    bias = getVector(node, 5, blocks->rows);
    if (!bias)
      return fail("expected a bias as wide as the result");
  }
  return emitLinear(node, *input, makeQuantized(std::move(*blocks)), std::move(bias), activation);
}

//===----------------------------------------------------------------------===//
// Embedding
//===----------------------------------------------------------------------===//

LogicalResult Raiser::raiseGather(Node &node) {
  if (!getIf<TokensValue>(node, 1))
    return raiseMovement(node);
  std::optional<Weight> table = getMatrix(node, 0);
  if (!table || node.getInt("axis", 0) != 0)
    return fail("expected tokens to choose rows of a constant matrix");
  if (!table->values && !table->dequantized && isa<IntegerType>(table->view.element)) {
    set(node, 0, GatheredIntegers{table->view});
    return success();
  }
  return emitEmbedding(node, std::move(*table));
}

LogicalResult Raiser::emitEmbedding(Node &node, Weight table) {
  if (table.shape[1] < 1 || table.shape[1] > maxColumns)
    return fail("expected rows of 1 to " + Twine(maxColumns) + " columns, found " +
                Twine(table.shape[1]));
  if (failed(settle(table)))
    return failure();
  Value tableValue = parameters.get(builder, location, table);
  if (!tableValue)
    return fail("cannot read its table");
  auto type = RankedTensorType::get({ShapedType::kDynamic, table.shape[1]}, builder.getF32Type());
  Value embedded = EmbeddingOp::create(builder, location, type, tokens, tableValue);
  set(node, 0, makeView(embedded, tensor(node.op.getResult(0)).shape));
  return success();
}

LogicalResult Raiser::raiseGatherBlockQuantized(Node &node) {
  auto find = [&](unsigned i) { return has(node, i) ? probe.get(operand(node, i)) : nullptr; };
  std::optional<BlockQuantized> blocks = getBlocks(find(0), find(2), find(3));
  if (!blocks || !getIf<TokensValue>(node, 1) || node.getInt("gather_axis", 0) != 0)
    return fail("expected tokens to choose rows of bytes of codes");
  ArrayRef<int64_t> shape = tensor(node.op.getResult(0)).shape;
  blocks->bits = static_cast<unsigned>(node.getInt("bits", 4));
  blocks->block = node.getInt("block_size", 128);
  blocks->rows = find(0)->shape[0];
  blocks->columns = shape.back();
  if ((blocks->bits != 4 && blocks->bits != 8) || blocks->block < 16 ||
      blocks->block > maxColumns || blocks->columns < 1 || blocks->columns > maxColumns ||
      !fits(*blocks))
    return fail("expected codes and scales for a table in blocks");
  Value table = parameters.get(builder, location, makeQuantized(std::move(*blocks)));
  if (!table)
    return fail("cannot read its table");
  auto type = RankedTensorType::get({ShapedType::kDynamic, shape.back()}, builder.getF32Type());
  Value embedded = EmbeddingOp::create(builder, location, type, tokens, table);
  set(node, 0, makeView(embedded, shape));
  return success();
}

/// Rows that depend on positions alone, where they are looked up in a constant table.
FailureOr<Value> Raiser::emitPositionEmbedding(Value known) {
  known = probe.resolve(known);
  auto op = known.getDefiningOp<carrier::NodeOp>();
  while (op && llvm::StringSwitch<bool>(op.getOpType())
                   .Cases({"Reshape", "Unsqueeze", "Squeeze", "Cast", "Identity"}, true)
                   .Default(false))
    op = probe.resolve(op.getInputs()[0]).getDefiningOp<carrier::NodeOp>();
  std::optional<Node> scaling;
  if (op && op.getOpType() == "DequantizeLinear") {
    scaling.emplace(op);
    op = probe.resolve(op.getInputs()[0]).getDefiningOp<carrier::NodeOp>();
  }
  if (!op || op.getOpType() != "Gather" || op.getInputs().size() != 2)
    return failure();
  Node node(op);
  std::optional<Weight> table = getMatrix(node, 0);
  if (table && scaling)
    table = getScaledTable(*scaling, table->view);
  const HostTensor &indices = tensor(operand(node, 1));
  ProbeSizes sizes = probe.getSizes();
  if (!table || table->values || indices.getNumElements() != sizes.rows || !indices.isKnown() ||
      table->shape[1] < 1 || table->shape[1] > maxColumns)
    return failure();
  int64_t offset = static_cast<int64_t>(indices[0]) - sizes.past;
  for (int64_t i = 0; i < sizes.rows; ++i)
    if (indices[i] != sizes.past + i + offset)
      return failure();
  if (offset < 0 || offset >= table->shape[0] || failed(settle(*table)))
    return failure();
  Value tableValue =
      parameters.get(builder, location, *table->takeRows(offset, table->shape[0] - offset, 1));
  if (!tableValue)
    return failure();
  if (!positions)
    positions = PositionsOp::create(
        builder, location, RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type()),
        rows);
  auto type = RankedTensorType::get({ShapedType::kDynamic, table->shape[1]}, builder.getF32Type());
  return EmbeddingOp::create(builder, location, type, positions, tableValue).getResult();
}

//===----------------------------------------------------------------------===//
// Norms and activations as operators
//===----------------------------------------------------------------------===//

LogicalResult Raiser::raiseRMSNorm(Node &node) {
  // Of rows whose mean was subtracted it is a layer norm.
  auto *normal = getIf<Normal>(node, 0);
  bool centered = normal && normal->centered && !normal->epsilon;
  std::optional<View> view = centered ? std::optional(normal->of) : getRows(node, 0);
  if (!view)
    return failure();
  int64_t rank = view->shape.size();
  std::optional<Weight> gain = getVector(node, 1, view->shape.back());
  if (!gain || normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return fail("expected a norm over the last axis with a constant gain");
  set(node, 0,
      Normal{*view, centered, node.getFloat("epsilon", 1e-5), std::move(gain), std::nullopt});
  return success();
}

LogicalResult Raiser::raiseLayerNorm(Node &node) {
  std::optional<View> view = getRows(node, 0);
  if (!view)
    return failure();
  int64_t rank = view->shape.size(), size = view->shape.back();
  std::optional<Weight> gain = getVector(node, 1, size), bias = getVector(node, 2, size);
  if (!gain || (has(node, 2) && !bias) || normalizeAxis(node.getInt("axis", -1), rank) != rank - 1)
    return fail("expected a norm over the last axis with a constant gain and bias");
  set(node, 0,
      Normal{*view, true, node.getFloat("epsilon", 1e-5), std::move(gain), std::move(bias)});
  return success();
}

/// norm(input + skip + bias), and the sum as the last output.
LogicalResult Raiser::raiseSkipNorm(Node &node) {
  bool simplified = node.op.getOpType().contains("Simplified");
  std::optional<View> input = getRows(node, 0), skip = getRows(node, 1);
  if (!input || !skip)
    return failure();
  if (input->shape != skip->shape || input->rowsAxis != skip->rowsAxis)
    return fail("expected rows of one shape");
  int64_t size = input->shape.back();
  std::optional<Weight> gain = getVector(node, 2, size);
  std::optional<Weight> beta = simplified ? std::nullopt : getVector(node, 3, size);
  unsigned biasInput = simplified ? 3 : 4;
  if (!gain || (!simplified && has(node, 3) && !beta) || has(node, biasInput))
    return fail("expected a constant gain and no bias of the sum");
  FailureOr<Value> a = materializeExactly(*skip);
  FailureOr<Value> b = failed(a) ? a : materializeExactly(*input);
  if (failed(b))
    return failure();
  Value sum = emitSum(*a, *b);
  View total = makeView(sum, input->shape);
  set(node, 3, total);
  set(node, 0,
      Normal{total, !simplified, node.getFloat("epsilon", 1e-12), std::move(gain),
             std::move(beta)});
  return success();
}

LogicalResult Raiser::raiseGelu(Node &node) {
  std::optional<View> view = getView(node, 0);
  if (!view)
    return failure();
  if (has(node, 1))
    return fail("expected no bias: a bias is added to its linear first");
  std::string type = node.getType();
  bool tanh = type == "com.microsoft::FastGelu" ||
              (type == "Gelu" && node.getString("approximate", "none") == "tanh");
  double alpha = node.getFloat("alpha", 1.702);
  std::vector<double> samples = getSamplePoints();
  for (double &x : samples) {
    if (type == "com.microsoft::QuickGelu")
      x = x / (1 + std::exp(-alpha * x));
    else if (tanh)
      x = x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
    else
      x = x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
  }
  set(node, 0, Function{std::move(*view), false, std::move(samples)});
  return success();
}
