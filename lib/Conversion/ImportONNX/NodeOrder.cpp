//===- NodeOrder.cpp - nodes in an order in which they can run ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NodeOrder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;

namespace {

/// Nodes, and for each the nodes that it reads from.
class Dependencies {
public:
  explicit Dependencies(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes) {
    for (int i = 0; i < nodes.size(); ++i)
      for (const std::string &output : nodes[i].output())
        producers.try_emplace(output, i);
    reads.resize(nodes.size());
    for (int i = 0; i < nodes.size(); ++i) {
      llvm::StringSet<> own;
      addReads(nodes[i], own, reads[i]);
    }
  }

  ArrayRef<int> get(int node) const { return reads[node]; }

private:
  void addName(StringRef name, const llvm::StringSet<> &own, SmallVectorImpl<int> &found) {
    auto producer = producers.find(name);
    if (!name.empty() && !own.contains(name) && producer != producers.end())
      found.push_back(producer->second);
  }

  /// What a node and the graphs inside it read, except names that those graphs define themselves.
  void addReads(const onnx::NodeProto &node, const llvm::StringSet<> &own,
                SmallVectorImpl<int> &found) {
    for (const std::string &input : node.input())
      addName(input, own, found);
    for (const onnx::AttributeProto &attribute : node.attribute()) {
      if (!attribute.has_g())
        continue;
      const onnx::GraphProto &graph = attribute.g();
      llvm::StringSet<> inner = own;
      for (const onnx::ValueInfoProto &input : graph.input())
        inner.insert(input.name());
      for (const onnx::TensorProto &tensor : graph.initializer())
        inner.insert(tensor.name());
      for (const onnx::SparseTensorProto &tensor : graph.sparse_initializer())
        inner.insert(tensor.values().name());
      for (const onnx::NodeProto &nested : graph.node())
        for (const std::string &output : nested.output())
          inner.insert(output);
      for (const onnx::NodeProto &nested : graph.node())
        addReads(nested, inner, found);
      for (const onnx::ValueInfoProto &output : graph.output())
        addName(output.name(), inner, found);
    }
  }

  StringMap<int> producers;
  std::vector<SmallVector<int>> reads;
};

} // namespace

/// 'a' (Add) <- 'b' (Mul) <- 'a' (Add): the part of the path from `node` on, closed.
static std::string spellCycle(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                              ArrayRef<int> path, int node) {
  constexpr size_t most = 6;
  path = path.drop_front(llvm::find(path, node) - path.begin());
  std::string text;
  auto add = [&](int index) {
    text += (text.empty() ? "'" : " reads '") + nodes[index].name() + "' (" +
            nodes[index].op_type() + ")";
  };
  for (int index : path.take_front(most))
    add(index);
  if (path.size() > most)
    text += ", and so on to";
  add(node);
  return text;
}

SmallVector<int> llmc::sortNodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                                 std::string &cycle) {
  Dependencies dependencies(nodes);
  enum class State : uint8_t { New, Open, Done };
  std::vector<State> states(nodes.size(), State::New);
  SmallVector<int> order;
  // Depth first in the list's order, without recursion: chains are as long as a model is deep.
  for (int root = 0; root < nodes.size(); ++root) {
    if (states[root] != State::New)
      continue;
    SmallVector<int> path{root};
    SmallVector<size_t> next{0};
    states[root] = State::Open;
    while (!path.empty()) {
      int node = path.back();
      ArrayRef<int> reads = dependencies.get(node);
      if (next.back() == reads.size()) {
        states[node] = State::Done;
        order.push_back(node);
        path.pop_back();
        next.pop_back();
        continue;
      }
      int producer = reads[next.back()++];
      if (states[producer] == State::Open) {
        cycle = spellCycle(nodes, path, producer);
        return order;
      }
      if (states[producer] == State::New) {
        states[producer] = State::Open;
        path.push_back(producer);
        next.push_back(0);
      }
    }
  }
  return order;
}
