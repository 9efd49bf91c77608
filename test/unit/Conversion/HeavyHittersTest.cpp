//===- HeavyHittersTest.cpp - caches that keep what attention gives weight to ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTestSupport.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <cstring>
#include <utility>

using namespace llmc;
using namespace llmc::test;

namespace {

constexpr int64_t textLength = 90, cacheCapacity = 96, most = 13; ///< rows of a step
constexpr float scale = 0.6f;

struct HeavyCase {
  int64_t heads, kvHeads, headSize;
  CacheEncodingInterface keys, values;
  int64_t residual, sinks, budget, first, heavy, observed;

  int64_t getWindow() const { return budget - first - heavy; }
};

/// Keys, values and queries of a text, head by head side by side.
struct HeavyText {
  HeavyText(mlir::Builder &builder, const HeavyCase &c, uint64_t seed)
      : query(Rows::random(textLength, c.heads * c.headSize, seed, 2.0f)),
        keys(Rows::random(textLength, c.kvHeads * c.headSize, seed + 10, 1.0f)),
        values(Rows::random(textLength, c.kvHeads * c.headSize, seed + 20, 2.0f)) {
    // All queries look for some positions, fewer than are chosen.
    for (int64_t row = 0; row < textLength; ++row) {
      for (int64_t first = 0; first < query->width; first += c.headSize)
        query->at(row, first) = 2.0f;
      for (int64_t first = 0; first < keys->width; first += c.headSize)
        keys->at(row, first) = (row + first) % 11 == 3 ? 2.0f : keys->at(row, first) - 1.0f;
    }
    // What is kept exactly is what was given.
    for (Rows *rows : {keys.get(), values.get()})
      for (int64_t row = 0; row < textLength; ++row)
        for (int64_t i = 0; i < rows->width; ++i)
          rows->at(row, i) = roundTo(rows->at(row, i), builder.getF16Type());
  }

  std::unique_ptr<Rows> query, keys, values;
};

/// One sequence of a case.
class HeavySequence {
public:
  HeavySequence(const HeavyCase &c, KVCacheType type, CompiledKernels &kernels, size_t firstKernel)
      : c(c), kernel{type, c.heads, scale, {}, {}, {}}, kernels(kernels), firstKernel(firstKernel),
        state(CacheLayout::get(type).size, 0xff), scratch(kernel.getScratchBytes(), 0xff),
        output(textLength, c.heads * c.headSize) {}

  /// Rows [begin, end) as one step, whose tasks two workers share.
  void step(HeavyText &text, int64_t begin, int64_t end) {
    std::vector<int32_t> positions, sequences(end - begin, 0);
    for (int64_t position = begin; position < end; ++position)
      positions.push_back(static_cast<int32_t>(position));
    uint8_t *states[] = {state.data()};
    kernels.run(firstKernel, 0, end - begin, &text.keys->at(begin, 0), &text.values->at(begin, 0),
                states, positions.data(), sequences.data(), 0);
    int64_t tasks = getTasks(end - begin), middle = tasks / 2;
    for (auto [from, to] : {std::pair(middle, tasks), std::pair(int64_t(0), middle)})
      kernels.run(firstKernel + (end - begin == 1 ? 2 : 1), end - begin, from, to,
                  &text.query->at(begin, 0), states, positions.data(), sequences.data(), 0,
                  &output.at(begin, 0), scratch.data());
  }

private:
  int64_t getTasks(int64_t rows) {
    if (kernel.cache.choosesPositions())
      return c.kvHeads;
    int64_t atOnce = kernel.getRowsAtOnce();
    return rows == 1 ? c.heads : (rows + atOnce - 1) / atOnce * c.kvHeads;
  }

  const HeavyCase &c;
  AttentionKernel kernel;
  CompiledKernels &kernels;
  size_t firstKernel;
  Memory state, scratch;

public:
  Rows output;
};

/// Rounds a head to integers of 8 bits with one scale, as the test's encoding does.
void roundHead(llvm::MutableArrayRef<float> head, mlir::Type scaleType) {
  float largest = 0;
  for (float number : head)
    largest = std::max(largest, std::fabs(number));
  float step = roundTo(largest / 127, scaleType);
  for (float &number : head)
    number = std::nearbyint(number / step) * step;
}

/// What is read by the definition, in fp64, token by token.
class Definition {
public:
  Definition(const HeavyCase &c, HeavyText &exact, HeavyText &rounded)
      : c(c), exact(exact), rounded(rounded) {}

