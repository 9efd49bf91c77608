//===- AttentionKernelTest.cpp - rotation, caches and attention ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTestSupport.h"
#include "StepsEncoding.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <cstring>
#include <numeric>

using namespace llmc;
using namespace llmc::test;

namespace {

class AttentionKernels : public ::testing::Test {
protected:
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::Builder builder{context.get()};
};

std::vector<float> makeFrequencies(int64_t count) {
  std::vector<float> frequencies;
  for (int64_t i = 0; i < count; ++i)
    frequencies.push_back(std::pow(10000.0f, -float(i) / float(count)));
  return frequencies;
}

} // namespace

TEST_F(AttentionKernels, RotationTable) {
  const int64_t sizes[] = {1, 16, 20, 32};
  const int32_t positions[] = {0, 1, 2, 3, 100, 2047, 131071};
  constexpr int64_t rows = std::size(positions);
  std::vector<Emitter> emitters;
  for (int64_t size : sizes)
    emitters.push_back([=](mlir::ModuleOp module, const KernelTarget &target) {
      return emitRotationTable(module, makeFrequencies(size), 1.25f, target);
    });
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, size] : llvm::enumerate(sizes)) {
                    int64_t stride = getRotationStride(size);
                    Memory table(rows * stride * 4, 0xff);
                    kernels.run(index, 0, rows, positions, table.data());
                    std::vector<float> frequencies = makeFrequencies(size);
                    for (int64_t row = 0; row < rows; ++row)
                      for (int64_t i = 0; i < size; ++i) {
                        float angle = static_cast<float>(positions[row]) * frequencies[i];
                        const float *line = table.as<float>() + row * stride;
                        EXPECT_NEAR(line[i], 1.25 * std::cos(double(angle)), 2e-7) << angle;
                        EXPECT_NEAR(line[stride / 2 + i], 1.25 * std::sin(double(angle)), 2e-7)
                            << angle;
                      }
                    bytes.insert(bytes.end(), table.data(), table.data() + table.size());
                  }
                });
}

TEST_F(AttentionKernels, Rotation) {
  // Heads of whole vectors, of less, with a part that is kept.
  const RotationKernel cases[] = {{64, 1, 32, false}, {60, 3, 10, false}, {60, 3, 7, false},
                                  {64, 2, 16, true},  {60, 3, 7, true},   {192, 3, 32, false}};
  constexpr int64_t rows = 3;
  std::vector<Emitter> emitters;
  for (const RotationKernel &c : cases)
    emitters.push_back([&](mlir::ModuleOp module, const KernelTarget &target) {
      return emitRotation(module, c, target);
    });
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  for (auto [index, c] : llvm::enumerate(cases)) {
                    auto input = Rows::random(rows, c.width, index);
                    auto table =
                        Rows::random(1, rows * getRotationStride(c.frequencies), index + 10);
                    Rows output(rows, c.width);
                    kernels.run(index, 0, rows, input->data(), table->data(), output.data());
                    int64_t size = c.width / c.heads, stride = getRotationStride(c.frequencies);
                    for (int64_t row = 0; row < rows; ++row)
                      for (int64_t head = 0; head < c.heads; ++head)
                        for (int64_t i = 0; i < size; ++i) {
                          double expected = input->at(row, head * size + i);
                          if (i < 2 * c.frequencies) {
                            int64_t pair = c.interleaved ? i / 2 : i % c.frequencies;
                            bool second = c.interleaved ? i % 2 : i >= c.frequencies;
                            int64_t partner =
                                c.interleaved ? i ^ 1 : (i + c.frequencies) % (2 * c.frequencies);
                            double cosine = table->data()[row * stride + pair];
                            double sine = table->data()[row * stride + stride / 2 + pair];
                            double other = input->at(row, head * size + partner);
                            expected = expected * cosine + (second ? other : -other) * sine;
                          }
                          EXPECT_NEAR(output.at(row, head * size + i), expected, 2e-7)
                              << index << " " << i;
                        }
                    output.expectPadding("rotation");
                    // In place.
                    kernels.run(index, 0, rows, input->data(), table->data(), input->data());
                    for (int64_t row = 0; row < rows; ++row)
                      for (int64_t i = 0; i < c.width; ++i)
                        ASSERT_EQ(input->at(row, i), output.at(row, i));
                    output.append(bytes);
                  }
                });
}

