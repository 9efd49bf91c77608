//===- MalformedTest.cpp - tests of files that are wrong or unknown -------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that each wrong or unknown part of a file is refused with its place.
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"

#include <cstring>
#include <random>

using namespace llmc::test;

namespace {

/// Puts `value` at a JSON pointer of a good file, and gives what loading it says.
std::string with(const char *pointer, const json &value, int32_t code) {
  json file = makeFile({"a", "b", "ab"}, {"a b"});
  file[json::json_pointer(pointer)] = value;
  std::string message = loadError(file, code);
  const std::string prefix = "tokenizer.json: ";
  EXPECT_EQ(message.compare(0, prefix.size(), prefix), 0) << message;
  return message.substr(std::min(message.size(), prefix.size()));
}
std::string corrupt(const char *pointer, const json &value) {
  return with(pointer, value, LLMC_CORRUPT);
}
std::string unsupported(const char *pointer, const json &value) {
  return with(pointer, value, LLMC_UNSUPPORTED);
}

TEST(Malformed, Json) {
  EXPECT_EQ(loadError(std::string(""), LLMC_CORRUPT), "tokenizer.json: not valid JSON at byte 1");
  EXPECT_EQ(loadError(std::string("{\"a\":"), LLMC_CORRUPT),
            "tokenizer.json: not valid JSON at byte 6");
  EXPECT_EQ(loadError(std::string("{\"model\": \"\xff\"}"), LLMC_CORRUPT),
            "tokenizer.json: not valid JSON at byte 12");
  EXPECT_EQ(loadError(std::string("{\"a\\ud800\": 1}"), LLMC_CORRUPT),
            "tokenizer.json: not valid JSON at byte 10");
  EXPECT_EQ(loadError(std::string("[]"), LLMC_CORRUPT),
            "tokenizer.json: expected an object, found an array");
  EXPECT_EQ(loadError(std::string("{\"model\": 1, \"model\": 2}"), LLMC_CORRUPT),
            "tokenizer.json: member 'model' stands there twice");
  EXPECT_EQ(loadError(std::string("{\"model\": {\"x\": [1, {\"a\": 1, \"a\": 2}]}}"), LLMC_CORRUPT),
            "tokenizer.json: model.x[1]: member 'a' stands there twice");
  EXPECT_EQ(loadError(std::string("{\"model\": {\"vocab\": {}, \"vocab\": {}}}"), LLMC_CORRUPT),
            "tokenizer.json: model: member 'vocab' stands there twice");
  EXPECT_EQ(loadError(std::string(1000000, '['), LLMC_UNSUPPORTED),
            "tokenizer.json: expected JSON nested at most 64 deep");
}

TEST(Malformed, TopLevel) {
  EXPECT_EQ(unsupported("/surprise", 1), "member 'surprise' is not known");
  EXPECT_EQ(unsupported("/version", "2.0"), "version: a file of type '2.0' is not supported");
  EXPECT_EQ(corrupt("/version", 1), "version: expected a string, found a number");
  EXPECT_EQ(corrupt("/truncation", 5), "truncation: expected an object, found a number");
  EXPECT_EQ(corrupt("/padding", true), "padding: expected an object, found a boolean");
  EXPECT_EQ(corrupt("/model", nullptr), "model: expected an object, found nothing");
  EXPECT_EQ(corrupt("/added_tokens", 3), "added_tokens: expected an array, found a number");
}

TEST(Malformed, Model) {
  EXPECT_EQ(unsupported("/model/type", "Bigram"),
            "model.type: a model of type 'Bigram' is not supported");
  EXPECT_EQ(corrupt("/model/type", json::array()), "model.type: expected a string, found an array");
  EXPECT_EQ(corrupt("/model/dropout", 1.5),
            "model.dropout: expected a number from 0.0 to 1.0, found 1.5");
  EXPECT_EQ(corrupt("/model/dropout", "1"), "model.dropout: expected a number, found a string");
  EXPECT_EQ(unsupported("/model/surprise", 1), "model: member 'surprise' is not known");
  EXPECT_EQ(corrupt("/model/fuse_unk", 1), "model.fuse_unk: expected a boolean, found a number");
  EXPECT_EQ(corrupt("/model/unk_token", 1), "model.unk_token: expected a string, found a number");
  EXPECT_EQ(corrupt("/model/vocab", json::array()), "model.vocab: expected an object");
  EXPECT_EQ(corrupt("/model/vocab", true), "model.vocab: expected an object");
  EXPECT_EQ(corrupt("/model/vocab/c", "1"), "model.vocab: expected an id for token 'c'");
  EXPECT_EQ(corrupt("/model/vocab/c", -1), "model.vocab: expected an id for token 'c'");
  EXPECT_EQ(corrupt("/model/vocab/c", 1.5), "model.vocab: expected an id for token 'c'");
  EXPECT_EQ(corrupt("/model/vocab/c", {{"d", 1}}), "model.vocab: expected an id for token 'c'");
  EXPECT_EQ(corrupt("/model/vocab/c", 1), "model.vocab: two tokens have the id 1");
  EXPECT_EQ(unsupported("/model/vocab/c", 1u << 30),
            "model.vocab: expected ids that are close together, found 4 tokens with ids up to "
            "1073741824");
  EXPECT_EQ(unsupported("/model/vocab/c", 1ull << 40),
            "model.vocab: expected an id of at most 2147483647 for token 'c', found 1099511627776");
  EXPECT_EQ(loadError(std::string(R"({"model": {"vocab": {"a": 1, "a": 2}, "merges": []}})"),
                      LLMC_CORRUPT),
            "tokenizer.json: model.vocab: the token with the id 2 has another id as well");
}

/// Gives what is said of a file with this model.
std::string ofModel(const json &model) {
  json file = makeFile({});
  file["model"] = model;
  std::string message = loadError(file, LLMC_CORRUPT);
  return message.substr(std::min(message.size(), strlen("tokenizer.json: ")));
}

TEST(Malformed, Unigram) {
  auto with = [](const char *name, const std::string &value) {
    json model = {{"type", "Unigram"}, {"unk_id", 0}};
    model["vocab"] = json::parse(R"([["a", -1.0], ["b", 0]])");
    model[name] = json::parse(value);
    return ofModel(model);
  };
  EXPECT_EQ(with("unk_id", "2"),
            "model.unk_id: expected an id below 2, the size of the vocabulary, found 2");
  EXPECT_EQ(with("unk_id", "[]"), "model.unk_id: expected a number from 0 on, found an array");
  EXPECT_EQ(with("vocab", "{}"), "model.vocab: expected an array of tokens and scores");
  EXPECT_EQ(with("vocab", R"([["a", 1], ["b"]])"),
            "model.vocab[1]: expected a token and its score");
  for (const char *value : {R"([["a", 1, 2]])", R"([[1, "a"]])", R"(["a"])", R"([["a", null]])",
                            R"([[{"a": 1}, 1]])", R"([["a", "b"]])", R"([[]])", R"([1])"})
    EXPECT_EQ(with("vocab", value), "model.vocab[0]: expected a token and its score") << value;
}

TEST(Malformed, WordModels) {
  EXPECT_EQ(ofModel({{"type", "WordLevel"}, {"vocab", {{"a", 0}}}}),
            "model.unk_token: expected a string, found nothing");
  EXPECT_EQ(ofModel({{"type", "WordLevel"}, {"unk_token", "a"}, {"vocab", json::array()}}),
            "model.vocab: expected an object");
  json model = {{"type", "WordPiece"}, {"unk_token", "a"}, {"vocab", {{"a", 0}}}};
  EXPECT_EQ(ofModel(model), "model.continuing_subword_prefix: expected a string, found nothing");
  model["continuing_subword_prefix"] = "";
  EXPECT_EQ(ofModel(model),
            "model.max_input_chars_per_word: expected a number from 0 on, found nothing");
}

TEST(Malformed, Merges) {
  EXPECT_EQ(corrupt("/model/merges", nullptr), "model.merges: expected an array");
  EXPECT_EQ(corrupt("/model/merges", {"a b", "ab"}),
            "model.merges[1]: expected two tokens with one space between, found 'ab'");
  EXPECT_EQ(corrupt("/model/merges", {"a b c"}),
            "model.merges[0]: expected two tokens with one space between, found 'a b c'");
  EXPECT_EQ(corrupt("/model/merges", {3}), "model.merges[0]: expected a pair of tokens");
  EXPECT_EQ(corrupt("/model/merges", json::array({json::array({"a"})})),
            "model.merges[0]: expected a pair of tokens");
  EXPECT_EQ(corrupt("/model/merges", json::array({json::array({"a", "b", "c"})})),
            "model.merges[0]: expected a pair of tokens");
  EXPECT_EQ(corrupt("/model/merges", json::array({json::array({"a", json::array()})})),
            "model.merges[0]: expected a pair of tokens");
  EXPECT_EQ(corrupt("/model/merges", {"a x"}), "model.merges[0]: token 'x' is not in model.vocab");
  EXPECT_EQ(corrupt("/model/merges", {"b a"}),
            "model.merges[0]: merged token 'ba' is not in model.vocab");
  json file = makeFile({"a", "b", "ab"}, {"a b"});
  file["model"]["continuing_subword_prefix"] = "##";
  EXPECT_EQ(
      loadError(file, LLMC_CORRUPT),
      "tokenizer.json: model.merges[0]: token 'b' is shorter than 'continuing_subword_prefix'");
}

TEST(Malformed, MergesOfNothing) {
  json file = makeFile({"", "a"});
  file["model"]["merges"] = json::array({json::array({"", "a"})});
  EXPECT_EQ(loadError(file, LLMC_CORRUPT), "tokenizer.json: model.merges[0]: a token with no text");
}

TEST(Malformed, PostProcessors) {
  json processor = {{"type", "TemplateProcessing"},
                    {"single", json::array({json::object()})},
                    {"pair", json::array()},
                    {"special_tokens", json::object()}};
  EXPECT_EQ(corrupt("/post_processor", processor),
            "post_processor.single[0]: expected one of 'Sequence' and 'SpecialToken'");
  EXPECT_EQ(
      corrupt("/post_processor", {{"type", "BertProcessing"}, {"sep", {"a"}}, {"cls", {"b", 1}}}),
      "post_processor.sep: expected a token and its id");
}

TEST(Malformed, Normalizers) {
  EXPECT_EQ(corrupt("/normalizer", 1), "normalizer: expected an object, found a number");
  EXPECT_EQ(unsupported("/normalizer", {{"type", "Unheard"}}),
            "normalizer.type: a normalizer of type 'Unheard' is not supported");
  auto ofTable = [](const json &table) {
    return corrupt("/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", table}});
  };
  const std::string place = "normalizer.precompiled_charsmap: ";
  EXPECT_EQ(ofTable(nullptr), place + "expected a string, found nothing");
  EXPECT_EQ(ofTable("AAA"), place + "expected bytes in base64");
  EXPECT_EQ(ofTable("AA*="), place + "expected bytes in base64");
  EXPECT_EQ(ofTable("=AAA"), place + "expected bytes in base64");
  EXPECT_EQ(ofTable("AAB="), place + "expected bytes in base64");
  EXPECT_EQ(ofTable(""), place + "expected a table of at least 4 bytes, found 0");
  EXPECT_EQ(ofTable("BAAAAA=="), place + "expected a trie of at most 0 bytes, found 4");
  EXPECT_EQ(ofTable("/////wAAAAA="),
            place + "expected a trie of at most 4 bytes, found 4294967295");
  EXPECT_EQ(ofTable("AAAAAP8="), place + "expected texts in UTF-8 behind the trie");
  EXPECT_EQ(unsupported("/normalizer", {{"type", "NFC"}, {"x", 1}}),
            "normalizer: member 'x' is not known");
  EXPECT_EQ(corrupt("/normalizer", {{"type", "Strip"}, {"strip_left", true}}),
            "normalizer.strip_right: expected a boolean, found nothing");
  EXPECT_EQ(
      corrupt("/normalizer", {{"type", "Replace"}, {"pattern", {{"String", "a"}, {"Regex", "a"}}}}),
      "normalizer.pattern: expected one of 'String' and 'Regex'");
  EXPECT_EQ(corrupt("/normalizer",
                    {{"type", "Sequence"},
                     {"normalizers",
                      {{{"type", "NFC"}},
                       {{"type", "Replace"}, {"pattern", {{"Regex", "("}}}, {"content", ""}}}}}),
            "normalizer.normalizers[1].pattern.Regex: regular expression: a group with no end at "
            "byte 1");
  EXPECT_EQ(corrupt("/normalizer", {{"type", "Sequence"}, {"normalizers", {nullptr}}}),
            "normalizer.normalizers[0]: expected an object, found nothing");
}

