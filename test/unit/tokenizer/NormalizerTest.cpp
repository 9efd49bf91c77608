//===- NormalizerTest.cpp - tests of the normalizer section ---------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests what each normalizer makes of text.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

std::string normalized(const json &normalizer, const std::string &text) {
  json file = makeByteFile();
  file["normalizer"] = normalizer;
  return encodeBytes(load(file), text);
}

json bert(bool clean, bool chinese, const json &accents, bool lowercase) {
  return {{"type", "BertNormalizer"},
          {"clean_text", clean},
          {"handle_chinese_chars", chinese},
          {"strip_accents", accents},
          {"lowercase", lowercase}};
}

TEST(Normalizer, Forms) {
  const std::string text = "e\u0301 \ufb01 \uac01 \u00c5 a\u0323\u0307";
  EXPECT_EQ(normalized({{"type", "NFC"}}, text), "\u00e9 \ufb01 \uac01 \u00c5 \u1ea1\u0307");
  EXPECT_EQ(normalized({{"type", "NFD"}}, text),
            "e\u0301 \ufb01 \u1100\u1161\u11a8 A\u030a a\u0323\u0307");
  EXPECT_EQ(normalized({{"type", "NFKC"}}, text), "\u00e9 fi \uac01 \u00c5 \u1ea1\u0307");
  EXPECT_EQ(normalized({{"type", "NFKD"}}, text),
            "e\u0301 fi \u1100\u1161\u11a8 A\u030a a\u0323\u0307");
}

TEST(Normalizer, FormsOrderMarks) {
  EXPECT_EQ(normalized({{"type", "NFD"}}, "a\u0307\u0323b"), "a\u0323\u0307b");
  EXPECT_EQ(normalized({{"type", "NFC"}}, "a\u0301\u0301"), "\u00e1\u0301");
  // Composition exclusions stay apart.
  EXPECT_EQ(normalized({{"type", "NFC"}}, "\u0958"), "\u0915\u093c");
}

TEST(Normalizer, ManyMarksTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 100000; ++i)
    text += "\u0301\u0323";
  EXPECT_EQ(normalized({{"type", "NFD"}}, text).size(), text.size());
}

TEST(Normalizer, Lowercase) {
  EXPECT_EQ(normalized({{"type", "Lowercase"}}, "AbC \u00c9 \u0130 \u03a3"),
            "abc \u00e9 i\u0307 \u03c3");
}

TEST(Normalizer, StripAccents) {
  json both = {{"type", "Sequence"},
               {"normalizers", {{{"type", "NFD"}}, {{"type", "StripAccents"}}}}};
  EXPECT_EQ(normalized(both, "\u00e9\u0323a"), "ea");
  EXPECT_EQ(normalized({{"type", "StripAccents"}}, "\u00e9"), "\u00e9");
}

TEST(Normalizer, TablesAreAsOldAsTheReferences) {
  // U+A7F2 came in Unicode 14, U+02B0 long before.
  EXPECT_EQ(normalized({{"type", "NFKD"}}, "\ua7f2\u02b0"), "\ua7f2h");
  // U+08D4 came in Unicode 9, U+1ABF in 13.
  EXPECT_EQ(normalized({{"type", "StripAccents"}}, "a\u08d4\u1abf"), "a\u1abf");
  EXPECT_EQ(normalized(bert(false, false, true, false), "a\u0301\u08d4b\u1abf"), "a\u08d4b\u1abf");
}

TEST(Normalizer, Strip) {
  const std::string text = " \u3000a b\n\u2003";
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}}, text),
            "a b");
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_left", true}, {"strip_right", false}}, text),
            "a b\n\u2003");
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_left", false}, {"strip_right", true}}, text),
            " \u3000a b");
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}}, " \n "),
            "");
}

TEST(Normalizer, PrependAndReplace) {
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "\u2581"}}, "a"), "\u2581a");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "\u2581"}}, ""), "");
  EXPECT_EQ(normalized({{"type", "Replace"}, {"pattern", {{"String", "a."}}}, {"content", "<$1>"}},
                       "a.ab"),
            "<$1>ab");
  EXPECT_EQ(normalized({{"type", "Replace"}, {"pattern", {{"Regex", "\\s+"}}}, {"content", " "}},
                       "a \n b"),
            "a b");
}

TEST(Normalizer, Bert) {
  const std::string text = "\u00c9\u4e00 \t\x01\u00ad\ufffd\u3000x";
  EXPECT_EQ(normalized(bert(false, false, false, false), text), text);
  EXPECT_EQ(normalized(bert(true, false, false, false), text), "\u00c9\u4e00   x");
  EXPECT_EQ(normalized(bert(false, true, false, false), "a\u4e00\u4e8cb"), "a \u4e00  \u4e8c b");
  EXPECT_EQ(normalized(bert(false, false, true, false), "\u00c9\u1e69"), "Es");
  // Accents go where letters become small, unless it says otherwise.
  EXPECT_EQ(normalized(bert(false, false, nullptr, true), "\u00c9"), "e");
  EXPECT_EQ(normalized(bert(false, false, false, true), "\u00c9"), "\u00e9");
  EXPECT_EQ(normalized(bert(false, false, nullptr, false), "\u00c9"), "\u00c9");
}

TEST(Normalizer, Nmt) {
  EXPECT_EQ(normalized({{"type", "Nmt"}}, "a\x01\x0b\x7f\tb\u200bc\u2581\ufeff\ufffd"), "a b c   ");
}

json precompiled(const std::string &table) {
  return {{"type", "Precompiled"}, {"precompiled_charsmap", table}};
}

TEST(Normalizer, Precompiled) {
  EXPECT_EQ(normalized(precompiled(precompiledTable), "banana"), "bbnbnb");
  // An accent makes one cluster of two characters, which its first replaces as well.
  EXPECT_EQ(normalized(precompiled(precompiledTable), "a\u0301."), "b.");
  EXPECT_EQ(normalized(precompiled(precompiledTable), ""), "");
}

TEST(Normalizer, PrecompiledPointsOutsideOfItself) {
  json file = makeByteFile();
  auto encoded = [&](const std::string &table) {
    file["normalizer"] = precompiled(table);
    size_t count;
    TokenizerPointer tokenizer = load(file);
    llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "a", 1, 0, nullptr, 0, &count);
    return std::string(status.message);
  };
  const std::string message = "normalizer: precompiled_charsmap points outside of itself";
  // A first unit whose offset is large; a trie of one unit that points to itself is only empty.
  EXPECT_EQ(encoded("BAAAAAD8//8="), message);
  EXPECT_EQ(encoded("BAAAAAAAAAA="), message);
  EXPECT_EQ(encoded("AAAAAA=="), "");
}

TEST(Normalizer, ByteLevel) { EXPECT_EQ(normalized({{"type", "ByteLevel"}}, "a b"), "a\u0120b"); }

TEST(Normalizer, ReplacingDoesNotGrowWithoutBound) {
  json file = makeByteFile();
  json step = {
      {"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(100, 'a')}};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::vector<json>(12, step)}};
  TokenizerPointer tokenizer = load(file);
  size_t count;
  llmc_status status = llmc_tokenizer_encode(tokenizer.get(), "a", 1, 0, nullptr, 0, &count);
  EXPECT_EQ(status.code, LLMC_OUT_OF_MEMORY);
}

} // namespace
