//===- AttentionKernels.cpp - rotation, the cache, and attention over it ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "llmc/Conversion/Kernels/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

static std::string spell(float value) { return llvm::utohexstr(llvm::bit_cast<uint32_t>(value)); }

/// Positions of a block of keys.
static constexpr int64_t keyBlock = 16;

static Value loadIndex(KernelBuilder &k, Value array, Value index) {
  return k.extendSigned(k.load(k.i32(), k.offset(array, k.mul(index, 4))), k.i64());
}

//===----------------------------------------------------------------------===//
// Rotation
//===----------------------------------------------------------------------===//

func::FuncOp llmc::emitRotationTable(ModuleOp module, ArrayRef<float> frequencies, float scaling,
                                     const KernelTarget &target) {
  std::string name = "rotation_table_" + std::to_string(frequencies.size()) + "_";
  // FNV-1a over the bits: names must not depend on the process.
  uint64_t hash = 14695981039346656037u;
  for (float value : frequencies)
    hash = (hash ^ llvm::bit_cast<uint32_t>(value)) * 1099511628211u;
  name += llvm::utohexstr(hash) + "_" + spell(scaling) + "_" + target.name.str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  KernelBuilder k(module, name, "iipp", target);
  int64_t stride = getRotationStride(frequencies.size());
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value position =
        k.broadcast(k.toFloat(k.load(k.i32(), k.offset(k.argument(2), k.mul(row, 4)))));
    Value table = k.offset(k.argument(3), k.mul(row, stride * 4));
    for (int64_t first = 0; first < stride / 2; first += lanes) {
      SmallVector<float> chunk(lanes, 0.0f);
      for (int64_t i = 0; i < lanes && first + i < static_cast<int64_t>(frequencies.size()); ++i)
        chunk[i] = frequencies[first + i];
      Value frequency = arith::ConstantOp::create(
          k.builder, k.location, DenseElementsAttr::get(k.vector(k.f32()), ArrayRef<float>(chunk)));
      auto [sine, cosine] = k.sincos(k.fmul(position, frequency));
      Value factor = k.real(k.vector(k.f32()), scaling);
      k.storeVector(k.fmul(cosine, factor), k.offset(table, first * 4));
      k.storeVector(k.fmul(sine, factor), k.offset(table, (stride / 2 + first) * 4));
    }
  });
  return k.finish();
}

func::FuncOp llmc::emitRotation(ModuleOp module, const RotationKernel &kernel,
                                const KernelTarget &target) {
  std::string name =
      ("rotation_" + Twine(kernel.width) + "h" + Twine(kernel.heads) + "f" +
       Twine(kernel.frequencies) + (kernel.interleaved ? "i" : "") + "_" + target.name)
          .str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  KernelBuilder k(module, name, "iippp", target);
  int64_t headSize = kernel.width / kernel.heads, pairs = kernel.frequencies;
  int64_t stride = getRowStride(kernel.width) * 4, tableStride = getRotationStride(pairs);
  // Rotates the pairs (x, y) of one or 16 frequencies.
  auto rotate = [&](Value input, Value output, Value table, Value pair, Value x, Value y,
                    bool scalar) {
    auto load = [&](Value base, Value bytes) {
      return scalar ? k.load(k.f32(), k.offset(base, bytes)) : k.loadVector(k.offset(base, bytes));
    };
    Value cosine = load(table, k.mul(pair, 4));
    Value sine = load(table, k.add(k.mul(pair, 4), tableStride / 2 * 4));
    Value a = load(input, x), b = load(input, y);
    k.store(k.fsub(k.fmul(a, cosine), k.fmul(b, sine)), k.offset(output, x), 4);
    k.store(k.fadd(k.fmul(b, cosine), k.fmul(a, sine)), k.offset(output, y), 4);
  };
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value table = k.offset(k.argument(3), k.mul(row, tableStride * 4));
    Value inputRow = k.offset(k.argument(2), k.mul(row, stride));
    Value outputRow = k.offset(k.argument(4), k.mul(row, stride));
    k.loop(k.integer(0), k.integer(kernel.heads), 1, [&](Value head) {
      Value input = k.offset(inputRow, k.mul(head, headSize * 4));
      Value output = k.offset(outputRow, k.mul(head, headSize * 4));
      int64_t whole = kernel.interleaved ? 0 : pairs / lanes * lanes;
      k.loop(k.integer(0), k.integer(whole), lanes, [&](Value pair) {
        Value x = k.mul(pair, 4);
        rotate(input, output, table, pair, x, k.add(x, pairs * 4), false);
      });
      k.loop(k.integer(whole), k.integer(pairs), 1, [&](Value pair) {
        Value x = kernel.interleaved ? k.mul(pair, 8) : k.mul(pair, 4);
        rotate(input, output, table, pair, x, k.add(x, kernel.interleaved ? 4 : pairs * 4), true);
      });
      k.loop(k.integer(2 * pairs), k.integer(headSize), 1, [&](Value i) {
        k.store(k.load(k.f32(), k.offset(input, k.mul(i, 4))), k.offset(output, k.mul(i, 4)));
      });
    });
    for (int64_t i = kernel.width; i < getRowStride(kernel.width); ++i)
      k.store(k.real(k.f32(), 0.0), k.offset(outputRow, i * 4));
  });
  return k.finish();
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

