//===- PrefixTree.cpp - the texts of a set that begin a text -------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the tree level by level from the texts in their order.
//
//===----------------------------------------------------------------------===//

#include "PrefixTree.h"

#include <algorithm>

namespace llmc::tokenizer {

void PrefixTree::build(std::vector<Entry> entries) {
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [](const Entry &entry) { return entry.text.empty(); }),
                entries.end());
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return a.text != b.text ? a.text < b.text : a.value < b.value;
  });
  size_t kept = 0;
  for (size_t i = 0; i < entries.size(); ++i)
    if (i + 1 == entries.size() || entries[i].text != entries[i + 1].text)
      entries[kept++] = entries[i];
  entries.resize(kept);

  /// The entries below a node whose children are to be made, and the size of the text it stands
  /// for; the root has no node.
  struct Pending {
    int32_t node;
    size_t begin;
    size_t end;
    size_t depth;
  };
  std::vector<Pending> pending{{-1, 0, entries.size(), 0}};
  while (!pending.empty()) {
    Pending parent = pending.back();
    pending.pop_back();
    auto firstChild = static_cast<int32_t>(nodes.size());
    for (size_t begin = parent.begin; begin < parent.end;) {
      std::string_view first = entries[begin].text;
      size_t end = begin + 1;
      while (end < parent.end && entries[end].text[parent.depth] == first[parent.depth])
        ++end;
      // What the first and the last share, all between them share.
      std::string_view last = entries[end - 1].text;
      size_t depth = parent.depth + 1;
      while (depth < first.size() && depth < last.size() && first[depth] == last[depth])
        ++depth;
      Node node;
      node.label = first.substr(parent.depth, depth - parent.depth);
      auto index = static_cast<int32_t>(nodes.size());
      if (first.size() == depth)
        node.value = entries[begin].value;
      pending.push_back({index, begin + (first.size() == depth), end, depth});
      firstBytes.push_back(static_cast<unsigned char>(node.label[0]));
      nodes.push_back(node);
      if (parent.node < 0)
        roots[firstBytes.back()] = index;
      begin = end;
    }
    if (parent.node >= 0) {
      nodes[static_cast<size_t>(parent.node)].firstChild = firstChild;
      nodes[static_cast<size_t>(parent.node)].childCount =
          static_cast<int32_t>(nodes.size()) - firstChild;
    }
  }
}

int32_t PrefixTree::findChild(const Node &node, unsigned char byte) const {
  auto begin = firstBytes.begin() + node.firstChild;
  auto end = begin + node.childCount;
  auto found = std::lower_bound(begin, end, byte);
  return found != end && *found == byte ? static_cast<int32_t>(found - firstBytes.begin()) : -1;
}

} // namespace llmc::tokenizer
