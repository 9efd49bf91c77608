//===- DecoderTest.cpp - tests of the decoder section ---------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests decoding of whole sequences and of streams.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

using Ids = std::vector<int32_t>;
using Parts = std::vector<std::string>;

/// Loads tokens with a decoder.
TokenizerPointer loadDecoder(const std::vector<std::string> &tokens, const json &decoder) {
  json file = makeFile(tokens);
  file["decoder"] = decoder;
  return load(file);
}

json sequence(const std::vector<json> &decoders) {
  return {{"type", "Sequence"}, {"decoders", decoders}};
}

/// Decodes at once and as a stream, which must give the same.
std::string decodeBoth(const TokenizerPointer &tokenizer, const Ids &ids) {
  std::string text = decode(tokenizer, ids);
  EXPECT_EQ(join(stream(tokenizer, ids)), text);
  return text;
}

TEST(Decoder, NoneJoinsWithSpaces) {
  TokenizerPointer tokenizer = loadDecoder({"a", "b"}, nullptr);
  EXPECT_EQ(decodeBoth(tokenizer, {0, 1, 0}), "a b a");
  EXPECT_EQ(decodeBoth(tokenizer, {}), "");
}

TEST(Decoder, ByteLevelHoldsBytesBackUntilACharacterIsWhole) {
  TokenizerPointer tokenizer = load(makeByteFile());
  // A Euro sign, then the begin of one that never ends.
  Ids ids = {'a', 0xe2, 0x82, 0xac, 0xe2, 0x82};
  EXPECT_EQ(decodeBoth(tokenizer, ids), "a\u20ac\ufffd");
  EXPECT_EQ(stream(tokenizer, ids), (Parts{"a", "", "", "\u20ac", "", "", "\ufffd"}));
}

TEST(Decoder, ByteLevelReplacesEachInvalidPart) {
  TokenizerPointer tokenizer = load(makeByteFile());
  EXPECT_EQ(decodeBoth(tokenizer, {0xff, 'a', 0xe2, 0x82, 'b', 0x80, 0x80}),
            "\ufffda\ufffdb\ufffd\ufffd");
  EXPECT_EQ(decodeBoth(tokenizer, {0xed, 0xa0, 0x80}), "\ufffd\ufffd\ufffd") << "a surrogate";
  EXPECT_EQ(decodeBoth(tokenizer, {0xc0, 0xaf}), "\ufffd\ufffd") << "an overlong form";
  EXPECT_EQ(decodeBoth(tokenizer, {0xf4, 0x90, 0x80, 0x80}), "\ufffd\ufffd\ufffd\ufffd");
}

TEST(Decoder, ByteLevelLeavesOtherTokensAlone) {
  TokenizerPointer tokenizer = loadDecoder({"\u0120a", "a b", "\u4e2d"}, {{"type", "ByteLevel"}});
  EXPECT_EQ(decodeBoth(tokenizer, {0, 1, 2}), " aa b\u4e2d");
}

TEST(Decoder, EveryTextComesBack) {
  TokenizerPointer tokenizer = load(makeByteFile());
  std::string text;
  for (char32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 97)
    if (c < 0xd800 || c > 0xdfff)
      text += c < 0x80      ? std::string(1, static_cast<char>(c))
              : c < 0x800   ? std::string{static_cast<char>(0xc0 | (c >> 6)),
                                          static_cast<char>(0x80 | (c & 0x3f))}
              : c < 0x10000 ? std::string{static_cast<char>(0xe0 | (c >> 12)),
                                          static_cast<char>(0x80 | ((c >> 6) & 0x3f)),
                                          static_cast<char>(0x80 | (c & 0x3f))}
                            : std::string{static_cast<char>(0xf0 | (c >> 18)),
                                          static_cast<char>(0x80 | ((c >> 12) & 0x3f)),
                                          static_cast<char>(0x80 | ((c >> 6) & 0x3f)),
                                          static_cast<char>(0x80 | (c & 0x3f))};
  EXPECT_EQ(decodeBoth(tokenizer, encode(tokenizer, text)), text);
}

