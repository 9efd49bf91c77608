//===- RowKernelTest.cpp - kernels that treat every row on its own ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BilevelTestSupport.h"
#include "EncodingTestSupport.h"
#include "KernelTestSupport.h"
#include "OutliersTestSupport.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Support/Hadamard.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/APFloat.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace llmc;
using namespace llmc::test;

namespace {

class RowKernels : public ::testing::Test {
protected:
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
};

/// Widths below a vector, of whole vectors and rows, and between.
const int64_t widths[] = {5, 16, 64, 77, 576};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double applyFunction(Nonlinearity function, double x) {
  switch (function) {
  case Nonlinearity::Relu:
    return std::max(x, 0.0);
  case Nonlinearity::Silu:
    return x * sigmoid(x);
  case Nonlinearity::Gelu:
    return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
  case Nonlinearity::GeluTanh:
    return x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
  case Nonlinearity::GeluQuick:
    return x * sigmoid(1.702 * x);
  case Nonlinearity::Tanh:
    return std::tanh(x);
  case Nonlinearity::Sigmoid:
    return sigmoid(x);
  case Nonlinearity::HardTanh:
    return std::clamp(x, -1.0, 1.0);
  case Nonlinearity::HardSwish:
    return x * std::clamp(x + 3, 0.0, 6.0) / 6;
  }
  return 0;
}

std::vector<Nonlinearity> getFunctions() {
  std::vector<Nonlinearity> functions;
  for (uint32_t number = 0; number <= getMaxEnumValForNonlinearity(); ++number)
    functions.push_back(*symbolizeNonlinearity(number));
  return functions;
}

/// Rows that go through the whole range of a function, its edges among them.
std::unique_ptr<Rows> makeArguments(int64_t width) {
  auto rows = Rows::random(4, width, 7, 10.0f);
  const float edges[] = {0.0f,   -0.0f, 1e-30f, -1e-30f, 1e-4f, -1e-4f, 87.0f,
                         -87.0f, 89.0f, -89.0f, 1e4f,    -1e4f, 1e12f,  -1e12f};
  for (int64_t i = 0; i < std::min<int64_t>(width, std::size(edges)); ++i)
    rows->at(1, i) = edges[i];
  for (int64_t i = 0; i < width; ++i)
    rows->at(2, i) *= 0.01f;
  return rows;
}

} // namespace

TEST_F(RowKernels, RMSNorm) {
  struct Case {
    int64_t width, groups;
  };
  const Case cases[] = {{5, 1}, {16, 1}, {77, 1}, {576, 1}, {64, 4}, {60, 3}, {576, 9}};
  std::vector<Emitter> emitters;
  for (const Case &c : cases)
    emitters.push_back([&c](mlir::ModuleOp module, const KernelTarget &target) {
      return emitRMSNorm(module, c.width, c.groups, 1e-5f, target);
    });
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, c] : llvm::enumerate(cases)) {
                    int64_t part = c.width / c.groups;
                    auto input = Rows::random(3, c.width, index, 3.0f),
                         gain = Rows::random(1, part, 100 + index);
                    Rows output(3, c.width);
                    kernels.run(index, 0, 3, input->data(), gain->data(), output.data());
                    for (int64_t row = 0; row < 3; ++row)
                      for (int64_t i = 0; i < c.width; ++i) {
                        double squares = 0;
                        for (int64_t j = 0; j < part; ++j)
                          squares += std::pow(double(input->at(row, i / part * part + j)), 2);
                        double expected = input->at(row, i) /
                                          std::sqrt(squares / part + double(1e-5f)) *
                                          gain->at(0, i % part);
                        EXPECT_NEAR(output.at(row, i), expected, 1e-6 * std::fabs(expected) + 1e-9)
                            << c.width << "/" << c.groups;
                      }
                    output.expectPadding("rms_norm " + std::to_string(c.width));
                    output.append(bytes);
                  }
                });
}