TEST(Malformed, PreTokenizers) {
  EXPECT_EQ(unsupported("/pre_tokenizer", {{"type", "Unheard"}}),
            "pre_tokenizer.type: a pre-tokenizer of type 'Unheard' is not supported");
  EXPECT_EQ(corrupt("/pre_tokenizer", {{"type", "ByteLevel"}}),
            "pre_tokenizer.add_prefix_space: expected a boolean, found nothing");
  EXPECT_EQ(corrupt("/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "__"}}),
            "pre_tokenizer.replacement: expected one character, found '__'");
  EXPECT_EQ(unsupported("/pre_tokenizer",
                        {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "last"}}),
            "pre_tokenizer.prepend_scheme: a prepend scheme of type 'last' is not supported");
  EXPECT_EQ(corrupt("/pre_tokenizer",
                    {{"type", "Metaspace"}, {"replacement", "_"}, {"add_prefix_space", false}}),
            "pre_tokenizer.prepend_scheme: expected 'never', as 'add_prefix_space' is false");
  EXPECT_EQ(unsupported("/pre_tokenizer", {{"type", "Punctuation"}, {"behavior", "x"}}),
            "pre_tokenizer.behavior: a behavior of type 'x' is not supported");
  EXPECT_EQ(corrupt("/pre_tokenizer", {{"type", "FixedLength"}, {"length", 0}}),
            "pre_tokenizer.length: expected at least 1, found 0");
}