CacheLayout CacheLayout::get(KVCacheType type) {
  CacheLayout layout;
  layout.heads = type.getHeads();
  layout.headSize = type.getHeadSize();
  layout.capacity = llvm::alignTo(type.getCapacity(), keyBlock);
  layout.keys = type.getKeys();
  layout.values = type.getValues();
  int64_t elements = layout.capacity * layout.headSize;
  layout.keyHeadBytes = llvm::alignTo(elements * layout.keys.getIntOrFloatBitWidth() / 8, 64);
  layout.valueHeadBytes = llvm::alignTo(elements * layout.values.getIntOrFloatBitWidth() / 8, 64);
  layout.valueOffset = layout.heads * layout.keyHeadBytes;
  layout.size = layout.valueOffset + layout.heads * layout.valueHeadBytes;
  return layout;
}

static std::string getCacheName(KVCacheType type) {
  std::string name;
  llvm::raw_string_ostream(name) << type.getHeads() << "x" << type.getHeadSize() << "c"
                                 << type.getCapacity() << type.getKeys() << type.getValues();
  return name;
}

/// The cache of row's sequence, and row's position.
static std::pair<Value, Value> getCacheOfRow(KernelBuilder &k, Value states, Value positions,
                                             Value sequences, Value offset, Value row) {
  Value sequence = loadIndex(k, sequences, row);
  Value state = k.load(k.pointer(), k.offset(states, k.mul(sequence, 8)));
  return {k.offset(state, offset), loadIndex(k, positions, row)};
}

func::FuncOp llmc::emitCacheAppend(ModuleOp module, KVCacheType cache, const KernelTarget &target) {
  std::string name = "cache_append_" + getCacheName(cache) + "_" + target.name.str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  KernelBuilder k(module, name, "iipppppi", target);
  CacheLayout layout = CacheLayout::get(cache);
  int64_t keyBytes = layout.keys.getIntOrFloatBitWidth() / 8;
  int64_t valueBytes = layout.values.getIntOrFloatBitWidth() / 8;
  int64_t stride = getRowStride(layout.heads * layout.headSize) * 4;
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    auto [base, position] =
        getCacheOfRow(k, k.argument(4), k.argument(5), k.argument(6), k.argument(7), row);
    Value keyRow = k.offset(k.argument(2), k.mul(row, stride));
    Value valueRow = k.offset(k.argument(3), k.mul(row, stride));
    Value inBlock = k.rem(position, k.integer(keyBlock));
    Value block = k.div(position, keyBlock);
    k.loop(k.integer(0), k.integer(layout.heads), 1, [&](Value head) {
      Value key = k.offset(base, k.mul(head, layout.keyHeadBytes));
      key =
          k.offset(key, k.mul(k.add(k.mul(block, layout.headSize * keyBlock), inBlock), keyBytes));
      Value value = k.offset(base, k.add(k.mul(head, layout.valueHeadBytes), layout.valueOffset));
      value = k.offset(value, k.mul(position, layout.headSize * valueBytes));
      k.loop(k.integer(0), k.integer(layout.headSize), 1, [&](Value i) {
        Value from = k.mul(k.add(k.mul(head, layout.headSize), i), 4);
        k.storeAs(layout.keys, k.load(k.f32(), k.offset(keyRow, from)),
                  k.offset(key, k.mul(i, keyBlock * keyBytes)));
        k.storeAs(layout.values, k.load(k.f32(), k.offset(valueRow, from)),
                  k.offset(value, k.mul(i, valueBytes)));
      });
    });
  });
  return k.finish();
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