TEST_F(RowKernels, HadamardFollowsItsDefinition) {
  struct Case {
    int64_t width, order;
    bool transposed;
  };
  // With and without whole vectors, with cores that are not symmetric, in blocks.
  const Case cases[] = {{1, 1, false},    {8, 8, false},     {12, 12, false},  {12, 12, true},
                        {24, 12, false},  {64, 64, false},   {96, 24, true},   {192, 192, false},
                        {192, 64, false}, {576, 576, false}, {576, 576, true}, {1536, 1536, false}};
  std::vector<Emitter> emitters;
  for (const Case &c : cases)
    emitters.push_back([&c](mlir::ModuleOp module, const KernelTarget &target) {
      return emitHadamard(module, c.width, c.order, c.transposed, target);
    });
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, c] : llvm::enumerate(cases)) {
                    Hadamard matrix = *Hadamard::get(c.order);
                    auto input = Rows::random(3, c.width, index, 3.0f);
                    Rows output(3, c.width);
                    kernels.run(index, 0, 3, input->data(), output.data());
                    for (int64_t row = 0; row < 3; ++row) {
                      std::vector<double> expected(c.width);
                      for (int64_t i = 0; i < c.width; ++i)
                        expected[i] = input->at(row, i);
                      for (int64_t begin = 0; begin < c.width; begin += c.order) {
                        auto block = llvm::MutableArrayRef(expected).slice(begin, c.order);
                        c.transposed ? matrix.applyTransposed(block) : matrix.apply(block);
                      }
                      for (int64_t i = 0; i < c.width; ++i)
                        EXPECT_NEAR(output.at(row, i), expected[i], 5e-6)
                            << c.width << "/" << c.order << " at " << i;
                    }
                    output.expectPadding("hadamard " + std::to_string(c.width));
                    output.append(bytes);
                  }
                });
  EXPECT_FALSE(hasHadamardKernel(148));
}

TEST_F(RowKernels, ColumnsAreTakenAndCleared) {
  struct Case {
    int64_t width;
    std::vector<int32_t> columns;
  };
  // Fewer and more than a vector of them, the first and the last.
  std::vector<Case> cases{{5, {0}}, {77, {0, 16, 76}}, {576, {}}};
  for (int32_t column = 1; column < 576; column += 7)
    cases.back().columns.push_back(column);
  std::vector<Emitter> emitters;
  for (const Case &c : cases) {
    emitters.push_back([&c](mlir::ModuleOp module, const KernelTarget &target) {
      return emitTakeColumns(module, c.width, c.columns, target);
    });
    emitters.push_back([&c](mlir::ModuleOp module, const KernelTarget &target) {
      return emitClearColumns(module, c.width, c.columns, target);
    });
  }
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, c] : llvm::enumerate(cases)) {
                    auto input = Rows::random(3, c.width, index, 3.0f);
                    Rows taken(3, c.columns.size()), cleared(3, c.width);
                    kernels.run(2 * index, 0, 3, input->data(), taken.data());
                    kernels.run(2 * index + 1, 0, 3, input->data(), cleared.data());
                    for (int64_t row = 0; row < 3; ++row) {
                      for (auto [place, column] : llvm::enumerate(c.columns)) {
                        EXPECT_EQ(taken.at(row, place), input->at(row, column));
                        EXPECT_EQ(cleared.at(row, column), 0);
                      }
                      for (int64_t i = 0; i < c.width; ++i)
                        if (!llvm::is_contained(c.columns, i))
                          EXPECT_EQ(cleared.at(row, i), input->at(row, i));
                    }
                    for (Rows *output : {&taken, &cleared}) {
                      output->expectPadding("columns of " + std::to_string(c.width));
                      output->append(bytes);
                    }
                  }
                });
}

