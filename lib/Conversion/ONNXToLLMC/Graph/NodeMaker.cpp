//===- NodeMaker.cpp - new nodes of the carrier ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/NodeMaker.h"

#include <numeric>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

SmallVector<Value> NodeMaker::makeMany(StringRef type, unsigned count, ValueRange inputs,
                                       Attributes attributes, StringRef domain) {
  NamedAttrList list;
  for (auto [attribute, value] : attributes)
    if (value)
      list.set(attribute, value);
  SmallVector<Type> types(count, UntypedType::get(builder.getContext()));
  SmallVector<StringRef> names(count);
  auto op = NodeOp::create(builder, location, types, type, inputs, domain, name,
                           builder.getStrArrayAttr(names), list.getDictionary(builder.getContext()),
                           ArrayAttr(), 0);
  if (domain.empty())
    op->setAttr(opsetName, builder.getI64IntegerAttr(maxOpset));
  return SmallVector<Value>(op.getResults());
}

Value NodeMaker::make(StringRef type, ValueRange inputs, Attributes attributes, StringRef domain) {
  return makeMany(type, 1, inputs, attributes, domain)[0];
}

/// A constant that the file does not have, so it has no name.
static Value makeConstant(OpBuilder &builder, Location location, DenseElementsAttr elements) {
  return InitializerOp::create(builder, location, elements.getType(), "", elements);
}

Value NodeMaker::makeIntegers(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(static_cast<int64_t>(values.size()), builder.getI64Type());
  return makeConstant(builder, location, DenseElementsAttr::get(type, values));
}

Value NodeMaker::makeInteger(int64_t value) {
  auto type = RankedTensorType::get({}, builder.getI64Type());
  return makeConstant(builder, location, DenseElementsAttr::get(type, value));
}

Value NodeMaker::makeNumber(double value) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return makeConstant(builder, location, DenseElementsAttr::get(type, static_cast<float>(value)));
}

Value NodeMaker::makeAbsent() {
  return AbsentOp::create(builder, location, AbsentType::get(builder.getContext()));
}

Value NodeMaker::transpose(Value value, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> same(permutation.size());
  std::iota(same.begin(), same.end(), 0);
  if (permutation == ArrayRef(same))
    return value;
  return make("Transpose", value, {{"perm", builder.getDenseI64ArrayAttr(permutation)}});
}

Value NodeMaker::reshape(Value value, ArrayRef<int64_t> shape) {
  return make("Reshape", {value, makeIntegers(shape)});
}

Value NodeMaker::squeeze(Value value, ArrayRef<int64_t> axes) {
  return axes.empty() ? value : make("Squeeze", {value, makeIntegers(axes)});
}

Value NodeMaker::unsqueeze(Value value, ArrayRef<int64_t> axes) {
  return axes.empty() ? value : make("Unsqueeze", {value, makeIntegers(axes)});
}

Value NodeMaker::slice(Value value, int64_t axis, int64_t begin, int64_t end) {
  return make("Slice", {value, makeIntegers(begin), makeIntegers(end), makeIntegers(axis)});
}

Value NodeMaker::concat(ValueRange values, int64_t axis) {
  return values.size() == 1 ? values[0] : make("Concat", values, {{"axis", integer(axis)}});
}

Value NodeMaker::pick(Value value, int64_t axis, int64_t place) {
  return make("Gather", {value, makeInteger(place)}, {{"axis", integer(axis)}});
}
