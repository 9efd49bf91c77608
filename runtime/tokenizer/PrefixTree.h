//===- PrefixTree.h - the texts of a set that begin a text ---------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares a tree of texts in which all those that begin at a place in a text are found in one
// walk.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_PREFIXTREE_H
#define LLMC_RUNTIME_TOKENIZER_PREFIXTREE_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace llmc::tokenizer {

/// A set of texts, which it does not own, each with a number from 0 on. A node stands for the text
/// that several share, so that its size is that of the set, however long the texts are.
class PrefixTree {
public:
  struct Entry {
    std::string_view text;
    int32_t value;
  };

  /// Takes the texts; empty ones are left out, and of equal ones that with the largest number is
  /// kept.
  void build(std::vector<Entry> entries);

  bool empty() const { return nodes.empty(); }
  /// Whether some text begins with this byte.
  bool begins(char byte) const { return roots[static_cast<unsigned char>(byte)] >= 0; }

  /// Calls `take(end, value)` for each of the set's texts that `text` has at `begin`, from the
  /// shortest to the longest; it ends there.
  template <typename Taker>
  void forEachPrefix(std::string_view text, size_t begin, Taker take) const {
    if (begin == text.size())
      return;
    size_t position = begin;
    int32_t node = roots[static_cast<unsigned char>(text[position])];
    while (node >= 0) {
      const Node &here = nodes[static_cast<size_t>(node)];
      if (text.compare(position, here.label.size(), here.label) != 0)
        return;
      position += here.label.size();
      if (here.value >= 0)
        take(position, here.value);
      if (position == text.size())
        return;
      node = findChild(here, static_cast<unsigned char>(text[position]));
    }
  }

private:
  struct Node {
    std::string_view label;
    int32_t value = -1;
    int32_t firstChild = -1;
    int32_t childCount = 0;
  };

  int32_t findChild(const Node &node, unsigned char byte) const;

  std::vector<Node> nodes;
  /// The first byte of each node's label.
  std::vector<unsigned char> firstBytes;
  std::array<int32_t, 256> roots = makeRoots();

  static constexpr std::array<int32_t, 256> makeRoots() {
    std::array<int32_t, 256> result{};
    for (int32_t &root : result)
      root = -1;
    return result;
  }
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_PREFIXTREE_H