/// The place of what is nearest to `number`, halfway the lower one.
static size_t findNearest(llvm::ArrayRef<float> ascending, float number) {
  size_t nearest = 0;
  while (nearest + 1 < ascending.size() &&
         number > (ascending[nearest] + ascending[nearest + 1]) / 2)
    ++nearest;
  return nearest;
}

/// The sum of numbers in the order that EncodeBuilder::sum() says.
static float sumInOrder(llvm::ArrayRef<float> numbers) {
  float sums[16] = {};
  for (auto [index, number] : llvm::enumerate(numbers))
    sums[index % 16] += number;
  for (size_t half = 8; half >= 1; half /= 2)
    for (size_t i = 0; i < half; ++i)
      sums[i] += sums[i + half];
  return sums[0];
}

static void storeInLevels(LloydMaxAttr encoding, llvm::MutableArrayRef<float> group) {
  llvm::ArrayRef<float> levels = encoding.getLevels();
  auto sum = [&](auto term) {
    std::vector<float> terms;
    for (float number : group)
      terms.push_back(term(number));
    return sumInOrder(terms);
  };
  float squares = sum([](float x) { return x * x; });
  float root = std::sqrt(squares / static_cast<float>(group.size()));
  auto level = [&](float x) { return levels[findNearest(levels, x / root)]; };
  float scale = roundTo(squares / sum([&](float x) { return x * level(x); }), encoding.getScale());
  for (float &number : group)
    number = level(number) * scale;
}

/// Stores the numbers of a group, the largest of which is `largest`, as times a step.
static void storeInSteps(CacheEncodingInterface encoding, llvm::MutableArrayRef<float> group,
                         float largest) {
  if (auto normal = llvm::dyn_cast<NF4Attr>(encoding)) {
    float scale = roundTo(largest, normal.getScale());
    for (float &number : group)
      number = NF4Attr::getNumbers()[findNearest(NF4Attr::getNumbers(), number / scale)] * scale;
    return;
  }
  if (auto floats = llvm::dyn_cast<SmallFloatAttr>(encoding)) {
    SmallFloat type = *SmallFloat::get(floats.getElement());
    float scale = roundTo(largest / type.getLargest(), floats.getScale());
    for (float &number : group)
      number = type.decode(type.encode(number / scale)) * scale;
    return;
  }
  auto grouped = llvm::dyn_cast<GroupedAttr>(encoding);
  float most = grouped ? static_cast<float>((1 << (grouped.getBits() - 1)) - 1) : 100;
  float step = largest / most;
  if (grouped)
    step = roundTo(step, grouped.getScale());
  for (float &number : group)
    number = std::clamp(std::nearbyint(number / step), -most, most) * step;
}

/// The numbers of a head after they were stored.
static std::vector<float> store(CacheEncodingInterface encoding, llvm::ArrayRef<float> numbers) {
  std::vector<float> stored(numbers);
  if (auto plain = llvm::dyn_cast<PlainAttr>(encoding)) {
    for (float &number : stored)
      number = roundTo(number, plain.getElement());
    return stored;
  }
  auto size = static_cast<size_t>(getCacheGroup(encoding, static_cast<int64_t>(stored.size())));
  for (size_t first = 0; first < stored.size(); first += size) {
    llvm::MutableArrayRef<float> group(stored);
    group = group.slice(first, std::min(size, stored.size() - first));
    if (auto levels = llvm::dyn_cast<LloydMaxAttr>(encoding)) {
      storeInLevels(levels, group);
      continue;
    }
    float largest = 0;
    for (float number : group)
      largest = std::max(largest, std::fabs(number));
    storeInSteps(encoding, group, largest);
  }
  return stored;
}

