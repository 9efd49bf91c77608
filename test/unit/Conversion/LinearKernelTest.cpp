//===- LinearKernelTest.cpp - matrix products against double precision ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BytesEncoding.h"
#include "NF4TestSupport.h"
#include "PackedWeights.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <cstring>

using namespace llmc;
using namespace llmc::test;

namespace {

/// Activations as fp32, or rounded: codes, scales and sums as a kernel takes them.
struct Input {
  std::unique_ptr<Rows> exact;
  std::unique_ptr<Memory> codes, scales, sums;
  std::vector<double> values; ///< what they stand for, [rows, width]
};

/// Scales are of 32 activations each, or of a row.
Input makeInput(int64_t rows, int64_t width, bool oneScale, uint64_t seed) {
  Input input;
  input.exact = Rows::random(rows, width, seed);
  int64_t stride = input.exact->stride, blocks = stride / 32;
  input.codes = std::make_unique<Memory>(rows * stride);
  input.scales = std::make_unique<Memory>(rows * blocks * 4);
  input.sums = std::make_unique<Memory>(rows * blocks * 4);
  std::mt19937_64 random(seed);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < width; ++i) {
      // The ends of the range more often than by chance: sums of products are then largest.
      int code = random() % 4 == 0 ? (random() % 2 ? 127 : -127) : int(random() % 255) - 127;
      if (row == 0)
        code = 127;
      else if (row == 1)
        code = -127;
      float &scale = input.scales->as<float>()[row * blocks + i / 32];
      if (i % 32 == 0)
        scale = oneScale && i > 0 ? (&scale)[-1] : 0.001f + 0.01f * float(random() % 1000) / 1000;
      input.codes->as<int8_t>()[row * stride + i] = static_cast<int8_t>(code);
      input.sums->as<float>()[row * blocks + i / 32] += static_cast<float>(code);
      input.values.push_back(double(code) * scale);
    }
  return input;
}

struct LinearCase {
  const Weights *weights;
  bool rounded, bias, residual, exactOutput;
  bool oneScale = false;
};

