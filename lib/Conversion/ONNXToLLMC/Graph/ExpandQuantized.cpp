//===- ExpandQuantized.cpp - operators on integers as what they stand for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// ONNX Runtime's quantizer and its offline optimizer write an operator on integers with scales and
// zero points as further operands. Each means DequantizeLinear of its operands, the operator on
// numbers, and QuantizeLinear of its result.
//
//===----------------------------------------------------------------------===//

#include "Graph/ExpandQuantized.h"
#include "Graph/DecodeWeights.h"
#include "Graph/GraphBuilder.h"
#include "Graph/Node.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

namespace {

/// The rewriting of one node.
struct QuantizedExpansion {
  NodeOp node;
  GraphBuilder builder;

  explicit QuantizedExpansion(NodeOp node) : node(node), builder(node) {}

  /// The operand, or an absent one.
  Value in(unsigned i) {
    Value value = getOperand(node, i);
    return value ? value : builder.addAbsent();
  }
  bool has(unsigned i) { return static_cast<bool>(getOperand(node, i)); }

  Value dequantize(Value codes, Value scale, Value zero, int64_t axis = 1) {
    return builder.add("DequantizeLinear", {codes, scale, zero}, builder.getInt("axis", axis));
  }
  /// Operands `i`, `i + 1` and `i + 2`: integers, their scale and zero point.
  Value dequantize(unsigned i, int64_t axis = 1) {
    return dequantize(in(i), in(i + 1), in(i + 2), axis);
  }
  /// fp32 ones of a shape.
  Value addOnes(ArrayRef<int64_t> shape) {
    auto type = RankedTensorType::get(shape, builder.attributes().getF32Type());
    return builder.addInitializer("ones", type, DenseElementsAttr::get(type, 1.0f));
  }
  /// The result with the scale and zero point that are operands `i` and `i + 1`.
  void finish(Value result, unsigned i) {
    builder.replace(builder.add("QuantizeLinear", {result, in(i), in(i + 1)}));
  }
  /// The node's attributes of these names.
  SmallVector<NamedAttribute> copy(ArrayRef<StringRef> names) {
    SmallVector<NamedAttribute> found;
    for (StringRef name : names)
      if (Attribute attribute = node.getNodeAttributes().get(name))
        found.push_back(builder.attributes().getNamedAttr(name, attribute));
    return found;
  }
};

} // namespace

/// (integers · weights, a scale of each, zero points) with the scale of rows that are rounded when
/// they are computed: the three nodes of dynamic quantization.
static Value multiplyDynamic(QuantizedExpansion &e, Value integers, Value weights, Value scale,
                             Value weightScale, Value zero, Value weightZero) {
  Value product = e.builder.add("MatMulInteger", {integers, weights, zero, weightZero});
  Value number = e.builder.add("Cast", product, e.builder.getInt("to", 1));
  return e.builder.add("Mul", {number, e.builder.add("Mul", {scale, weightScale})});
}

static void replaceWithBias(QuantizedExpansion &e, Value result, unsigned bias) {
  e.builder.replace(e.has(bias) ? e.builder.add("Add", {result, e.in(bias)}) : result);
}

static void expandMatMulIntegerToFloat(QuantizedExpansion &e) {
  auto producer = e.in(2).getDefiningOp<NodeOp>();
  bool isDynamic = producer && producer.getOpType() == "DynamicQuantizeLinear";
  Value result = isDynamic
                     ? multiplyDynamic(e, e.in(0), e.in(1), e.in(2), e.in(3), e.in(4), e.in(5))
                     : e.builder.add("MatMul", {e.dequantize(e.in(0), e.in(2), e.in(4)),
                                                e.dequantize(e.in(1), e.in(3), e.in(5), -1)});
  replaceWithBias(e, result, 6);
}