  /// Compares a row after the other with `found`, of the queries of one head of the cache.
  void expect(Rows &found, int64_t shared) {
    std::vector<double> scores(textLength, 0.0), most(textLength, 0.0);
    std::vector<bool> isGone(textLength, false);
    for (int64_t p = 0; p < textLength; ++p) {
      if (c.observed == 0)
        evict(p, scores, isGone);
      else if ((p - c.budget) % c.observed == 0)
        chooseTogether(p, scores, most, isGone);
      for (int64_t i = 0; i < c.heads / c.kvHeads; ++i)
        expectHead(found, p, shared * (c.heads / c.kvHeads) + i, isGone, scores);
    }
    EXPECT_GE(replaced, 5) << "too few take the place of others to be a test";
  }

private:
  void evict(int64_t p, llvm::ArrayRef<double> scores, std::vector<bool> &isGone) {
    int64_t leaving = p - c.getWindow(), lightest = -1;
    if (leaving < c.first + c.heavy)
      return;
    for (int64_t t = c.first; t < leaving; ++t)
      if (!isGone[t] && (lightest < 0 || scores[t] < scores[lightest]))
        lightest = t;
    replaced += scores[lightest] < scores[leaving];
    isGone[scores[lightest] < scores[leaving] ? lightest : leaving] = true;
  }

  /// `scores` are those since the last choice, `most` the most that they have been.
  void chooseTogether(int64_t p, std::vector<double> &scores, std::vector<double> &most,
                      std::vector<bool> &isGone) {
    for (int64_t t = 0; t < p; ++t)
      most[t] = std::max(most[t], std::exchange(scores[t], 0.0));
    if (p < c.budget)
      return;
    std::vector<int64_t> candidates;
    for (int64_t t = c.first, end = p - c.getWindow() + c.observed; t < end; ++t)
      if (!isGone[t])
        candidates.push_back(t);
    auto count = static_cast<int64_t>(candidates.size());
    EXPECT_EQ(count, c.heavy + c.observed);
    std::vector<std::pair<double, int64_t>> weights;
    for (int64_t i = 0; i < count; ++i) {
      double weight = 0;
      for (int64_t j = std::max<int64_t>(i - 2, 0); j <= std::min(i + 2, count - 1); ++j)
        weight += most[candidates[j]];
      weights.emplace_back(weight, candidates[i]);
    }
    llvm::sort(weights);
    for (int64_t i = 0; i < c.observed; ++i) {
      isGone[weights[i].second] = true;
      replaced += weights[i].second < p - c.getWindow();
    }
  }

  void expectHead(Rows &found, int64_t p, int64_t head, const std::vector<bool> &isGone,
                  std::vector<double> &scores) {
    int64_t shared = head * c.kvHeads / c.heads * c.headSize, own = head * c.headSize;
    std::vector<double> weights(p + 1, 0.0), expected(c.headSize, 0.0);
    double sum = 0;
    auto choose = [&](int64_t t) -> HeavyText & {
      return t < c.sinks || t + c.residual > p ? exact : rounded;
    };
    for (int64_t t = 0; t <= p; ++t) {
      if (isGone[t])
        continue;
      double score = 0;
      for (int64_t i = 0; i < c.headSize; ++i)
        score += double(exact.query->at(p, own + i)) * choose(t).keys->at(t, shared + i);
      sum += weights[t] = std::exp(score * double(scale));
    }
    for (int64_t t = 0; t <= p; ++t) {
      scores[t] += weights[t] / sum;
      for (int64_t i = 0; i < c.headSize; ++i)
        expected[i] += weights[t] / sum * choose(t).values->at(t, shared + i);
    }
    for (int64_t i = 0; i < c.headSize; ++i)
      ASSERT_NEAR(found.at(p, own + i), expected[i], 2e-5) << "position " << p << " head " << head;
  }

  const HeavyCase &c;
  HeavyText &exact, &rounded;
  int64_t replaced = 0;
};

class HeavyHitters : public ::testing::Test {
protected:
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::Builder builder{context.get()};
};

} // namespace

