//===- BlockEvaluatorTest.cpp - what blocks give with other weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

constexpr int64_t modelWidth = 40, rowCount = 5 * 19;

/// A value for a parameter that it may be given, or be tried with.
struct Other {
  ParameterOp parameter;
  RankedTensorType type;
  std::vector<uint8_t> bytes;
  std::optional<DynamicAttr> activation;

  Candidate asCandidate() const { return {parameter, type, bytes, activation}; }
};

/// Rounded values, as floats or as integers of 8 bits with a scale a row.
Other makeOther(ParameterOp parameter, bool encoded) {
  RankedTensorType type = parameter.getTensorType();
  FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
  const int64_t rows = reader->getNumRows(), columns = reader->getNumColumns();
  std::vector<float> row(columns);
  if (!encoded) {
    Other other{parameter, type, std::vector<uint8_t>(rows * columns * 4), std::nullopt};
    for (int64_t i = 0; i < rows; ++i) {
      reader->readRow(i, row);
      for (float &value : row)
        value = std::round(value * 8) / 8;
      std::memcpy(other.bytes.data() + i * columns * 4, row.data(), columns * 4);
    }
    return other;
  }
  MLIRContext *context = type.getContext();
  auto encoding = GroupedAttr::get(context, 8, GroupedAttr::channelGroup, ZeroPoint::None,
                                   Float32Type::get(context));
  CanonicalForm form = CanonicalForm::get(encoding, type.getShape());
  Other other{parameter, RankedTensorType::get(type.getShape(), type.getElementType(), encoding),
              std::vector<uint8_t>(form.size), DynamicAttr::get(context, 8, 32)};
  for (int64_t i = 0; i < rows; ++i) {
    reader->readRow(i, row);
    for (auto [column, value] : llvm::enumerate(row))
      form[0].write(other.bytes.data(), i, column,
                    static_cast<unsigned>(128 + std::lround(value * 100)));
    form[1].write(other.bytes.data(), i, 0, 0.01f);
  }
  return other;
}

/// Really gives a parameter another value.
void apply(ModuleOp module, const Other &other) {
  setParameter(other.parameter, other.type,
               makeParameterData(module.getContext(), "other", other.bytes));
  if (!other.activation)
    return;
  module.walk([&](LinearOp linear) {
    if (llvm::is_contained(getParametersOf(linear.getWeight()), other.parameter))
      linear.setActivationAttr(*other.activation);
  });
}

using SiteVisit = std::function<void(CalibrationSite &)>;

/// A model, and walks over it with all rows handed out.
struct Model {
  Messages messages;
  TokenFile tokens{5, 19};
  OwningOpRef<ModuleOp> module;
  CalibrationOptions options = makeOptions(tokens);

  explicit Model(Shape shape = Shape::Sequential) {
    module = makeModel(messages.context, shape, 2);
  }
  ParameterOp get(StringRef name) { return module->lookupSymbol<ParameterOp>(name); }
  LogicalResult walk(const SiteVisit &visit, bool evaluates = true) {
    CalibrationRequest request;
    request.key = "test";
    request.select = [](LinearOp, ParameterOp) { return true; };
    request.inputRows = 1000;
    request.evaluatesBlocks = evaluates;
    request.visit = [&](CalibrationSite &site) {
      visit(site);
      return success();
    };
    return calibrate(*module, options, request);
  }
  /// What linears that read `weight` see.
  std::vector<float> collectInputs(StringRef weight) {
    std::vector<float> inputs;
    EXPECT_TRUE(succeeded(walk(
        [&](CalibrationSite &site) {
          if (llvm::is_contained(site.parameters, get(weight)))
            inputs = site.statistics.inputs;
        },
        /*evaluates=*/false)));
    return inputs;
  }
  Value getInput(StringRef weight) {
    Value input;
    module->lookupSymbol<func::FuncOp>("step").walk([&](LinearOp linear) {
      if (llvm::is_contained(getParametersOf(linear.getWeight()), get(weight)))
        input = linear.getInput();
    });
    return input;
  }
};

std::vector<float> evaluate(BlockEvaluator &block, ArrayRef<Candidate> candidates,
                            const BlockOutput &output) {
  std::vector<float> all;
  EXPECT_TRUE(succeeded(block.evaluateBlock(
      candidates, output, [&](ArrayRef<float> rows) { llvm::append_range(all, rows); })));
  return all;
}

class EvaluatedBlocks : public testing::TestWithParam<std::tuple<Shape, bool, int64_t>> {};