TEST(Decoder, Metaspace) {
  std::vector<std::string> tokens = {"_a", "b_", "_"};
  json decoder = {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "always"}};
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, decoder), {0, 0, 1, 2}), "a ab  ");
  EXPECT_EQ(stream(loadDecoder(tokens, decoder), {0, 0}), (Parts{"a", " a", ""}));
  decoder["prepend_scheme"] = "never";
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, decoder), {0, 0}), " a a");
}

TEST(Decoder, ByteFallback) {
  std::vector<std::string> tokens = {"<0xE2>", "<0x82>", "<0xAC>", "a", "<0xGG>", "<0x0a>"};
  TokenizerPointer tokenizer = loadDecoder(tokens, {{"type", "ByteFallback"}});
  EXPECT_EQ(decodeBoth(tokenizer, {0, 1, 2, 3, 5}), "\u20aca\n");
  EXPECT_EQ(decodeBoth(tokenizer, {0, 1, 3}), "\ufffd\ufffda") << "one for each byte";
  EXPECT_EQ(decodeBoth(tokenizer, {4}), "<0xGG>");
  EXPECT_EQ(stream(tokenizer, {0, 1, 2, 0, 1, 2, 3}),
            (Parts{"", "", "\u20ac", "", "", "\u20ac", "a", ""}));
}

TEST(Decoder, AnInvalidRunOfBytesIsWhereAStreamDiffers) {
  TokenizerPointer tokenizer = loadDecoder({"<0x41>", "<0xFF>"}, {{"type", "ByteFallback"}});
  EXPECT_EQ(decode(tokenizer, {0, 1}), "\ufffd\ufffd");
  EXPECT_EQ(join(stream(tokenizer, {0, 1})), "A\ufffd");
}

TEST(Decoder, FuseMakesOneTokenForStrip) {
  std::vector<std::string> tokens = {" ", " a", "b "};
  json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 1}};
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, strip), {1, 1, 2}), "aab");
  TokenizerPointer fused = loadDecoder(tokens, sequence({{{"type", "Fuse"}}, strip}));
  EXPECT_EQ(decodeBoth(fused, {0, 1, 1, 2, 2}), " a ab b");
  // The last space is held back until it is known not to be the last.
  EXPECT_EQ(stream(fused, {2, 1}), (Parts{"b", "  a", ""}));
}

TEST(Decoder, StripTakesNoMoreThanItMay) {
  json strip = {{"type", "Strip"}, {"content", "x"}, {"start", 2}, {"stop", 2}};
  TokenizerPointer tokenizer = loadDecoder({"xxxaxxx", "axa", "xax", "xxxx", "x"}, strip);
  EXPECT_EQ(decodeBoth(tokenizer, {0}), "xax");
  EXPECT_EQ(decodeBoth(tokenizer, {1}), "axa");
  EXPECT_EQ(decodeBoth(tokenizer, {2}), "a");
  EXPECT_EQ(decodeBoth(tokenizer, {3}), "");
  EXPECT_EQ(decodeBoth(tokenizer, {4, 1, 4}), "axa");
}

TEST(Decoder, Replace) {
  json literal = {{"type", "Replace"}, {"pattern", {{"String", "aab"}}}, {"content", "-"}};
  json regex = {{"type", "Replace"}, {"pattern", {{"Regex", "a+"}}}, {"content", "-"}};
  std::vector<std::string> tokens = {"a", "aa", "b", "c"};
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, regex), {0, 1, 2}), "--b");
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, literal), {1, 2}), "aab");
  TokenizerPointer fused = loadDecoder(tokens, sequence({{{"type", "Fuse"}}, literal}));
  EXPECT_EQ(decodeBoth(fused, {1, 2, 1, 2}), "--");
  EXPECT_EQ(decodeBoth(fused, {1, 1, 2, 1}), "aa-aa");
  EXPECT_EQ(stream(fused, {1, 3, 1, 2}), (Parts{"", "aac", "", "-", ""}));
}

