//===- ChangingBlocksTest.cpp - visits that change what a block computes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three things that a visit may do: add a branch beside a linear, fold a scale into what comes
// before it, remove channels. What later sites see is what they see of a model that was changed
// before, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "CalibrationTestSupport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

func::FuncOp getStep(ModuleOp module) {
  return module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
}

LinearOp findLinear(ModuleOp module, StringRef weight) {
  LinearOp found;
  getStep(module).walk([&](LinearOp linear) {
    auto read = linear.getWeight().getDefiningOp<ParameterValueOp>();
    if (read && read.getParameter() == weight)
      found = linear;
  });
  return found;
}

std::vector<float> readValues(ParameterOp parameter) {
  FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
  std::vector<float> values(reader->getNumRows() * reader->getNumColumns());
  for (int64_t row = 0; row < reader->getNumRows(); ++row)
    reader->readRow(row, MutableArrayRef<float>(values).slice(row * reader->getNumColumns(),
                                                              reader->getNumColumns()));
  return values;
}

void writeValues(ParameterOp parameter, ArrayRef<int64_t> shape, ArrayRef<float> values) {
  auto bytes = reinterpret_cast<const uint8_t *>(values.data());
  setParameter(parameter, RankedTensorType::get(shape, Float32Type::get(parameter.getContext())),
               makeParameterData(parameter.getContext(), parameter.getSymName(),
                                 std::vector<uint8_t>(bytes, bytes + values.size() * 4)));
}

/// A new parameter, read before `linear`.
Value addParameter(LinearOp linear, const std::string &name, int64_t rows, int64_t columns) {
  auto module = linear->getParentOfType<ModuleOp>();
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto type = RankedTensorType::get({rows, columns}, builder.getF32Type());
  std::vector<float> values(rows * columns);
  for (auto [index, value] : llvm::enumerate(values))
    value = static_cast<float>(index * 7 % 11) / 16 - 0.25f;
  auto parameter = ParameterOp::create(builder, linear.getLoc(), name, type,
                                       makeParameterData(module.getContext(), name, {}));
  writeValues(parameter, type.getShape(), values);
  builder.setInsertionPoint(linear);
  return ParameterValueOp::create(builder, linear.getLoc(), type, name);
}

/// y = W·x becomes y = W·x + B·(A·x).
void addBranch(ModuleOp module, const std::string &weight) {
  LinearOp linear = findLinear(module, weight);
  int64_t inputs = cast<RankedTensorType>(linear.getInput().getType()).getDimSize(1);
  auto type = cast<RankedTensorType>(linear.getResult().getType());
  Value a = addParameter(linear, weight + ".a", 4, inputs),
        b = addParameter(linear, weight + ".b", type.getDimSize(1), 4);
  OpBuilder builder(linear->getContext());
  builder.setInsertionPointAfter(linear);
  auto makeLinear = [&](Value x, Value w) {
    auto result = RankedTensorType::get(
        {ShapedType::kDynamic, cast<RankedTensorType>(w.getType()).getDimSize(0)},
        builder.getF32Type());
    auto copy = cast<LinearOp>(builder.clone(*linear));
    copy->setOperand(0, x);
    copy->setOperand(1, w);
    copy.getResult().setType(result);
    return copy.getResult();
  };
  Value small = makeLinear(linear.getInput(), a), branch = makeLinear(small, b);
  auto sum = arith::AddFOp::create(builder, linear.getLoc(), linear.getResult(), branch);
  linear.getResult().replaceAllUsesExcept(sum.getResult(), sum);
}

/// The norm's gain is halved, and the weights that read it doubled: exact.
void foldScale(ModuleOp module, const std::string &norm, ArrayRef<std::string> weights) {
  auto scale = [&](const std::string &name, float factor) {
    auto parameter = module.lookupSymbol<ParameterOp>(name);
    std::vector<float> values = readValues(parameter);
    for (float &value : values)
      value *= factor;
    writeValues(parameter, parameter.getTensorType().getShape(), values);
  };
  scale(norm, 0.5f);
  for (const std::string &weight : weights)
    scale(weight, 2);
}

/// Every third channel between gate, up and down goes.
void removeChannels(ModuleOp module, const std::string &layer) {
  auto keep = [](int64_t channel) { return channel % 3 != 0; };
  auto cut = [&](const std::string &name, unsigned dim) {
    auto parameter = module.lookupSymbol<ParameterOp>(name);
    ArrayRef<int64_t> shape = parameter.getTensorType().getShape();
    std::vector<float> values = readValues(parameter), kept;
    int64_t count = 0;
    for (int64_t row = 0; row < shape[0]; ++row)
      for (int64_t column = 0; column < shape[1]; ++column)
        if (keep(dim == 0 ? row : column))
          kept.push_back(values[row * shape[1] + column]);
    for (int64_t channel = 0; channel < shape[dim]; ++channel)
      count += keep(channel);
    SmallVector<int64_t> smaller(shape);
    smaller[dim] = count;
    writeValues(parameter, smaller, kept);
    return count;
  };
  int64_t left = cut("gate" + layer, 0);
  cut("up" + layer, 0);
  cut("down" + layer, 1);
  auto type =
      RankedTensorType::get({ShapedType::kDynamic, left}, Float32Type::get(module.getContext()));
  findLinear(module, "gate" + layer).getResult().setType(type);
  findLinear(module, "up" + layer).getResult().setType(type);
  findLinear(module, "down" + layer).getInput().setType(type);
}