// As after the same change to the module: bit for bit, from any site of the block.
TEST_P(EvaluatedBlocks, GiveWhatAChangedModelGives) {
  auto [shape, encoded, memory] = GetParam();
  Model model(shape);
  model.options.memory = memory;
  std::vector<float> found[2];
  ASSERT_TRUE(succeeded(model.walk([&](CalibrationSite &site) {
    // The first and a later site of the second block.
    bool isFirst = llvm::is_contained(site.parameters, model.get("key1"));
    if (!isFirst && !llvm::is_contained(site.parameters, model.get("output1")))
      return;
    int place = isFirst ? 0 : 1;
    Other query = makeOther(model.get("query1"), encoded),
          output = makeOther(model.get("output1"), encoded);
    BlockOutput gate{model.getInput("gate1"), 0};
    std::vector<float> before = evaluate(*site.block, {}, gate);
    found[place] = evaluate(*site.block, {query.asCandidate(), output.asCandidate()}, gate);
    // Nothing stays of a candidate.
    EXPECT_EQ(evaluate(*site.block, {}, gate), before);
    EXPECT_NE(found[place], before);
  }))) << model.messages.text;
  EXPECT_EQ(model.messages.text, "");
  std::vector<float> untouched = model.collectInputs("gate1");
  apply(*model.module, makeOther(model.get("query1"), encoded));
  apply(*model.module, makeOther(model.get("output1"), encoded));
  std::vector<float> expected = model.collectInputs("gate1");
  EXPECT_EQ(expected.size(), static_cast<size_t>(rowCount * modelWidth));
  EXPECT_EQ(found[1], found[0]);
  if (shape != Shape::Parallel)
    EXPECT_NE(expected, untouched);
  EXPECT_EQ(found[0], expected);
}

INSTANTIATE_TEST_SUITE_P(All, EvaluatedBlocks,
                         testing::Values(std::tuple(Shape::Sequential, false, 1 << 30),
                                         std::tuple(Shape::Sequential, true, 0),
                                         std::tuple(Shape::LowRankQuery, true, 1 << 30)));

// The default output is what the next block reads: its norm gives what its first site sees.
TEST(BlockEvaluator, GivesWhatTheNextBlockReads) {
  Model model;
  std::vector<float> rows, normed;
  ASSERT_TRUE(succeeded(model.walk([&](CalibrationSite &site) {
    StringRef name = site.parameters.front().getSymName();
    if (name == "down0")
      rows = evaluate(*site.block, {}, {});
    if (name == "key1")
      normed = site.statistics.inputs;
  })));
  std::vector<float> gain(modelWidth);
  ParameterReader::get(model.get("norm1"))->readRow(0, gain);
  ASSERT_EQ(rows.size(), normed.size());
  for (int64_t row = 0; row < rowCount; ++row) {
    double sum = 0;
    for (int64_t i = 0; i < modelWidth; ++i)
      sum += double(rows[row * modelWidth + i]) * rows[row * modelWidth + i];
    double scale = 1 / std::sqrt(sum / modelWidth + 1e-5);
    for (int64_t i = 0; i < modelWidth; ++i)
      ASSERT_NEAR(normed[row * modelWidth + i], rows[row * modelWidth + i] * scale * gain[i], 1e-5);
  }
}

// Of the last block it is what the head reads.
TEST(BlockEvaluator, GivesWhatTheHeadReads) {
  Model model;
  std::vector<float> rows, inputs;
  ASSERT_TRUE(succeeded(model.walk([&](CalibrationSite &site) {
    StringRef name = site.parameters.front().getSymName();
    if (name == "gate1")
      rows = evaluate(*site.block, {}, {});
    if (name == "head")
      inputs = site.statistics.inputs;
  })));
  EXPECT_EQ(rows, inputs);
}

TEST(BlockEvaluator, MeasuresErrors) {
  Model model;
  std::vector<float> first;
  ASSERT_TRUE(succeeded(model.walk([&](CalibrationSite &site) {
    if (site.parameters.front().getSymName() != "gate0")
      return;
    Other other = makeOther(model.get("down0"), /*encoded=*/true);
    for (int64_t samples : {0, 2}) {
      BlockOutput output{Value(), samples};
      ASSERT_TRUE(succeeded(site.block->keepReference(output)));
      EXPECT_EQ(*site.block->getError({}), 0);
      double error = *site.block->getError({other.asCandidate()});
      // The same, however often it is asked for.
      EXPECT_EQ(*site.block->getError({other.asCandidate()}), error);
      std::vector<float> y = evaluate(*site.block, {}, output),
                         changed = evaluate(*site.block, {other.asCandidate()}, output);
      EXPECT_EQ(static_cast<int64_t>(y.size()), (samples ? samples * 19 : rowCount) * modelWidth);
      double errors = 0, squares = 0;
      for (auto [exact, found] : llvm::zip(y, changed)) {
        errors += (double(found) - exact) * (double(found) - exact);
        squares += double(exact) * exact;
      }
      EXPECT_NEAR(error, errors / squares, 1e-12 * error);
      EXPECT_GT(error, 0);
    }
    // Changing the module leaves the reference.
    double error = *site.block->getError({other.asCandidate()});
    apply(*model.module, other);
    EXPECT_EQ(*site.block->getError({}), error);
  })));
  EXPECT_EQ(model.messages.text, "");
}

