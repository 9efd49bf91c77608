//===- Evaluate.cpp - what ONNX operators compute, on host tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Evaluate.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

int64_t llmc::toInteger(double value) {
  if (std::isnan(value))
    return 0;
  return value >= 9.2e18    ? INT64_MAX
         : value <= -9.2e18 ? INT64_MIN + 1
                            : static_cast<int64_t>(value);
}

std::optional<SmallVector<int64_t>> Evaluation::integers(unsigned i) const {
  if (!has(i) || !in(i).isKnown())
    return std::nullopt;
  SmallVector<int64_t> values;
  for (double value : *in(i).data)
    values.push_back(toInteger(value));
  return values;
}

std::optional<SmallVector<int64_t>> Evaluation::integers(StringRef name, unsigned i) const {
  if (auto values = node.getInts(name))
    return SmallVector<int64_t>(*values);
  return integers(i);
}

EvaluateFunction llmc::findEvaluation(StringRef type) {
  for (auto find : {findMovement, findElementwise, findReduction, findLayer})
    if (EvaluateFunction found = find(type))
      return found;
  return nullptr;
}

int64_t llmc::normalizeAxis(int64_t axis, int64_t rank) {
  axis = axis < 0 ? axis + rank : axis;
  return axis < 0 || axis >= rank ? -1 : axis;
}

InputCounts llmc::getInputCounts(StringRef type) {
  return llvm::StringSwitch<InputCounts>(type)
      .Case("Constant", {0, 0})
      .Cases({"Neg", "Abs", "Reciprocal", "Sigmoid", "Sqrt", "Exp", "Log", "Cos", "Sin"}, {1, 1})
      .Cases({"Tanh", "Erf", "Floor", "Ceil", "Round", "Sign", "Relu", "Softplus"}, {1, 1})
      .Cases({"Not", "IsNaN", "IsInf"}, {1, 1})
      .Cases({"Add", "Sub", "Mul", "Div", "Pow", "Mod", "Equal"}, {2, 2})
      .Cases({"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor"}, {2, 2})
      .Case("Where", {3, 3})
      .Case("Clip", {1, 3})
      .Cases({"Identity", "Cast", "Shape", "Size", "Transpose", "Flatten", "Softmax"}, {1, 1})
      .Cases({"Gelu", "com.microsoft::Gelu", "com.microsoft::QuickGelu"}, {1, 1})
      .Cases({"Unsqueeze", "Squeeze", "Split", "ReduceMean", "ReduceSum"}, {1, 2})
      .Cases({"Gather", "GatherElements", "GatherND", "Reshape", "Expand", "Tile"}, {2, 2})
      .Cases({"MatMul", "CumSum", "RMSNormalization", "com.microsoft::BiasGelu"}, {2, 2})
      .Case("com.microsoft::FastGelu", {1, 2})
      .Cases({"Gemm", "LayerNormalization", "DequantizeLinear"}, {2, 3})
      .Case("MatMulInteger", {2, 4})
      .Cases({"Range", "ScatterND"}, {3, 3})
      .Case("Slice", {3, 5})
      .Cases({"RotaryEmbedding", "Attention"}, {3})
      .Cases({"SimplifiedLayerNormalization", "com.microsoft::SimplifiedLayerNormalization"}, {2})
      .Cases({"com.microsoft::SkipSimplifiedLayerNormalization",
              "com.microsoft::SkipLayerNormalization", "com.microsoft::MatMulNBits",
              "com.microsoft::GatherBlockQuantized"},
             {3})
      .Case("com.microsoft::RotaryEmbedding", {4})
      .Default({1});
}