/// Runs every case for one row and for `rows` rows on every target, and compares.
void testLinears(mlir::MLIRContext &context, llvm::ArrayRef<LinearCase> cases, int64_t rows) {
  auto getKernel = [](const LinearCase &c, bool oneRow) {
    LinearKernel kernel;
    kernel.weight = c.weights->type;
    kernel.rounded = c.rounded;
    kernel.oneScale = c.oneScale;
    kernel.bias = c.bias;
    kernel.residual = c.residual;
    kernel.oneRow = oneRow;
    kernel.outputStride = c.exactOutput ? c.weights->rows() : getRowStride(c.weights->rows());
    kernel.exactOutput = c.exactOutput;
    return kernel;
  };
  std::vector<Emitter> emitters;
  for (const LinearCase &c : cases)
    for (bool oneRow : {true, false})
      emitters.push_back([&, oneRow](mlir::ModuleOp module, const KernelTarget &target) {
        LinearKernel kernel = getKernel(c, oneRow);
        EXPECT_EQ(explainUnsupported(kernel), "");
        return emitLinear(module, kernel, target);
      });
  forEachTarget(
      context, emitters,
      [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
        for (auto [index, c] : llvm::enumerate(cases)) {
          const Weights &weights = *c.weights;
          std::string what;
          llvm::raw_string_ostream(what)
              << weights.type << (c.rounded ? c.oneScale ? " rounded by row" : " rounded" : "")
              << (c.bias ? " bias" : "") << (c.residual ? " residual" : "")
              << (c.exactOutput ? " exact" : "");
          SCOPED_TRACE(what);
          int64_t N = weights.rows(), K = weights.columns();
          int64_t tiles = (N + tileRows - 1) / tileRows;
          Input input = makeInput(rows, K, c.oneScale, index);
          auto bias = Rows::random(1, N, index + 1000),
               residual = Rows::random(rows, N, index + 2000);
          LinearKernel many = getKernel(c, false);
          int64_t stride = many.outputStride;
          Memory output(rows * stride * 4, 0xff), single(rows * stride * 4, 0xff);
          if (c.residual)
            for (int64_t row = 0; row < rows; ++row)
              for (Memory *memory : {&output, &single})
                std::memcpy(memory->as<float>() + row * stride, &residual->at(row, 0), stride * 4);
          Memory scratch(std::max(many.getScratchBytes(), int64_t(1)), 0xff);
          auto run = [&](size_t kernel, int64_t count, int64_t begin, int64_t end, int64_t row,
                         float *out) {
            int64_t inputStride = getRowStride(K), blocks = inputStride / 32;
            std::vector<const void *> pointers = {weights.tiles->data()};
            if (c.rounded) {
              pointers.push_back(input.codes->data() + row * inputStride);
              pointers.push_back(input.scales->as<float>() + row * blocks);
              pointers.push_back(input.sums->as<float>() + row * blocks);
            } else {
              pointers.push_back(&input.exact->at(row, 0));
            }
            if (c.bias)
              pointers.push_back(bias->data());
            // The residual is the output itself.
            if (c.residual)
              pointers.push_back(out);
            pointers.push_back(out);
            pointers.push_back(scratch.data());
            pointers.resize(8);
            // What is left over is in registers and on the stack that the callee never reads.
            kernels.run(kernel, count, begin, end, pointers[0], pointers[1], pointers[2],
                        pointers[3], pointers[4], pointers[5], pointers[6], pointers[7]);
          };
          // Two workers whose shares meet inside a register tile.
          int64_t middle = tiles / 2;
          run(2 * index + 1, rows, 0, middle, 0, output.as<float>());
          run(2 * index + 1, rows, middle, tiles, 0, output.as<float>());
          for (int64_t row = 0; row < rows; ++row)
            run(2 * index, 1, 0, tiles, row, single.as<float>() + row * stride);
          // Decode gives the bits of prefill.
          ASSERT_EQ(std::memcmp(output.data(), single.data(), output.size()), 0);
          for (int64_t row = 0; row < rows; ++row) {
            for (int64_t n = 0; n < N; ++n) {
              double expected = c.bias ? bias->at(0, n) : 0;
              double bound = std::fabs(expected) + 1;
              expected += c.residual ? residual->at(row, n) : 0;
              for (int64_t k = 0; k < K; ++k) {
                double x = c.rounded ? input.values[row * K + k] : input.exact->at(row, k);
                expected += x * weights.values[n * K + k];
                bound += std::fabs(x) * weights.magnitudes[n * K + k];
              }
              double found = output.as<float>()[row * stride + n];
              ASSERT_NEAR(found, expected, bound * 0x1p-24 * (8 + std::sqrt(double(K))))
                  << "row " << row << ", output " << n;
            }
            for (int64_t n = N; n < stride; ++n)
              ASSERT_EQ(output.as<float>()[row * stride + n], 0.0f) << "padding of row " << row;
          }
          bytes.insert(bytes.end(), output.data(), output.data() + output.size());
        }
      });
}

class LinearKernels : public ::testing::Test {
protected:
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::Builder builder{context.get()};
};

} // namespace

TEST_F(LinearKernels, PlainWeights) {
  std::vector<Weights> weights;
  for (mlir::Type element : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                             mlir::Type(builder.getBF16Type())}) {
    weights.push_back(makePlain(element, 83, 77, 1));
    weights.push_back(makePlain(element, 16, 64, 2));
    weights.push_back(makePlain(element, 5, 3, 3));
  }
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, false, false, false, false});
  testLinears(*context, cases, 15);
}