static void expandDynamicQuantizeMatMul(QuantizedExpansion &e) {
  ValueRange rounded = e.builder.addNode("", "DynamicQuantizeLinear", e.in(0), 3);
  Value result = multiplyDynamic(e, rounded[0], e.in(1), rounded[1], e.in(2), rounded[2], e.in(3));
  replaceWithBias(e, result, 4);
}

static bool isOneNumber(Value value) {
  std::optional<ConstantView> constant = findConstant(value);
  return constant && constant->getNumElements() == 1;
}

/// The scale of all by which another node reads these integers as numbers; one where none does.
static Value findScale(QuantizedExpansion &e, Value integers, Value zero) {
  for (Operation *user : integers.getUsers())
    if (auto other = dyn_cast<NodeOp>(user))
      if (other.getOpType() == "DequantizeLinear" && getOperand(other, 0) == integers &&
          getOperand(other, 2) == zero && isOneNumber(getOperand(other, 1)))
        return getOperand(other, 1);
  return e.addOnes({});
}

/// Integers that nothing rounded here, as a quantized embedding's rows: a product of numbers.
static void expandMatMulInteger(QuantizedExpansion &e) {
  auto isCast = [](Operation *user) {
    auto node = dyn_cast<NodeOp>(user);
    return node && node.getOpType() == "Cast" && Node(node).getInt("to", 0) == 1;
  };
  auto producer = e.in(0).getDefiningOp<NodeOp>();
  std::optional<ConstantView> zeros = e.has(3) ? findConstant(e.in(3)) : std::nullopt;
  if (!producer || producer.getOpType() == "DynamicQuantizeLinear" ||
      (e.has(2) && !isOneNumber(e.in(2))) || (e.has(3) && !zeros) ||
      !llvm::all_of(e.node.getResult(0).getUsers(), isCast))
    return;
  Value scale = findScale(e, e.in(0), getOperand(e.node, 2));
  Value ones = e.addOnes(zeros ? ArrayRef<int64_t>(zeros->shape) : ArrayRef<int64_t>());
  Value product = e.builder.add(
      "MatMul", {e.dequantize(e.in(0), scale, e.in(2)), e.dequantize(e.in(1), ones, e.in(3), -1)});
  e.builder.replace(e.builder.add("Div", {product, scale}));
}

static void expandQLinearMatMul(QuantizedExpansion &e) {
  e.finish(e.builder.add("MatMul", {e.dequantize(0), e.dequantize(3, -1)}), 6);
}

/// alpha · scales · (A · B + C): C's integers have the scale of the product.
static void expandQGemm(QuantizedExpansion &e) {
  bool transposed = Node(e.node).getInt("transB", 0) != 0;
  SmallVector<Value> inputs{e.dequantize(0), e.dequantize(3, transposed ? 0 : 1)};
  if (e.has(6)) {
    Value scale = e.builder.add("Mul", {e.in(1), e.in(4)});
    Value number = e.builder.add("Cast", e.in(6), e.builder.getInt("to", 1));
    inputs.push_back(e.builder.add("Mul", {number, scale}));
  }
  SmallVector<NamedAttribute> attributes = e.copy({"alpha", "transA", "transB"});
  if (Attribute alpha = e.node.getNodeAttributes().get("alpha"))
    attributes.push_back(e.builder.attributes().getNamedAttr("beta", alpha));
  Value result = e.builder.add("Gemm", inputs, attributes);
  if (e.has(7))
    e.finish(result, 7);
  else
    e.builder.replace(result);
}

static void expandBinary(QuantizedExpansion &e, StringRef type) {
  e.finish(e.builder.add(type, {e.dequantize(0), e.dequantize(3)}), 6);
}

static void expandUnary(QuantizedExpansion &e, StringRef type,
                        ArrayRef<StringRef> attributes = {}) {
  e.finish(e.builder.add(type, e.dequantize(0), e.copy(attributes)), 3);
}

static void expandQLinearConcat(QuantizedExpansion &e) {
  SmallVector<Value> parts;
  for (unsigned i = 2; i + 2 < e.node.getInputs().size(); i += 3)
    parts.push_back(e.dequantize(i));
  e.finish(e.builder.add("Concat", parts, e.copy({"axis"})), 0);
}