TEST_F(RowKernels, LayerNorm) {
  std::vector<Emitter> emitters;
  for (int64_t width : widths)
    for (bool bias : {false, true})
      emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
        return emitLayerNorm(module, width, 1e-5f, bias, target);
      });
  forEachTarget(
      *context, emitters,
      [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
        size_t index = 0;
        for (int64_t width : widths)
          for (bool withBias : {false, true}) {
            auto input = Rows::random(3, width, index, 3.0f),
                 gain = Rows::random(1, width, index + 50),
                 bias = Rows::random(1, width, index + 90);
            // A row far from zero: its variance must not come from a difference of large sums.
            for (int64_t i = 0; i < width; ++i)
              input->at(2, i) += 100;
            Rows output(3, width);
            if (withBias)
              kernels.run(index, 0, 3, input->data(), gain->data(), bias->data(), output.data());
            else
              kernels.run(index, 0, 3, input->data(), gain->data(), output.data());
            for (int64_t row = 0; row < 3; ++row) {
              double mean = 0, variance = 0;
              for (int64_t i = 0; i < width; ++i)
                mean += input->at(row, i) / double(width);
              for (int64_t i = 0; i < width; ++i)
                variance += std::pow(input->at(row, i) - mean, 2) / width;
              for (int64_t i = 0; i < width; ++i) {
                double expected = (input->at(row, i) - mean) / std::sqrt(variance + double(1e-5f)) *
                                      gain->at(0, i) +
                                  (withBias ? bias->at(0, i) : 0);
                EXPECT_NEAR(output.at(row, i), expected, row == 2 ? 1e-4 : 2e-6) << width;
              }
            }
            output.expectPadding("layer_norm " + std::to_string(width));
            output.append(bytes);
            ++index;
          }
      });
}

TEST_F(RowKernels, ActivationsAndGates) {
  std::vector<Emitter> emitters;
  for (int64_t width : {int64_t(5), int64_t(77)})
    for (Nonlinearity function : getFunctions()) {
      emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
        return emitActivation(module, width, function, target);
      });
      emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
        return emitGate(module, width, function, target);
      });
    }
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  size_t index = 0;
                  for (int64_t width : {int64_t(5), int64_t(77)})
                    for (Nonlinearity function : getFunctions()) {
                      auto input = makeArguments(width), up = Rows::random(4, width, 11);
                      Rows output(4, width), gated(4, width);
                      kernels.run(index++, 0, 4, input->data(), output.data());
                      kernels.run(index++, 0, 4, input->data(), up->data(), gated.data());
                      for (int64_t row = 0; row < 4; ++row)
                        for (int64_t i = 0; i < width; ++i) {
                          double x = input->at(row, i), expected = applyFunction(function, x);
                          double tolerance = function == Nonlinearity::Tanh
                                                 ? 3e-7 * std::fabs(expected)
                                                 : 3e-7 * std::max(1.0, std::fabs(x));
                          EXPECT_NEAR(output.at(row, i), expected, tolerance)
                              << stringifyNonlinearity(function).str() << " of " << x;
                          EXPECT_EQ(gated.at(row, i), output.at(row, i) * up->at(row, i));
                        }
                      output.expectPadding("activation");
                      gated.expectPadding("gate");
                      output.append(bytes);
                      gated.append(bytes);
                    }
                });
}

TEST_F(RowKernels, AdditionScalingAndGatheringAreExact) {
  std::vector<Emitter> emitters;
  for (int64_t width : widths) {
    emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
      return emitAdd(module, width, target);
    });
    emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
      return emitGatherRows(module, width, target);
    });
    emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
      return emitScale(module, width, 12.7f, target);
    });
  }
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, width] : llvm::enumerate(widths)) {
                    auto left = Rows::random(4, width, 1), right = Rows::random(4, width, 2);
                    Rows sum(4, width), gathered(2, width), scaled(4, width);
                    // A share of the rows is all that is written.
                    kernels.run(3 * index, 1, 4, left->data(), right->data(), sum.data());
                    EXPECT_TRUE(std::isnan(sum.at(0, 0)));
                    const int32_t outputs[] = {3, 0};
                    kernels.run(3 * index + 1, 0, 2, outputs, left->data(), gathered.data());
                    kernels.run(3 * index + 2, 0, 4, left->data(), scaled.data());
                    for (int64_t i = 0; i < width; ++i) {
                      for (int64_t row = 1; row < 4; ++row)
                        EXPECT_EQ(sum.at(row, i), left->at(row, i) + right->at(row, i));
                      for (int64_t row = 0; row < 2; ++row)
                        EXPECT_EQ(gathered.at(row, i), left->at(outputs[row], i));
                      for (int64_t row = 0; row < 4; ++row)
                        EXPECT_EQ(scaled.at(row, i), left->at(row, i) * 12.7f);
                    }
                    gathered.expectPadding("gather");
                    scaled.expectPadding("scale");
                    sum.append(bytes);
                    gathered.append(bytes);
                    scaled.append(bytes);
                  }
                });
}

