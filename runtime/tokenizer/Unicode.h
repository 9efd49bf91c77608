//===- Unicode.h - UTF-8, character classes and normal forms --------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares what the tokenizer needs to know of Unicode; the tables are utf8proc's.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_UNICODE_H
#define LLMC_RUNTIME_TOKENIZER_UNICODE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace llmc::tokenizer {

/// Finds the first byte that is not part of valid UTF-8; text.size() if all of it is.
size_t findInvalidUtf8(std::string_view text);

/// Gives the number of bytes of the character that starts at `begin` in valid UTF-8.
inline size_t characterSize(std::string_view text, size_t begin) {
  unsigned char lead = static_cast<unsigned char>(text[begin]);
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/// Counts the characters of valid UTF-8.
size_t countCharacters(std::string_view text);

/// Decodes the character at `position` of valid UTF-8 and moves `position` past it.
char32_t nextCharacter(std::string_view text, size_t &position);

/// Decodes the last character before `end` of valid UTF-8.
char32_t previousCharacter(std::string_view text, size_t end);

void appendCharacter(std::string &text, char32_t character);

/// What a prefix of bytes is, for text that arrives in pieces.
struct Utf8Prefix {
  enum Kind { Complete, Incomplete, Invalid } kind;
  /// The bytes of the character, or of the longest part of one that is replaced as a unit.
  size_t size;
};

/// Looks at the first character of `bytes`, which are not empty. Incomplete means that more bytes
/// can still make it valid.
Utf8Prefix classifyUtf8(std::string_view bytes);

/// Takes text as the regular expression engines of the field do: the White_Space property.
bool isWhitespace(char32_t character);
/// Any number, of the general categories Nd, Nl and No.
bool isNumeric(char32_t character);
/// ASCII punctuation and symbols, and the general categories P* of Unicode 8.
bool isPunctuation(char32_t character);
/// The general categories M* of Unicode 9.
bool isMark(char32_t character);

/// The general category Mn of Unicode 8.
bool isNonspacingMark(char32_t character);
/// The general categories Cc, Cf and Co of Unicode 8.
bool isControl(char32_t character);

/// Finds where the cluster of characters that starts at `begin` ends: what a reader takes for one.
size_t findGraphemeEnd(std::string_view text, size_t begin);

/// Appends the full, context-free lower case of a character.
void appendLowercase(std::string &text, char32_t character);

enum class NormalForm { C, D, KC, KD };

/// Gives `text`, valid UTF-8, in a normal form. `tracked` is a number of leading bytes of `text`;
/// it becomes the number of leading bytes of the result that come from them.
std::string normalize(std::string_view text, NormalForm form, size_t &tracked);

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_UNICODE_H