TEST(Malformed, Decoders) {
  EXPECT_EQ(unsupported("/decoder", {{"type", "Unheard"}}),
            "decoder.type: a decoder of type 'Unheard' is not supported");
  EXPECT_EQ(corrupt("/decoder", {{"type", "CTC"}, {"pad_token", "a"}}),
            "decoder.word_delimiter_token: expected a string, found nothing");
  EXPECT_EQ(corrupt("/decoder", {{"type", "WordPiece"}, {"prefix", "a"}, {"cleanup", 1}}),
            "decoder.cleanup: expected a boolean, found a number");
  EXPECT_EQ(corrupt("/decoder", {{"type", "Strip"}, {"content", ""}, {"start", 1}, {"stop", 0}}),
            "decoder.content: expected one character, found ''");
  EXPECT_EQ(corrupt("/decoder", {{"type", "Strip"}, {"content", "a"}, {"start", -1}, {"stop", 0}}),
            "decoder.start: expected a number from 0 on, found a number");
  EXPECT_EQ(corrupt("/decoder", {{"type", "Sequence"}, {"decoders", {1}}}),
            "decoder.decoders[0]: expected an object, found a number");
  EXPECT_EQ(corrupt("/decoder", {{"type", "BPEDecoder"}}),
            "decoder.suffix: expected a string, found nothing");
}

