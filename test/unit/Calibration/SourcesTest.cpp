//===- SourcesTest.cpp - where tokens and statistics come from ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationTestSupport.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

/// What a walk over one layer says.
std::string walk(const CalibrationOptions &options, bool expectSuccess = false,
                 unsigned statistics = SecondMoment, int layers = 1) {
  Messages messages;
  OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, layers);
  CalibrationRequest request;
  request.statistics = statistics;
  request.select = [](LinearOp, ParameterOp) { return true; };
  request.visit = [](CalibrationSite &) { return success(); };
  EXPECT_EQ(succeeded(calibrate(*module, options, request)), expectSuccess) << messages.text;
  return messages.text;
}

void expectMessage(const std::string &text, StringRef message) {
  EXPECT_NE(text.find(message.str()), std::string::npos) << text;
}

std::string makeNpy(StringRef header, StringRef data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return text + header.str() + data.str();
}

TEST(Tokens, RefusesFilesThatAreNone) {
  Folder folder;
  CalibrationOptions options;
  options.calibration = folder.path + "/tokens.npy";
  options.sequenceLength = 4;
  auto expect = [&](const std::string &contents, StringRef message) {
    writeFile(options.calibration, contents);
    expectMessage(walk(options), message);
  };
  std::string good = "{'descr': '<i4', 'fortran_order': False, 'shape': (4,), }\n";
  std::string four("\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0", 16);
  expect("no array", "expected a .npy file");
  expect(makeNpy(good, four).substr(0, 40), "found the file's end");
  expect(makeNpy("{'descr': '<i4'}", four), "expected a .npy header with 'descr' and 'shape'");
  expect(makeNpy("{'descr': '<f4', 'shape': (4,)}", four),
         "expected token ids of type <i4 or <i8, found <f4");
  expect(makeNpy("{'descr': '<i4', 'shape': (2, n)}", four),
         "expected a shape of integers, found (2, n)");
  expect(makeNpy("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 2)}", four),
         "expected rows one after the other, found Fortran's order");
  expect(makeNpy("{'descr': '<i4', 'shape': (4294967296, 4294967296)}", four),
         "expected 18446744073709551615 tokens, found 4");
  expect(makeNpy("{'descr': '<i4', 'shape': (3, 2)}", four), "expected 6 tokens, found 4");
  expect(makeNpy("{'descr': '<i4', 'shape': (5,)}", four), "expected 5 tokens, found 4");
  expect(makeNpy(good, four.substr(0, 12) + "\xff\xff\xff\xff"),
         "expected token ids, found -1 at 3");
  expect(makeNpy(good, four.substr(0, 12) + StringRef("\x40\0\0\0", 4).str()),
         "expected token ids below 64, found 64 at 3");
  options.sequenceLength = 5;
  expect(makeNpy(good, four), "expected at least one sample of 5 tokens, found 4 tokens");
  // Fewer samples than asked for are a warning.
  options.sequenceLength = 2;
  options.samples = 3;
  writeFile(options.calibration, makeNpy(good, four));
  expectMessage(walk(options, /*expectSuccess=*/true),
                "has 2 samples of 2 tokens, 3 were asked for");
}

TEST(Tokens, RefusesTextsThatCannotBeRead) {
  Folder folder;
  CalibrationOptions options;
  options.calibration = folder.path + "/text";
  options.sequenceLength = 4;
  writeFile(options.calibration, "ab");
  expectMessage(walk(options), "no parameter lies in a file that one could stand beside");
  options.tokenizer = folder.path;
  expectMessage(walk(options), "tokenizer.json': No such file");
  writeFile(folder.path + "/tokenizer.json", "{");
  expectMessage(walk(options), folder.path + "/tokenizer.json': ");
  writeFile(folder.path + "/tokenizer.json", R"({
    "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": null, "post_processor": null, "decoder": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                      "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null,
              "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
              "byte_fallback": false, "vocab": {"a": 0, "b": 1}, "merges": []}})");
  expectMessage(walk(options), "expected at least one sample of 4 tokens, found 2 tokens");
  writeFile(options.calibration, "\xff\xfe");
  expectMessage(walk(options), folder.path + "/text': ");
  writeFile(options.calibration, "abbaabba");
  options.samples = 2;
  EXPECT_EQ(walk(options, /*expectSuccess=*/true), "");
}

TEST(Tokens, ModelsWriteTheirOwn) {
  CalibrationOptions options;
  options.calibration = "self";
  // More samples than are written side by side.
  options.samples = 18;
  options.sequenceLength = 9;
  Messages messages;
  OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Outlined, 2);
  options.threads = 1;
  Moments one = collect(*module, options);
  options.threads = 3;
  EXPECT_EQ(collect(*module, options), one);
  options.seed = 1;
  EXPECT_NE(collect(*module, options), one);
  EXPECT_EQ(messages.text, "");
}