TEST_F(LinearKernels, BiasResidualAndExactOutput) {
  Weights plain = makePlain(builder.getF32Type(), 83, 77, 1);
  Weights grouped = makeGrouped({4, 32, ZeroPoint::Integer, builder.getF16Type(), 83, 96}, 2);
  // All ways to end with weights that compile fast; with the others each of them once.
  std::vector<LinearCase> cases = {
      {&plain, false, true, false, false}, {&plain, false, false, true, false},
      {&plain, false, true, true, false},  {&plain, false, false, false, true},
      {&plain, false, true, false, true},
  };
  for (bool rounded : {false, true}) {
    cases.push_back({&grouped, rounded, true, true, false});
    cases.push_back({&grouped, rounded, true, false, true});
  }
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, EveryWidthAndZeroPoint) {
  // Compiling takes its time: each width with one zero point for exact inputs and another for
  // rounded ones. EveryGroup has the others at 4 bits.
  std::vector<Weights> weights;
  for (unsigned bits = 1; bits <= 8; ++bits)
    for (unsigned zero = 0; zero < 3; ++zero)
      weights.push_back(
          makeGrouped({bits, 32, static_cast<ZeroPoint>(bits == 1 && zero == 0 ? 1 : zero),
                       builder.getF16Type(), 37, 160},
                      bits));
  std::vector<LinearCase> cases;
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const Weights *three = &weights[3 * (bits - 1)];
    cases.push_back({three + bits % 3, false, false, false, false});
    cases.push_back({three + (bits + 1) % 3, true, false, false, false});
  }
  testLinears(*context, cases, 4);
}

TEST_F(LinearKernels, EveryGroup) {
  std::vector<Weights> weights;
  unsigned zero = 0;
  for (int64_t group :
       {int64_t(4), int64_t(16), int64_t(24), int64_t(32), int64_t(33), int64_t(48), int64_t(64),
        int64_t(128), GroupedAttr::channelGroup, GroupedAttr::tensorGroup})
    // The last group is shorter, and so is the last block.
    weights.push_back(makeGrouped(
        {4, group, static_cast<ZeroPoint>(zero++ % 3), builder.getF16Type(), 19, 141}, group + 5));
  // Groups of several blocks are read alike for exact inputs.
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights) {
    int64_t group = cast<GroupedAttr>(weight.type.getEncoding()).getGroup();
    bool wholeBlocks = group > 0 && group % blockInputs == 0;
    if (!wholeBlocks || group == 64)
      cases.push_back({&weight, false, false, false, false});
    if (wholeBlocks || group <= 0)
      cases.push_back({&weight, true, false, false, false});
  }
  EXPECT_EQ(cases.size(), 8u + 5);
  testLinears(*context, cases, 4);
}

TEST_F(LinearKernels, EveryTypeOfScales) {
  std::vector<Weights> weights;
  for (mlir::Type scale : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getBF16Type())})
    weights.push_back(makeGrouped({5, 64, ZeroPoint::Float, scale, 19, 128}, 9));
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    for (bool rounded : {false, true})
      cases.push_back({&weight, rounded, false, false, false});
  testLinears(*context, cases, 3);
}

TEST_F(LinearKernels, NF4) {
  std::vector<Weights> weights;
  weights.push_back(makeNF4(64, builder.getF16Type(), 83, 160, 1));
  weights.push_back(makeNF4(16, builder.getF32Type(), 19, 77, 2));
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, false, false, false, false});
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, Trellises) {
  // Widths that end inside a block and at its end, and a last tile that is not whole.
  std::vector<Weights> weights;
  for (unsigned halves : {4u, 5u, 6u, 9u})
    weights.push_back(makeTrellis(halves, builder.getF16Type(), 83, 160, halves));
  for (unsigned halves : {7u, 8u, 10u})
    weights.push_back(makeTrellis(halves, builder.getF32Type(), 19, 77, halves));
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    for (bool rounded : {false, true})
      cases.push_back({&weight, rounded, false, false, false});
  testLinears(*context, cases, 5);
}

