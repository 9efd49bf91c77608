//===- CalibrationTest.cpp - what sites see, and when ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationTestSupport.h"
#include "HostCode.h"
#include "StatisticsAccumulator.h"

#include "llvm/Support/FileSystem.h"

#include <csignal>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

/// The number at the end of a name: which layer it belongs to.
int getLayer(StringRef name) {
  int layer = -1;
  name.drop_while([](char c) { return !llvm::isDigit(c); }).getAsInteger(10, layer);
  return layer;
}

class CalibrationShapes : public testing::TestWithParam<Shape> {
protected:
  Messages messages;
  TokenFile tokens{5, 19};
};

// A walk that stops at one site has no cut before it: the model up to there is one part. The second
// layer's attention and the head see all that cuts could change.
TEST_P(CalibrationShapes, CutsChangeNothing) {
  OwningOpRef<ModuleOp> module = makeModel(messages.context, GetParam(), 2);
  Moments all = collect(*module, makeOptions(tokens));
  ASSERT_GE(all.size(), 9u);
  for (const char *name : {"output1", "head"}) {
    Moments one =
        collect(*module, makeOptions(tokens), [&](StringRef other) { return other == name; });
    ASSERT_EQ(one.size(), 1u) << name;
    EXPECT_EQ(one.at(name), all.at(name)) << name;
  }
  EXPECT_EQ(messages.text, "");
}

TEST_P(CalibrationShapes, LaterSitesSeeNewWeights) {
  OwningOpRef<ModuleOp> module = makeModel(messages.context, GetParam(), 2);
  Moments walked = collect(*module, makeOptions(tokens), {}, [](CalibrationSite &site) {
    llvm::for_each(site.parameters, changeWeights);
  });
  // All weights are new now, and what a site sees depends on those before it alone.
  EXPECT_EQ(collect(*module, makeOptions(tokens)), walked);
}

TEST_P(CalibrationShapes, SitesOfABlockSeeItsOldWeights) {
  CalibrationOptions options = makeOptions(tokens);
  options.trueSequential = false;
  // Layers that share a cache are one block.
  int perBlock = GetParam() == Shape::SharedCache ? 2 : 1, layers = perBlock + 1;
  OwningOpRef<ModuleOp> module = makeModel(messages.context, GetParam(), layers);
  Moments walked = collect(*module, options, {}, [](CalibrationSite &site) {
    llvm::for_each(site.parameters, changeWeights);
  });
  for (int start = 0; start < layers; start += perBlock) {
    OwningOpRef<ModuleOp> before = makeModel(messages.context, GetParam(), layers);
    for (auto parameter : before->getOps<ParameterOp>())
      if (int of = getLayer(parameter.getSymName());
          of >= 0 && of < start && parameter.getTensorType().getRank() == 2)
        changeWeights(parameter);
    for (auto &[name, moment] : collect(*before, makeOptions(tokens)))
      if (getLayer(name) >= start && getLayer(name) < start + perBlock)
        EXPECT_EQ(walked[name], moment) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, CalibrationShapes,
                         testing::Values(Shape::Sequential, Shape::Outlined, Shape::Parallel,
                                         Shape::SharedCache, Shape::LowRankQuery));

TEST(Calibration, OutlinedBlocksAreTheSameModel) {
  Messages messages;
  TokenFile tokens(5, 19);
  OwningOpRef<ModuleOp> flat = makeModel(messages.context, Shape::Sequential, 2);
  OwningOpRef<ModuleOp> outlined = makeModel(messages.context, Shape::Outlined, 2);
  EXPECT_EQ(collect(*flat, makeOptions(tokens)), collect(*outlined, makeOptions(tokens)));
}

TEST(Calibration, SitesAreWhatLinearsShare) {
  Messages messages;
  TokenFile tokens(5, 19);
  OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, 2);
  std::vector<std::string> sites;
  collect(
      *module, makeOptions(tokens), [](StringRef name) { return name != "head"; },
      [&](CalibrationSite &site) {
        EXPECT_EQ(site.index, static_cast<int64_t>(sites.size()));
        EXPECT_EQ(site.count, 8);
        EXPECT_EQ(site.linears.size(), site.parameters.size());
        EXPECT_EQ(site.statistics.rows, 5 * 19);
        std::string names;
        for (ParameterOp parameter : site.parameters)
          names += parameter.getSymName().str() + " ";
        sites.push_back(names);
      });
  EXPECT_EQ(sites,
            (std::vector<std::string>{"key0 value0 query0 ", "output0 ", "gate0 up0 ", "down0 ",
                                      "key1 value1 query1 ", "output1 ", "gate1 up1 ", "down1 "}));
}