TEST(Decoder, LlamaChain) {
  std::vector<std::string> tokens = {"\u2581a", "\u2581", "b", "<0xC3>", "<0xA9>"};
  TokenizerPointer tokenizer = loadDecoder(
      tokens,
      sequence({{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
                {{"type", "ByteFallback"}},
                {{"type", "Fuse"}},
                {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}));
  EXPECT_EQ(decodeBoth(tokenizer, {0, 0, 1, 3, 4, 2}), "a a \u00e9b");
  EXPECT_EQ(stream(tokenizer, {1, 1, 3, 4}), (Parts{"", " ", "", "\u00e9", ""}));
}

TEST(Decoder, BpeSuffix) {
  TokenizerPointer tokenizer =
      loadDecoder({"a</w>", "b"}, {{"type", "BPEDecoder"}, {"suffix", "</w>"}});
  EXPECT_EQ(decodeBoth(tokenizer, {0, 1, 0, 0}), "a ba a");
  EXPECT_EQ(decodeBoth(tokenizer, {}), "");
}

TEST(Decoder, EmptyBpeSuffixStandsBetweenAllCharacters) {
  TokenizerPointer tokenizer =
      loadDecoder({"ab", "\u00e9"}, {{"type", "BPEDecoder"}, {"suffix", ""}});
  EXPECT_EQ(decodeBoth(tokenizer, {0, 1, 0}), " a b  \u00e9 ab");
}

TEST(Decoder, WordPiece) {
  json decoder = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  const std::vector<std::string> tokens = {"do", "##n't", "##", "not", ".", "##a . b", "n't", "'"};
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, decoder), {0, 1, 2, 3, 4, 5, 6, 7}),
            "don't not.a. bn't '");
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, decoder), {1, 1}), "##n'tn't");
  decoder["cleanup"] = false;
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, decoder), {0, 4, 5}), "do .a . b");
}

TEST(Decoder, Ctc) {
  json decoder = {
      {"type", "CTC"}, {"pad_token", "_"}, {"word_delimiter_token", "|"}, {"cleanup", true}};
  const std::vector<std::string> tokens = {"_", "a", "|", "b_", "."};
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, decoder), {0, 1, 1, 0, 1, 2, 2, 3, 3, 4}), "aa b.");
  decoder["cleanup"] = false;
  EXPECT_EQ(decodeBoth(loadDecoder(tokens, decoder), {1, 2, 3}), "a|b");
}

TEST(Decoder, SkipsSpecialTokens) {
  json file = makeByteFile();
  addToken(file, "<s>", {{"special", true}});
  addToken(file, "<t>");
  TokenizerPointer tokenizer = load(file);
  EXPECT_EQ(decode(tokenizer, {256, 'a', 257}), "<s>a<t>");
  EXPECT_EQ(decode(tokenizer, {256, 'a', 257}, LLMC_DECODE_SKIP_SPECIAL), "a<t>");
  EXPECT_EQ(join(stream(tokenizer, {256, 'a', 257}, LLMC_DECODE_SKIP_SPECIAL)), "a<t>");
}

TEST(Decoder, RefusesIdsOutsideTheVocabulary) {
  TokenizerPointer tokenizer = load(makeByteFile());
  for (int32_t id : {-1, 256, 0x7fffffff}) {
    size_t size;
    llmc_status status = llmc_tokenizer_decode(tokenizer.get(), &id, 1, 0, nullptr, 0, &size);
    EXPECT_EQ(status.code, LLMC_OUT_OF_RANGE);
    EXPECT_EQ(std::string(status.message), "the vocabulary has no token " + std::to_string(id));
  }
}

TEST(Decoder, AStreamBeginsAnewAfterItsEnd) {
  TokenizerPointer tokenizer = loadDecoder(
      {"_a"}, {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "always"}});
  llmc_token_stream *stream = nullptr;
  ASSERT_EQ(llmc_token_stream_create(tokenizer.get(), 0, &stream).code, LLMC_OK);
  // The stream keeps the tokenizer.
  tokenizer.reset();
  const char *text;
  size_t size;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(llmc_token_stream_push(stream, 0, &text, &size).code, LLMC_OK);
    EXPECT_EQ(std::string(text, size), "a");
    ASSERT_EQ(llmc_token_stream_finish(stream, &text, &size).code, LLMC_OK);
    EXPECT_EQ(size, 0u);
  }
  llmc_token_stream_release(stream);
}

} // namespace