/// What is done, where, and to which moments of the site itself.
struct Change {
  const char *name;
  const char *site; ///< by the first of its weights, without the layer's number
  void (*apply)(ModuleOp module, const std::string &layer);
  bool changesSite; ///< what the site saw is of before
};

const Change changes[] = {
    {"branch", "gate",
     [](ModuleOp module, const std::string &layer) { addBranch(module, "up" + layer); }, false},
    {"scale", "gate",
     [](ModuleOp module, const std::string &layer) {
       foldScale(module, "mlp_norm" + layer, {"gate" + layer, "up" + layer});
     },
     true},
    {"channels", "down", removeChannels, true},
    {"replacement", "key",
     // New operations and parameters under other names, which are not visited: the old ones go.
     [](ModuleOp module, const std::string &layer) {
       LinearOp linear = findLinear(module, "value" + layer);
       Operation *read = linear.getWeight().getDefiningOp();
       Value a = addParameter(linear, "value" + layer + ".a", 4, 40),
             b = addParameter(linear, "value" + layer + ".b", 20, 4);
       OpBuilder builder(linear);
       auto type = RankedTensorType::get({ShapedType::kDynamic, 4}, builder.getF32Type());
       auto small = cast<LinearOp>(builder.clone(*linear));
       small->setOperand(1, a);
       small.getResult().setType(type);
       linear->setOperand(0, small.getResult());
       linear->setOperand(1, b);
       read->erase();
       module.lookupSymbol<ParameterOp>("value" + layer).erase();
     },
     false},
};

bool isOriginal(StringRef name) { return !name.ends_with(".a") && !name.ends_with(".b"); }

/// A walk that makes a change in every layer.
struct ChangingWalk {
  Messages messages;
  OwningOpRef<ModuleOp> module;
  CalibrationRequest request;
  Moments moments;
  int restored = 0;

  ChangingWalk(const Change &change, Shape shape, int layers, int stopAt = -1) {
    module = makeModel(messages.context, shape, layers);
    request.key = "change";
    request.changesStructure = true;
    request.select = [](LinearOp, ParameterOp parameter) {
      return isOriginal(parameter.getSymName());
    };
    request.visit = [this, change, stopAt](CalibrationSite &site) -> LogicalResult {
      if (site.restored) {
        ++restored;
        return success();
      }
      if (site.index == stopAt)
        return failure();
      StringRef name = site.parameters.front().getSymName();
      moments[name.str()] = std::move(site.statistics.secondMoment);
      if (name.starts_with(change.site))
        change.apply(*module, name.drop_front(StringRef(change.site).size()).str());
      site.record = name.str();
      return success();
    };
  }
};

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (auto parameter : module.getOps<ParameterOp>()) {
    stream << parameter.getSymName() << " " << parameter.getTensorType();
    const ArrayRef<uint8_t> bytes = *getParameterBytes(parameter);
    for (uint8_t byte : bytes)
      stream << " " << int(byte);
    stream << "\n";
  }
  getStep(module).print(stream);
  return text;
}

class ChangingBlocks : public testing::TestWithParam<std::tuple<int, Shape>> {
protected:
  const Change &change = changes[std::get<0>(GetParam())];
  Shape shape = std::get<1>(GetParam());
  TokenFile tokens{5, 19};
};

TEST_P(ChangingBlocks, LaterSitesSeeWhatAChangedModelGives) {
  ChangingWalk walk(change, shape, 2);
  ASSERT_TRUE(succeeded(calibrate(*walk.module, makeOptions(tokens), walk.request)))
      << walk.messages.text;
  EXPECT_EQ(walk.messages.text, "");
  EXPECT_TRUE(succeeded(verify(*walk.module)));

  Messages messages;
  OwningOpRef<ModuleOp> before = makeModel(messages.context, shape, 2);
  for (const char *layer : {"0", "1"})
    change.apply(*before, layer);
  ASSERT_TRUE(succeeded(verify(*before)));
  Moments expected = collect(*before, makeOptions(tokens), isOriginal);
  EXPECT_EQ(walk.moments.size(), expected.size());
  for (auto &[name, moment] : expected)
    if (!change.changesSite || !StringRef(name).starts_with(change.site))
      EXPECT_EQ(walk.moments[name], moment) << name;
  EXPECT_EQ(print(*walk.module), print(*before));
}

TEST_P(ChangingBlocks, MemoryChangesNothing) {
  CalibrationOptions options = makeOptions(tokens);
  ChangingWalk free(change, shape, 2), bounded(change, shape, 2);
  ASSERT_TRUE(succeeded(calibrate(*free.module, options, free.request)));
  options.memory = 0;
  options.threads = 3;
  ASSERT_TRUE(succeeded(calibrate(*bounded.module, options, bounded.request)));
  EXPECT_EQ(bounded.moments, free.moments);
}