TEST(Calibration, HandsOutInputs) {
  Messages messages;
  TokenFile tokens(5, 19);
  OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, 1);
  CalibrationRequest request;
  request.select = [](LinearOp, ParameterOp) { return true; };
  // All rows: their second moment is the statistics', with the first of every sample three times.
  request.inputRows = 1000;
  request.statistics = SecondMoment | Mean;
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    const InputStatistics &statistics = site.statistics;
    int64_t width = statistics.width;
    EXPECT_EQ(static_cast<int64_t>(statistics.inputs.size()), 95 * width);
    double sum = 0;
    for (int64_t row = 0; row < 95; ++row)
      sum += double(statistics.inputs[row * width]) * statistics.inputs[row * width + 1] *
             (row % 19 == 0 ? 3 : 1);
    EXPECT_NEAR(statistics.secondMoment[1], sum, 1e-4 * std::abs(sum) + 1e-5);
    return success();
  };
  CalibrationOptions options = makeOptions(tokens);
  options.firstTokenWeight = 3;
  EXPECT_TRUE(succeeded(calibrate(*module, options, request)));
  request.inputRows = 7;
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    EXPECT_EQ(static_cast<int64_t>(site.statistics.inputs.size()), 7 * site.statistics.width);
    return success();
  };
  EXPECT_TRUE(succeeded(calibrate(*module, makeOptions(tokens), request)));
}

TEST(Calibration, RefusesOptions) {
  TokenFile tokens(5, 19);
  CalibrationRequest request;
  auto expectMessage = [&](CalibrationOptions options, const char *message) {
    Messages messages;
    OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, 1);
    request.select = [](LinearOp, ParameterOp) { return true; };
    request.visit = [](CalibrationSite &) { return success(); };
    EXPECT_TRUE(failed(calibrate(*module, options, request)));
    EXPECT_NE(messages.text.find(message), std::string::npos) << messages.text;
  };
  CalibrationOptions options = makeOptions(tokens);
  options.samples = 0;
  expectMessage(options, "expected samples of at least 1, found 0");
  options = makeOptions(tokens);
  options.sequenceLength = -3;
  expectMessage(options, "expected sequence-length of at least 1, found -3");
  options = makeOptions(tokens);
  options.firstTokenWeight = 0;
  expectMessage(options, "expected first-token-weight of at least 1, found 0");
  options = makeOptions(tokens);
  options.memory = -1;
  expectMessage(options, "expected a bound of memory that is not negative, found -1");
  options = makeOptions(tokens);
  options.sequenceLength = 33;
  expectMessage(options, "expected a sequence-length of at most the model's 32, found 33");
  options = makeOptions(tokens);
  options.statistics = options.saveStatistics = "none";
  expectMessage(options, "expected no statistics to read where statistics are to be saved");
  options = makeOptions(tokens);
  options.statistics = options.saveTokens = "none";
  expectMessage(options, "expected no statistics to read where tokens are to be saved");
  options = makeOptions(tokens);
  options.statistics = "none";
  request.inputRows = 1;
  expectMessage(options, "expected no statistics to read where inputs are asked for");
  request.inputRows = 0;
  options = makeOptions(tokens);
  options.samples = int64_t(1) << 40;
  expectMessage(options, "expected at most 1073741824 tokens, found 1099511627776 samples of 19");
  options = makeOptions(tokens);
  options.statistics = options.resume = "none";
  expectMessage(options, "expected no folder to resume in where statistics are read");
  options = makeOptions(tokens);
  options.statistics = "/none/statistics";
  expectMessage(options, "'/none/statistics': cannot read the file");
  options = makeOptions(tokens);
  options.saveStatistics = "/none/statistics";
  expectMessage(options, "cannot write '/none/statistics': No such file or directory");
  options = makeOptions(tokens);
  options.calibration = "/none/text";
  expectMessage(options, "cannot read '/none/text': No such file or directory");
  options = makeOptions(tokens);
  options.resume = "/dev/null/folder";
  expectMessage(options, "cannot make the folder '/dev/null/folder'");
}

/// While it lives, no file can grow beyond `bytes`: as on a full disk, but for the reason given.
class SmallDisk {
public:
  explicit SmallDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit limit{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() { setrlimit(RLIMIT_FSIZE, &before); }

private:
  rlimit before;
};

TEST(Calibration, TellsOfAFullDisk) {
  TokenFile tokens(5, 19);
  Folder folder;
  auto expectMessage = [&](const CalibrationOptions &options, const char *message) {
    Messages messages;
    OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, 1);
    CalibrationRequest request;
    request.select = [](LinearOp, ParameterOp) { return true; };
    request.visit = [](CalibrationSite &site) {
      llvm::for_each(site.parameters, changeWeights);
      return success();
    };
    SmallDisk disk(4096);
    EXPECT_TRUE(failed(calibrate(*module, options, request)));
    EXPECT_NE(messages.text.find(message), std::string::npos) << messages.text;
  };
  CalibrationOptions options = makeOptions(tokens);
  options.memory = 0;
  expectMessage(options, "cannot write a temporary file for calibration: File too large");
  options = makeOptions(tokens);
  options.saveStatistics = folder.path + "/statistics";
  expectMessage(options, "/statistics': File too large");
  EXPECT_FALSE(llvm::sys::fs::exists(options.saveStatistics + ".partial"));
  options = makeOptions(tokens);
  options.resume = folder.path + "/work";
  expectMessage(options, "block-0.safetensors': File too large");
}

