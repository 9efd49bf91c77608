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

TEST(OnigurumaSyntax, Unsupported) {
  for (const char *expression :
       {"(a)\\1", "\\k<n>", "(?~a)", "\\X", "\\K", "\\G", "(?x) a", "\\p{NoSuchProperty}", "\\pL",
        "(?i:ss)", "(?i:\u00e9)", "(?i:[\u00e9])", "(?i:[\\p{Lu}a])", "a{99999}", "\\xff", "\\ca",
        "[[:print:]]", "(?<=a+)b", "(?i:off)"})
    refused(expression, LLMC_UNSUPPORTED);
  EXPECT_EQ(refused("ab\\X", LLMC_UNSUPPORTED),
            "regular expression: this escape is not supported at byte 4");
}

TEST(OnigurumaSyntax, Corrupt) {
  for (const char *expression : {"*a", "a|*", "(a", "a)", "[a", "[a-\\d]", "[\\w-.]", "[b-a]", "\\",
                                 "\\p{L", "(?<n", "\\x{110000}", "\\ud800", "\\u12", "[a&&"})
    refused(expression, LLMC_CORRUPT);
  refused(std::string(100, '(') + std::string(100, ')'), LLMC_UNSUPPORTED);
  refused(std::string(100, '['), LLMC_UNSUPPORTED);
}

} // namespace