// A table of each row in one look-up, or in several; one of some rows, and of all.
TEST_F(LinearKernels, Codebooks) {
  mlir::Type f16 = builder.getF16Type(), f32 = builder.getF32Type();
  std::vector<Weights> weights;
  auto add = [&](unsigned bits, int64_t sharing, mlir::Type scale, int64_t rows, int64_t columns) {
    weights.push_back(
        makeCodebook(CodebookMatrix::random(bits, sharing, scale, rows, columns, bits)));
  };
  add(4, 1, f16, 83, 160);
  add(3, 1, f32, 19, 77);
  add(5, 1, f16, 19, 64);
  add(4, 16, f16, 35, 77);
  add(6, CodebookAttr::allRows, f16, 19, 77);
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, true, false, false, false, /*oneScale=*/cases.size() % 2 == 0});
  cases.push_back({weights.data(), false, false, false, false});
  testLinears(*context, cases, 3);
}

TEST_F(LinearKernels, MaskedAndSparseCodebooks) {
  std::vector<Weights> weights;
  CodebookMatrix matrix = CodebookMatrix::random(4, 1, builder.getF16Type(), 19, 80, 1);
  weights.push_back(makeMasked(matrix.getAttr(), 19, 80, matrix.getCanonicalForm()));
  weights.push_back(makeSparse(2, 4, matrix.getAttr(), 19, 80, matrix.getCanonicalForm()));
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, false, false, false, false});
  testLinears(*context, cases, 2);
}

// One scale a row on both sides: the product is one sum of integers.
TEST_F(LinearKernels, OneScaleARow) {
  mlir::Type f16 = builder.getF16Type();
  std::vector<Weights> weights;
  weights.push_back(makeGrouped({8, GroupedAttr::channelGroup, ZeroPoint::None, f16, 83, 160}, 1));
  weights.push_back(
      makeGrouped({4, GroupedAttr::channelGroup, ZeroPoint::Integer, f16, 19, 77}, 2));
  weights.push_back(makeGrouped({4, GroupedAttr::tensorGroup, ZeroPoint::Float, f16, 19, 77}, 3));
  // Weights in groups have a sum for each.
  weights.push_back(makeGrouped({4, 64, ZeroPoint::None, f16, 19, 160}, 4));
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, true, cases.empty(), cases.empty(), false, /*oneScale=*/true});
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, SparseIntegers) {
  mlir::Type f16 = builder.getF16Type();
  struct Case {
    int64_t count, of;
    EncodingCase spec;
    bool rounded, exact;
  };
  // Widths that end inside a block, and a last tile that is not whole.
  const Case all[] = {
      {2, 4, {4, 32, ZeroPoint::None, f16, 83, 160}, true, true},
      {2, 4, {4, 64, ZeroPoint::Integer, f16, 19, 140}, true, false},
      {2, 4, {8, GroupedAttr::channelGroup, ZeroPoint::None, f16, 19, 76}, true, false},
      {2, 4, {3, 16, ZeroPoint::Float, f16, 19, 76}, false, true},
      {1, 4, {5, 32, ZeroPoint::None, f16, 19, 96}, true, false},
      {1, 2, {4, 32, ZeroPoint::None, f16, 19, 68}, false, true},
      {2, 8, {4, 32, ZeroPoint::None, f16, 19, 72}, false, true},
      {2, 16, {2, 32, ZeroPoint::Integer, f16, 19, 80}, false, true},
  };
  std::vector<Weights> weights;
  for (const Case &c : all)
    weights.push_back(makeSparse(c.count, c.of, c.spec, weights.size()));
  std::vector<LinearCase> cases;
  for (auto [c, weight] : llvm::zip(all, weights))
    for (bool rounded : {false, true})
      if (rounded ? c.rounded : c.exact)
        cases.push_back({&weight, rounded, false, false, false});
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, SparseNF4AndFloats) {
  std::vector<Weights> weights;
  NF4Matrix numbers = NF4Matrix::random(64, builder.getF16Type(), 19, 160, 1);
  weights.push_back(makeSparse(2, 4, numbers.getAttr(), 19, 160, numbers.getCanonicalForm()));
  for (mlir::Type type : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                          mlir::Type(builder.getBF16Type())}) {
    std::vector<uint8_t> dense(19 * 76 * type.getIntOrFloatBitWidth() / 8);
    for (int64_t i = 0; i < 19 * 76; ++i)
      writeFloat(dense.data(), i, type, 0.25f * static_cast<float>(i % 23 - 11));
    weights.push_back(makeSparse(2, 4, mlir::TypeAttr::get(type), 19, 76, dense));
  }
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, false, false, false, false});
  testLinears(*context, cases, 3);
}

