//===- ExactPositionsTest.cpp - caches that keep some positions as they were ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTestSupport.h"

#include "mlir/IR/Builders.h"

#include <cmath>
#include <cstring>

using namespace llmc;
using namespace llmc::test;

namespace {

constexpr int64_t length = 110, capacity = 112;

struct Case {
  int64_t heads, kvHeads, headSize;
  CacheEncodingInterface keys, values;
  int64_t residual, sinks, most; ///< rows of a step
  std::optional<int64_t> window;
  int64_t budget = 0, first = 0;

  /// Whether position `p` reads position `t`, which is none after it.
  bool isRead(int64_t t, int64_t p) const {
    bool isKept = budget == 0 || t < first || t > p - (budget - first);
    return isKept && (!window || t > p - *window);
  }
};

/// Numbers rounded to f16, so that what is stored exactly is what was given.
std::unique_ptr<Rows> makeHalves(mlir::Builder &builder, int64_t width, uint64_t seed) {
  auto rows = Rows::random(length, width, seed, 2.0f);
  for (int64_t row = 0; row < length; ++row)
    for (int64_t i = 0; i < width; ++i)
      // Some channels are large everywhere.
      rows->at(row, i) =
          roundTo(rows->at(row, i) + (i % 5 == 0 ? 3.0f : 0.0f), builder.getF16Type());
  return rows;
}

/// Numbers of a group after they were rounded, by the definitions of the encodings.
void roundGroup(llvm::ArrayRef<float *> group, unsigned bits, bool symmetric,
                mlir::Type scaleType) {
  float least = INFINITY, largest = -INFINITY;
  for (const float *number : group) {
    least = std::min(least, *number);
    largest = std::max(largest, *number);
  }
  float most = float((1 << (symmetric ? bits - 1 : bits)) - 1), minimum = 0, low = 0, range;
  if (symmetric) {
    range = std::max(std::fabs(least), std::fabs(largest));
    low = -most;
  } else {
    minimum = roundTo(least, scaleType);
    range = largest - minimum;
  }
  float scale = roundTo(range / most, scaleType);
  for (float *number : group)
    *number = std::clamp(std::nearbyint((*number - minimum) / scale), low, most) * scale + minimum;
}

void roundAll(CacheEncodingInterface encoding, Rows &rows, int64_t headSize) {
  if (auto along = llvm::dyn_cast<PositionGroupedAttr>(encoding)) {
    for (int64_t first = 0; first + along.getGroup() <= length; first += along.getGroup())
      for (int64_t i = 0; i < rows.width; ++i) {
        std::vector<float *> group;
        for (int64_t t = 0; t < along.getGroup(); ++t)
          group.push_back(&rows.at(first + t, i));
        roundGroup(group, along.getBits(), /*symmetric=*/false, along.getScale());
      }
    return;
  }
  auto grouped = llvm::dyn_cast<GroupedAttr>(encoding);
  if (!grouped)
    return;
  int64_t size = grouped.getGroupSize(headSize);
  for (int64_t row = 0; row < length; ++row)
    for (int64_t first = 0; first < rows.width; first += size) {
      std::vector<float *> group;
      for (int64_t i = 0; i < size; ++i)
        group.push_back(&rows.at(row, first + i));
      roundGroup(group, grouped.getBits(), grouped.getZero() == ZeroPoint::None,
                 grouped.getScale());
    }
}

class ExactPositions : public ::testing::Test {
protected:
  CacheEncodingInterface grouped(unsigned bits, int64_t group, ZeroPoint zero) {
    mlir::Attribute encoding =
        GroupedAttr::get(context.get(), bits, group, zero, builder.getF16Type());
    return llvm::cast<CacheEncodingInterface>(encoding);
  }
  CacheEncodingInterface along(unsigned bits, int64_t group) {
    mlir::Attribute encoding =
        PositionGroupedAttr::get(context.get(), bits, group, builder.getF16Type());
    return llvm::cast<CacheEncodingInterface>(encoding);
  }

  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::Builder builder{context.get()};
};

/// A case's kernels and one sequence.
class Sequence {
public:
  Sequence(const Case &c, KVCacheType type, CompiledKernels &kernels, size_t firstKernel,
           Rows &query, Rows &keys, Rows &values)
      : c(c), kernels(kernels), firstKernel(firstKernel), query(query), keys(keys), values(values),
        state(CacheLayout::get(type).size, 0xff), output(length, query.width) {}