int64_t AttentionKernel::getScratchBytes() const { return CacheLayout::get(cache).capacity * 4; }

namespace {

/// Emits the attention of one row and head: scores to scratch, softmax there, weighted values.
class AttentionEmitter {
public:
  AttentionEmitter(ModuleOp module, StringRef name, const AttentionKernel &spec,
                   const KernelTarget &target)
      : spec(spec), layout(CacheLayout::get(spec.cache)), k(module, name, "iippppipp", target) {}

  func::FuncOp emit() {
    int64_t stride = getRowStride(spec.heads * layout.headSize) * 4;
    k.loop(k.argument(0), k.argument(1), 1, [&](Value index) {
      Value row = k.div(index, spec.heads), head = k.rem(index, k.integer(spec.heads));
      auto [base, position] =
          getCacheOfRow(k, k.argument(3), k.argument(4), k.argument(5), k.argument(6), row);
      Value shared = k.div(head, spec.heads / layout.heads);
      Value query =
          k.offset(k.argument(2), k.add(k.mul(row, stride), k.mul(head, layout.headSize * 4)));
      Value output =
          k.offset(k.argument(7), k.add(k.mul(row, stride), k.mul(head, layout.headSize * 4)));
      Value keys = k.offset(base, k.mul(shared, layout.keyHeadBytes));
      Value values =
          k.offset(base, k.add(k.mul(shared, layout.valueHeadBytes), layout.valueOffset));
      Value end = k.add(position, 1), begin = k.integer(0);
      if (spec.window) {
        Value first = k.add(end, -*spec.window);
        begin = k.select(k.lessInteger(first, begin), begin, first);
      }
      Value largest = computeScores(query, keys, begin, end);
      Value sum = exponentiate(begin, end, largest);
      accumulate(values, output, begin, end, k.fdiv(k.real(k.f32(), 1.0), sum));
      // The last head's tile also zeros the row's padding.
      int64_t width = spec.heads * layout.headSize;
      if (getRowStride(width) != width)
        k.ifThen(k.equal(head, k.integer(spec.heads - 1)), [&] {
          for (int64_t i = width; i < getRowStride(width); ++i)
            k.store(k.real(k.f32(), 0.0),
                    k.offset(output, (i - (spec.heads - 1) * layout.headSize) * 4));
        });
    });
    return k.finish();
  }

private:
  Value scoreAddress(Value position) { return k.offset(k.argument(8), k.mul(position, 4)); }
  Value minusInfinity() { return k.real(k.vector(k.f32()), -3.0e38); }

  /// Lanes of the block at `first` whose position lies in [begin, end).
  Value inRange(Value first, Value begin, Value end) {
    SmallVector<int64_t> numbers(keyBlock);
    std::iota(numbers.begin(), numbers.end(), 0);
    Value lane = arith::ConstantOp::create(
        k.builder, k.location,
        DenseElementsAttr::get(k.vector(k.i64()), ArrayRef<int64_t>(numbers)));
    Value positions = k.add(lane, k.broadcast(first));
    Value low = arith::CmpIOp::create(k.builder, k.location, arith::CmpIPredicate::sge, positions,
                                      k.broadcast(begin));
    return k.and_(low, k.lessInteger(positions, k.broadcast(end)));
  }

