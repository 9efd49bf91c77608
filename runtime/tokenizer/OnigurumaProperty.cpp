//===- OnigurumaProperty.cpp - the named character classes of Oniguruma ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps the names that Oniguruma knows to members of PCRE2 classes.
//
//===----------------------------------------------------------------------===//

#include "OnigurumaProperty.h"

#include "OnigurumaSyntax.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <iterator>

namespace llmc::tokenizer {

// Oniguruma answers for Latin-1 from a table of its own, which counts the superscript digits and
// the fractions among the words.
const char *const onigurumaWordItems =
    "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";

namespace {

struct NamedItems {
  const char *name;
  const char *items;
};

constexpr NamedItems categories[] = {
    {"c", "C"},   {"other", "C"},
    {"cc", "Cc"}, {"control", "Cc"},
    {"cf", "Cf"}, {"format", "Cf"},
    {"cn", "Cn"}, {"unassigned", "Cn"},
    {"co", "Co"}, {"privateuse", "Co"},
    {"cs", "Cs"}, {"surrogate", "Cs"},
    {"l", "L"},   {"letter", "L"},
    {"lc", "L&"}, {"casedletter", "L&"},
    {"ll", "Ll"}, {"lowercaseletter", "Ll"},
    {"lm", "Lm"}, {"modifierletter", "Lm"},
    {"lo", "Lo"}, {"otherletter", "Lo"},
    {"lt", "Lt"}, {"titlecaseletter", "Lt"},
    {"lu", "Lu"}, {"uppercaseletter", "Lu"},
    {"m", "M"},   {"mark", "M"},
    {"mc", "Mc"}, {"spacingmark", "Mc"},
    {"me", "Me"}, {"enclosingmark", "Me"},
    {"mn", "Mn"}, {"nonspacingmark", "Mn"},
    {"n", "N"},   {"number", "N"},
    {"nd", "Nd"}, {"decimalnumber", "Nd"},
    {"nl", "Nl"}, {"letternumber", "Nl"},
    {"no", "No"}, {"othernumber", "No"},
    {"p", "P"},   {"punctuation", "P"},
    {"pc", "Pc"}, {"connectorpunctuation", "Pc"},
    {"pd", "Pd"}, {"dashpunctuation", "Pd"},
    {"pe", "Pe"}, {"closepunctuation", "Pe"},
    {"pf", "Pf"}, {"finalpunctuation", "Pf"},
    {"pi", "Pi"}, {"initialpunctuation", "Pi"},
    {"po", "Po"}, {"otherpunctuation", "Po"},
    {"ps", "Ps"}, {"openpunctuation", "Ps"},
    {"s", "S"},   {"symbol", "S"},
    {"sc", "Sc"}, {"currencysymbol", "Sc"},
    {"sk", "Sk"}, {"modifiersymbol", "Sk"},
    {"sm", "Sm"}, {"mathsymbol", "Sm"},
    {"so", "So"}, {"othersymbol", "So"},
    {"z", "Z"},   {"separator", "Z"},
    {"zl", "Zl"}, {"lineseparator", "Zl"},
    {"zp", "Zp"}, {"paragraphseparator", "Zp"},
    {"zs", "Zs"}, {"spaceseparator", "Zs"},
};

constexpr NamedItems binaryProperties[] = {
    {"alphabetic", "Alphabetic"},
    {"emoji", "Emoji"},
    {"emojicomponent", "Emoji_Component"},
    {"emojimodifier", "Emoji_Modifier"},
    {"emojimodifierbase", "Emoji_Modifier_Base"},
    {"emojipresentation", "Emoji_Presentation"},
    {"extendedpictographic", "Extended_Pictographic"},
    {"ideographic", "Ideographic"},
    {"lowercase", "Lowercase"},
    {"uppercase", "Uppercase"},
};

// Classes of POSIX that \p{…} and [:…:] agree on.
constexpr NamedItems posixClasses[] = {
    {"alnum", "\\p{Alphabetic}\\p{Nd}"},
    {"alpha", "\\p{Alphabetic}"},
    {"blank", "\\x{9}\\p{Zs}"},
    {"cntrl", "\\p{Cc}"},
    {"digit", "\\p{Nd}"},
    {"lower", "\\p{Lowercase}"},
    {"space", whitespaceItems},
    {"upper", "\\p{Uppercase}"},
    {"xdigit", "0-9A-Fa-f"},
};

template <size_t size>
const char *findName(const NamedItems (&table)[size], std::string_view name) {
  for (const NamedItems &entry : table)
    if (name == entry.name)
      return entry.items;
  return nullptr;
}

std::string plainName(std::string_view name) {
  std::string plain;
  for (char c : name)
    if (c != ' ' && c != '-' && c != '_')
      plain.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  return plain;
}

bool isScript(const std::string &name) {
  for (char c : name)
    if (c < 'a' || c > 'z')
      return false;
  std::string pattern = "\\p{sc:" + name + "}";
  int error;
  PCRE2_SIZE offset;
  pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_UTF, &error, &offset, nullptr);
  pcre2_code_free(code);
  return code != nullptr;
}

} // namespace

std::optional<PropertyItems> findProperty(std::string_view name) {
  std::string plain = plainName(name);
  if (const char *category = findName(categories, plain)) {
    std::string_view text = category;
    return PropertyItems{"\\p{" + std::string(text) + "}",
                         text == "Lu" || text == "Ll" || text == "Lt"};
  }
  if (const char *property = findName(binaryProperties, plain))
    return PropertyItems{"\\p{" + std::string(property) + "}",
                         plain == "lowercase" || plain == "uppercase"};
  if (const char *items = findName(posixClasses, plain))
    return PropertyItems{items, plain == "lower" || plain == "upper"};
  if (plain == "punct")
    return PropertyItems{"\\p{P}"};
  if (plain == "word")
    return PropertyItems{onigurumaWordItems};
  if (plain == "whitespace")
    return PropertyItems{whitespaceItems};
  if (plain == "any")
    return PropertyItems{"\\x{0}-\\x{10ffff}"};
  if (plain == "ascii")
    return PropertyItems{"\\x{0}-\\x{7f}"};
  if (!plain.empty() && isScript(plain))
    return PropertyItems{"\\p{sc:" + plain + "}"};
  return std::nullopt;
}

std::optional<PropertyItems> findPosixClass(std::string_view name) {
  if (const char *items = findName(posixClasses, name))
    return PropertyItems{items, name == "lower" || name == "upper"};
  // Unlike \p{Punct}, with the symbols.
  if (name == "punct")
    return PropertyItems{"\\p{P}\\p{S}"};
  // Unlike \w, without the superscript digits and fractions of Latin-1.
  if (name == "word")
    return PropertyItems{"\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"};
  return std::nullopt;
}

} // namespace llmc::tokenizer