namespace {

/// A width of rows, and how they are rounded.
struct RoundingCase {
  int64_t width, group; ///< group 0: the row
  unsigned bits = 8;
  float range = 0; ///< 0: none
  bool floats = false;

  DynamicAttr get(mlir::MLIRContext &context) const {
    mlir::Builder builder(&context);
    return DynamicAttr::get(
        &context, bits, group, range > 0 ? builder.getF32FloatAttr(range) : mlir::FloatAttr(),
        floats ? mlir::Type(builder.getType<mlir::Float8E4M3FNType>()) : mlir::Type());
  }

  /// The scale of the group that an element is in.
  float getScale(Rows &input, int64_t row, int64_t element) const {
    int64_t size = group == 0 ? input.stride : group, begin = element / size * size;
    float largest = range;
    for (int64_t i = begin; range == 0 && i < std::min(begin + size, input.stride); ++i)
      largest = std::max(largest, std::fabs(input.at(row, i)));
    return largest / (floats ? 448.0f : bits == 8 ? 127.0f : 7.0f);
  }

  /// What an element is in units of its scale, not rounded yet. Where 1 / s is no number, codes
  /// are 0.
  float getPosition(float element, float scale) const {
    float inverse = 1.0f / scale, largest = bits == 8 ? 127 : 7;
    if (!std::isfinite(inverse))
      return 0;
    float position = element * inverse;
    return range > 0 ? std::clamp(position, -largest, largest) : position;
  }
};

/// Rows with what rounding has to be careful about.
std::unique_ptr<Rows> makeRoundedRows(int64_t width, uint64_t seed) {
  constexpr int64_t rows = 7;
  auto input = Rows::random(rows, width, seed, 5.0f);
  for (int64_t i = 0; i < width; ++i) {
    input->at(1, i) = 0;                                       // no scale
    input->at(2, i) = static_cast<float>(i % 255) - 127;       // ties need none
    input->at(3, i) = static_cast<float>(i % 254) / 2 - 63.5f; // halves
    input->at(4, i) *= 1e-38f;                                 // 1 / s overflows
    input->at(5, i) *= 1e-44f;                                 // s is 0 or nearly
    input->at(6, i) *= 1e37f;
  }
  return input;
}

} // namespace

TEST_F(RowKernels, RoundingFollowsItsDefinition) {
  const RoundingCase cases[] = {{5, 32},          {64, 32},          {77, 32},   {160, 64},
                                {160, 96},        {576, 0},          {77, 0, 4}, {64, 32, 4},
                                {77, 0, 8, 3.7f}, {64, 0, 8, 1e-38f}};
  std::vector<Emitter> emitters;
  for (const RoundingCase &c : cases)
    emitters.push_back([&](mlir::ModuleOp module, const KernelTarget &target) {
      return emitRound(module, c.width, c.get(*module.getContext()), target);
    });
  forEachTarget(
      *context, emitters,
      [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
        for (auto [index, c] : llvm::enumerate(cases)) {
          auto input = makeRoundedRows(c.width, index);
          constexpr int64_t rows = 7;
          int64_t stride = input->stride, blocks = stride / 32;
          Memory codes(rows * stride, 0x77), scales(rows * blocks * 4, 0x77),
              sums(rows * blocks * 4, 0x77);
          kernels.run(index, 0, rows, input->data(), codes.data(), scales.data(), sums.data());
          for (int64_t row = 0; row < rows; ++row)
            for (int64_t block = 0; block < blocks; ++block) {
              float scale = c.getScale(*input, row, block * 32);
              ASSERT_EQ(scales.as<float>()[row * blocks + block], scale) << index << " row " << row;
              float sum = 0;
              for (int64_t i = block * 32; i < block * 32 + 32; ++i) {
                float code = std::nearbyintf(c.getPosition(input->at(row, i), scale));
                ASSERT_EQ(int(codes.as<int8_t>()[row * stride + i]), code)
                    << index << " at " << row << ", " << i;
                sum += code;
              }
              ASSERT_EQ(sums.as<float>()[row * blocks + block], sum) << index << " row " << row;
            }
          for (Memory *memory : {&codes, &scales, &sums})
            bytes.insert(bytes.end(), memory->data(), memory->data() + memory->size());
        }
      });
}