  /// Rows [begin, end) as one step.
  void step(int64_t begin, int64_t end, bool rounds, const AttentionKernel &many,
            const AttentionKernel &one) {
    std::vector<int32_t> positions, sequences(end - begin, 0);
    for (int64_t position = begin; position < end; ++position)
      positions.push_back(static_cast<int32_t>(position));
    uint8_t *states[] = {state.data()};
    kernels.run(firstKernel, 0, end - begin, &keys.at(begin, 0), &values.at(begin, 0), states,
                positions.data(), sequences.data(), 0);
    if (rounds)
      kernels.run(firstKernel + 3, 0, end - begin, states, positions.data(), sequences.data(), 0);
    bool alone = end - begin == 1;
    const AttentionKernel &kernel = alone ? one : many;
    Memory scratch(kernel.getScratchBytes(), 0xff);
    int64_t atOnce = kernel.getRowsAtOnce();
    int64_t tasks = alone ? c.heads : (end - begin + atOnce - 1) / atOnce * c.kvHeads;
    kernels.run(firstKernel + (alone ? 2 : 1), end - begin, 0, tasks, &query.at(begin, 0), states,
                positions.data(), sequences.data(), 0, &output.at(begin, 0), scratch.data());
  }

  const Case &c;
  CompiledKernels &kernels;
  size_t firstKernel;
  Rows &query, &keys, &values;
  Memory state;
  Rows output;
};

} // namespace