TEST_F(AttentionKernels, CachesRoundAndAttentionReadsThem) {
  struct Case {
    int64_t heads, kvHeads, headSize;
    CacheEncodingInterface keys, values;
    std::optional<int64_t> window;
    std::optional<float> softcap;
    llvm::SmallVector<float> slopes = {}, sinks = {};
    int64_t ownValueHeads = 0, ownValueSize = 0; ///< 0: as many and as large as those of keys

    int64_t valueHeads() const { return ownValueHeads != 0 ? ownValueHeads : kvHeads; }
    int64_t valueSize() const { return ownValueSize != 0 ? ownValueSize : headSize; }
  };
  context->loadDialect<StepsDialect>();
  CacheEncodingInterface f32 = PlainAttr::get(context.get(), builder.getF32Type()),
                         f16 = PlainAttr::get(context.get(), builder.getF16Type()),
                         bf16 = PlainAttr::get(context.get(), builder.getBF16Type()),
                         steps = StepsAttr::get(context.get());
  auto grouped = [&](unsigned bits, int64_t group, mlir::Type scale) -> CacheEncodingInterface {
    mlir::Attribute encoding = GroupedAttr::get(context.get(), bits, group, ZeroPoint::None, scale);
    return llvm::cast<CacheEncodingInterface>(encoding);
  };
  CacheEncodingInterface i8 = grouped(8, GroupedAttr::channelGroup, builder.getF16Type()),
                         i8By7 = grouped(8, 7, builder.getF32Type()),
                         i4 = grouped(4, 32, builder.getF16Type()),
                         i4By64 = grouped(4, 64, builder.getBF16Type()),
                         i3 = grouped(3, 32, builder.getF16Type()),
                         i2 = grouped(2, GroupedAttr::channelGroup, builder.getF16Type());
  auto levels = [&](unsigned bits, int64_t group) -> CacheEncodingInterface {
    return LloydMaxAttr::get(context.get(), bits, group, builder.getF16Type());
  };
  auto floats = [&](mlir::Type element, int64_t group) -> CacheEncodingInterface {
    mlir::Attribute encoding =
        SmallFloatAttr::get(context.get(), element, group, builder.getF16Type(), mlir::Type());
    return llvm::cast<CacheEncodingInterface>(encoding);
  };
  mlir::Attribute normal = NF4Attr::get(context.get(), 32, builder.getF16Type());
  auto nf4 = llvm::cast<CacheEncodingInterface>(normal);
  CacheEncodingInterface e4m3 = floats(mlir::Float8E4M3FNType::get(context.get()), 0),
                         e5m2 = floats(mlir::Float8E5M2Type::get(context.get()), 7);
  // Keys and values know nothing of each other: each encoding is on either side once, with one of
  // what else a kernel may have. 41 rows of a sequence end inside a block of rows, whatever its
  // size.
  const Case cases[] = {{9, 3, 24, f32, f16, 17, 30.0f},
                        {2, 2, 7, f16, bf16, {}, 3.0f},
                        {1, 1, 96, bf16, f16, 5, {}},
                        {6, 2, 16, f32, i8, 9, {}, {}, {1.5f, -2.0f, 0.0f, 40.0f, -90.0f, 3.25f}},
                        {1, 1, 1, steps, steps, 1, {}},
                        {4, 2, 20, i8, steps, 1000, {}, {0.5f, 0.25f, -0.125f, 0.0f}},
                        {2, 2, 7, steps, i8By7, 5, {}},
                        {3, 1, 20, i8By7, e5m2, 17, 30.0f},
                        {3, 1, 20, e4m3, f32, 9, 4.0f, {0.7f, 0.3f, 0.01f}},
                        {2, 1, 64, i4, nf4, {}, {}},
                        {2, 2, 32, nf4, i4, {}, {}},
                        {1, 1, 96, i4By64, i3, 9, {}},
                        {1, 1, 64, i2, i4By64, {}, {}},
                        {2, 1, 64, levels(4, 64), levels(2, 64), {}, {}},
                        {1, 1, 128, levels(2, 64), levels(1, 0), 9, {}},
                        {2, 2, 48, levels(3, 16), levels(3, 0), {}, {}},
                        {2, 1, 64, i3, i2, 9, {}},
                        {6, 3, 16, f32, f16, {}, {}, {}, {}, 3, 7},
                        {9, 3, 20, f16, f32, 9, {}, {}, {}, 1, 48},
                        {4, 4, 32, i4, i8, {}, {}, {}, {}, 2, 41}};
  constexpr int64_t capacity = 50, length = 41, sequenceCount = 2, offset = 192;
  auto getCache = [&](const Case &c) {
    auto fail = [&] { return mlir::emitError(builder.getUnknownLoc()); };
    return KVCacheType::get(context.get(), c.kvHeads, c.headSize, capacity, c.keys, c.values)
        .withValues(fail, c.valueHeads(), c.valueSize());
  };
  auto getKernel = [&](const Case &c, bool oneRow) {
    return AttentionKernel{getCache(c), c.heads,          0.35f, c.window, c.softcap,
                           c.slopes,    !c.sinks.empty(), oneRow};
  };
  std::vector<Emitter> emitters;
  for (const Case &c : cases) {
    emitters.push_back([&](mlir::ModuleOp module, const KernelTarget &target) {
      return emitCacheAppend(module, getCache(c), target);
    });
    for (bool oneRow : {false, true})
      emitters.push_back([&, oneRow](mlir::ModuleOp module, const KernelTarget &target) {
        return emitAttention(module, getKernel(c, oneRow), target);
      });
  }
  forEachTarget(
      *context, emitters,
      [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
        for (auto [index, c] : llvm::enumerate(cases)) {
          SCOPED_TRACE(index);
          // A step of all positions of two sequences, side by side.
          constexpr int64_t rows = length * sequenceCount;
          std::vector<int32_t> positions, sequences;
          for (int64_t sequence = 0; sequence < sequenceCount; ++sequence)
            for (int64_t position = 0; position < length; ++position) {
              positions.push_back(position);
              sequences.push_back(1 - sequence);
            }
          CacheLayout layout = CacheLayout::get(getCache(c));
          // What was never written is NaN, and must not be seen.
          Memory first(offset + layout.size, 0xff), second(offset + layout.size, 0xff);
          uint8_t *states[] = {first.data(), second.data()};
          int64_t keyWidth = c.kvHeads * c.headSize, valueWidth = c.valueHeads() * c.valueSize();
          auto keys = Rows::random(rows, keyWidth, index, 2.0f),
               values = Rows::random(rows, valueWidth, index + 50),
               query = Rows::random(rows, c.heads * c.headSize, index + 90, 2.0f);
          kernels.run(3 * index, 0, rows, keys->data(), values->data(), states, positions.data(),
                      sequences.data(), offset);
          // What attention is to see.
          auto storedKeys = Rows::random(rows, keyWidth, 0),
               storedValues = Rows::random(rows, valueWidth, 0);
          auto storeHeads = [&](CacheEncodingInterface encoding, int64_t size, auto &from,
                                auto &to) {
            for (int64_t row = 0; row < rows; ++row)
              for (int64_t first = 0; first < from->width; first += size)
                llvm::copy(store(encoding, {&from->at(row, first), static_cast<size_t>(size)}),
                           &to->at(row, first));
          };
          storeHeads(c.keys, c.headSize, keys, storedKeys);
          storeHeads(c.values, c.valueSize(), values, storedValues);
          Rows output(rows, c.heads * c.valueSize()), single(rows, c.heads * c.valueSize());
          AttentionKernel kernel = getKernel(c, false);
          Memory scratch(kernel.getScratchBytes(), 0xff);
          auto attend = [&](size_t emitter, int64_t count, int64_t from, int64_t to, int64_t row,
                            float *out, uint8_t *memory) {
            const float *q = &query->at(row, 0);
            if (c.sinks.empty())
              kernels.run(emitter, count, from, to, q, states, &positions[row], &sequences[row],
                          offset, out, memory);
            else
              kernels.run(emitter, count, from, to, q, states, &positions[row], &sequences[row],
                          offset, c.sinks.data(), out, memory);
          };
          // Two workers, a border anywhere.
          int64_t atOnce = kernel.getRowsAtOnce();
          int64_t end = (rows + atOnce - 1) / atOnce * c.kvHeads, middle = end / 2 + 1;
          for (auto [from, to] : {std::pair(middle, end), std::pair(int64_t(0), middle)})
            attend(3 * index + 1, rows, from, to, 0, output.data(), scratch.data());
          // Row by row, a border inside the heads that share a head of the cache.
          Memory small(getKernel(c, true).getScratchBytes(), 0xff);
          for (int64_t row = 0; row < rows; ++row)
            for (auto [from, to] :
                 {std::pair(c.heads / 2, c.heads), std::pair(int64_t(0), c.heads / 2)})
              attend(3 * index + 2, 1, from, to, row, &single.at(row, 0), small.data());
          single.expectPadding("attention of one row");
          // Decode gives the bits of prefill.
          ASSERT_EQ(std::memcmp(output.data(), single.data(), rows * output.stride * 4), 0);
          for (int64_t row = 0; row < rows; ++row) {
            int64_t start = row / length * length, position = row - start;
            int64_t oldest = c.window ? std::max<int64_t>(0, position + 1 - *c.window) : 0;
            for (int64_t head = 0; head < c.heads; ++head) {
              int64_t shared = head * c.kvHeads / c.heads * c.headSize;
              int64_t ofValues = head * c.valueHeads() / c.heads * c.valueSize();
              std::vector<double> weights;
              double sum = c.sinks.empty() ? 0 : std::exp(double(c.sinks[head]));
              for (int64_t t = oldest; t <= position; ++t) {
                double score = 0;
                for (int64_t i = 0; i < c.headSize; ++i)
                  score += double(query->at(row, head * c.headSize + i)) *
                           storedKeys->at(start + t, shared + i);
                score *= double(0.35f);
                if (c.softcap)
                  score = *c.softcap * std::tanh(score / *c.softcap);
                if (!c.slopes.empty())
                  score += double(c.slopes[head]) * (t - position);
                weights.push_back(std::exp(score));
                sum += weights.back();
              }
              for (int64_t i = 0; i < c.valueSize(); ++i) {
                double expected = 0;
                for (int64_t t = oldest; t <= position; ++t)
                  expected += weights[t - oldest] / sum * storedValues->at(start + t, ofValues + i);
                ASSERT_NEAR(output.at(row, head * c.valueSize() + i), expected, 3e-6)
                    << "row " << row << " head " << head;
              }
            }
          }
          output.expectPadding("attention");
          output.append(bytes);
          for (Memory *state : {&first, &second})
            bytes.insert(bytes.end(), state->data(), state->data() + state->size());
        }
      },
      /*integerProducts=*/false);
}

