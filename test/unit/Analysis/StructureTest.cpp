//===- StructureTest.cpp - what a structure says can be done changes no logits ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The models are those of the tests in test/Analysis: with random weights, whose channels are put
// into another order and whose inputs are scaled as their structure says.
//
//===----------------------------------------------------------------------===//

#include "llmc/Analysis/Structure.h"
#include "MeaningTestSupport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

using namespace llmc;
using namespace llmc::test;

namespace {

struct TestModel {
  std::string name, text;
};

/// Every module of every file of test/Analysis.
std::vector<TestModel> readModels() {
  std::vector<std::string> paths;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(TEST_MODELS, error), end; entry != end && !error;
       entry.increment(error))
    if (llvm::StringRef(entry->path()).ends_with(".mlir"))
      paths.push_back(entry->path());
  llvm::sort(paths);
  std::vector<TestModel> models;
  for (const std::string &path : paths) {
    auto file = llvm::MemoryBuffer::getFile(path);
    EXPECT_TRUE(static_cast<bool>(file)) << path;
    llvm::SmallVector<llvm::StringRef> parts;
    (*file)->getBuffer().split(parts, "// -----");
    for (auto [index, part] : llvm::enumerate(parts)) {
      std::string text;
      for (llvm::StringRef rest = part; !rest.empty();) {
        auto [before, after] = rest.split("#llmc.file<\"w\"");
        text += before;
        if (before.size() != rest.size())
          text += "#llmc.file<\"random\"";
        rest = after;
      }
      models.push_back({path + ":" + std::to_string(index), std::move(text)});
    }
  }
  return models;
}

std::vector<float> runModel(mlir::ModuleOp module) {
  PlainProgram program(module);
  std::vector<HostTensor> inputs;
  for (auto [index, type] : llvm::enumerate(program.getArgumentTypes())) {
    const std::vector<int32_t> tokens{5, 2, 11, 7}, sequences{0, 0, 0, 0}, positions{0, 1, 2, 3};
    const std::vector<int32_t> *rows[] = {&tokens, &sequences, &positions, &positions};
    inputs.push_back(index < 4 ? HostTensor::vector(*rows[index])
                               : HostTensor::zeros(llvm::cast<mlir::RankedTensorType>(type), 1));
  }
  HostTensor logits = program.run(inputs).front();
  auto *values = logits.as<float>();
  return {values, values + logits.bytes.size() / sizeof(float)};
}

void expectSame(const std::vector<float> &expected, const std::vector<float> &found) {
  ASSERT_EQ(expected.size(), found.size());
  float largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(std::isfinite(expected[i]) && std::isfinite(found[i]));
    largest = std::max(largest, std::fabs(expected[i]));
    difference = std::max(difference, std::fabs(expected[i] - found[i]));
  }
  EXPECT_GT(largest, 0);
  EXPECT_LE(difference, 2e-5f * largest);
}

