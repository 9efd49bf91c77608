//===- ResumeTest.cpp - work that goes on after an interruption ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

#include <cmath>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

/// All bytes of all parameters.
std::vector<uint8_t> getBytes(ModuleOp module) {
  std::vector<uint8_t> all;
  for (auto parameter : module.getOps<ParameterOp>()) {
    ArrayRef<uint8_t> bytes = *getParameterBytes(parameter);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

std::string readFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

/// Replaces weights by integers of 8 bits, one scale for each row.
void encodeWeights(ParameterOp parameter) {
  RankedTensorType type = parameter.getTensorType();
  auto encoding = GroupedAttr::get(type.getContext(), 8, GroupedAttr::channelGroup, ZeroPoint::None,
                                   Float32Type::get(type.getContext()));
  auto form = CanonicalForm::get(encoding, type.getShape());
  FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
  std::vector<uint8_t> bytes(form.size);
  std::vector<float> values(type.getDimSize(1));
  for (int64_t row = 0; row < type.getDimSize(0); ++row) {
    reader->readRow(row, values);
    for (auto [column, value] : llvm::enumerate(values))
      form[GroupedAttr::codes].write(bytes.data(), row, column,
                                     static_cast<unsigned>(128 + std::lround(value * 100)));
    form[GroupedAttr::scales].write(bytes.data(), row, 0, 0.01f);
  }
  setParameter(parameter, RankedTensorType::get(type.getShape(), type.getElementType(), encoding),
               makeParameterData(type.getContext(), parameter.getSymName(), std::move(bytes)));
}

/// A job that changes weights and states roundings, and stops at a site.
struct Job {
  Messages messages;
  OwningOpRef<ModuleOp> module;
  int visited = 0, restored = 0;
  CalibrationRequest request;

  explicit Job(int stopAt, Shape shape = Shape::Sequential) {
    module = makeModel(messages.context, shape, 3);
    request.key = "job";
    request.statistics = SecondMoment | MaxMagnitude;
    request.select = [](LinearOp, ParameterOp) { return true; };
    request.visit = [this, stopAt](CalibrationSite &site) -> LogicalResult {
      std::string record = "site " + std::to_string(site.index);
      if (site.restored) {
        ++restored;
        EXPECT_EQ(site.record, record);
        return success();
      }
      if (site.index == stopAt)
        return failure();
      ++visited;
      site.record = record;
      llvm::for_each(site.parameters, encodeWeights);
      for (LinearOp linear : site.linears)
        linear.setActivationAttr(DynamicAttr::get(linear.getContext(), 8, 32));
      return success();
    };
  }
};

class Resume : public testing::TestWithParam<bool> {};

TEST_P(Resume, EndsWithTheSameBits) {
  TokenFile tokens(5, 19);
  Folder folder;
  CalibrationOptions options = makeOptions(tokens);
  options.trueSequential = GetParam();
  options.memory = 20000; // some rows are in the file
  options.saveStatistics = folder.path + "/clean";
  Job clean(-1);
  ASSERT_TRUE(succeeded(calibrate(*clean.module, options, clean.request)));
  std::string cleanStatistics = readFile(options.saveStatistics);
  ASSERT_FALSE(cleanStatistics.empty());

  // Interrupted in every block, at different sites, and once at the very start of a block.
  options.saveStatistics = folder.path + "/statistics";
  options.resume = folder.path + "/work/job";
  int restored = 0;
  for (int stopAt : {2, 4, 11}) {
    Job job(stopAt);
    EXPECT_TRUE(failed(calibrate(*job.module, options, job.request)));
    EXPECT_GE(job.restored, restored);
    restored = job.restored;
    EXPECT_TRUE(llvm::sys::fs::exists(options.resume));
    EXPECT_FALSE(llvm::sys::fs::exists(options.saveStatistics));
  }
  EXPECT_EQ(restored, 4);
  // What a killed process leaves of a file is nobody's.
  std::error_code error;
  llvm::raw_fd_ostream(options.resume + "/block-1.safetensors.tmp1", error) << "half";
  EXPECT_FALSE(error);
  Job last(-1);
  ASSERT_TRUE(succeeded(calibrate(*last.module, options, last.request))) << last.messages.text;
  EXPECT_EQ(last.restored, 8);
  EXPECT_EQ(last.visited, 5);
  EXPECT_EQ(getBytes(*last.module), getBytes(*clean.module));
  int rounded = 0;
  last.module->walk([&](LinearOp linear) { rounded += linear.getActivation().has_value(); });
  EXPECT_EQ(rounded, 22);
  EXPECT_TRUE(readFile(options.saveStatistics) == cleanStatistics);
  EXPECT_FALSE(llvm::sys::fs::exists(options.resume));
}

INSTANTIATE_TEST_SUITE_P(All, Resume, testing::Bool());

TEST(Resume, RefusesAnotherJob) {
  TokenFile tokens(5, 19);
  Folder folder;
  CalibrationOptions options = makeOptions(tokens);
  options.resume = folder.path + "/work";
  Job first(6);
  EXPECT_TRUE(failed(calibrate(*first.module, options, first.request)));
  auto expectMessage = [](Job &job, const CalibrationOptions &options, const char *message) {
    EXPECT_TRUE(failed(calibrate(*job.module, options, job.request)));
    EXPECT_NE(job.messages.text.find(message), std::string::npos) << job.messages.text;
    EXPECT_EQ(job.visited + job.restored, 0);
  };
  CalibrationOptions other = options;
  other.seed = 1;
  Job seeded(-1);
  // Another seed takes other samples of the file.
  expectMessage(seeded, other, "expected work with calibration \"");
  other = options;
  other.trueSequential = false;
  Job parallel(-1);
  expectMessage(parallel, other, "expected work with true_sequential false, found true");
  Job pass(-1);
  pass.request.key = "other job";
  expectMessage(pass, options, "expected work with pass \"other job\", found \"job\"");
  Job model(-1, Shape::Parallel);
  expectMessage(model, options, "expected work with model \"");
  Job weights(-1);
  changeWeights(*weights.module->getOps<ParameterOp>().begin());
  expectMessage(weights, options, "expected work with model \"");
  // It was refused and not harmed; how many threads there are is nobody's business.
  options.threads = 3;
  Job last(-1);
  EXPECT_TRUE(succeeded(calibrate(*last.module, options, last.request))) << last.messages.text;
  EXPECT_EQ(last.restored, 4);
  Job clean(-1);
  options.resume.clear();
  options.threads = 1;
  EXPECT_TRUE(succeeded(calibrate(*clean.module, options, clean.request)));
  EXPECT_EQ(getBytes(*last.module), getBytes(*clean.module));
}

TEST(Resume, RefusesFoldersOfSomethingElse) {
  TokenFile tokens(5, 19);
  Folder folder;
  CalibrationOptions options = makeOptions(tokens);
  options.resume = folder.path;
  auto expectMessage = [&](const char *text, const char *message) {
    std::error_code error;
    llvm::raw_fd_ostream(folder.path + "/job", error) << text;
    EXPECT_FALSE(error);
    Job job(-1);
    EXPECT_TRUE(failed(calibrate(*job.module, options, job.request)));
    EXPECT_NE(job.messages.text.find(message), std::string::npos) << job.messages.text;
  };
  expectMessage("no JSON", "expected work of llmc, found something else");
  expectMessage("{}", "found none: remove the folder");
  expectMessage("[]", "found none: remove the folder");
}

/// Interrupts a job after its first block, does something to the folder, and expects a message.
void expectMessage(llvm::function_ref<void(std::string folder)> harm, const char *message) {
  TokenFile tokens(5, 19);
  Folder folder;
  CalibrationOptions options = makeOptions(tokens);
  options.resume = folder.path + "/work";
  options.saveStatistics = folder.path + "/work.statistics";
  Job first(6);
  EXPECT_TRUE(failed(calibrate(*first.module, options, first.request)));
  harm(options.resume);
  Job second(-1);
  EXPECT_TRUE(failed(calibrate(*second.module, options, second.request)));
  EXPECT_NE(second.messages.text.find(message), std::string::npos) << second.messages.text;
}

void cut(const std::string &path, off_t size) { EXPECT_EQ(::truncate(path.c_str(), size), 0); }

/// The checksum that files of the folder have, of bytes below 1 MiB.
uint64_t getChecksum(llvm::StringRef bytes) {
  uint8_t hash[8];
  llvm::support::endian::write64le(hash, llvm::xxh3_64bits(bytes));
  return llvm::xxh3_64bits(llvm::ArrayRef(hash));
}

/// Replaces the first occurrence of a text in the first block by another of the same length, as if
/// the block had been written so.
void forge(const std::string &folder, llvm::StringRef from, llvm::StringRef to) {
  std::string path = folder + "/block-0.safetensors", block = readFile(path);
  size_t place = block.find(from.str());
  ASSERT_NE(place, std::string::npos) << from.str();
  ASSERT_EQ(from.size(), to.size());
  block.replace(place, from.size(), to.str());
  writeFile(path, block);
  // Words of 64 bits: 4 is the checksum of the words themselves, 5 that of the block.
  std::string rows = readFile(folder + "/rows");
  llvm::support::endian::write64le(rows.data() + 5 * 8, getChecksum(block));
  llvm::support::endian::write64le(rows.data() + 4 * 8, 0);
  llvm::support::endian::write64le(rows.data() + 4 * 8,
                                   getChecksum(llvm::StringRef(rows).take_front(6 * 8)));
  writeFile(folder + "/rows", rows);
}

TEST(Resume, RefusesDamagedFolders) {
  expectMessage([](std::string folder) { cut(folder + "/rows", 30); },
                "expected rows of an interrupted calibration");
  expectMessage([](std::string folder) { cut(folder + "/rows", 300); },
                "/rows': expected what was written there, found other bytes: remove '");
  expectMessage([](std::string folder) { cut(folder + "/block-0.safetensors", 4000); },
                "block-0.safetensors': expected what was written there, found other bytes");
  expectMessage([](std::string folder) { llvm::sys::fs::remove(folder + "/block-0.safetensors"); },
                "block-0.safetensors': cannot read the file");
  expectMessage([](std::string folder) { llvm::sys::fs::remove(folder + ".statistics.partial"); },
                "to have the statistics of finished blocks");
}

TEST(Resume, RefusesBlocksOfAnotherForm) {
  auto expectOfBlock = [](llvm::StringRef from, llvm::StringRef to, const char *message) {
    expectMessage([&](std::string folder) { forge(folder, from, to); }, message);
  };
  expectOfBlock("\"sites\"", "\"sitez\"", "expected a JSON object as 'sites' of the metadata");
  expectOfBlock("\\\"records", "\\\"recordz", "expected what was left of 4 sites");
  expectOfBlock("[\\\"#llmc.dynamic<bits = 8, group = 32>\\\"]",
                " \\\"#llmc.dynamic<bits = 8, group = 32>\\\" ",
                "expected activations of 1 linears");
  expectOfBlock("xf32, #llmc", "xx32, #llmc", "expected a type of '");
  expectOfBlock("\"shape\":[1", "\"shape\":[2", "of type U8 and another shape");
}

// Whichever bit of a file of the folder changes, the file is named.
TEST(Resume, NoticesEveryFlippedBit) {
  TokenFile tokens(5, 19);
  Folder folder;
  CalibrationOptions options = makeOptions(tokens);
  options.resume = folder.path + "/work";
  Job first(6);
  EXPECT_TRUE(failed(calibrate(*first.module, options, first.request)));
  for (const char *name : {"rows", "block-0.safetensors"}) {
    std::string path = options.resume + "/" + name, clean = readFile(path);
    ASSERT_FALSE(clean.empty());
    for (size_t place = 0; place < clean.size(); place += 1 + place / 2) {
      std::string harmed = clean;
      harmed[place] = static_cast<char>(harmed[place] ^ (1 << place % 8));
      writeFile(path, harmed);
      Job job(-1);
      EXPECT_TRUE(failed(calibrate(*job.module, options, job.request))) << name << " " << place;
      EXPECT_NE(job.messages.text.find(path + "': expected"), std::string::npos)
          << job.messages.text;
    }
    writeFile(path, clean);
  }
  Job last(-1);
  EXPECT_TRUE(succeeded(calibrate(*last.module, options, last.request))) << last.messages.text;
}

} // namespace
