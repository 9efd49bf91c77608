//===- EvaluateLayer.cpp - the shapes of what layers compute ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Evaluate.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace llmc;

/// Every output has the first input's shape (statistics that nobody reads included).
static bool sameShape(Evaluation &evaluation) {
  for (unsigned i = 0; i < evaluation.numOutputs(); ++i)
    evaluation.outputs.push_back(HostTensor::unknown(evaluation.in(0).shape));
  return true;
}

static bool shapeOfGemm(Evaluation &evaluation) {
  const HostTensor &a = evaluation.in(0), &b = evaluation.in(1);
  if (a.shape.size() != 2 || b.shape.size() != 2)
    return evaluation.fail("expected matrices");
  bool transA = evaluation.node.getInt("transA", 0) != 0;
  bool transB = evaluation.node.getInt("transB", 0) != 0;
  if (a.shape[transA ? 0 : 1] != b.shape[transB ? 1 : 0])
    return evaluation.fail("expected matrices that fit each other");
  evaluation.outputs.push_back(
      HostTensor::unknown({a.shape[transA ? 1 : 0], b.shape[transB ? 0 : 1]}));
  return true;
}

static bool shapeOfMatMulNBits(Evaluation &evaluation) {
  SmallVector<int64_t> shape(evaluation.in(0).shape);
  int64_t columns = evaluation.node.getInt("N", 0);
  if (shape.empty() || columns < 1 || shape.back() != evaluation.node.getInt("K", 0))
    return evaluation.fail("expected an input of width K and a positive N");
  shape.back() = columns;
  evaluation.outputs.push_back(HostTensor::unknown(shape));
  return true;
}

static bool shapeOfGatherBlockQuantized(Evaluation &evaluation) {
  const HostTensor &table = evaluation.in(0), &indices = evaluation.in(1);
  if (table.shape.size() != 2)
    return evaluation.fail("expected a table of rank 2");
  int64_t bits = evaluation.node.getInt("bits", 4);
  if (bits != 4 && bits != 8)
    return evaluation.fail("expected 4 or 8 bits, found " + Twine(bits));
  int64_t packed = 8 / bits;
  bool isBytes = table.constant && table.constant->element.isInteger(8);
  SmallVector<int64_t> shape(indices.shape);
  shape.push_back(table.shape[1] * (isBytes ? packed : 1));
  evaluation.outputs.push_back(HostTensor::unknown(shape));
  return true;
}

/// Integers, and the scale and zero point of all.
static bool shapeOfDynamicQuantizeLinear(Evaluation &evaluation) {
  evaluation.outputs = {HostTensor::unknown(evaluation.in(0).shape, true), HostTensor::unknown({}),
                        HostTensor::unknown({}, true)};
  evaluation.outputs.resize(std::min<size_t>(3, evaluation.numOutputs()));
  return true;
}

/// That of the same matrices' product.
static bool shapeOfMatMulInteger(Evaluation &evaluation) {
  HostTensor a = HostTensor::unknown(evaluation.in(0).shape);
  HostTensor b = HostTensor::unknown(evaluation.in(1).shape);
  Evaluation product{evaluation.node, {&a, &b}, {}, {}};
  bool fits = findReduction("MatMul")(product);
  evaluation.outputs = std::move(product.outputs);
  for (HostTensor &output : evaluation.outputs)
    output.isInteger = true;
  return fits || evaluation.fail(product.error);
}

/// Numbers of heads that attributes may give.
static bool isHeadCount(int64_t heads) { return heads >= 1 && heads <= (1 << 20); }

/// Outputs of an attention operator: the result, then the cache's keys and values.
static void pushAttention(Evaluation &evaluation, ArrayRef<int64_t> result, int64_t kvHeads,
                          int64_t total, int64_t headSize) {
  evaluation.outputs.push_back(HostTensor::unknown(result));
  while (evaluation.outputs.size() < evaluation.numOutputs())
    evaluation.outputs.push_back(HostTensor::unknown({1, kvHeads, total, headSize}));
}

static bool shapeOfGroupQueryAttention(Evaluation &evaluation) {
  int64_t heads = evaluation.node.getInt("num_heads", 0);
  int64_t kvHeads = evaluation.node.getInt("kv_num_heads", 0);
  ArrayRef<int64_t> query = evaluation.in(0).shape;
  if (!isHeadCount(heads) || !isHeadCount(kvHeads) || heads % kvHeads != 0 || query.size() != 3)
    return evaluation.fail("expected a query of rank 3 and head counts that divide");
  int64_t parts = evaluation.has(1) ? heads : heads + 2 * kvHeads;
  int64_t headSize = query[2] / parts;
  if (headSize < 1 || query[2] % parts != 0)
    return evaluation.fail("expected a query of " + Twine(parts) + " heads, found a width of " +
                           Twine(query[2]));
  int64_t past =
      evaluation.has(3) && evaluation.in(3).shape.size() == 4 ? evaluation.in(3).shape[2] : 0;
  pushAttention(evaluation, {query[0], query[1], heads * headSize}, kvHeads, past + query[1],
                headSize);
  return true;
}

