//===- CarrierDescription.cpp - what an ONNX model says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CarrierDescription.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// "tokens: i64[batch, sequence]"; a dimension without a name is "?".
static std::string spellValue(Attribute name, Type type, Attribute dims) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << cast<StringAttr>(name).getValue() << ": ";
  auto tensor = dyn_cast<TensorType>(type);
  if (!tensor) {
    stream << type;
    return text;
  }
  stream << tensor.getElementType();
  if (!tensor.hasRank())
    return text;
  auto names = dyn_cast_or_null<ArrayAttr>(dims);
  stream << "[";
  for (auto [i, dim] : llvm::enumerate(tensor.getShape())) {
    stream << (i ? ", " : "");
    auto named = names && i < names.size() ? dyn_cast<StringAttr>(names[i]) : StringAttr();
    if (!ShapedType::isDynamic(dim))
      stream << dim;
    else
      stream << (named && !named.getValue().empty() ? named.getValue() : "?");
  }
  stream << "]";
  return text;
}

static llvm::json::Array spellValues(ArrayAttr names, ArrayRef<Type> types, ArrayAttr dims) {
  llvm::json::Array values;
  for (auto [i, type] : llvm::enumerate(types))
    values.push_back(spellValue(names[i], type, i < dims.size() ? dims[i] : Attribute()));
  return values;
}

static llvm::json::Object describeInitializer(InitializerOp initializer) {
  auto type = cast<RankedTensorType>(initializer.getResult().getType());
  Type element = type.getElementType();
  int64_t bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 0;
  int64_t elements = type.hasStaticShape() ? type.getNumElements() : 0;
  return llvm::json::Object{{"name", initializer.getName()},
                            {"shape", llvm::json::Array(type.getShape())},
                            {"encoding", spellEncoding(type)},
                            {"bytes", llvm::divideCeil(elements * bits, 8)},
                            {"bits_per_weight", bits}};
}

llvm::json::Object llmc::describeCarrier(ModuleOp module) {
  llvm::json::Object description;
  if (auto version = module->getAttrOfType<IntegerAttr>("onnx.ir_version"))
    description["ir_version"] = version.getInt();
  if (auto opsets = module->getAttrOfType<DictionaryAttr>("onnx.opsets")) {
    llvm::json::Object versions;
    for (NamedAttribute opset : opsets)
      if (auto version = dyn_cast<IntegerAttr>(opset.getValue()))
        versions[opset.getName().str()] = version.getInt();
    description["opsets"] = std::move(versions);
  }
  if (auto producer = module->getAttrOfType<StringAttr>("onnx.producer"))
    description["producer"] = producer.getValue().trim();
  for (auto graph : module.getOps<GraphOp>()) {
    SmallVector<Type> inputs(graph.getBody().front().getArgumentTypes());
    SmallVector<Type> outputs(graph.getOutputTypes().getAsValueRange<TypeAttr>());
    description["inputs"] = spellValues(graph.getInputNames(), inputs, graph.getInputDims());
    description["outputs"] = spellValues(graph.getOutputNames(), outputs, graph.getOutputDims());
  }
  llvm::StringMap<int64_t> counts;
  module.walk([&](NodeOp node) {
    std::string domain = node.getDomain().empty() ? "" : node.getDomain().str() + ".";
    ++counts[domain + node.getOpType().str()];
  });
  llvm::json::Object nodes;
  for (const auto &entry : counts)
    nodes[entry.getKey().str()] = entry.getValue();
  description["nodes"] = std::move(nodes);
  llvm::json::Array parameters;
  int64_t bytes = 0;
  module.walk([&](InitializerOp initializer) {
    parameters.push_back(describeInitializer(initializer));
    bytes += parameters.back().getAsObject()->getInteger("bytes").value_or(0);
  });
  description["initializer_bytes"] = bytes;
  description["parameters"] = std::move(parameters);
  return description;
}
