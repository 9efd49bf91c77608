//===- Expansion.cpp - operators written as others ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

std::optional<SmallVector<int64_t>> Expansion::integers(unsigned i) const {
  const HostTensor *found = tensor(i);
  if (!found || !found->isKnown())
    return std::nullopt;
  SmallVector<int64_t> values;
  for (double value : *found->data)
    values.push_back(toInteger(value));
  return values;
}

SmallVector<Value> Expansion::makeMany(StringRef type, unsigned count, ValueRange inputs,
                                       Attributes attributes, StringRef domain) {
  NamedAttrList list;
  for (auto [name, value] : attributes)
    if (value)
      list.set(name, value);
  SmallVector<Type> types(count, UntypedType::get(builder.getContext()));
  SmallVector<StringRef> names(count);
  auto op = NodeOp::create(builder, node.op.getLoc(), types, type, inputs, domain,
                           node.op.getName(), builder.getStrArrayAttr(names),
                           list.getDictionary(builder.getContext()), ArrayAttr(), 0);
  if (domain.empty())
    op->setAttr(opsetName, builder.getI64IntegerAttr(maxOpset));
  return SmallVector<Value>(op.getResults());
}

Value Expansion::make(StringRef type, ValueRange inputs, Attributes attributes, StringRef domain) {
  return makeMany(type, 1, inputs, attributes, domain)[0];
}

/// A constant that an expansion needs. It has no name in the file.
static Value makeConstant(OpBuilder &builder, Location location, DenseElementsAttr elements) {
  return InitializerOp::create(builder, location, elements.getType(), "", elements);
}

Value Expansion::makeIntegers(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(static_cast<int64_t>(values.size()), builder.getI64Type());
  return makeConstant(builder, node.op.getLoc(), DenseElementsAttr::get(type, values));
}

Value Expansion::makeInteger(int64_t value) {
  auto type = RankedTensorType::get({}, builder.getI64Type());
  return makeConstant(builder, node.op.getLoc(), DenseElementsAttr::get(type, value));
}

Value Expansion::makeNumber(double value) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return makeConstant(builder, node.op.getLoc(),
                      DenseElementsAttr::get(type, static_cast<float>(value)));
}

Value Expansion::makeAbsent() {
  return AbsentOp::create(builder, node.op.getLoc(), AbsentType::get(builder.getContext()));
}

Value Expansion::transpose(Value value, ArrayRef<int64_t> permutation) {
  return make("Transpose", value, {{"perm", builder.getDenseI64ArrayAttr(permutation)}});
}

Value Expansion::reshape(Value value, ArrayRef<int64_t> shape) {
  return make("Reshape", {value, makeIntegers(shape)});
}

Value Expansion::squeeze(Value value, ArrayRef<int64_t> axes) {
  return make("Squeeze", {value, makeIntegers(axes)});
}

Value Expansion::unsqueeze(Value value, ArrayRef<int64_t> axes) {
  return make("Unsqueeze", {value, makeIntegers(axes)});
}

Value Expansion::slice(Value value, int64_t axis, int64_t begin, int64_t end) {
  return make("Slice", {value, makeIntegers(begin), makeIntegers(end), makeIntegers(axis)});
}

Expanded Expansion::replace(ArrayRef<Value> values) {
  for (unsigned i = 0; i < numOutputs(); ++i) {
    bool isGiven = i < values.size() && values[i];
    if (!isGiven && isUsed(i))
      return fail("expected output " + Twine(i) + " not to be used");
    if (isGiven)
      node.op.getResult(i).replaceAllUsesWith(values[i]);
  }
  return Expanded::Replaced;
}

ArrayRef<Operator> llmc::getExpandedOperators() {
  static const Operator rows[] = {
      Operator::onnx("CastLike", 15)
          .takes({"input", "target_type"})
          .reads({"saturate", "round_mode"})
          .expandedBy(expandCastLike),
      Operator::onnx("Swish", 24).takes({"X"}).reads({"alpha"}).expandedBy(expandSwish),
      Operator::contrib("BiasAdd").takes({"X", "bias", "skip"}).expandedBy(expandBiasAdd),
      Operator::contrib("BiasSplitGelu").takes({"X", "bias"}).expandedBy(expandBiasSplitGelu),
      Operator::contrib("FusedGemm")
          .takes({"A", "B", "C?"})
          .reads({"alpha", "beta", "transA", "transB", "activation", "activation_alpha"})
          .expandedBy(expandFusedGemm),
      Operator::contrib("FusedMatMulActivation")
          .takes({"A", "B"})
          .reads({"alpha", "transA", "transB", "transBatchA", "transBatchB", "activation",
                  "activation_alpha"})
          .expandedBy(expandFusedMatMulActivation),
      Operator::contrib("TransposeMatMul")
          .takes({"A", "B"})
          .reads({"alpha", "transA", "transB"})
          .expandedBy(expandFusedMatMul),
  };
  return rows;
}