TEST_F(AttentionKernels, CachesRoundToNearestEven) {
  // Ties, subnormal halves and their ties, both ends of the range, and what lies beyond it.
  std::vector<float> numbers = {0.0f, -0.0f, 1.0f, 0x1.002p0f, 0x1.006p0f, 0x1.0021p0f, 0x1p-14f,
                                0x1p-24f, 0x1p-25f, 0x1.8p-25f, 0x1.8p-24f, 0x1.4p-23f, -0x1.8p-24f,
                                0x1p-30f, 65504.0f, 65519.0f, 0x1.ffcp-15f, 1e-30f, -1e-30f,
                                -65504.0f,
                                // Above a tie by less than 2^-37, which two roundings lose.
                                0x1.800002p-24f, 0x1.400002p-22f, 0x1.000002p-25f, 0x1.bffffep-20f,
                                // Ties of bf16, and beside them.
                                0x1.01p0f, 0x1.03p0f, 0x1.030002p0f, -0x1.02fffep0f, 0x1.ffp9f};
  std::mt19937_64 random(5);
  while (numbers.size() < 4096) {
    uint32_t bits = static_cast<uint32_t>(random()) & 0x807fffff;
    numbers.push_back(llvm::bit_cast<float>(bits | uint32_t(127 - 27 + random() % 42) << 23));
  }
  // Keys round to one type, values to the other.
  auto cache =
      KVCacheType::get(context.get(), 1, 64, 64, builder.getBF16Type(), builder.getF16Type());
  const Emitter emitters[] = {[&](mlir::ModuleOp module, const KernelTarget &target) {
    return emitCacheAppend(module, cache, target);
  }};
  forEachTarget(*context, emitters,
                [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
                  CacheLayout layout = CacheLayout::get(cache);
                  Memory state(layout.size);
                  uint8_t *states[] = {state.data()};
                  std::vector<int32_t> positions(64), sequences(64, 0);
                  Rows rows(64, 64);
                  for (int64_t row = 0; row < 64; ++row) {
                    positions[row] = row;
                    for (int64_t i = 0; i < 64; ++i)
                      rows.at(row, i) = numbers[row * 64 + i];
                  }
                  kernels.run(0, 0, 64, rows.data(), rows.data(), states, positions.data(),
                              sequences.data(), 0);
                  auto round = [](float number, const llvm::fltSemantics &semantics) {
                    llvm::APFloat expected(number);
                    bool inexact;
                    expected.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &inexact);
                    return expected.bitcastToAPInt().getZExtValue();
                  };
                  const uint16_t *keys = state.as<uint16_t>();
                  const uint16_t *values =
                      reinterpret_cast<uint16_t *>(state.data() + layout.values.offset);
                  for (size_t i = 0; i < numbers.size(); ++i) {
                    size_t row = i / 64, key = (row / 16 * 64 + i % 64) * 16 + row % 16;
                    EXPECT_EQ(keys[key], round(numbers[i], llvm::APFloat::BFloat()))
                        << std::hexfloat << numbers[i];
                    EXPECT_EQ(values[i], round(numbers[i], llvm::APFloat::IEEEhalf()))
                        << std::hexfloat << numbers[i];
                  }
                  bytes.assign(state.data(), state.data() + state.size());
                });
}

