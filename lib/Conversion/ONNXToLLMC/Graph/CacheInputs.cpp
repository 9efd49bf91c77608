//===- CacheInputs.cpp - inputs that hold a cache, whatever their layout ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/CacheInputs.h"
#include "Graph/CacheForm.h"
#include "Graph/Node.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

//===----------------------------------------------------------------------===//
// What is a cache
//===----------------------------------------------------------------------===//

/// The first operator that a tensor comes to through what only moves it, where it comes there as a
/// cache: the operand before new rows of a Concat, or a past input of an attention operator. Gives
/// the axis of the Concat, or -1.
static std::optional<int64_t> findCacheUse(Value value, int depth = 0) {
  for (OpOperand &use : value.getUses()) {
    auto op = dyn_cast<NodeOp>(use.getOwner());
    if (!op)
      continue;
    Node node(op);
    std::string type = node.getType();
    unsigned index = use.getOperandNumber();
    if (type == "Concat" && index == 0 && op.getInputs().size() == 2)
      return node.getInt("axis", 0);
    if ((type == "Attention" && (index == 4 || index == 5)) ||
        (type == "com.microsoft::GroupQueryAttention" && (index == 3 || index == 4)) ||
        (type == "com.microsoft::MultiHeadAttention" && (index == 6 || index == 7)) ||
        (type == "com.microsoft::Attention" && index == 4))
      return -1;
    bool moves = llvm::StringSwitch<bool>(type)
                     .Cases({"Cast", "Identity", "Transpose", "Gather", "Split", "Slice"}, true)
                     .Cases({"Squeeze", "Unsqueeze", "Reshape"}, true)
                     .Default(false);
    if (!moves || index != 0 || depth > 4)
      continue;
    for (Value result : op.getResults())
      if (findCacheUse(result, depth + 1))
        return -1;
  }
  return std::nullopt;
}

/// A dimension's size, also where an exporter wrote the number as a name; -1 where it is open.
static int64_t getDimension(RankedTensorType type, ArrayAttr names, unsigned axis) {
  if (!type.isDynamicDim(axis))
    return type.getDimSize(axis);
  int64_t size;
  if (axis < names.size() && !cast<StringAttr>(names[axis]).getValue().getAsInteger(10, size) &&
      size > 0)
    return size;
  return -1;
}

/// Which of some axes counts positions: the one that is open, or else what its name says, or the
/// axis along which new rows are joined, or where exporters mostly have it.
static int findLengthAxis(RankedTensorType type, ArrayAttr names, ArrayRef<int> axes,
                          std::optional<int64_t> joined) {
  SmallVector<int> open, named;
  for (int axis : axes) {
    if (getDimension(type, names, axis) >= 0)
      continue;
    open.push_back(axis);
    std::string name = static_cast<size_t>(axis) < names.size()
                           ? cast<StringAttr>(names[axis]).getValue().lower()
                           : std::string();
    if (StringRef(name).contains("past") || StringRef(name).contains("seq") ||
        StringRef(name).contains("len"))
      named.push_back(axis);
  }
  if (open.size() == 1)
    return open[0];
  if (named.size() == 1)
    return named[0];
  int rank = static_cast<int>(type.getRank());
  int join = joined ? static_cast<int>(*joined < -1 ? *joined + rank : *joined) : -1;
  return llvm::is_contained(axes, join) ? join : rank - 2;
}