TEST_F(HeavyHitters, AttentionChoosesThem) {
  mlir::Attribute integers = GroupedAttr::get(context.get(), 8, GroupedAttr::channelGroup,
                                              ZeroPoint::None, builder.getF16Type());
  auto i8 = llvm::cast<CacheEncodingInterface>(integers);
  CacheEncodingInterface f32 = PlainAttr::get(context.get(), builder.getF32Type()),
                         f16 = PlainAttr::get(context.get(), builder.getF16Type());
  // Chosen places within a block, over the border of two, and of values with scales.
  const HeavyCase cases[] = {{4, 2, 16, f32, f16, 0, 0, 26, 3, 9, 0},
                             {3, 1, 20, i8, i8, 5, 3, 33, 4, 14, 0},
                             {2, 2, 8, f16, f32, 0, 0, 20, 0, 16, 0},
                             // Several that choose together.
                             {4, 2, 16, f32, f16, 0, 0, 26, 3, 11, 5},
                             {3, 1, 20, i8, i8, 5, 3, 44, 4, 19, 8}};
  auto getCache = [&](const HeavyCase &c, bool isWhole) {
    return placePositions(
        KVCacheType::get(context.get(), c.kvHeads, c.headSize, c.kvHeads, c.headSize, cacheCapacity,
                         c.keys, c.values, c.residual, c.sinks, 0, isWhole ? 0 : c.budget,
                         isWhole ? 0 : c.first, isWhole ? 0 : c.heavy, isWhole ? 0 : c.observed, 0),
        most);
  };
  std::vector<Emitter> emitters;
  auto add = [&](const HeavyCase &c, bool isWhole) {
    emitters.push_back([&, isWhole](mlir::ModuleOp module, const KernelTarget &target) {
      return emitCacheAppend(module, getCache(c, isWhole), target);
    });
    for (bool oneRow : {false, true})
      emitters.push_back([&, isWhole, oneRow](mlir::ModuleOp module, const KernelTarget &target) {
        const AttentionKernel kernel{getCache(c, isWhole), c.heads, scale, {}, {}, {},
                                     /*sinks=*/false,      oneRow};
        return emitAttention(module, kernel, target);
      });
  };
  for (const HeavyCase &c : cases)
    add(c, /*isWhole=*/false);
  const size_t fitting[] = {0, 3};
  for (size_t index : fitting)
    add(cases[index], /*isWhole=*/true);
  auto check = [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
    for (auto [index, c] : llvm::enumerate(cases)) {
      SCOPED_TRACE(index);
      HeavyText text(builder, c, index), rounded(builder, c, index);
      if (c.residual != 0)
        for (Rows *rows : {rounded.keys.get(), rounded.values.get()})
          for (int64_t i = 0; i < textLength * c.kvHeads; ++i)
            roundHead({&rows->at(i / c.kvHeads, i % c.kvHeads * c.headSize),
                       static_cast<size_t>(c.headSize)},
                      builder.getF16Type());
      // As many rows as a step may have, one by one, and again where another text was.
      HeavySequence whole(c, getCache(c, false), kernels, 3 * index),
          single(c, getCache(c, false), kernels, 3 * index);
      for (int64_t row = 0; row < textLength; row += most)
        whole.step(text, row, std::min(row + most, textLength));
      HeavyText other(builder, c, index + 7);
      for (HeavyText *each : {&other, &text})
        for (int64_t row = 0; row < textLength; ++row)
          single.step(*each, row, row + 1);
      ASSERT_EQ(std::memcmp(whole.output.data(), single.output.data(),
                            textLength * whole.output.stride * 4),
                0);
      for (int64_t shared = 0; shared < c.kvHeads; ++shared)
        Definition(c, text, rounded).expect(whole.output, shared);
      whole.output.append(bytes);
    }
    // As long as all that was written is read, the bits are those of a cache that keeps all.
    for (auto [place, index] : llvm::enumerate(fitting)) {
      const HeavyCase &c = cases[index];
      HeavyText text(builder, c, 0);
      HeavySequence some(c, getCache(c, false), kernels, 3 * index),
          all(c, getCache(c, true), kernels, 3 * (std::size(cases) + place));
      for (HeavySequence *sequence : {&some, &all})
        for (int64_t row = 0; row < c.budget; row += most)
          sequence->step(text, row, std::min(row + most, c.budget));
      ASSERT_EQ(
          std::memcmp(some.output.data(), all.output.data(), c.budget * some.output.stride * 4), 0);
    }
  };
  forEachTarget(*context, emitters, check, /*integerProducts=*/false);
}
