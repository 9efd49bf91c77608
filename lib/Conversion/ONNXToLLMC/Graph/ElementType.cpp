//===- ElementType.cpp - types of values that the file does not state ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/ElementType.h"
#include "llmc/Conversion/ImportONNX/ElementTypes.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Numbers of TensorProto::DataType.
static constexpr int64_t int64Type = 7, boolType = 9, floatType = 1;

/// Whether an operator's result may have another type than its first input.
static bool hasOwnType(StringRef type) {
  return llvm::StringSwitch<bool>(type)
      .Cases({"Gather", "GatherElements", "GatherND", "Slice", "Concat", "Expand"}, false)
      .Cases({"Reshape", "Transpose", "Unsqueeze", "Squeeze", "Flatten", "Tile"}, false)
      .Cases({"Identity", "Split", "Add", "Sub", "Mul", "Div", "Pow", "MatMul"}, false)
      .Cases({"Neg", "Abs", "Sqrt", "Reciprocal", "Exp", "Log", "Cos", "Sin"}, false)
      .Cases({"Tanh", "Sigmoid", "Relu", "Softmax", "Erf", "Gelu", "Clip"}, false)
      .Cases({"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "CumSum", "Trilu"}, false)
      .Cases({"LayerNormalization", "RMSNormalization", "Range", "Min", "Max", "Gemm"}, false)
      .Case("ScatterND", false)
      .Default(true);
}

int64_t llmc::findDataType(Value value, const Probe &probe) {
  for (int steps = 0; steps < 4096; ++steps) {
    value = probe.resolve(value);
    if (auto shaped = dyn_cast<ShapedType>(value.getType()))
      return getDataType(shaped.getElementType());
    auto op = value.getDefiningOp<NodeOp>();
    if (!op)
      return 0;
    Node node(op);
    std::string type = node.getType();
    if (type == "Cast")
      return node.getInt("to", 0);
    if (type == "Shape" || type == "Size" || type == "NonZero")
      return int64Type;
    if (llvm::StringSwitch<bool>(type)
            .Cases({"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}, true)
            .Cases({"And", "Or", "Xor", "Not", "IsNaN", "IsInf"}, true)
            .Default(false))
      return boolType;
    if (type == "Constant" || type == "ConstantOfShape") {
      if (auto elements = dyn_cast_or_null<DenseElementsAttr>(node.get("value")))
        return getDataType(elements.getElementType());
      if (auto list = dyn_cast_or_null<ArrayAttr>(node.get("value")); list && list.size() == 2)
        if (auto held = dyn_cast<TypeAttr>(list[0]))
          if (auto ranked = dyn_cast<RankedTensorType>(held.getValue()))
            return getDataType(ranked.getElementType());
      if (node.get("value_int") || node.get("value_ints"))
        return int64Type;
      return type == "ConstantOfShape" || node.get("value_float") || node.get("value_floats")
                 ? floatType
                 : 0;
    }
    // Where's first input is its condition.
    unsigned from = type == "Where" ? 1 : 0;
    if ((type != "Where" && hasOwnType(type)) || op.getInputs().size() <= from)
      return 0;
    value = op.getInputs()[from];
  }
  return 0;
}