TEST_F(LinearKernels, SmallFloats) {
  std::vector<Weights> weights;
  for (SmallFloatAttr encoding : getSmallFloats(builder, 16))
    weights.push_back(makeSmallFloats(encoding, 19, 77, weights.size()));
  for (int64_t group : {int64_t(7), GroupedAttr::tensorGroup})
    weights.push_back(makeSmallFloats(getSmallFloats(builder, group).front(), 33, 64, 9));
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, false, false, false, false});
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, MaskedIntegers) {
  mlir::Type f16 = builder.getF16Type();
  struct Case {
    double share;
    EncodingCase spec;
    bool rounded, exact;
  };
  // Widths that end inside a block, integers of several parts, and a last tile that is not whole.
  const Case all[] = {
      {0.5, {4, 32, ZeroPoint::None, f16, 83, 160}, true, true},
      {0.5, {4, 64, ZeroPoint::Integer, f16, 19, 141}, true, false},
      {0.2, {8, GroupedAttr::channelGroup, ZeroPoint::None, f16, 19, 77}, true, false},
      {0.7, {3, 32, ZeroPoint::Integer, f16, 19, 77}, true, true},
      {0.5, {3, 16, ZeroPoint::Float, f16, 19, 77}, false, true},
      {0.5, {2, 32, ZeroPoint::None, f16, 19, 96}, true, false},
      {0.5, {7, 32, ZeroPoint::None, f16, 19, 70}, true, true},
  };
  std::vector<Weights> weights;
  for (const Case &c : all)
    weights.push_back(makeMasked(c.share, c.spec, weights.size()));
  std::vector<LinearCase> cases;
  for (auto [c, weight] : llvm::zip(all, weights))
    for (bool rounded : {false, true})
      if (rounded ? c.rounded : c.exact)
        cases.push_back({&weight, rounded, false, false, false});
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, MaskedNF4AndFloats) {
  std::vector<Weights> weights;
  NF4Matrix numbers = NF4Matrix::random(64, builder.getF16Type(), 19, 160, 1);
  weights.push_back(makeMasked(numbers.getAttr(), 19, 160, numbers.getCanonicalForm()));
  for (mlir::Type type : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                          mlir::Type(builder.getBF16Type())}) {
    std::vector<uint8_t> dense(19 * 77 * type.getIntOrFloatBitWidth() / 8);
    for (int64_t i = 0; i < 19 * 77; ++i)
      writeFloat(dense.data(), i, type, 0.25f * static_cast<float>(i % 23 - 11));
    weights.push_back(makeMasked(mlir::TypeAttr::get(type), 19, 77, dense));
  }
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, false, false, false, false});
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, BilevelIntegers) {
  mlir::Type f16 = builder.getF16Type();
  auto get = [&](unsigned bits, int64_t group, unsigned scaleBits, int64_t scaleGroup) {
    return BilevelAttr::get(context.get(), bits, group, scaleBits, scaleGroup, f16);
  };
  std::vector<Weights> weights;
  weights.push_back(makeBilevel(get(3, 16, 3, 16), 83, 160, 1));
  weights.push_back(makeBilevel(get(3, 16, 3, 2), 19, 77, 2));
  weights.push_back(makeBilevel(get(4, 8, 4, 5), 19, 77, 3));
  weights.push_back(makeBilevel(get(2, 48, 6, 1), 19, 141, 4));
  std::vector<LinearCase> cases;
  for (const Weights &weight : weights)
    cases.push_back({&weight, false, false, false, false});
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, Outliers) {
  mlir::Type f16 = builder.getF16Type(), f32 = builder.getF32Type(), bf16 = builder.getBF16Type();
  std::vector<Weights> weights;
  auto addBilevel = [&](int64_t count, int64_t rows, int64_t columns) {
    auto encoding = BilevelAttr::get(context.get(), 3, 16, 3, 16, f16);
    weights.push_back(addOutliers(makeBilevel(encoding, rows, columns, 1),
                                  BilevelMatrix::random(encoding, rows, columns, 1), count, bf16));
  };
  addBilevel(3, 83, 160);
  addBilevel(9, 19, 77);
  auto addGrouped = [&](const EncodingCase &spec, mlir::Type element) {
    GroupedMatrix matrix = GroupedMatrix::random(spec, 2, /*moderate=*/true);
    struct Sized : GroupedMatrix {
      int64_t rows, columns;
      GroupedAttr getAttr() const { return spec.getAttr(); }
    };
    weights.push_back(
        addOutliers(makeGrouped(spec, 2), Sized{matrix, spec.rows, spec.columns}, 4, element));
  };
  addGrouped({4, 32, ZeroPoint::Integer, f16, 83, 160}, bf16);
  addGrouped({4, 64, ZeroPoint::None, f16, 19, 77}, f32);
  addGrouped({8, GroupedAttr::channelGroup, ZeroPoint::None, f16, 19, 96}, f32);
  std::vector<LinearCase> cases{{&weights[0], false, true, true, false},
                                {&weights[1], false, false, false, true},
                                {&weights[2], true, true, true, false},
                                {&weights[3], true, false, false, false},
                                {&weights[3], true, false, false, false, /*oneScale=*/true},
                                {&weights[4], true, false, false, false, /*oneScale=*/true},
                                {&weights[4], false, false, false, false}};
  testLinears(*context, cases, 5);
}