static void expandQLinearWhere(QuantizedExpansion &e) {
  e.finish(e.builder.add("Where", {e.in(0), e.dequantize(1), e.dequantize(4)}), 7);
}

/// Rewrites the node where it is one of those operators.
static void expand(NodeOp node) {
  if (node.getNumResults() != 1)
    return;
  StringRef type = node.getOpType(), domain = node.getDomain();
  bool isStandard = domain.empty() || domain == "ai.onnx";
  if (!isStandard && domain != "com.microsoft")
    return;
  if (!isStandard && (type == "QuantizeLinear" || type == "DequantizeLinear")) {
    // ONNX Runtime had more types there before the standard had them; the meaning is the same.
    node.setDomain("");
    return;
  }
  QuantizedExpansion e(node);
  if (isStandard && type == "QLinearMatMul" && e.has(7))
    return expandQLinearMatMul(e);
  if (isStandard && type == "MatMulInteger" && e.has(1))
    return expandMatMulInteger(e);
  if (isStandard)
    return;
  if (type == "MatMulIntegerToFloat" && e.has(3))
    expandMatMulIntegerToFloat(e);
  else if (type == "DynamicQuantizeMatMul" && e.has(2))
    expandDynamicQuantizeMatMul(e);
  else if (type == "QGemm" && e.has(4))
    expandQGemm(e);
  else if (type == "QLinearAdd" && e.has(6))
    expandBinary(e, "Add");
  else if (type == "QLinearMul" && e.has(6))
    expandBinary(e, "Mul");
  else if (type == "QLinearSigmoid" && e.has(3))
    expandUnary(e, "Sigmoid");
  else if (type == "QLinearReduceMean" && e.has(3))
    expandUnary(e, "ReduceMean", {"axes", "keepdims"});
  else if (type == "QLinearSoftmax" && e.has(3) && Node(node).getInt("opset", 0) >= 13)
    expandUnary(e, "Softmax", {"axis"});
  else if (type == "QLinearConcat" && e.has(4))
    expandQLinearConcat(e);
  else if (type == "QLinearWhere" && e.has(7))
    expandQLinearWhere(e);
}

/// Rewrites the weights of the node where they are in a form that it alone reads.
static LogicalResult rewriteWeights(NodeOp node, DecodedSizes &sizes) {
  std::string type = Node(node).getType();
  if (node.getNumResults() != 1)
    return success();
  if (type == "com.microsoft::MatMulBnb4")
    return decodeBnb4(node, sizes);
  if (type == "com.microsoft::MatMulNBits")
    decodePermutedNBits(node, sizes);
  else if (type == "com.microsoft::GatherBlockQuantized")
    spellGatherBlockQuantized(node);
  else if (type == "QuantizeLinear")
    return foldQuantizeLinear(node);
  return success();
}

template <typename Visit>
static LogicalResult forEachNode(GraphOp graph, Visit visit) {
  SmallVector<NodeOp> nodes;
  graph.walk([&](NodeOp node) { nodes.push_back(node); });
  for (NodeOp node : nodes)
    if (failed(visit(node)))
      return failure();
  return success();
}

LogicalResult llmc::expandQuantized(ModuleOp module) {
  for (auto graph : module.getOps<GraphOp>()) {
    (void)forEachNode(graph, [](NodeOp node) {
      expand(node);
      return success();
    });
    DecodedSizes sizes;
    if (failed(forEachNode(graph, [&](NodeOp node) { return rewriteWeights(node, sizes); })))
      return failure();
    if (sizes.matrices > 0)
      graph.emitRemark("decodes ")
          << sizes.matrices << (sizes.matrices == 1 ? " matrix" : " matrices")
          << " of 4-bit tables or permuted blocks into fp32, " << sizes.stored << " bytes into "
          << sizes.decoded;
  }
  return success();
}
