//===- PrecompiledNormalizer.cpp - a table of replacements ---------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the table, of which nothing is trusted, and replaces characters by it.
//
//===----------------------------------------------------------------------===//

#include "PrecompiledNormalizer.h"

#include "TextBuilder.h"
#include "Unicode.h"

namespace llmc::tokenizer {

namespace {

/// The largest cluster of characters, in bytes, that is looked up as a whole.
constexpr size_t maximumCluster = 5;

int base64Digit(char c) {
  return c >= 'A' && c <= 'Z'   ? c - 'A'
         : c >= 'a' && c <= 'z' ? c - 'a' + 26
         : c >= '0' && c <= '9' ? c - '0' + 52
         : c == '+'             ? 62
         : c == '/'             ? 63
                                : -1;
}

bool decodeBase64(std::string_view text, std::string &bytes) {
  if (text.size() % 4 != 0)
    return false;
  for (int padding = 0; padding < 2 && !text.empty() && text.back() == '='; ++padding)
    text.remove_suffix(1);
  uint32_t bits = 0;
  unsigned count = 0;
  for (char c : text) {
    int digit = base64Digit(c);
    if (digit < 0)
      return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count));
    }
  }
  return (bits & ((1u << count) - 1)) == 0;
}

uint32_t readUnit(std::string_view bytes, size_t begin) {
  uint32_t unit = 0;
  for (size_t i = 4; i-- > 0;)
    unit = unit << 8 | static_cast<unsigned char>(bytes[begin + i]);
  return unit;
}

// The fields of a unit: see Yata's darts-clone.
bool hasLeaf(uint32_t unit) { return (unit >> 8) & 1; }
uint32_t value(uint32_t unit) { return unit & 0x7fffffff; }
uint32_t label(uint32_t unit) { return unit & 0x800000ff; }
uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); }

} // namespace

llmc_status PrecompiledNormalizer::parse(const JsonView &json,
                                         std::unique_ptr<Normalizer> &result) {
  auto normalizer = std::make_unique<PrecompiledNormalizer>();
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "precompiled_charsmap"}));
  LLMC_RETURN_IF_ERROR(normalizer->readTable(json.member("precompiled_charsmap")));
  result = std::move(normalizer);
  return llmc_ok_status();
}

llmc_status PrecompiledNormalizer::readTable(const JsonView &json) {
  std::string text, bytes;
  LLMC_RETURN_IF_ERROR(json.readString(text));
  if (!decodeBase64(text, bytes))
    return json.corrupt("expected bytes in base64");
  if (bytes.size() < 4)
    return json.corrupt("expected a table of at least 4 bytes, found " +
                        std::to_string(bytes.size()));
  size_t count = readUnit(bytes, 0) / 4;
  if (count > bytes.size() / 4 - 1)
    return json.corrupt("expected a trie of at most " + std::to_string(bytes.size() - 4) +
                        " bytes, found " + std::to_string(readUnit(bytes, 0)));
  units.resize(count);
  for (size_t i = 0; i < count; ++i)
    units[i] = readUnit(bytes, 4 + 4 * i);
  texts = bytes.substr(4 + 4 * count);
  if (findInvalidUtf8(texts) != texts.size())
    return json.corrupt("expected texts in UTF-8 behind the trie");
  return llmc_ok_status();
}

llmc_status PrecompiledNormalizer::find(std::string_view text, std::string_view &replacement,
                                        bool &found) const {
  found = false;
  auto corrupt = [] {
    return llmc_make_status(LLMC_CORRUPT,
                            "normalizer: precompiled_charsmap points outside of itself");
  };
  if (units.empty())
    return llmc_ok_status();
  size_t node = offset(units[0]);
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte == 0)
      return llmc_ok_status();
    node ^= byte;
    if (node >= units.size())
      return corrupt();
    uint32_t unit = units[node];
    if (label(unit) != byte)
      return llmc_ok_status();
    node ^= offset(unit);
    if (!hasLeaf(unit))
      continue;
    if (node >= units.size())
      return corrupt();
    size_t begin = value(units[node]);
    if (begin > texts.size() || findInvalidUtf8(std::string_view(texts).substr(begin, 4)) == 0)
      return corrupt();
    size_t end = texts.find('\0', begin);
    replacement = std::string_view(texts).substr(begin, std::min(end, texts.size()) - begin);
    found = true;
    return llmc_ok_status();
  }
  return llmc_ok_status();
}

llmc_status PrecompiledNormalizer::apply(TrackedText &text, RegexScratch &) const {
  TextBuilder builder(text);
  std::string_view input = text.text;
  for (size_t begin = 0; begin < input.size();) {
    size_t end = findGraphemeEnd(input, begin);
    std::string_view replacement;
    bool found = false;
    if (end - begin <= maximumCluster)
      LLMC_RETURN_IF_ERROR(find(input.substr(begin, end - begin), replacement, found));
    if (found) {
      // What replaces several characters follows them one by one.
      size_t first = builder.result.size();
      builder.result += replacement;
      if (begin < text.tracked && !replacement.empty())
        builder.trackTo(begin + characterSize(input, begin) == end
                            ? builder.result.size()
                            : first + characterSize(replacement, 0));
      begin = end;
    }
    for (; begin < end; begin += characterSize(input, begin)) {
      std::string_view character = input.substr(begin, characterSize(input, begin));
      LLMC_RETURN_IF_ERROR(find(character, replacement, found));
      size_t before = builder.result.size();
      builder.result += found ? replacement : character;
      if (builder.result.size() != before)
        builder.from(begin);
    }
    LLMC_RETURN_IF_ERROR(text.checkSize(builder.result.size()));
  }
  builder.finish();
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
