//===- HashTable.h - the two look-ups that encoding spends its time in ----===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines open-addressed tables from token text to id and from a pair of ids to their merge: the
// standard library's tables take a pointer chase and an allocation for each entry.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_HASHTABLE_H
#define LLMC_RUNTIME_TOKENIZER_HASHTABLE_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace llmc::tokenizer {

inline uint64_t mixBits(uint64_t value) {
  value ^= value >> 32;
  value *= 0x9e3779b97f4a7c15ull;
  value ^= value >> 29;
  value *= 0xbf58476d1ce4e5b9ull;
  return value ^ (value >> 32);
}

inline uint64_t hashText(std::string_view text) {
  uint64_t hash = mixBits(text.size() + 1);
  size_t position = 0;
  for (; text.size() - position >= 8; position += 8) {
    uint64_t block;
    std::memcpy(&block, text.data() + position, 8);
    hash = mixBits(hash ^ block);
  }
  if (position < text.size()) {
    uint64_t block = 0;
    std::memcpy(&block, text.data() + position, text.size() - position);
    hash = mixBits(hash ^ block);
  }
  return hash;
}

/// Maps texts, which it does not own, to ids.
class TextTable {
public:
  /// Makes room for `count` entries; must be called before the first.
  void reserve(size_t count) {
    size_t capacity = 16;
    while (capacity < count * 2)
      capacity *= 2;
    slots.assign(capacity, Slot());
  }

  /// Returns false, and changes nothing, if `text` is there already.
  bool insert(std::string_view text, int32_t id) {
    Slot &slot = slots[locate(text)];
    if (slot.id >= 0)
      return false;
    slot = {text.data(), static_cast<uint32_t>(text.size()), id};
    return true;
  }

  /// Gives -1 if `text` is not there.
  int32_t find(std::string_view text) const { return slots.empty() ? -1 : slots[locate(text)].id; }

private:
  struct Slot {
    const char *text = nullptr;
    uint32_t size = 0;
    int32_t id = -1;
  };

  size_t locate(std::string_view text) const {
    size_t mask = slots.size() - 1;
    size_t index = hashText(text) & mask;
    while (slots[index].id >= 0 && std::string_view(slots[index].text, slots[index].size) != text)
      index = (index + 1) & mask;
    return index;
  }

  std::vector<Slot> slots;
};

/// What two neighbouring tokens become: the lower the rank, the sooner.
struct Merge {
  uint32_t rank;
  int32_t id;
};

/// Maps pairs of ids to their merges.
class MergeTable {
public:
  void reserve(size_t count) {
    size_t capacity = 16;
    while (capacity < count * 2)
      capacity *= 2;
    slots.assign(capacity, Slot());
  }

  /// The last merge of a pair wins.
  void insert(int32_t left, int32_t right, Merge merge) {
    uint64_t key = pairKey(left, right);
    slots[locate(key)] = {key, merge};
  }

  const Merge *find(int32_t left, int32_t right) const {
    if (slots.empty())
      return nullptr;
    const Slot &slot = slots[locate(pairKey(left, right))];
    return slot.key == freeKey ? nullptr : &slot.merge;
  }

private:
  // Not a pair: ids are never negative.
  static constexpr uint64_t freeKey = ~0ull;

  struct Slot {
    uint64_t key = freeKey;
    Merge merge = {0, 0};
  };

  static uint64_t pairKey(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) |
           static_cast<uint32_t>(right);
  }

  size_t locate(uint64_t key) const {
    size_t mask = slots.size() - 1;
    size_t index = mixBits(key) & mask;
    while (slots[index].key != freeKey && slots[index].key != key)
      index = (index + 1) & mask;
    return index;
  }

  std::vector<Slot> slots;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_HASHTABLE_H
