//===- Characters.cpp - characters as Python's strings see them -----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts the classes of Python's string methods together from Unicode's categories, and adds the
// cases of characters that become several.
//
//===----------------------------------------------------------------------===//

#include "Characters.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace llmc::tokenizer::jinja {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <size_t Size>
bool isIn(const Range (&ranges)[Size], char32_t character) {
  return std::any_of(std::begin(ranges), std::end(ranges), [&](const Range &range) {
    return range.first <= character && character <= range.last;
  });
}

utf8proc_category_t category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

/// Digits that are no decimals: superscripts, digits in circles …
constexpr Range otherDigits[] = {
    {0xb2, 0xb3},       {0xb9, 0xb9},       {0x1369, 0x1371},   {0x19da, 0x19da},
    {0x2070, 0x2070},   {0x2074, 0x2079},   {0x2080, 0x2089},   {0x2460, 0x2468},
    {0x2474, 0x247c},   {0x2488, 0x2490},   {0x24ea, 0x24ea},   {0x24f5, 0x24fd},
    {0x24ff, 0x24ff},   {0x2776, 0x277e},   {0x2780, 0x2788},   {0x278a, 0x2792},
    {0x10a40, 0x10a43}, {0x10e60, 0x10e68}, {0x11052, 0x1105a}, {0x1f100, 0x1f10a},
};

/// Upper and lower case without being letters of one.
constexpr Range otherUpper[] = {
    {0x2160, 0x216f}, {0x24b6, 0x24cf}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189},
};
constexpr Range otherLower[] = {
    {0xaa, 0xaa},       {0xba, 0xba},       {0x2b0, 0x2b8},     {0x2c0, 0x2c1},
    {0x2e0, 0x2e4},     {0x345, 0x345},     {0x37a, 0x37a},     {0x1d2c, 0x1d6a},
    {0x1d78, 0x1d78},   {0x1d9b, 0x1dbf},   {0x2071, 0x2071},   {0x207f, 0x207f},
    {0x2090, 0x209c},   {0x2170, 0x217f},   {0x24d0, 0x24e9},   {0x2c7c, 0x2c7d},
    {0xa69c, 0xa69d},   {0xa770, 0xa770},   {0xa7f8, 0xa7f9},   {0xab5c, 0xab5f},
    {0x10780, 0x10780}, {0x10783, 0x10785}, {0x10787, 0x107b0}, {0x107b2, 0x107ba},
};

/// Characters that case passes over, besides those of whole categories.
constexpr Range otherIgnorable[] = {
    {'\'', '\''},     {'.', '.'},       {':', ':'},       {0xb7, 0xb7},
    {0x387, 0x387},   {0x55f, 0x55f},   {0x5f4, 0x5f4},   {0x2018, 0x2019},
    {0x2024, 0x2024}, {0x2027, 0x2027}, {0xfe13, 0xfe13}, {0xfe52, 0xfe52},
    {0xfe55, 0xfe55}, {0xff07, 0xff07}, {0xff0e, 0xff0e}, {0xff1a, 0xff1a},
};

/// Characters whose upper case is several, but for a block of Greek that follows a rule.
constexpr struct Expansion {
  char32_t character;
  const char *upper;
  const char *title;
} expansions[] = {
    {0x00df, "SS", "Ss"},
    {0x0149, "\u02bcN", "\u02bcN"},
    {0x01f0, "J\u030c", "J\u030c"},
    {0x0390, "\u0399\u0308\u0301", "\u0399\u0308\u0301"},
    {0x03b0, "\u03a5\u0308\u0301", "\u03a5\u0308\u0301"},
    {0x0587, "\u0535\u0552", "\u0535\u0582"},
    {0x1e96, "H\u0331", "H\u0331"},
    {0x1e97, "T\u0308", "T\u0308"},
    {0x1e98, "W\u030a", "W\u030a"},
    {0x1e99, "Y\u030a", "Y\u030a"},
    {0x1e9a, "A\u02be", "A\u02be"},
    {0x1f50, "\u03a5\u0313", "\u03a5\u0313"},
    {0x1f52, "\u03a5\u0313\u0300", "\u03a5\u0313\u0300"},
    {0x1f54, "\u03a5\u0313\u0301", "\u03a5\u0313\u0301"},
    {0x1f56, "\u03a5\u0313\u0342", "\u03a5\u0313\u0342"},
    {0x1fb2, "\u1fba\u0399", "\u1fba\u0345"},
    {0x1fb3, "\u0391\u0399", "\u1fbc"},
    {0x1fb4, "\u0386\u0399", "\u0386\u0345"},
    {0x1fb6, "\u0391\u0342", "\u0391\u0342"},
    {0x1fb7, "\u0391\u0342\u0399", "\u0391\u0342\u0345"},
    {0x1fbc, "\u0391\u0399", "\u1fbc"},
    {0x1fc2, "\u1fca\u0399", "\u1fca\u0345"},
    {0x1fc3, "\u0397\u0399", "\u1fcc"},
    {0x1fc4, "\u0389\u0399", "\u0389\u0345"},
    {0x1fc6, "\u0397\u0342", "\u0397\u0342"},
    {0x1fc7, "\u0397\u0342\u0399", "\u0397\u0342\u0345"},
    {0x1fcc, "\u0397\u0399", "\u1fcc"},
    {0x1fd2, "\u0399\u0308\u0300", "\u0399\u0308\u0300"},
    {0x1fd3, "\u0399\u0308\u0301", "\u0399\u0308\u0301"},
    {0x1fd6, "\u0399\u0342", "\u0399\u0342"},
    {0x1fd7, "\u0399\u0308\u0342", "\u0399\u0308\u0342"},
    {0x1fe2, "\u03a5\u0308\u0300", "\u03a5\u0308\u0300"},
    {0x1fe3, "\u03a5\u0308\u0301", "\u03a5\u0308\u0301"},
    {0x1fe4, "\u03a1\u0313", "\u03a1\u0313"},
    {0x1fe6, "\u03a5\u0342", "\u03a5\u0342"},
    {0x1fe7, "\u03a5\u0308\u0342", "\u03a5\u0308\u0342"},
    {0x1ff2, "\u1ffa\u0399", "\u1ffa\u0345"},
    {0x1ff3, "\u03a9\u0399", "\u1ffc"},
    {0x1ff4, "\u038f\u0399", "\u038f\u0345"},
    {0x1ff6, "\u03a9\u0342", "\u03a9\u0342"},
    {0x1ff7, "\u03a9\u0342\u0399", "\u03a9\u0342\u0345"},
    {0x1ffc, "\u03a9\u0399", "\u1ffc"},
    {0xfb00, "FF", "Ff"},
    {0xfb01, "FI", "Fi"},
    {0xfb02, "FL", "Fl"},
    {0xfb03, "FFI", "Ffi"},
    {0xfb04, "FFL", "Ffl"},
    {0xfb05, "ST", "St"},
    {0xfb06, "ST", "St"},
    {0xfb13, "\u0544\u0546", "\u0544\u0576"},
    {0xfb14, "\u0544\u0535", "\u0544\u0565"},
    {0xfb15, "\u0544\u053b", "\u0544\u056b"},
    {0xfb16, "\u054e\u0546", "\u054e\u0576"},
    {0xfb17, "\u0544\u053d", "\u0544\u056d"},
};