  /// Whole blocks of scores, -3e38 outside [begin, end); gives the largest.
  Value computeScores(Value query, Value keys, Value begin, Value end) {
    int64_t keyBytes = layout.keys.getIntOrFloatBitWidth() / 8;
    Value firstBlock = k.mul(k.div(begin, keyBlock), keyBlock);
    Value largest = k.loop(
        firstBlock, end, keyBlock, Values{minusInfinity()},
        [&](Value first, ValueRange carried) -> Values {
          Value block = k.offset(keys, k.mul(first, layout.headSize * keyBytes));
          Value score = k.loop(
              k.integer(0), k.integer(layout.headSize), 1, Values{k.real(k.vector(k.f32()), 0.0)},
              [&](Value i, ValueRange sum) -> Values {
                Value key =
                    k.loadAsFloats(layout.keys, k.offset(block, k.mul(i, keyBlock * keyBytes)));
                Value q = k.loadBroadcast(k.offset(query, k.mul(i, 4)));
                return {k.fma(key, q, sum[0])};
              })[0];
          score = k.fmul(score, k.real(k.vector(k.f32()), spec.scale));
          if (spec.softcap) {
            Value cap = k.real(k.vector(k.f32()), *spec.softcap);
            score = k.fmul(k.tanh(k.fdiv(score, cap)), cap);
          }
          score = k.select(inRange(first, begin, end), score, minusInfinity());
          k.storeVector(score, scoreAddress(first));
          return {k.fmax(carried[0], score)};
        })[0];
    return k.maxLanes(largest);
  }

  /// Replaces scores by exp(score - largest); gives their sum.
  Value exponentiate(Value begin, Value end, Value largest) {
    Value firstBlock = k.mul(k.div(begin, keyBlock), keyBlock);
    Value sum = k.loop(firstBlock, end, keyBlock, Values{k.real(k.vector(k.f32()), 0.0)},
                       [&](Value first, ValueRange carried) -> Values {
                         Value score = k.loadVector(scoreAddress(first));
                         Value weight = k.exp(k.fsub(score, k.broadcast(largest)));
                         weight = k.select(inRange(first, begin, end), weight,
                                           k.real(k.vector(k.f32()), 0.0));
                         k.storeVector(weight, scoreAddress(first));
                         return {k.fadd(carried[0], weight)};
                       })[0];
    return k.sumLanes(sum);
  }

  /// output = factor · Σ weight_t · value_t.
  void accumulate(Value values, Value output, Value begin, Value end, Value factor) {
    int64_t valueBytes = layout.values.getIntOrFloatBitWidth() / 8;
    int64_t whole = layout.headSize / lanes;
    constexpr int64_t chunk = 4; // vectors of a head that are summed side by side
    auto sum = [&](int64_t first, int64_t count, int64_t width) {
      Type type = width == 1 ? k.f32() : Type(k.vector(k.f32()));
      Values sums =
          k.loop(begin, end, 1, Values(count, k.real(type, 0.0)), [&](Value t, ValueRange carried) {
            Values next(carried);
            Value weight = k.load(k.f32(), scoreAddress(t));
            if (width > 1)
              weight = k.broadcast(weight);
            Value line = k.offset(values, k.mul(t, layout.headSize * valueBytes));
            for (int64_t i = 0; i < count; ++i)
              next[i] =
                  k.fma(k.loadAsFloats(layout.values,
                                       k.offset(line, (first + i * width) * valueBytes), width),
                        weight, next[i]);
            return next;
          });
      for (int64_t i = 0; i < count; ++i)
        k.store(k.fmul(sums[i], width == 1 ? factor : k.broadcast(factor)),
                k.offset(output, (first + i * width) * 4), 4);
    };
    for (int64_t first = 0; first < whole; first += chunk)
      sum(first * lanes, std::min(chunk, whole - first), lanes);
    if (int64_t rest = layout.headSize % lanes)
      sum(whole * lanes, rest, 1);
  }

  const AttentionKernel &spec;
  CacheLayout layout;
  KernelBuilder k;
};

} // namespace

func::FuncOp llmc::emitAttention(ModuleOp module, const AttentionKernel &kernel,
                                 const KernelTarget &target) {
  std::string name = "attention_" + getCacheName(kernel.cache) + "h" +
                     std::to_string(kernel.heads) + "s" + spell(kernel.scale);
  if (kernel.window)
    name += "w" + std::to_string(*kernel.window);
  if (kernel.softcap)
    name += "t" + spell(*kernel.softcap);
  name += "_" + target.name.str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  return AttentionEmitter(module, name, kernel, target).emit();
}
