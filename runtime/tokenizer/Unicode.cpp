//===- Unicode.cpp - UTF-8, character classes and normal forms ------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines what the tokenizer needs to know of Unicode on top of utf8proc.
//
//===----------------------------------------------------------------------===//

#include "Unicode.h"

#include "CharacterAge.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace llmc::tokenizer {

Utf8Prefix classifyUtf8(std::string_view bytes) {
  auto byteAt = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  unsigned char lead = byteAt(0);
  if (lead < 0x80)
    return {Utf8Prefix::Complete, 1};
  if (lead < 0xc2 || lead > 0xf4)
    return {Utf8Prefix::Invalid, 1};
  size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (size_t i = 1; i < size; ++i) {
    if (i == bytes.size())
      return {Utf8Prefix::Incomplete, i};
    if (byteAt(i) < low || byteAt(i) > high)
      return {Utf8Prefix::Invalid, i};
    low = 0x80;
    high = 0xbf;
  }
  return {Utf8Prefix::Complete, size};
}

size_t findInvalidUtf8(std::string_view text) {
  size_t position = 0;
  while (position < text.size()) {
    uint64_t eight;
    if (text.size() - position >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + position, sizeof(eight));
      if ((eight & 0x8080808080808080ull) == 0) {
        position += sizeof(eight);
        continue;
      }
    }
    Utf8Prefix prefix = classifyUtf8(text.substr(position, 4));
    if (prefix.kind != Utf8Prefix::Complete)
      return position;
    position += prefix.size;
  }
  return position;
}

size_t countCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
  }));
}

char32_t nextCharacter(std::string_view text, size_t &position) {
  auto byteAt = [&](size_t i) { return static_cast<unsigned char>(text[position + i]); };
  size_t size = characterSize(text, position);
  char32_t character;
  if (size == 1)
    character = byteAt(0);
  else if (size == 2)
    character = ((byteAt(0) & 0x1fu) << 6) | (byteAt(1) & 0x3fu);
  else if (size == 3)
    character = ((byteAt(0) & 0x0fu) << 12) | ((byteAt(1) & 0x3fu) << 6) | (byteAt(2) & 0x3fu);
  else
    character = ((byteAt(0) & 0x07u) << 18) | ((byteAt(1) & 0x3fu) << 12) |
                ((byteAt(2) & 0x3fu) << 6) | (byteAt(3) & 0x3fu);
  position += size;
  return character;
}

char32_t previousCharacter(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80)
    --begin;
  return nextCharacter(text, begin);
}

void appendCharacter(std::string &text, char32_t character) {
  if (character < 0x80) {
    text.push_back(static_cast<char>(character));
    return;
  }
  char bytes[4];
  size_t size = static_cast<size_t>(utf8proc_encode_char(
      static_cast<utf8proc_int32_t>(character), reinterpret_cast<utf8proc_uint8_t *>(bytes)));
  text.append(bytes, size);
}

bool isWhitespace(char32_t c) {
  if (c < 0x80)
    return c == ' ' || (c >= 0x09 && c <= 0x0d);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static utf8proc_category_t category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

bool isNumeric(char32_t character) {
  if (character < 0x80)
    return character >= '0' && character <= '9';
  utf8proc_category_t kind = category(character);
  return kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL ||
         kind == UTF8PROC_CATEGORY_NO;
}

bool isPunctuation(char32_t c) {
  if (c < 0x80)
    return (c >= 0x21 && c <= 0x2f) || (c >= 0x3a && c <= 0x40) || (c >= 0x5b && c <= 0x60) ||
           (c >= 0x7b && c <= 0x7e);
  // Both are punctuation in Unicode 8 alone, or not there.
  if (c == 0x166d || c == 0x111c9)
    return true;
  switch (category(c)) {
  case UTF8PROC_CATEGORY_PC:
  case UTF8PROC_CATEGORY_PD:
  case UTF8PROC_CATEGORY_PS:
  case UTF8PROC_CATEGORY_PE:
  case UTF8PROC_CATEGORY_PI:
  case UTF8PROC_CATEGORY_PF:
  case UTF8PROC_CATEGORY_PO:
    return !isNewerThanUnicode8(c);
  default:
    return false;
  }
}

bool isMark(char32_t character) {
  // Unicode 9 has the first two among the marks, and the third not.
  if (character == 0x1cf2 || character == 0x1cf3 || character == 0x111c9)
    return character != 0x111c9;
  utf8proc_category_t kind = category(character);
  return (kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_MC ||
          kind == UTF8PROC_CATEGORY_ME) &&
         !isNewerThanUnicode9(character);
}

bool isNonspacingMark(char32_t character) {
  // In Unicode 8 the first is one, and the others are not.
  if (character == 0x1734 || character == 0xa9bd || character == 0x111c9)
    return character == 0x1734;
  return category(character) == UTF8PROC_CATEGORY_MN && !isNewerThanUnicode8(character);
}

bool isControl(char32_t character) {
  utf8proc_category_t kind = category(character);
  return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CO ||
         (kind == UTF8PROC_CATEGORY_CF && !isNewerThanUnicode8(character));
}

size_t findGraphemeEnd(std::string_view text, size_t begin) {
  size_t position = begin;
  auto previous = static_cast<utf8proc_int32_t>(nextCharacter(text, position));
  utf8proc_int32_t state = 0;
  while (position < text.size()) {
    size_t next = position;
    auto character = static_cast<utf8proc_int32_t>(nextCharacter(text, next));
    if (utf8proc_grapheme_break_stateful(previous, character, &state))
      break;
    previous = character;
    position = next;
  }
  return position;
}

void appendLowercase(std::string &text, char32_t character) {
  // The only character whose full lower case is more than one character.
  if (character == 0x130) {
    text += "i\xcc\x87";
    return;
  }
  appendCharacter(
      text, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character))));
}