TEST(Malformed, AddedTokens) {
  json file = makeFile({"a"});
  addToken(file, "", {});
  EXPECT_EQ(loadError(file, LLMC_CORRUPT),
            "tokenizer.json: added_tokens[0].content: expected text, found none");
  file = makeFile({"a"});
  addToken(file, "x", {{"lstrip", 1}});
  EXPECT_EQ(loadError(file, LLMC_CORRUPT),
            "tokenizer.json: added_tokens[0].lstrip: expected a boolean, found a number");
  file = makeFile({"a"});
  file["normalizer"] = {{"type", "Lowercase"}};
  addToken(file, "x", {{"normalized", true}});
  addToken(file, "X", {{"normalized", true}});
  EXPECT_EQ(loadError(file, LLMC_CORRUPT),
            "tokenizer.json: added_tokens[1].content: the same text as an earlier added token");
  file = makeFile({"a"});
  file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "x"}}}, {"content", ""}};
  addToken(file, "x", {{"normalized", true}});
  EXPECT_EQ(loadError(file, LLMC_CORRUPT),
            "tokenizer.json: added_tokens[0].content: the normalizer leaves nothing of it");
}

TEST(Malformed, Configuration) {
  const std::string file = makeFile({"a"}).dump();
  EXPECT_EQ(loadError(file, LLMC_CORRUPT, "{"), "tokenizer_config.json: not valid JSON at byte 2");
  EXPECT_EQ(loadError(file, LLMC_CORRUPT, "[]"),
            "tokenizer_config.json: expected an object, found an array");
  EXPECT_EQ(loadError(file, LLMC_CORRUPT, R"({"bos_token": 1})"),
            "tokenizer_config.json: bos_token: expected a string, found a number");
  EXPECT_EQ(loadError(file, LLMC_CORRUPT, R"({"eos_token": {}})"),
            "tokenizer_config.json: eos_token.content: expected a string, found nothing");
}

