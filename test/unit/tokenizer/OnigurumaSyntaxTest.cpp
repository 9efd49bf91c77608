//===- OnigurumaSyntaxTest.cpp - tests of regular expressions -------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that expressions in Oniguruma's syntax match what they match there, and what is refused.
//
//===----------------------------------------------------------------------===//

#include "OnigurumaSyntax.h"
#include "Regex.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace llmc::tokenizer;

namespace {

/// Gives a text with each match in brackets.
std::string matches(const std::string &expression, const std::string &text) {
  Pattern pattern;
  llmc_status status = Pattern::compile(expression, pattern);
  EXPECT_EQ(status.code, LLMC_OK) << expression << ": " << status.message;
  if (status.code != LLMC_OK)
    return {};
  RegexScratch scratch;
  std::vector<Match> found;
  status = pattern.findMatches(text, scratch, found);
  EXPECT_EQ(status.code, LLMC_OK) << expression << ": " << status.message;
  std::string result;
  for (const Match &match : found) {
    std::string part = text.substr(match.span.begin, match.span.size());
    result += match.isMatch ? "[" + part + "]" : part;
  }
  return result;
}

std::string refused(const std::string &expression, int32_t code) {
  Pattern pattern;
  llmc_status status = Pattern::compile(expression, pattern);
  EXPECT_EQ(status.code, code) << expression << ": " << status.message;
  return status.message;
}

// What is expected here is what the `tokenizers` package answers.

TEST(OnigurumaSyntax, Quantifiers) {
  EXPECT_EQ(matches("\\d{1,3}", "1234567"), "[123][456][7]");
  EXPECT_EQ(matches("\\d{1,3}+", "1234567"), "[1234567]") << "an interval is never possessive";
  EXPECT_EQ(matches("\\d{2}+", "1234567"), "[123456]7");
  EXPECT_EQ(matches("\\d{3}?", "1234567"), "[123][456]7[]") << "{n}? is an option";
  EXPECT_EQ(matches("\\d{1,3}?", "123"), "[1][2][3]");
  EXPECT_EQ(matches("\\d{,2}", "123"), "[12][3]");
  EXPECT_EQ(matches("a*+a", "aaa"), "aaa");
  EXPECT_EQ(matches("a++", "aaa"), "[aaa]");
  EXPECT_EQ(matches("a{x", "ba{xa"), "b[a{x]a") << "no interval";
  EXPECT_EQ(matches("a{2}{3}", "aaaaaaa"), "[aaaaaa]a");
  EXPECT_EQ(matches("(?:ab)+?", "abab"), "[ab][ab]");
}

TEST(OnigurumaSyntax, Anchors) {
  EXPECT_EQ(matches("^a", "ba\naab"), "ba\n[a]ab");
  EXPECT_EQ(matches("a$", "ba\naab"), "b[a]\naab");
  EXPECT_EQ(matches("\\Aa|b\\z|c\\Z", "aabbcc\n"), "[a]abbc[c]\n");
  EXPECT_EQ(matches("\\bfoo\\b", "a foo-foo_ foo"), "a [foo]-foo_ [foo]");
}

TEST(OnigurumaSyntax, Options) {
  EXPECT_EQ(matches("a.b", "xa\nbx"), "xa\nbx");
  EXPECT_EQ(matches("(?m)a.b", "xa\nbx"), "x[a\nb]x");
  EXPECT_EQ(matches("(?m:a.b).", "xa\nbx"), "x[a\nbx]");
  EXPECT_EQ(matches("(?i:'s|'t)x", "'Sx'TX"), "['Sx]'TX");
  EXPECT_EQ(matches("a(?i)b|c", "aBaCc"), "[aB][aC]c") << "an option takes all of the group in";
  EXPECT_EQ(matches("(?i:k)", "\u212a"), "[\u212a]") << "the Kelvin sign";
  EXPECT_EQ(matches("(?i:a(?-i:b))", "AbAB"), "[Ab]AB");
}

TEST(OnigurumaSyntax, Classes) {
  EXPECT_EQ(matches("[^(\\s|[.,!?])]+", "ab (c|d).e"), "[ab] ([c]|[d]).[e]");
  EXPECT_EQ(matches("[a-z&&[^c]]+", "abcdef"), "[ab]c[def]");
  EXPECT_EQ(matches("[^a-z&&[^c]]+", "abc1"), "ab[c1]");
  EXPECT_EQ(matches("[\\p{L}&&\\p{Lu}]+", "abCDef"), "ab[CD]ef");
  EXPECT_EQ(matches("[[a-c][x-z]]+", "aaxxmm"), "[aaxx]mm");
  EXPECT_EQ(matches("[^[a-c]x]+", "aaxxmm"), "aaxx[mm]");
  EXPECT_EQ(matches("[^\\p{L}[0-4]]+", "aa0156mm"), "aa01[56]mm");
  EXPECT_EQ(matches("[]a]+", "x]ax"), "x[]a]x");
  EXPECT_EQ(matches("[A-Z\\]]+", "xA]x"), "x[A]]x");
  EXPECT_EQ(matches("[a-]+", "a-zb"), "[a-]zb");
  EXPECT_EQ(matches("[-a]+", "a-zb"), "[a-]zb");
  EXPECT_EQ(matches("[\\d\\D]+", "a\nb1"), "[a\nb1]");
  EXPECT_EQ(matches("[^\\W\\d_]+", "ab1_c"), "[ab]1_[c]");
  EXPECT_EQ(matches("[[:alpha:]]+", "ab1\u00e9"), "[ab]1[\u00e9]");
  EXPECT_EQ(matches("[[:^alpha:]]+", "ab1\u00e9"), "ab[1]\u00e9");
  EXPECT_EQ(matches("[\\u4e00-\\u9fa5]+", "a\u6f22b"), "a[\u6f22]b");
  EXPECT_EQ(matches("[:ab]+", "a:c"), "[a:]c") << "a class that begins with a colon";
}

TEST(OnigurumaSyntax, Escapes) {
  EXPECT_EQ(matches("\\w+", "a\u0301b\u200cc_\u203f\u00b2"), "[a\u0301b]\u200c[c_\u203f\u00b2]");
  EXPECT_EQ(matches("\\s+", "a\u180eb\u0085c\u2028"), "a\u180eb[\u0085]c[\u2028]");
  EXPECT_EQ(matches("\\d+", "1\u0663\u00b2"), "[1\u0663]\u00b2");
  EXPECT_EQ(matches("\\h+", "xyzabc12"), "xyz[abc12]");
  EXPECT_EQ(matches("\\R", "a\r\nb\n"), "a[\r\n]b[\n]");
  EXPECT_EQ(matches("\\x41\\x{ff21}\\u0042\\063", "A\uff21B3"), "[A\uff21B3]");
  EXPECT_EQ(matches("\\/\\-\\<\\!\\\"\\#\\ ", "/-<!\"# "), "[/-<!\"# ]");
}

TEST(OnigurumaSyntax, Properties) {
  EXPECT_EQ(matches("\\p{L}+", "ab1\u00e9"), "[ab]1[\u00e9]");
  EXPECT_EQ(matches("\\p{^L}+", "ab12"), "ab[12]");
  EXPECT_EQ(matches("\\P{L}+", "ab12"), "ab[12]");
  EXPECT_EQ(matches("\\p{Letter}+", "ab12"), "[ab]12");
  EXPECT_EQ(matches("\\p{Han}+", "\u6f22\u3007\u3005\u3002"), "[\u6f22\u3007\u3005]\u3002")
      << "a script, not its extensions";
  EXPECT_EQ(matches("\\p{ greek }+", "\u03b1b"), "[\u03b1]b");
  EXPECT_EQ(matches("\\p{Punct}+", "a$+!<b"), "a$+[!]<b");
  EXPECT_EQ(matches("[[:punct:]]+", "a$+!<b"), "a[$+!<]b");
}

TEST(OnigurumaSyntax, Groups) {
  EXPECT_EQ(matches("(?<=a|bc)d", "adbcd"), "a[d]bc[d]");
  EXPECT_EQ(matches("(?<!a)b", "abb"), "ab[b]");
  EXPECT_EQ(matches("(?<name>a)(b)", "xab"), "x[ab]");
  EXPECT_EQ(matches("(?>a+)a|b", "aab"), "aa[b]");
  EXPECT_EQ(matches("a(?#a comment)b", "ab"), "[ab]");
  EXPECT_EQ(matches("\\s+(?!\\S)|\\s+", "a   b"), "a[  ][ ]b");
}

TEST(OnigurumaSyntax, LongRunsNeedNoStack) {
  std::string spaces(1 << 20, ' ');
  EXPECT_EQ(matches("(?:a|\\s)+(?!\\S)", spaces), "[" + spaces + "]");
}

struct Refusal {
  std::string expression, what;
  int place;
};

TEST(OnigurumaSyntax, Unsupported) {
  const Refusal cases[] = {
      {"(a)\\1", "a back reference", 5},
      {"\\k<n>", "this escape", 2},
      {"\\X", "this escape", 2},
      {"\\K", "this escape", 2},
      {"\\G", "this escape", 2},
      {"\\ca", "this escape", 2},
      {"(?~a)", "this kind of group", 3},
      {"(?x) a", "this kind of group", 3},
      {"\\p{NoSuchProperty}", "this property", 3},
      {"\\pL", "\\p with no brace", 3},
      {"(?i:ss)", "a sequence of letters that is also one ligature, with case ignored,", 6},
      {"(?i:off)", "a sequence of letters that is also one ligature, with case ignored,", 7},
      {"(?i:\u00e9)", "a character beyond ASCII, with case ignored,", 6},
      {"(?i:[\u00e9])", "a class with a character beyond ASCII, with case ignored,", 7},
      {"(?i:[\\p{Lu}a])", "a class with a property of case, with case ignored,", 11},
      {"a{99999}", "this number of repetitions", 8},
      {"\\xff", "a byte beyond ASCII", 4},
      {"[[:print:]]", "this POSIX class", 1},
      {"[a-[b]]", "a range that ends with a set", 4},
      {std::string(100, '(') + std::string(100, ')'), "nesting this deep", 61},
      {std::string(100, '['), "nesting this deep", 62},
  };
  for (const Refusal &c : cases)
    EXPECT_EQ(refused(c.expression, LLMC_UNSUPPORTED), "regular expression: " + c.what +
                                                           " is not supported at byte " +
                                                           std::to_string(c.place))
        << c.expression;
  // Found by the library that runs it.
  EXPECT_EQ(refused("(?<=a+)b", LLMC_UNSUPPORTED),
            "regular expression: lookbehind assertion is not fixed length");
  EXPECT_EQ(refused(std::string(1 << 20, 'a'), LLMC_UNSUPPORTED),
            "expected a regular expression of at most 65536 bytes, found 1048576");
}

TEST(OnigurumaSyntax, Corrupt) {
  const Refusal cases[] = {
      {"*a", "nothing to repeat", 1},
      {"a|*", "nothing to repeat", 3},
      {"(a", "a group with no end", 2},
      {"a)", "unmatched ')'", 1},
      {"[a", "a class with no end", 2},
      {"[a-", "a class with no end", 3},
      {"[a&&", "a class with no end", 4},
      {"[a-\\d]", "a range that ends with a set", 5},
      {"[\\w-.]", "a range that begins with a set", 3},
      {"[b-a]", "an empty range", 4},
      {"\\", "a backslash with nothing behind", 1},
      {"\\p{L", "a property with no end", 3},
      {"(?<n", "a group name with no end", 4},
      {"(?#n", "a comment with no end", 4},
      {"\\x{110000}", "a number that is no character", 10},
      {"\\ud800", "a number that is no character", 6},
      {"\\x{41", "a character number with no end", 5},
      {"\\x{}", "expected a number", 3},
      {"\\u12", "expected four hexadecimal digits", 4},
  };
  for (const Refusal &c : cases)
    EXPECT_EQ(refused(c.expression, LLMC_CORRUPT),
              "regular expression: " + c.what + " at byte " + std::to_string(c.place))
        << c.expression;
}

} // namespace