// LLVM's own numbers of the type say what is nearest.
TEST_F(RowKernels, RoundingToFloatsFollowsItsDefinition) {
  const RoundingCase cases[] = {{77, 32, 8, 0, true}, {160, 96, 8, 0, true}, {576, 0, 8, 0, true}};
  std::vector<Emitter> emitters;
  for (const RoundingCase &c : cases)
    emitters.push_back([&](mlir::ModuleOp module, const KernelTarget &target) {
      return emitRoundValues(module, c.width, c.get(*module.getContext()), target);
    });
  auto roundToFP8 = [](float value) {
    llvm::APFloat number(value);
    bool lost;
    number.convert(llvm::APFloat::Float8E4M3FN(), llvm::APFloat::rmNearestTiesToEven, &lost);
    number.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &lost);
    return number.convertToFloat();
  };
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, c] : llvm::enumerate(cases)) {
                    auto input = makeRoundedRows(c.width, index);
                    constexpr int64_t rows = 7;
                    Rows output(rows, c.width);
                    kernels.run(index, 0, rows, input->data(), output.data());
                    for (int64_t row = 0; row < rows; ++row)
                      for (int64_t i = 0; i < c.width; ++i) {
                        float scale = c.getScale(*input, row, i);
                        float number = roundToFP8(c.getPosition(input->at(row, i), scale));
                        ASSERT_EQ(output.at(row, i), number * scale)
                            << index << " at " << row << ", " << i;
                      }
                    output.expectPadding("round_values");
                    output.append(bytes);
                  }
                });
}

TEST_F(RowKernels, EmbeddingDecodesExactly) {
  std::vector<EncodingCase> cases;
  for (const EncodingCase &spec : getAllCases(context.get(), 35, 77)) {
    // All widths at one group, all groups at one width, all types of scales at one of each.
    if ((spec.group == 32 && spec.scale.isF16()) || (spec.bits == 4 && spec.scale.isF16()) ||
        (spec.bits == 4 && spec.group == 16 && spec.zero == ZeroPoint::Float))
      cases.push_back(spec);
  }
  mlir::Builder builder(context.get());
  for (int64_t group : {24, 48, 100})
    cases.push_back({3, group, ZeroPoint::Float, builder.getBF16Type(), 35, 77});
  auto getType = [&](const EncodingCase &spec) {
    return mlir::RankedTensorType::get({spec.rows, spec.columns}, builder.getF32Type(),
                                       spec.getAttr());
  };
  std::vector<Emitter> emitters;
  for (const EncodingCase &spec : cases)
    emitters.push_back([&](mlir::ModuleOp module, const KernelTarget &target) {
      return emitEmbedding(module, getType(spec), target);
    });
  forEachTarget(
      *context, emitters,
      [&](const TestTarget &target, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
        for (auto [index, spec] : llvm::enumerate(cases)) {
          GroupedMatrix matrix = GroupedMatrix::random(spec, index);
          TiledLayout layout = TiledLayout::get(getType(spec));
          Memory table(layout.getByteSize());
          std::vector<uint8_t> canonical = matrix.getCanonicalForm();
          for (int64_t tile = 0; tile < layout.tiles; ++tile)
            packTile(layout, canonical, tile, table.data() + tile * layout.tileBytes);
          const int32_t indices[] = {34, 0, 17, 15};
          Rows output(4, spec.columns);
          kernels.run(index, 0, 4, indices, table.data(), output.data());
          for (int64_t row = 0; row < 4; ++row)
            for (int64_t i = 0; i < spec.columns; ++i) {
              float found = output.at(row, i);
              float expected = static_cast<float>(matrix.getValue(indices[row], i));
              if (spec.zero != ZeroPoint::Float) {
                ASSERT_EQ(found, expected) << spec.describe();
                continue;
              }
              int64_t at = matrix.getScaleIndex(indices[row], i);
              float code = matrix.codes[indices[row] * spec.columns + i];
              float scale = matrix.scaleValues[at], minimum = matrix.minimumValues[at];
              ASSERT_EQ(found,
                        target.target.fma ? std::fma(code, scale, minimum) : code * scale + minimum)
                  << spec.describe();
            }
          output.expectPadding(spec.describe());
          output.append(bytes);
        }
      });
}