namespace {

/// Normalizes one piece of text with no help from its surroundings.
class Composer {
public:
  explicit Composer(NormalForm form) {
    options = UTF8PROC_STABLE;
    options |=
        form == NormalForm::D || form == NormalForm::KD ? UTF8PROC_DECOMPOSE : UTF8PROC_COMPOSE;
    if (form == NormalForm::KC || form == NormalForm::KD)
      options |= UTF8PROC_COMPAT;
  }

  void append(std::string &result, std::string_view text) {
    auto option = static_cast<utf8proc_option_t>(options);
    characters.clear();
    for (size_t position = 0; position < text.size();) {
      auto character = static_cast<utf8proc_int32_t>(nextCharacter(text, position));
      utf8proc_int32_t parts[maximumDecomposition];
      int boundary = 0;
      utf8proc_ssize_t count =
          utf8proc_decompose_char(character, parts, maximumDecomposition, option, &boundary);
      // Nothing in Unicode decomposes into so many.
      bool isWhole = count < 0 || count > maximumDecomposition;
      if (isWhole || isNewerThanUnicode12(static_cast<char32_t>(character))) {
        parts[0] = character;
        count = 1;
      }
      characters.insert(characters.end(), parts, parts + count);
    }
    orderMarks();
    auto size = static_cast<utf8proc_ssize_t>(characters.size());
    size = utf8proc_normalize_utf32(characters.data(), size, option);
    for (utf8proc_ssize_t i = 0; i < size; ++i)
      appendCharacter(result, static_cast<char32_t>(characters[static_cast<size_t>(i)]));
  }

private:
  static constexpr utf8proc_ssize_t maximumDecomposition = 32;

  struct Mark {
    int combiningClass;
    size_t place;
    utf8proc_int32_t character;
  };

  static int combiningClass(utf8proc_int32_t character) {
    return utf8proc_get_property(character)->combining_class;
  }

  /// Brings marks into their canonical order. utf8proc's own function takes quadratic time, so that
  /// a text of nothing but marks would never end.
  void orderMarks() {
    auto begin = characters.begin();
    while (begin != characters.end()) {
      if (combiningClass(*begin) == 0) {
        ++begin;
        continue;
      }
      auto end = std::find_if(begin, characters.end(),
                              [](utf8proc_int32_t c) { return combiningClass(c) == 0; });
      marks.clear();
      for (auto mark = begin; mark != end; ++mark)
        marks.push_back({combiningClass(*mark), static_cast<size_t>(mark - begin), *mark});
      std::sort(marks.begin(), marks.end(), [](const Mark &a, const Mark &b) {
        return a.combiningClass != b.combiningClass ? a.combiningClass < b.combiningClass
                                                    : a.place < b.place;
      });
      std::transform(marks.begin(), marks.end(), begin,
                     [](const Mark &mark) { return mark.character; });
      begin = end;
    }
  }

  int options;
  std::vector<utf8proc_int32_t> characters;
  std::vector<Mark> marks;
};

} // namespace

std::string normalize(std::string_view text, NormalForm form, size_t &tracked) {
  auto isAscii = [&](size_t i) { return static_cast<unsigned char>(text[i]) < 0x80; };
  Composer normalizer(form);
  std::string result;
  result.reserve(text.size());

  // An ASCII character starts a new sequence and stands for itself unless a mark follows it, so the
  // text is taken in pieces of one ASCII character and the others that follow.
  size_t position = 0;
  while (position < text.size()) {
    size_t end = position;
    while (end < text.size() && isAscii(end))
      ++end;
    size_t plain = end < text.size() && end > position ? end - 1 : end;
    result.append(text.substr(position, plain - position));
    position = plain;
    if (position == text.size())
      break;
    end = position + 1;
    while (end < text.size() && !isAscii(end))
      ++end;
    normalizer.append(result, text.substr(position, end - position));
    position = end;
  }

  // Counted in characters, because a mark that follows may change a character's bytes.
  if (tracked > 0) {
    std::string leading;
    normalizer.append(leading, text.substr(0, tracked));
    size_t characters = countCharacters(leading);
    size_t bytes = 0;
    while (characters-- > 0 && bytes < result.size())
      bytes += characterSize(result, bytes);
    tracked = bytes;
  }
  return result;
}

} // namespace llmc::tokenizer