/// A parameter's values, that can be changed; a vector is one column.
class Values {
public:
  explicit Values(ParameterOp parameter) : parameter(parameter) {
    llvm::ArrayRef<int64_t> shape = parameter.getTensorType().getShape();
    columns = shape.size() == 1 ? 1 : shape[1];
    llvm::ArrayRef<uint8_t> bytes = *getParameterBytes(parameter);
    values.resize(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  ~Values() {
    auto *data = reinterpret_cast<const uint8_t *>(values.data());
    parameter.setDataAttr(makeParameterData(parameter.getContext(), parameter.getSymName(),
                                            {data, data + values.size() * sizeof(float)}));
  }
  Values(const Values &) = delete;
  Values &operator=(const Values &) = delete;

  int64_t countRows() const { return values.size() / columns; }
  int64_t countColumns() const { return columns; }
  float &at(int64_t row, int64_t column) { return values[row * columns + column]; }

private:
  ParameterOp parameter;
  int64_t columns;
  std::vector<float> values;
};

/// order[i] = the unit that comes to stand at i.
void reorder(const ChannelMember &member, llvm::ArrayRef<int64_t> order) {
  Values values(member.parameter);
  bool ofRows = member.axis == 0;
  int64_t across = ofRows ? values.countColumns() : values.countRows();
  std::vector<float> before(order.size() * member.perUnit);
  auto at = [&](int64_t index, int64_t other) -> float & {
    return ofRows ? values.at(member.begin + index, other) : values.at(other, member.begin + index);
  };
  for (int64_t other = 0; other < across; ++other) {
    for (size_t i = 0; i < before.size(); ++i)
      before[i] = at(i, other);
    for (size_t i = 0; i < before.size(); ++i)
      at(i, other) = before[order[i / member.perUnit] * member.perUnit + i % member.perUnit];
  }
}

void reorderSlopes(AttentionOp attention, llvm::ArrayRef<int64_t> order) {
  if (!attention.getSlopes())
    return;
  llvm::ArrayRef<float> slopes = *attention.getSlopes();
  int64_t perUnit = slopes.size() / order.size();
  std::vector<float> next;
  for (int64_t unit : order)
    for (int64_t i = 0; i < perUnit; ++i)
      next.push_back(slopes[unit * perUnit + i]);
  attention.setSlopes(llvm::ArrayRef<float>(next));
}

class StructureLaws : public testing::Test {
protected:
  /// Runs every model before and after `change`, which counts what it changes.
  template <typename Change>
  void checkAll(Change change) {
    for (const TestModel &model : readModels()) {
      SCOPED_TRACE(model.name);
      mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, model.text);
      std::vector<float> before = runModel(*module);
      Structure structure(module->lookupSymbol<mlir::func::FuncOp>("step"));
      EXPECT_GT(change(structure), 0);
      expectSame(before, runModel(*module));
    }
  }

  std::unique_ptr<mlir::MLIRContext> context = makeMeaningContext();
  std::mt19937_64 random{7};
};

TEST_F(StructureLaws, ChannelsOfAGroupCanStandInAnyOrder) {
  checkAll([&](const Structure &structure) {
    int64_t moved = 0;
    for (const ChannelGroup &group : structure.getGroups()) {
      std::vector<int64_t> order(group.count);
      std::iota(order.begin(), order.end(), 0);
      std::rotate(order.begin(), order.begin() + group.count / 2, order.end());
      if (group.count > 3)
        std::shuffle(order.begin(), order.end(), random);
      for (const ChannelMember &member : group.members)
        reorder(member, order);
      for (AttentionOp attention : group.attentions)
        reorderSlopes(attention, order);
      moved += group.count > 1;
    }
    return moved;
  });
}

TEST_F(StructureLaws, InputsCanBeScaledWhereTheirProducerIs) {
  checkAll([&](const Structure &structure) {
    std::uniform_real_distribution<float> exponents(-1, 1);
    int64_t scaled = 0;
    for (const InputScale &scale : structure.getScales()) {
      if (!scale.isPossible())
        continue;
      std::vector<float> factors(scale.count);
      for (float &factor : factors)
        factor = std::exp2(exponents(random)) *
                 (!scale.positiveOnly && random() % 2 == 0 ? -1.0f : 1.0f);
      for (const ScaledRows &rows : scale.rows) {
        Values values(rows.parameter);
        for (int64_t i = 0; i < scale.count; ++i)
          for (int64_t column = 0; column < values.countColumns(); ++column)
            values.at(rows.begin + i, column) /= factors[i];
      }
      llvm::DenseSet<mlir::Operation *> done;
      for (LinearOp reader : scale.readers) {
        auto read = reader.getWeight().getDefiningOp<ParameterValueOp>();
        auto parameter =
            mlir::SymbolTable::lookupNearestSymbolFrom<ParameterOp>(read, read.getParameterAttr());
        if (!done.insert(parameter).second)
          continue;
        Values values(parameter);
        for (int64_t row = 0; row < values.countRows(); ++row)
          for (int64_t column = 0; column < values.countColumns(); ++column)
            values.at(row, column) *= factors[scale.getFactor(column)];
      }
      ++scaled;
    }
    return scaled;
  });
}

} // namespace