TEST_F(RowKernels, EmbeddingAddsWhatIsListed) {
  mlir::Builder builder(context.get());
  auto inner = BilevelAttr::get(context.get(), 3, 16, 3, 4, builder.getF16Type());
  auto matrix = OutliersMatrix<BilevelMatrix>::random(BilevelMatrix::random(inner, 35, 77, 1), 9,
                                                      builder.getBF16Type(), 2);
  auto type = mlir::RankedTensorType::get({35, 77}, builder.getF32Type(), matrix.getAttr());
  TiledLayout layout = TiledLayout::get(type);
  Memory table(layout.getByteSize());
  for (int64_t tile = 0; tile < layout.tiles; ++tile)
    packTile(layout, matrix.getCanonicalForm(), tile, table.data() + tile * layout.tileBytes);
  forEachTarget(*context, {[&](mlir::ModuleOp module, const KernelTarget &target) {
    return emitEmbedding(module, type, target);
  }},
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  const int32_t indices[] = {34, 0, 17, 15};
                  Rows output(4, 77);
                  kernels.run(0, 0, 4, indices, table.data(), output.data());
                  for (int64_t row = 0; row < 4; ++row)
                    for (int64_t i = 0; i < 77; ++i)
                      ASSERT_EQ(output.at(row, i),
                                static_cast<float>(matrix.getValue(indices[row], i)));
                  output.expectPadding("outliers");
                  output.append(bytes);
                });
}

TEST_F(RowKernels, EmbeddingOfPlainWeightsIsExact) {
  mlir::Builder builder(context.get());
  const mlir::Type elements[] = {builder.getF32Type(), builder.getF16Type(), builder.getBF16Type()};
  std::vector<Emitter> emitters;
  for (mlir::Type element : elements)
    emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
      return emitEmbedding(module, mlir::RankedTensorType::get({35, 77}, element), target);
    });
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, element] : llvm::enumerate(elements)) {
                    TiledLayout layout =
                        TiledLayout::get(mlir::RankedTensorType::get({35, 77}, element));
                    auto values = Rows::random(35, 77, index);
                    // Among them a subnormal half.
                    values->at(17, 3) = 0x1.8p-20f;
                    for (int64_t row = 0; row < 35; ++row)
                      for (int64_t i = 0; i < 77; ++i)
                        values->at(row, i) = roundTo(values->at(row, i), element);
                    Memory table(layout.getByteSize());
                    for (int64_t tile = 0; tile < layout.tiles; ++tile)
                      packPlainTile(
                          layout,
                          [&](int64_t row, llvm::MutableArrayRef<float> out) {
                            std::copy_n(&values->at(row, 0), 77, out.begin());
                          },
                          tile, table.data() + tile * layout.tileBytes);
                    const int32_t indices[] = {34, 0, 17, 15};
                    Rows output(4, 77);
                    kernels.run(index, 0, 4, indices, table.data(), output.data());
                    for (int64_t row = 0; row < 4; ++row)
                      for (int64_t i = 0; i < 77; ++i)
                        ASSERT_EQ(output.at(row, i), values->at(indices[row], i));
                    output.expectPadding("embedding");
                    output.append(bytes);
                  }
                });
}