/// A file with something of everything.
json makeLargeFile() {
  json file = makeFile({"a", "b", "ab", "<unk>"}, {"a b"});
  json replace = {{"type", "Replace"}, {"pattern", {{"Regex", "a+b"}}}, {"content", "c"}};
  file["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers", {{{"type", "NFC"}}, replace, {{"type", "Prepend"}, {"prepend", "x"}}}}};
  file["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"},
         {"pattern", {{"Regex", "\\p{L}+|[^a]"}}},
         {"behavior", "Isolated"},
         {"invert", false}},
        {{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}}}}};
  file["decoder"] = {{"type", "Sequence"}, {"decoders", {replace, {{"type", "Fuse"}}}}};
  file["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"a", 0}}, {"cls", {"b", 1}}};
  file["model"]["unk_token"] = "<unk>";
  addToken(file, "<s>", {{"single_word", true}, {"normalized", true}});
  return file;
}

/// The same for what a SentencePiece model brings, and for words.
json makeSentencePieceFile() {
  json file = makeFile({});
  file["model"] = json::parse(R"({"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab":
      [["<unk>", 0], ["a", -1.5], ["b", -2], ["ab", -3], ["<0x20>", 0]]})");
  file["padding"] = {{"length", 5}};
  // Replaces "a" by "b".
  file["normalizer"] = {{"type", "Sequence"},
                        {"normalizers",
                         {{{"type", "Nmt"}},
                          {{"type", "BertNormalizer"},
                           {"clean_text", true},
                           {"handle_chinese_chars", true},
                           {"strip_accents", nullptr},
                           {"lowercase", true}},
                          {{"type", "Precompiled"}, {"precompiled_charsmap", precompiledTable}}}}};
  file["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
  file["decoder"] = {
      {"type", "Sequence"},
      {"decoders",
       {{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}},
        {{"type", "CTC"}, {"pad_token", ""}, {"word_delimiter_token", "|"}, {"cleanup", true}}}}};
  json roberta = {{"type", "RobertaProcessing"}, {"sep", {"a", 1}}, {"cls", {"b", 2}}};
  file["post_processor"] = {{"type", "Sequence"}, {"processors", {roberta, roberta}}};
  addToken(file, "<s>", {{"id", 5}, {"normalized", true}});
  return file;
}

