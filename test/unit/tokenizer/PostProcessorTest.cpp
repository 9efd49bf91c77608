//===- PostProcessorTest.cpp - tests of the post_processor section --------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests which special tokens stand around a text.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

using namespace llmc::test;

namespace {

using Ids = std::vector<int32_t>;

json special(const char *name) { return {{"SpecialToken", {{"id", name}, {"type_id", 0}}}}; }
json text(const char *name) { return {{"Sequence", {{"id", name}, {"type_id", 0}}}}; }

json makeTemplate(const std::vector<json> &single) {
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", {text("A"), text("B")}},
          {"special_tokens",
           {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}},
            {"two", {{"id", "two"}, {"ids", {2, 1}}, {"tokens", {"</s>", "<s>"}}}}}}};
}

json makeFileWith(const json &postProcessor) {
  json file = makeFile({"a", "<s>", "</s>"});
  file["post_processor"] = postProcessor;
  return file;
}

Ids withSpecial(const json &postProcessor) {
  TokenizerPointer tokenizer = load(makeFileWith(postProcessor));
  EXPECT_EQ(encode(tokenizer, "aa"), (Ids{0, 0}));
  return encode(tokenizer, "aa", LLMC_ENCODE_ADD_SPECIAL);
}

TEST(PostProcessor, Template) {
  EXPECT_EQ(withSpecial(makeTemplate({special("<s>"), text("A"), special("two")})),
            (Ids{1, 0, 0, 2, 1}));
}

TEST(PostProcessor, TemplateMayRepeatTheText) {
  TokenizerPointer tokenizer =
      load(makeFileWith(makeTemplate({text("A"), special("<s>"), text("A")})));
  EXPECT_EQ(encode(tokenizer, "a"), (Ids{0, 0}));
  EXPECT_EQ(encode(tokenizer, "a", LLMC_ENCODE_ADD_SPECIAL), (Ids{0, 1, 0}));
}

TEST(PostProcessor, Classifiers) {
  EXPECT_EQ(withSpecial({{"type", "BertProcessing"}, {"sep", {"</s>", 2}}, {"cls", {"<s>", 1}}}),
            (Ids{1, 0, 0, 2}));
  EXPECT_EQ(withSpecial({{"type", "RobertaProcessing"},
                         {"sep", {"</s>", 2}},
                         {"cls", {"<s>", 1}},
                         {"trim_offsets", true},
                         {"add_prefix_space", false}}),
            (Ids{1, 0, 0, 2}));
}

TEST(PostProcessor, Sequence) {
  json byteLevel = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", false}};
  json both = {{"type", "Sequence"},
               {"processors", {byteLevel, makeTemplate({special("<s>"), text("A")})}}};
  EXPECT_EQ(withSpecial(both), (Ids{1, 0, 0}));
  EXPECT_EQ(withSpecial(byteLevel), (Ids{0, 0}));
}

TEST(PostProcessor, SequencesGoOnWithWhatWasMade) {
  json bert = {{"type", "BertProcessing"}, {"sep", {"</s>", 2}}, {"cls", {"<s>", 1}}};
  json roberta = bert;
  roberta["type"] = "RobertaProcessing";
  auto sequence = [](const std::vector<json> &processors) {
    return json{{"type", "Sequence"}, {"processors", processors}};
  };
  EXPECT_EQ(withSpecial(sequence({bert, bert})), (Ids{1, 1, 0, 0, 2, 2}));
  // A template hands on each of its pieces.
  json begin = makeTemplate({special("<s>"), text("A")});
  EXPECT_EQ(withSpecial(sequence({begin, bert})), (Ids{1, 1, 2, 0, 0, 2}));
  EXPECT_EQ(withSpecial(sequence({begin, roberta})), (Ids{1, 1, 2, 2, 0, 0, 2}));
  // Two of them are a pair.
  json pair = begin;
  pair["pair"] = {text("B"), special("two"), text("A")};
  EXPECT_EQ(withSpecial(sequence({begin, pair})), (Ids{0, 0, 2, 1, 1}));
  EXPECT_EQ(encode(load(makeFileWith(sequence({begin, pair}))), "a"), (Ids{0}));
  EXPECT_EQ(loadError(makeFileWith(sequence({begin, pair, begin})), LLMC_UNSUPPORTED),
            "tokenizer.json: post_processor.processors[2]: expected one or two sequences from the "
            "post-processors before, found 3");
}

TEST(PostProcessor, WhatTemplatesRepeatIsBounded) {
  json classifier = {{"type", "BertProcessing"}, {"sep", {"</s>", 2}}, {"cls", {"<s>", 1}}};
  std::vector<json> processors(600, classifier);
  processors.push_back(makeTemplate({text("A")}));
  EXPECT_EQ(
      loadError(makeFileWith({{"type", "Sequence"}, {"processors", processors}}), LLMC_UNSUPPORTED),
      "tokenizer.json: post_processor.processors[600]: the post-processors put more than 1024 "
      "pieces together");
}

TEST(PostProcessor, Refuses) {
  EXPECT_EQ(loadError(makeFileWith(makeTemplate({text("B")})), LLMC_CORRUPT),
            "tokenizer.json: post_processor.single[0].Sequence.id: expected 'A'");
  EXPECT_EQ(
      loadError(makeFileWith(makeTemplate({special("x")})), LLMC_CORRUPT),
      "tokenizer.json: post_processor.single[0].SpecialToken.id: 'special_tokens' has no such "
      "member");
  json file = makeFileWith(makeTemplate({special("<s>")}));
  file["post_processor"]["special_tokens"]["<s>"]["ids"] = {9};
  EXPECT_EQ(
      loadError(file, LLMC_CORRUPT),
      "tokenizer.json: post_processor.special_tokens.<s>.ids[0]: the vocabulary has no token 9");
}

} // namespace