TEST_F(ExactPositions, AttentionReadsThem) {
  CacheEncodingInterface f32 = PlainAttr::get(context.get(), builder.getF32Type()),
                         f16 = PlainAttr::get(context.get(), builder.getF16Type()),
                         i8 = grouped(8, GroupedAttr::channelGroup, ZeroPoint::None),
                         i4 = grouped(4, 32, ZeroPoint::None),
                         i3 = grouped(3, 64, ZeroPoint::Float),
                         i2 = grouped(2, 64, ZeroPoint::Float),
                         i8By4 = grouped(8, 4, ZeroPoint::Float), i4Along = along(4, 32),
                         i2Along = along(2, 16);
  const Case cases[] = {{4, 2, 32, i8, i4, 32, 4, 16, {}},
                        {3, 1, 20, i8By4, f16, 1, 0, 9, {}},
                        {2, 1, 64, i2Along, i2, 20, 17, 7, 50},
                        // Of these some positions are read no more.
                        {3, 1, 20, f32, f16, 0, 0, 30, {}, 24, 3},
                        {2, 1, 64, i4Along, i2, 5, 4, 9, {}, 45, 5},
                        {2, 1, 64, along(3, 32), i3, 9, 6, 16, 50, 44}};
  auto getCache = [&](const Case &c) {
    return placePositions(KVCacheType::get(context.get(), c.kvHeads, c.headSize, c.kvHeads,
                                           c.headSize, capacity, c.keys, c.values, c.residual,
                                           c.sinks, 0, c.budget, c.first,
                                           /*heavy=*/0, /*observed=*/0, /*rolling=*/0),
                          c.most);
  };
  auto getKernel = [&](const Case &c, bool oneRow) {
    return AttentionKernel{getCache(c), c.heads, 0.25f, c.window, {}, {}, false, oneRow};
  };
  auto rounds = [](const Case &c) { return llvm::isa<PositionGroupedAttr>(c.keys); };
  std::vector<Emitter> emitters;
  for (const Case &c : cases) {
    emitters.push_back([&](mlir::ModuleOp module, const KernelTarget &target) {
      return emitCacheAppend(module, getCache(c), target);
    });
    for (bool oneRow : {false, true})
      emitters.push_back([&, oneRow](mlir::ModuleOp module, const KernelTarget &target) {
        return emitAttention(module, getKernel(c, oneRow), target);
      });
    emitters.push_back([&](mlir::ModuleOp module, const KernelTarget &target) {
      return rounds(c) ? emitCacheRound(module, getCache(c), target)
                       : emitCacheAppend(module, getCache(c), target);
    });
  }
  auto check = [&](const TestTarget &, CompiledKernels &kernels, std::vector<uint8_t> &bytes) {
    for (auto [index, c] : llvm::enumerate(cases)) {
      SCOPED_TRACE(index);
      auto query = Rows::random(length, c.heads * c.headSize, index, 1.0f);
      auto keys = makeHalves(builder, c.kvHeads * c.headSize, index + 10),
           values = makeHalves(builder, c.kvHeads * c.headSize, index + 20);
      auto make = [&] {
        return Sequence(c, getCache(c), kernels, 4 * index, *query, *keys, *values);
      };
      AttentionKernel many = getKernel(c, false), one = getKernel(c, true);
      // As many rows as a step may have, and one by one.
      Sequence whole = make(), single = make();
      for (int64_t row = 0; row < length; row += c.most)
        whole.step(row, std::min(row + c.most, length), rounds(c), many, one);
      for (int64_t row = 0; row < length; ++row)
        single.step(row, row + 1, rounds(c), many, one);
      ASSERT_EQ(
          std::memcmp(whole.output.data(), single.output.data(), length * whole.output.stride * 4),
          0);
      // Back by as many as a step has, on with other tokens, back, and on as it was.
      Sequence again = make();
      again.step(0, 1, rounds(c), many, one);
      for (int64_t row = 1; row < length; row += c.most) {
        int64_t end = std::min(row + c.most, length);
        Rows &own = again.keys;
        again.step(row, end, rounds(c), many, one);
        std::swap_ranges(&own.at(row, 0), &own.at(row, 0) + (end - row) * own.stride,
                         values->data());
        again.step(row, end, rounds(c), many, one);
        std::swap_ranges(&own.at(row, 0), &own.at(row, 0) + (end - row) * own.stride,
                         values->data());
        again.step(row, end, rounds(c), many, one);
      }
      ASSERT_EQ(
          std::memcmp(whole.output.data(), again.output.data(), length * whole.output.stride * 4),
          0);

      auto roundedKeys = makeHalves(builder, c.kvHeads * c.headSize, index + 10),
           roundedValues = makeHalves(builder, c.kvHeads * c.headSize, index + 20);
      roundAll(c.keys, *roundedKeys, c.headSize);
      roundAll(c.values, *roundedValues, c.headSize);
      auto isExact = [&](int64_t t, int64_t p, CacheEncodingInterface encoding) {
        int64_t group = getCachePositions(encoding);
        return t < c.sinks || (t / group + 1) * group - 1 + c.residual > p;
      };
      for (int64_t p = 0; p < length; ++p)
        for (int64_t head = 0; head < c.heads; ++head) {
          int64_t shared = head * c.kvHeads / c.heads * c.headSize;
          std::vector<double> expected(c.headSize);
          double sum = 0;
          for (int64_t t = 0; t <= p; ++t) {
            if (!c.isRead(t, p))
              continue;
            Rows &k = isExact(t, p, c.keys) ? *keys : *roundedKeys;
            Rows &v = isExact(t, p, c.values) ? *values : *roundedValues;
            double score = 0;
            for (int64_t i = 0; i < c.headSize; ++i)
              score += double(query->at(p, head * c.headSize + i)) * k.at(t, shared + i);
            double weight = std::exp(score * 0.25);
            sum += weight;
            for (int64_t i = 0; i < c.headSize; ++i)
              expected[i] += weight * v.at(t, shared + i);
          }
          for (int64_t i = 0; i < c.headSize; ++i)
            ASSERT_NEAR(whole.output.at(p, head * c.headSize + i), expected[i] / sum, 2e-5)
                << "position " << p << " head " << head;
        }
      whole.output.append(bytes);
    }
  };
  forEachTarget(*context, emitters, check, /*integerProducts=*/false);
}