json makeWordPieceFile() {
  json file = makeFile({"[UNK]", "a", "##b", "\u00e9"});
  file["model"].erase("merges");
  file["model"].update({{"type", "WordPiece"},
                        {"unk_token", "[UNK]"},
                        {"continuing_subword_prefix", "##"},
                        {"max_input_chars_per_word", 10}});
  return file;
}

/// Loads bytes that may be anything, and uses what loads.
void loadAnything(const std::string &text) {
  llmc_tokenizer *tokenizer = nullptr;
  llmc_status status = llmc_tokenizer_create(text.data(), text.size(), nullptr, 0, &tokenizer);
  ASSERT_EQ(tokenizer != nullptr, status.code == LLMC_OK);
  ASSERT_EQ(status.message[0] == '\0', status.code == LLMC_OK);
  ASSERT_NE(status.code, LLMC_INTERNAL);
  if (!tokenizer)
    return;
  std::vector<int32_t> ids(1000);
  size_t count = 0;
  const std::string sample = "aab <s> \u00e9 b";
  status = llmc_tokenizer_encode(tokenizer, sample.data(), sample.size(), LLMC_ENCODE_ADD_SPECIAL,
                                 ids.data(), ids.size(), &count);
  if (status.code == LLMC_OK) {
    size_t size;
    status = llmc_tokenizer_decode(tokenizer, ids.data(), count, 0, nullptr, 0, &size);
    ASSERT_NE(status.code, LLMC_INTERNAL);
  }
  llmc_tokenizer_release(tokenizer);
}

class MalformedFile : public testing::TestWithParam<json (*)()> {};
INSTANTIATE_TEST_SUITE_P(, MalformedFile,
                         testing::Values(makeLargeFile, makeSentencePieceFile, makeWordPieceFile));

TEST_P(MalformedFile, EveryTruncationIsRefused) {
  const std::string text = GetParam()().dump();
  ASSERT_EQ(loadError(text, LLMC_OK), "");
  for (size_t size = 0; size < text.size(); ++size)
    loadError(text.substr(0, size), LLMC_CORRUPT);
}

TEST_P(MalformedFile, EveryValueOfAnotherTypeIsSurvived) {
  const json file = GetParam()();
  const json flat = file.flatten();
  for (const auto &item : flat.items())
    for (const json &value :
         {json(nullptr), json(true), json(-1), json(1e300), json(""), json("\u00e9x"),
          json::array(), json::array({1}), json::object(), json(0xffffffffu)}) {
      // Every ancestor, too.
      for (json::json_pointer pointer(item.key()); !pointer.empty(); pointer.pop_back()) {
        json changed = file;
        changed[pointer] = value;
        loadAnything(changed.dump());
      }
    }
}

TEST_P(MalformedFile, RandomChangesAreSurvived) {
  const std::string text = GetParam()().dump();
  std::mt19937 random(11);
  const std::string alphabet = "{}[]\",:\\0a-(*?+^|\x01\xc3\xa9";
  for (int i = 0; i < 5000; ++i) {
    std::string changed = text;
    for (unsigned k = 0; k <= random() % 4; ++k)
      changed[random() % changed.size()] = alphabet[random() % alphabet.size()];
    loadAnything(changed);
  }
}

} // namespace