TEST_F(LinearKernels, WhatOnlyItsEncodingKnows) {
  context->loadDialect<BytesDialect>();
  Weights weights;
  weights.type =
      mlir::RankedTensorType::get({19, 77}, builder.getF32Type(), BytesAttr::get(context.get()));
  std::vector<uint8_t> bytes;
  for (int64_t i = 0; i < weights.type.getNumElements(); ++i) {
    bytes.push_back(static_cast<uint8_t>(7 * i));
    weights.values.push_back(bytes.back());
    weights.magnitudes.push_back(bytes.back());
  }
  weights.pack(bytes);
  testLinears(*context, {{&weights, false, false, false, false}}, 3);
}

TEST_F(LinearKernels, SaysWhatItCannotRead) {
  mlir::Attribute foreign = builder.getStringAttr("foreign");
  EXPECT_EQ(
      explainUnsupported(mlir::RankedTensorType::get({16, 64}, builder.getF32Type(), foreign)),
      "cannot generate kernels for encoding \"foreign\"");
}

TEST_F(LinearKernels, SaysWhatItCannotRound) {
  LinearKernel kernel;
  kernel.rounded = true;
  kernel.weight = mlir::RankedTensorType::get({16, 64}, builder.getF32Type());
  EXPECT_EQ(explainUnsupported(kernel), "rounded activations need integer weights");
  kernel.weight = makeNF4(64, builder.getF16Type(), 16, 64, 1).type;
  EXPECT_EQ(explainUnsupported(kernel), "rounded activations need integer weights");
  kernel.weight = makeGrouped({4, 16, ZeroPoint::None, builder.getF16Type(), 16, 64}, 1).type;
  EXPECT_EQ(explainUnsupported(kernel),
            "rounded activations need groups of a multiple of 32 weights, found 16");
}