// How far rows turn from where a block begins to where it ends, which is where the next one begins.
TEST(BlockEvaluator, MeasuresInfluence) {
  Model model;
  std::vector<float> entering, leaving;
  double influence = -1;
  ASSERT_TRUE(succeeded(model.walk([&](CalibrationSite &site) {
    StringRef name = site.parameters.front().getSymName();
    if (name == "down0")
      entering = evaluate(*site.block, {}, {});
    if (name != "gate1")
      return;
    leaving = evaluate(*site.block, {}, {});
    influence = *site.block->getInfluence();
    // The same, however often it is asked for.
    EXPECT_EQ(*site.block->getInfluence(), influence);
  }))) << model.messages.text;
  ASSERT_EQ(entering.size(), leaving.size());
  double turns = 0;
  for (int64_t row = 0; row < rowCount; ++row) {
    double product = 0, before = 0, after = 0;
    for (int64_t i = row * modelWidth; i < (row + 1) * modelWidth; ++i) {
      product += double(entering[i]) * leaving[i];
      before += double(entering[i]) * entering[i];
      after += double(leaving[i]) * leaving[i];
    }
    turns += 1 - product / std::sqrt(before) / std::sqrt(after);
  }
  EXPECT_GT(influence, 0);
  EXPECT_NEAR(influence, turns / rowCount, 1e-12);
}

TEST(BlockEvaluator, RefusesWhatItCannotDo) {
  Model model;
  auto expectMessage = [&](const char *message, LogicalResult found) {
    EXPECT_TRUE(failed(found));
    EXPECT_NE(model.messages.text.find(message), std::string::npos) << model.messages.text;
    model.messages.text.clear();
  };
  auto ignore = [](ArrayRef<float>) {};
  ASSERT_TRUE(succeeded(model.walk([&](CalibrationSite &site) {
    if (site.parameters.front().getSymName() != "key1")
      return;
    BlockEvaluator &block = *site.block;
    Other other = makeOther(model.get("output1"), false);
    Candidate small = other.asCandidate();
    small.bytes = small.bytes.drop_back(4);
    expectMessage("expected a candidate of 6400 bytes, found 6396",
                  block.evaluateBlock({small}, {}, ignore));
    small.type = RankedTensorType::get({40, 39}, small.type.getElementType());
    expectMessage("expected a candidate of the shape of 'tensor<40x40xf32>', found "
                  "'tensor<40x39xf32>'",
                  block.evaluateBlock({small}, {}, ignore));
    Other earlier = makeOther(model.get("output0"), false);
    expectMessage("expected a candidate for a parameter that is read on the way",
                  block.evaluateBlock({earlier.asCandidate()}, {}, ignore));
    const char *noValue = "expected a value that the block in hand computes";
    expectMessage(noValue, block.evaluateBlock({}, {model.getInput("gate0"), 0}, ignore));
    expectMessage(noValue, block.evaluateBlock({},
                                               {other.parameter->getParentRegion()
                                                    ->getParentOfType<ModuleOp>()
                                                    .lookupSymbol<func::FuncOp>("step")
                                                    .getArgument(0),
                                                0},
                                               ignore));
    expectMessage("expected a reference that was kept of the block in hand, found none",
                  block.getError({}));
  })));
  // No rows without a walk that runs something, none where they are not asked for.
  ASSERT_TRUE(succeeded(model.walk([](CalibrationSite &site) { EXPECT_FALSE(site.block); },
                                   /*evaluates=*/false)));
  model.options.statistics = "none";
  CalibrationRequest request;
  request.select = [](LinearOp, ParameterOp) { return true; };
  request.evaluatesBlocks = true;
  expectMessage("expected no statistics to read where blocks are run with other weights",
                calibrate(*model.module, model.options, request));
}

} // namespace