std::optional<SmallVector<int>> llmc::findCacheAxes(StringRef name, BlockArgument argument,
                                                    RankedTensorType type, ArrayAttr dims) {
  std::string lower = name.lower();
  auto named = [&](StringRef part) { return StringRef(lower).contains(part); };
  std::optional<int64_t> joined = findCacheUse(argument);
  int rank = static_cast<int>(type.getRank());
  bool isNamed = rank >= 4 && (named("past") || named("key") || named("value") || named("cache"));
  if (rank < 3 || rank > 5 || (!isNamed && !joined))
    return std::nullopt;
  SmallVector<int> axes(rank, -1), rest;
  int next = 0;
  // Several caches along an axis of known size, before or after the batch.
  if (rank == 5) {
    int parts = getDimension(type, dims, 0) > 0 ? 0 : 1;
    if (getDimension(type, dims, parts) < 1)
      return std::nullopt;
    axes[parts] = ModelInput::Parts;
    axes[1 - parts] = ModelInput::Batch;
    next = 2;
  } else if (rank == 4 || getDimension(type, dims, 0) < 0) {
    axes[next++] = ModelInput::Batch;
  }
  for (int axis = next; axis < rank; ++axis)
    rest.push_back(axis);
  int length = findLengthAxis(type, dims, rest, joined);
  axes[length] = ModelInput::Length;
  bool hasHeads = rest.size() == 3;
  for (int axis : rest)
    if (axis != length) {
      axes[axis] = hasHeads ? ModelInput::Heads : ModelInput::Size;
      hasHeads = false;
    }
  // One head's key and value side by side.
  if (rank == 3 && rest.size() == 2 && named("key_value"))
    *llvm::find(axes, static_cast<int>(ModelInput::Size)) = ModelInput::JoinedSize;
  return axes;
}

ModelInput llmc::makeCacheInput(RankedTensorType type, ArrayAttr dims, ArrayRef<int> axes) {
  ModelInput input{InputRole::Past, {}, SmallVector<int>(axes), true};
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t size = getDimension(type, dims, i);
    if (axis == ModelInput::Batch && size < 0)
      size = 1;
    if (axis == ModelInput::Length && size < 0)
      size = ModelInput::PastRows;
    input.shape.push_back(size);
  }
  return input;
}

LogicalResult llmc::checkCacheLengths(GraphOp graph, ArrayRef<ModelInput> inputs) {
  for (auto [input, name, argument] :
       llvm::zip(inputs, graph.getInputNames(), graph.getBody().getArguments())) {
    if (input.role != InputRole::Past || argument.use_empty())
      continue;
    int64_t length = input.getCacheSize(ModelInput::Length);
    if (length != ModelInput::PastRows)
      return graph.emitError("expected caches of any length, but the graph has a fixed length of ")
             << length << (length == 1 ? " position" : " positions") << ", by its input " << name
             << " (export the model with dynamic axes)";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// One input for every cache
//===----------------------------------------------------------------------===//

void llmc::splitCacheInputs(GraphOp graph, SmallVectorImpl<ModelInput> &inputs) {
  Block &block = graph.getBody().front();
  Builder attributes(graph.getContext());
  SmallVector<Attribute> names, dims;
  SmallVector<ModelInput> split;
  unsigned at = 0;
  for (auto [input, name, given] : llvm::zip(inputs, graph.getInputNames(), graph.getInputDims())) {
    BlockArgument argument = block.getArgument(at);
    if (input.role != InputRole::Past || input.isPlainCache()) {
      names.push_back(name);
      dims.push_back(given);
      split.push_back(input);
      ++at;
      continue;
    }
    StringRef text = cast<StringAttr>(name).getValue();
    int64_t heads = input.getCacheSize(ModelInput::Heads);
    int64_t size = input.getCacheSize(ModelInput::Size);
    auto open = [](int64_t dim) { return dim < 0 ? ShapedType::kDynamic : dim; };
    auto type =
        RankedTensorType::get({ShapedType::kDynamic, open(heads), ShapedType::kDynamic, open(size)},
                              cast<ShapedType>(argument.getType()).getElementType());
    CacheForm form{{}, input.axes};
    for (int64_t part = 0; part < input.getParts(); ++part) {
      form.parts.push_back(block.insertArgument(at + 1 + part, type, graph.getLoc()));
      names.push_back(attributes.getStringAttr(text + "." + Twine(part)));
      dims.push_back(attributes.getStrArrayAttr({"", "", "", ""}));
      split.push_back(ModelInput::makePast(heads, size));
    }
    NodeMaker maker(OpBuilder::atBlockBegin(&block), graph.getLoc(), text);
    argument.replaceAllUsesWith(form.materialize(maker));
    block.eraseArgument(at);
    at += form.parts.size();
  }
  inputs = std::move(split);
  graph.setInputNamesAttr(attributes.getArrayAttr(names));
  graph.setInputDimsAttr(attributes.getArrayAttr(dims));
}