TEST(Calibration, ExpectsSitesToSave) {
  Messages messages;
  TokenFile tokens(5, 19);
  OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, 1);
  CalibrationRequest request;
  request.select = [](LinearOp, ParameterOp) { return false; };
  CalibrationOptions options = makeOptions(tokens);
  EXPECT_TRUE(succeeded(calibrate(*module, options, request)));
  options.saveStatistics = "none";
  EXPECT_TRUE(failed(calibrate(*module, options, request)));
  EXPECT_NE(messages.text.find("expected linears to save statistics of, found none"),
            std::string::npos)
      << messages.text;
}

TEST(Calibration, TellsOfAMissingTemporaryFolder) {
  TokenFile tokens(5, 19);
  CalibrationOptions options = makeOptions(tokens);
  options.memory = 0;
  Messages messages;
  OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Sequential, 1);
  const char *before = getenv("TMPDIR");
  std::string folder = before ? before : "";
  setenv("TMPDIR", "/none", /*overwrite=*/1);
  CalibrationRequest request;
  request.select = [](LinearOp, ParameterOp) { return true; };
  request.visit = [](CalibrationSite &) { return success(); };
  EXPECT_TRUE(failed(calibrate(*module, options, request)));
  before ? setenv("TMPDIR", folder.c_str(), /*overwrite=*/1) : unsetenv("TMPDIR");
  EXPECT_NE(messages.text.find("cannot make a temporary file for calibration: No such file"),
            std::string::npos)
      << messages.text;
}

TEST(Calibration, RefusesFunctionsThatCannotBeInlined) {
  TokenFile tokens(5, 19);
  auto expectMessage = [&](llvm::function_ref<void(func::FuncOp)> change, const char *message) {
    Messages messages;
    OwningOpRef<ModuleOp> module = makeModel(messages.context, Shape::Outlined, 1);
    change(module->lookupSymbol<func::FuncOp>("block"));
    CalibrationRequest request;
    request.select = [](LinearOp, ParameterOp) { return true; };
    request.visit = [](CalibrationSite &) { return success(); };
    EXPECT_TRUE(failed(calibrate(*module, makeOptions(tokens), request)));
    EXPECT_NE(messages.text.find(message), std::string::npos) << messages.text;
  };
  expectMessage(
      [](func::FuncOp block) {
        OpBuilder builder(block.front().getTerminator());
        auto call = func::CallOp::create(builder, block.getLoc(), block, block.getArguments());
        block.front().getTerminator()->setOperand(0, call.getResult(0));
      },
      "expected functions that do not call themselves");
  expectMessage([](func::FuncOp block) { block.getBody().emplaceBlock(); },
                "expected a body of one block");
  expectMessage([](func::FuncOp block) { block.eraseBody(); },
                "expected a function with a body, found @block");
}

TEST(StatisticsAccumulator, AgreesWithPlainSums) {
  // More rows than are summed in fp32, more columns than a tile has, and rows further apart.
  constexpr int64_t width = 203, rows = 1100, stride = 224;
  std::mt19937 random(5);
  std::vector<float> x(rows * stride);
  for (float &value : x)
    value = (static_cast<float>(random() % 2001) - 900) / 1000;
  llvm::Expected<Workers> workers = Workers::create(3);
  ASSERT_TRUE(static_cast<bool>(workers));
  StatisticsAccumulator accumulator(SecondMoment | Mean | MeanMagnitude | MaxMagnitude, width,
                                    *workers);
  accumulator.add(x.data(), 1050, stride);
  accumulator.add(x.data() + 1050 * stride, 50, stride);
  // Every hundredth row counts half as often again.
  accumulator.repeat(x.data(), 11, 100 * stride, 0.5);
  InputStatistics found = accumulator.finish();
  EXPECT_EQ(found.rows, rows);
  for (int64_t i = 0; i < width; ++i) {
    double sum = 0, magnitude = 0, maximum = 0;
    for (int64_t row = 0; row < rows; ++row) {
      double value = x[row * stride + i];
      sum += value;
      magnitude += std::abs(value);
      maximum = std::max(maximum, std::abs(value));
    }
    EXPECT_NEAR(found.mean[i], sum / rows, 1e-6);
    EXPECT_NEAR(found.meanMagnitude[i], magnitude / rows, 1e-6);
    EXPECT_EQ(found.maxMagnitude[i], static_cast<float>(maximum));
    for (int64_t j = 0; j < width; ++j) {
      double product = 0;
      for (int64_t row = 0; row < rows; ++row)
        product += (row % 100 == 0 ? 1.5 : 1) * x[row * stride + i] * x[row * stride + j];
      ASSERT_NEAR(found.secondMoment[i * width + j], product, 2e-3) << i << " " << j;
      ASSERT_EQ(found.secondMoment[i * width + j], found.secondMoment[j * width + i]);
    }
  }
}

} // namespace