TEST_P(ChangingBlocks, AreResumedWithTheSameBits) {
  CalibrationOptions options = makeOptions(tokens);
  ChangingWalk clean(change, shape, 3);
  ASSERT_TRUE(succeeded(calibrate(*clean.module, options, clean.request)));
  Folder folder;
  options.resume = folder.path + "/work";
  int restored = 0;
  for (int stopAt : {3, 6, 10}) {
    ChangingWalk job(change, shape, 3, stopAt);
    EXPECT_TRUE(failed(calibrate(*job.module, options, job.request)));
    EXPECT_GE(job.restored, restored);
    restored = job.restored;
  }
  EXPECT_EQ(restored, 4);
  ChangingWalk last(change, shape, 3);
  ASSERT_TRUE(succeeded(calibrate(*last.module, options, last.request))) << last.messages.text;
  EXPECT_EQ(last.restored, 8);
  for (auto &[name, moment] : last.moments)
    EXPECT_EQ(moment, clean.moments[name]) << name;
  EXPECT_TRUE(succeeded(verify(*last.module)));
  for (auto parameter : clean.module->getOps<ParameterOp>()) {
    auto other = last.module->lookupSymbol<ParameterOp>(parameter.getSymName());
    ASSERT_TRUE(other) << parameter.getSymName().str();
    EXPECT_EQ(readValues(other), readValues(parameter)) << parameter.getSymName().str();
  }
  // And so does an ordinary run of either.
  EXPECT_EQ(collect(*last.module, makeOptions(tokens)),
            collect(*clean.module, makeOptions(tokens)));
  EXPECT_FALSE(llvm::sys::fs::exists(options.resume));
}

INSTANTIATE_TEST_SUITE_P(All, ChangingBlocks,
                         testing::Values(std::tuple(0, Shape::Sequential),
                                         std::tuple(1, Shape::Sequential),
                                         std::tuple(2, Shape::Sequential),
                                         std::tuple(3, Shape::Sequential),
                                         std::tuple(0, Shape::Parallel)));

TEST(ChangingBlocksErrors, AreReported) {
  TokenFile tokens(5, 19);
  auto expectMessage = [&](const char *message, Shape shape, const CalibrationOptions &options,
                           std::function<void(ModuleOp, CalibrationSite &)> visit) {
    Messages messages;
    OwningOpRef<ModuleOp> module = makeModel(messages.context, shape, 2);
    CalibrationRequest request;
    request.changesStructure = true;
    request.select = [](LinearOp, ParameterOp parameter) {
      return isOriginal(parameter.getSymName());
    };
    request.visit = [&](CalibrationSite &site) -> LogicalResult {
      visit(*module, site);
      return success();
    };
    EXPECT_TRUE(failed(calibrate(*module, options, request)));
    EXPECT_NE(messages.text.find(message), std::string::npos) << messages.text;
  };
  auto nothing = [](ModuleOp, CalibrationSite &) {};
  CalibrationOptions options = makeOptions(tokens);
  expectMessage("expected @step without calls where operations change", Shape::Outlined, options,
                nothing);
  // Of the block before.
  expectMessage("expected changes to what the block in hand computes, found others before it",
                Shape::Sequential, options, [](ModuleOp module, CalibrationSite &site) {
                  if (site.parameters.front().getSymName() == "gate1")
                    foldScale(module, "mlp_norm0", {});
                });
  options.trueSequential = false;
  expectMessage("expected 'down0' to be read with 56 inputs until it is visited", Shape::Sequential,
                options, [](ModuleOp module, CalibrationSite &site) {
                  if (site.parameters.front().getSymName() == "gate0")
                    removeChannels(module, "0");
                });
  options = makeOptions(tokens);
  options.saveStatistics = "none";
  expectMessage("expected no statistics to save where operations change", Shape::Sequential,
                options, nothing);
}

// Sites of a block that are visited at once see what it was; later blocks see what it is.
TEST(ChangingBlocksTogether, AreRunAnew) {
  TokenFile tokens(5, 19);
  CalibrationOptions options = makeOptions(tokens);
  options.trueSequential = false;
  ChangingWalk walk(changes[0], Shape::Sequential, 2);
  ASSERT_TRUE(succeeded(calibrate(*walk.module, options, walk.request))) << walk.messages.text;
  Messages messages;
  OwningOpRef<ModuleOp> before = makeModel(messages.context, Shape::Sequential, 2);
  Moments old = collect(*before, makeOptions(tokens), isOriginal);
  changes[0].apply(*before, "0");
  Moments changed = collect(*before, makeOptions(tokens), isOriginal);
  EXPECT_EQ(walk.moments["down0"], old["down0"]);
  EXPECT_NE(old["down0"], changed["down0"]);
  for (const char *name : {"key1", "output1", "gate1", "down1"})
    EXPECT_EQ(walk.moments[name], changed[name]) << name;
}

} // namespace