// With a largest number in each row that makes the scale 1.
TEST_F(AttentionKernels, CachesRoundToSmallFloats) {
  mlir::Type types[] = {mlir::Float8E4M3FNType::get(context.get()),
                        mlir::Float8E5M2Type::get(context.get())};
  auto floats = [&](mlir::Type element) {
    mlir::Attribute encoding = SmallFloatAttr::get(
        context.get(), element, GroupedAttr::channelGroup, builder.getF32Type(), mlir::Type());
    return llvm::cast<CacheEncodingInterface>(encoding);
  };
  constexpr int64_t count = 64;
  auto cache = KVCacheType::get(context.get(), 1, count, count, floats(types[0]), floats(types[1]));
  std::mt19937_64 random(5);
  Rows rows[] = {Rows(count, count), Rows(count, count)};
  for (auto [type, numbers] : llvm::zip_equal(types, rows)) {
    SmallFloat small = *SmallFloat::get(type);
    for (int64_t row = 0; row < count; ++row)
      for (int64_t i = 0; i < count; ++i) {
        // Numbers of the type, and what is at and around the middle of two.
        auto code = static_cast<unsigned>(random() % (small.largestCode + 1));
        float low = small.decode(code), high = small.decode(std::min(code + 1, small.largestCode));
        float number[] = {low, (low + high) / 2, std::nextafter((low + high) / 2, low),
                          std::nextafter((low + high) / 2, high), low * 0.3f};
        numbers.at(row, i) = number[random() % 5] * (random() % 2 == 0 ? 1.0f : -1.0f);
        if (i == row)
          numbers.at(row, i) = small.getLargest();
      }
  }
  const Emitter emitters[] = {[&](mlir::ModuleOp module, const KernelTarget &target) {
    return emitCacheAppend(module, cache, target);
  }};
  forEachTarget(
      *context, emitters,
      [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
        CacheLayout layout = CacheLayout::get(cache);
        Memory state(layout.size);
        uint8_t *states[] = {state.data()};
        std::vector<int32_t> positions(count), sequences(count, 0);
        std::iota(positions.begin(), positions.end(), 0);
        kernels.run(0, 0, count, rows[0].data(), rows[1].data(), states, positions.data(),
                    sequences.data(), 0);
        for (int64_t row = 0; row < count; ++row)
          for (int64_t i = 0; i < count; ++i) {
            int64_t key = (row / 16 * count + i) * 16 + row % 16;
            EXPECT_EQ(state.data()[key], SmallFloat::get(types[0])->encode(rows[0].at(row, i)))
                << std::hexfloat << rows[0].at(row, i);
            EXPECT_EQ(state.data()[layout.values.offset + row * count + i],
                      SmallFloat::get(types[1])->encode(rows[1].at(row, i)))
                << std::hexfloat << rows[1].at(row, i);
          }
        bytes.assign(state.data(), state.data() + state.size());
      });
}
