//===- GraphBuilder.cpp - new nodes and constants in a carrier graph ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/GraphBuilder.h"
#include "Evaluate/Evaluate.h"

#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Nodes between a constant and its reader that are looked through.
static constexpr int maxSteps = 16;

Value GraphBuilder::add(StringRef type, ValueRange inputs, ArrayRef<NamedAttribute> attributes) {
  return addNode("", type, inputs, 1, attributes).front();
}

ValueRange GraphBuilder::addNode(StringRef domain, StringRef type, ValueRange inputs,
                                 unsigned outputs, ArrayRef<NamedAttribute> attributes) {
  SmallVector<Type> types(outputs, UntypedType::get(builder.getContext()));
  SmallVector<StringRef> names(outputs);
  auto added = NodeOp::create(builder, node.getLoc(), types, builder.getStringAttr(type), inputs,
                              builder.getStringAttr(domain), node.getNameAttr(),
                              builder.getStrArrayAttr(names), builder.getDictionaryAttr(attributes),
                              ArrayAttr(), 0);
  return added.getResults();
}

NamedAttribute GraphBuilder::getInt(StringRef name, int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}

Value GraphBuilder::addInitializer(StringRef name, RankedTensorType type, Attribute data) {
  return InitializerOp::create(builder, node.getLoc(), type, builder.getStringAttr(name), data);
}

Value GraphBuilder::addAbsent() {
  return AbsentOp::create(builder, node.getLoc(), AbsentType::get(builder.getContext()));
}

void GraphBuilder::replace(ValueRange values) {
  for (auto [old, value] : llvm::zip(node.getResults(), values))
    old.replaceAllUsesWith(value);
  node.erase();
}

Value llmc::getOperand(NodeOp node, unsigned i) {
  if (i >= node.getInputs().size() || isa<AbsentType>(node.getInputs()[i].getType()))
    return {};
  return node.getInputs()[i];
}

/// The tensor in the attribute of a Constant node.
static std::optional<ConstantView> getTensor(NodeOp constant) {
  Evaluation evaluation{Node(constant), {}, {}, {}};
  if (!findEvaluation("Constant")(evaluation) || evaluation.outputs.size() != 1)
    return std::nullopt;
  return evaluation.outputs[0].constant;
}

/// `view` under the shape that a Reshape asks for.
static std::optional<ConstantView> reshape(const ConstantView &view, NodeOp node) {
  Value wanted = getOperand(node, 1);
  std::optional<ConstantView> shape = wanted ? findConstant(wanted) : std::nullopt;
  std::optional<std::vector<double>> sizes = shape ? shape->load() : std::nullopt;
  if (!sizes || Node(node).getInt("allowzero", 0) != 0)
    return std::nullopt;
  SmallVector<int64_t> dims;
  int64_t open = -1;
  std::optional<int64_t> known = 1;
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    int64_t dim = toInteger(size);
    if (dim == 0 && i < view.shape.size())
      dim = view.shape[i];
    if (dim == -1 && open < 0)
      open = static_cast<int64_t>(i);
    else if (dim < 1)
      return std::nullopt;
    else
      known = llvm::checkedMul<int64_t>(*known, dim);
    if (!known)
      return std::nullopt;
    dims.push_back(dim);
  }
  int64_t count = view.getNumElements();
  if (open >= 0)
    dims[open] = count / *known;
  return getProduct(dims) == count ? view.reshape(dims) : std::nullopt;
}

static std::optional<ConstantView> findConstant(Value value, int steps) {
  if (auto initializer = value.getDefiningOp<InitializerOp>())
    return ConstantView::get(initializer.getData(), cast<RankedTensorType>(initializer.getType()));
  auto node = value.getDefiningOp<NodeOp>();
  if (!node || steps == 0 || node.getNumResults() != 1)
    return std::nullopt;
  std::string type = Node(node).getType();
  if (type == "Constant")
    return getTensor(node);
  Value input = getOperand(node, 0);
  if (!input || (type != "Identity" && type != "Transpose" && type != "Reshape"))
    return std::nullopt;
  std::optional<ConstantView> view = findConstant(input, steps - 1);
  if (!view || type == "Identity")
    return view;
  if (type == "Reshape")
    return reshape(*view, node);
  int64_t rank = view->shape.size();
  SmallVector<int64_t> permutation;
  for (int64_t axis = rank - 1; axis >= 0; --axis)
    permutation.push_back(axis);
  if (auto given = Node(node).getInts("perm"))
    permutation.assign(given->begin(), given->end());
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  for (int64_t axis = 0; axis < rank; ++axis)
    if (static_cast<int64_t>(sorted.size()) != rank || sorted[axis] != axis)
      return std::nullopt;
  return view->transpose(permutation);
}

std::optional<ConstantView> llmc::findConstant(Value value) {
  return ::findConstant(value, maxSteps);
}