bool isCased(char32_t character) {
  return isUpper(character) || isLower(character) || isTitle(character);
}

bool isCaseIgnorable(char32_t character) {
  switch (category(character)) {
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_SK:
    return true;
  default:
    return isIn(otherIgnorable, character);
  }
}

/// Appends the case of a character that becomes several; returns false for others.
bool appendExpansion(std::string &text, char32_t character, Case to) {
  if (character < 0xdf || to == Case::Lower)
    return false;
  if (character >= 0x1f80 && character <= 0x1faf) {
    // Letters with an iota below, which has an upper case of its own.
    static constexpr char32_t bases[] = {0x1f08, 0x1f28, 0x1f68};
    if (to == Case::Title) {
      appendCharacter(text, character | 8);
    } else {
      appendCharacter(text, bases[(character - 0x1f80) / 16] + (character & 7));
      appendCharacter(text, 0x399);
    }
    return true;
  }
  for (const Expansion &expansion : expansions) {
    if (expansion.character != character)
      continue;
    text += to == Case::Upper ? expansion.upper : expansion.title;
    return true;
  }
  return false;
}

} // namespace

bool isSpace(char32_t character) {
  return isWhitespace(character) || (character >= 0x1c && character <= 0x1f);
}

bool isLineBreak(char32_t character) {
  return (character >= 0xa && character <= 0xd) || (character >= 0x1c && character <= 0x1e) ||
         character == 0x85 || character == 0x2028 || character == 0x2029;
}

bool isAlphabetic(char32_t character) {
  utf8proc_category_t kind = category(character);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool isDecimal(char32_t character) { return category(character) == UTF8PROC_CATEGORY_ND; }

bool isDigitCharacter(char32_t character) {
  return isDecimal(character) || isIn(otherDigits, character);
}

bool isPrintable(char32_t character) {
  switch (category(character)) {
  case UTF8PROC_CATEGORY_CN:
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP:
    return false;
  case UTF8PROC_CATEGORY_ZS:
    return character == ' ';
  default:
    return true;
  }
}

bool isUpper(char32_t character) {
  return category(character) == UTF8PROC_CATEGORY_LU || isIn(otherUpper, character);
}

bool isLower(char32_t character) {
  return category(character) == UTF8PROC_CATEGORY_LL || isIn(otherLower, character);
}

bool isTitle(char32_t character) { return category(character) == UTF8PROC_CATEGORY_LT; }

void appendCase(std::string &text, char32_t character, Case to) {
  if (to == Case::Lower)
    return appendLowercase(text, character);
  if (appendExpansion(text, character, to))
    return;
  auto given = static_cast<utf8proc_int32_t>(character);
  appendCharacter(text, static_cast<char32_t>(to == Case::Upper ? utf8proc_toupper(given)
                                                                : utf8proc_totitle(given)));
}

void appendLowerSigma(std::string &text, std::string_view before, std::string_view after) {
  bool follows = false;
  for (size_t end = before.size(); end > 0 && !follows;) {
    char32_t character = previousCharacter(before, end);
    if (!isCaseIgnorable(character)) {
      follows = isCased(character);
      break;
    }
    do
      --end;
    while (end > 0 && (static_cast<unsigned char>(before[end]) & 0xc0) == 0x80);
  }
  bool precedes = false;
  for (size_t position = 0; position < after.size();) {
    char32_t character = nextCharacter(after, position);
    if (isCaseIgnorable(character))
      continue;
    precedes = isCased(character);
    break;
  }
  appendCharacter(text, follows && !precedes ? 0x3c2 : 0x3c3);
}

size_t countCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

size_t findCharacter(std::string_view text, size_t index) {
  size_t position = 0;
  for (; index > 0 && position < text.size(); --index)
    position += characterSize(text, position);
  return position;
}

size_t stripEnd(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && isSpace(previousCharacter(text, end))) {
    do
      --end;
    while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80);
  }
  return end;
}

} // namespace llmc::tokenizer::jinja