static bool shapeOfAttention(Evaluation &evaluation) {
  ArrayRef<int64_t> query = evaluation.in(0).shape, keys = evaluation.in(1).shape;
  ArrayRef<int64_t> values = evaluation.in(2).shape;
  if (query.size() != keys.size() || query.size() != values.size() ||
      (query.size() != 3 && query.size() != 4))
    return evaluation.fail("expected query, keys and values of rank 3 or 4");
  bool flat = query.size() == 3;
  int64_t heads = flat ? evaluation.node.getInt("q_num_heads", 0) : query[1];
  int64_t kvHeads = flat ? evaluation.node.getInt("kv_num_heads", 0) : keys[1];
  if (!isHeadCount(heads) || !isHeadCount(kvHeads))
    return evaluation.fail("expected numbers of heads");
  int64_t past =
      evaluation.has(4) && evaluation.in(4).shape.size() == 4 ? evaluation.in(4).shape[2] : 0;
  int64_t valueSize = flat ? values[2] / kvHeads : values[3];
  SmallVector<int64_t> result(query);
  result.back() = flat ? heads * valueSize : valueSize;
  pushAttention(evaluation, result, kvHeads, past + (flat ? keys[1] : keys[2]), valueSize);
  return true;
}

/// Dequantizes known integers; scales and zeros are one, one per place of an axis, or one per
/// block.
static bool evaluateDequantizeLinear(Evaluation &evaluation) {
  const HostTensor &codes = evaluation.in(0), &scales = evaluation.in(1);
  if (!evaluation.allKnown()) {
    evaluation.outputs.push_back(HostTensor::unknown(codes.shape));
    return true;
  }
  int64_t rank = codes.shape.size(), block = evaluation.node.getInt("block_size", 0);
  int64_t axis = normalizeAxis(evaluation.node.getInt("axis", 1), rank);
  bool isOne = scales.getNumElements() == 1 && block == 0;
  SmallVector<int64_t> shape(codes.shape);
  if (!isOne && axis >= 0 && block > 0)
    shape[axis] = shape[axis] / block + (shape[axis] % block != 0);
  else if (!isOne && axis >= 0)
    shape = {shape[axis]};
  if (block < 0 || (!isOne && (axis < 0 || ArrayRef(scales.shape) != ArrayRef(shape))) ||
      (evaluation.has(2) && evaluation.in(2).getNumElements() != scales.getNumElements()))
    return evaluation.fail("expected a scale and zero point for all, for each place of an axis, or "
                           "for each block");
  std::vector<double> values(*codes.data);
  int64_t inner = isOne ? 1 : getProduct(ArrayRef(codes.shape).drop_front(axis + 1));
  for (int64_t i = 0, count = values.size(); i < count; ++i) {
    int64_t at = 0;
    if (!isOne) {
      int64_t place = i / inner % codes.shape[axis];
      at = block > 0
               ? (i / inner / codes.shape[axis] * shape[axis] + place / block) * inner + i % inner
               : place;
    }
    values[i] = (values[i] - (evaluation.has(2) ? evaluation.in(2)[at] : 0)) * scales[at];
  }
  evaluation.outputs.push_back(HostTensor::known(codes.shape, std::move(values), false));
  return true;
}

EvaluateFunction llmc::findLayer(StringRef type) {
  return llvm::StringSwitch<EvaluateFunction>(type)
      .Cases({"Softmax", "Gelu", "LayerNormalization", "RMSNormalization",
              "SimplifiedLayerNormalization", "RotaryEmbedding"},
             sameShape)
      .Cases({"com.microsoft::SimplifiedLayerNormalization",
              "com.microsoft::SkipSimplifiedLayerNormalization",
              "com.microsoft::SkipLayerNormalization", "com.microsoft::RotaryEmbedding",
              "com.microsoft::Gelu", "com.microsoft::FastGelu", "com.microsoft::BiasGelu",
              "com.microsoft::QuickGelu"},
             sameShape)
      .Case("DequantizeLinear", evaluateDequantizeLinear)
      .Case("DynamicQuantizeLinear", shapeOfDynamicQuantizeLinear)
      .Case("Gemm", shapeOfGemm)
      .Case("MatMulInteger", shapeOfMatMulInteger)
      .Case("com.microsoft::MatMulNBits", shapeOfMatMulNBits)
      .Case("com.microsoft::GatherBlockQuantized", shapeOfGatherBlockQuantized)
      .Case("com.microsoft::GroupQueryAttention", shapeOfGroupQueryAttention)
      .Case("Attention", shapeOfAttention)
      .Default(nullptr);
}