TEST(Tokens, ModelsWithoutATokenizerWriteTheirOwn) {
  CalibrationOptions options;
  options.samples = 2;
  options.sequenceLength = 9;
  expectMessage(walk(options, /*expectSuccess=*/true),
                "no parameter lies in a file that one could stand beside: the model writes its own "
                "text");
  // One that is named has to be there, whatever reads it.
  options.tokenizer = "/none";
  expectMessage(walk(options), "cannot read '/none': No such file or directory");
  options.calibration = "self";
  expectMessage(walk(options), "cannot read '/none': No such file or directory");
}

/// A file of statistics of a model of one layer.
struct Saved {
  TokenFile tokens{5, 19};
  Folder folder;
  CalibrationOptions options = makeOptions(tokens);

  Saved() {
    options.saveStatistics = folder.path + "/statistics";
    EXPECT_EQ(walk(options, /*expectSuccess=*/true), "");
    options.statistics = std::move(options.saveStatistics);
    options.saveStatistics.clear();
  }
};

TEST(StatisticsFile, IsWhatWasSeen) {
  Saved saved;
  Messages messages;
  OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, 1);
  Moments read = collect(*module, saved.options);
  saved.options.statistics.clear();
  EXPECT_EQ(collect(*module, saved.options), read);
  // A pass that works on some of a site's weights finds the site.
  saved.options.statistics = saved.folder.path + "/statistics";
  Moments up = collect(*module, saved.options, [](StringRef name) { return name == "up0"; });
  EXPECT_EQ(up.at("up0"), read.at("gate0"));
  EXPECT_EQ(up.size(), 1u);
  // Outlining blocks makes it no other model.
  OwningOpRef<ModuleOp> outlined = makeModel(messages.context, Shape::Outlined, 1);
  EXPECT_EQ(collect(*outlined, saved.options), read);
  EXPECT_EQ(messages.text, "");
}

TEST(StatisticsFile, RefusesWhatIsDamaged) {
  Saved saved;
  auto file = llvm::MemoryBuffer::getFile(saved.options.statistics);
  ASSERT_TRUE(static_cast<bool>(file));
  const std::string good = (*file)->getBuffer().str();
  auto expect = [&](StringRef part, StringRef other, StringRef message) {
    std::string text = good;
    size_t place = text.find(part.str());
    ASSERT_NE(place, std::string::npos);
    text.replace(place, part.size(), other.str());
    writeFile(saved.options.statistics, text);
    expectMessage(walk(saved.options), message);
  };
  expect("\"95\"", "\"-5\"", "expected a number of rows among the metadata");
  expect("\\\"down0", "\\\"down9", "expected statistics of 'down0', which were not saved");
  expect("\"weights\"", "\"weighty\"", "expected a JSON object as 'weights' of the metadata");
}

TEST(StatisticsFile, RefusesWhatIsForeign) {
  Saved saved;
  expectMessage(walk(saved.options, false, SecondMoment, /*layers=*/2),
                "expected statistics of the model");
  expectMessage(walk(saved.options, false, Mean), "expected a tensor 'key0.mean', found none");
  CalibrationOptions other = saved.options;
  other.seed = 1;
  expectMessage(walk(other), "expected statistics of the tokens");
  // Where no text is given, whatever was calibrated on is right.
  other.calibration.clear();
  expectMessage(walk(other),
                "expected no samples, sequence-length or seed where statistics are read");
  CalibrationOptions defaults;
  defaults.statistics = other.statistics;
  other = defaults;
  EXPECT_EQ(walk(other, /*expectSuccess=*/true), "");
  other.calibration = "self";
  expectMessage(walk(other), "expected no calibration=self where statistics are read");
  other = defaults;
  other.tokenizer = "/none";
  expectMessage(walk(other), "expected a text to read with tokenizer '/none', found none");
  other = defaults;
  other.statistics = saved.tokens.path;
  expectMessage(walk(other), "expected a safetensors file, found another or one that is cut short");
  other.statistics = saved.folder.path + "/none";
  expectMessage(walk(other), "/none': cannot read the file: No such file or directory");
  writeFile(other.statistics, StringRef("\2\0\0\0\0\0\0\0{}", 10));
  expectMessage(walk(other), "expected statistics that llmc saved, found another safetensors file");
  writeFile(other.statistics, StringRef("\2\0\0\0\0\0\0\0[]", 10));
  expectMessage(walk(other), "found a header that is no JSON object");
  ASSERT_EQ(truncate(saved.options.statistics.c_str(), 20000), 0);
  expectMessage(walk(saved.options), "the file is cut short");
}

} // namespace
