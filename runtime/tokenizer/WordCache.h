//===- WordCache.h - the ids of words seen before -------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines a bounded table from words to their ids: text repeats its words, and merging one costs
// ten times a look-up.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_WORDCACHE_H
#define LLMC_RUNTIME_TOKENIZER_WORDCACHE_H

#include "HashTable.h"

#include <algorithm>
#include <string>

namespace llmc::tokenizer {

class WordCache {
public:
  /// Longer words are not kept: they hardly come again.
  static constexpr size_t maximumWord = 256;

  /// Appends the ids of `word` to `ids`, if they are known.
  bool find(std::string_view word, std::vector<int32_t> &ids) const {
    if (slots.empty())
      return false;
    const Slot &slot = slots[locate(word)];
    if (!slot.used)
      return false;
    const int32_t *begin = idStore.data() + slot.idBegin;
    ids.insert(ids.end(), begin, begin + slot.idCount);
    return true;
  }

  void insert(std::string_view word, const int32_t *ids, size_t count) {
    if (word.size() > maximumWord)
      return;
    if (used == slots.size() / 2)
      grow();
    Slot &slot = slots[locate(word)];
    if (slot.used)
      return;
    slot = {static_cast<uint32_t>(textStore.size()), static_cast<uint32_t>(idStore.size()),
            static_cast<uint16_t>(word.size()), static_cast<uint16_t>(count), true};
    textStore += word;
    idStore.insert(idStore.end(), ids, ids + count);
    ++used;
  }

private:
  static constexpr size_t firstSize = 1 << 10;
  static constexpr size_t maximumSize = 1 << 16;

  struct Slot {
    uint32_t textBegin = 0;
    uint32_t idBegin = 0;
    uint16_t textSize = 0;
    uint16_t idCount = 0;
    bool used = false;
  };

  std::string_view text(const Slot &slot) const {
    return std::string_view(textStore).substr(slot.textBegin, slot.textSize);
  }

  /// Makes room; at the largest size by forgetting everything.
  void grow() {
    std::vector<Slot> old(slots.size() < maximumSize ? std::max(firstSize, slots.size() * 2)
                                                     : maximumSize);
    old.swap(slots);
    if (old.size() == maximumSize) {
      textStore.clear();
      idStore.clear();
      used = 0;
      return;
    }
    for (const Slot &slot : old)
      if (slot.used)
        slots[locate(text(slot))] = slot;
  }

  size_t locate(std::string_view word) const {
    size_t mask = slots.size() - 1;
    size_t index = hashText(word) & mask;
    while (slots[index].used && text(slots[index]) != word)
      index = (index + 1) & mask;
    return index;
  }

  std::vector<Slot> slots;
  std::string textStore;
  std::vector<int32_t> idStore;
  size_t used = 0;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_WORDCACHE_H
