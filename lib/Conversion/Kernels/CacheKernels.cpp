//===- CacheKernels.cpp - rotation, and writing keys and values to the cache ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheAccess.h"
#include "CacheCodec.h"
#include "WeightDecoder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

Value llmc::loadIndex(KernelBuilder &k, Value array, Value index) {
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
  name += llvm::utohexstr(hash) + "_" + spellBits(scaling) + "_" + target.name.str();
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

std::string llmc::getCacheName(KVCacheType type) {
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << type.getHeads() << "x" << type.getHeadSize();
  if (type.getValueHeads() != type.getHeads() || type.getValueSize() != type.getHeadSize())
    stream << "v" << type.getValueHeads() << "x" << type.getValueSize();
  stream << "c" << type.getCapacity();
  for (Attribute encoding : {Attribute(type.getKeys()), Attribute(type.getValues())}) {
    if (auto plain = dyn_cast<PlainAttr>(encoding))
      stream << plain.getElement();
    else
      stream << getEncodingName(encoding);
  }
  if (type.getResidual() != 0)
    stream << "e" << type.getResidual() << "k" << type.getSinks() << "r" << type.getRing();
  if (type.evicts())
    stream << "b" << type.getBudget() << "f" << type.getFirst() << "r" << type.getRolling();
  if (type.choosesPositions())
    stream << "h" << type.getHeavy();
  if (type.getObserved() != 0)
    stream << "o" << type.getObserved();
  return name;
}

Value llmc::getCacheOfRow(KernelBuilder &k, const CacheArguments &arguments, Value row) {
  Value sequence = loadIndex(k, arguments.sequences, row);
  Value state = k.load(k.pointer(), k.offset(arguments.states, k.mul(sequence, 8)));
  return k.offset(state, arguments.offset);
}

func::FuncOp llmc::emitCacheAppend(ModuleOp module, KVCacheType cache, const KernelTarget &target) {
  std::string name = "cache_append_" + getCacheName(cache) + "_" + target.name.str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  KernelBuilder k(module, name, "iipppppi", target);
  CacheLayout layout = CacheLayout::get(cache);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    CacheArguments caches{k.argument(4), k.argument(5), k.argument(6), k.argument(7)};
    Value base = getCacheOfRow(k, caches, row), position = loadIndex(k, caches.positions, row);
    Value place = getPlace(k, layout.stored, position, /*unit=*/1);
    Value exactPlace = getPlace(k, layout.exact, position, /*unit=*/1);
    // Keys or values, and what is kept exactly beside.
    auto writeHeads = [&](const CacheArray &array, const std::optional<CacheArray> &exact,
                          Value rows) {
      Value numbers = k.offset(rows, k.mul(row, getRowStride(array.getWidth()) * 4));
      k.loop(k.integer(0), k.integer(array.heads), 1, [&](Value head) {
        auto write = [&](const CacheArray &to, Value place) {
          Value memory = k.offset(base, k.add(k.mul(head, to.headBytes), to.offset));
          emitCacheWrite(k, to, k.offset(numbers, k.mul(head, to.headSize * 4)), memory, place);
        };
        // What positions share is rounded when the last of them is there.
        if (array.positions == 1)
          write(array, place);
        if (exact)
          write(*exact, exactPlace);
      });
    };
    writeHeads(layout.keys, layout.exactKeys, k.argument(2));
    writeHeads(layout.values, layout.exactValues, k.argument(3));
  });
  return k.finish();
}

func::FuncOp llmc::emitCacheRound(ModuleOp module, KVCacheType cache, const KernelTarget &target) {
  std::string name = "cache_round_" + getCacheName(cache) + "_" + target.name.str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  KernelBuilder k(module, name, "iipppi", target);
  CacheLayout layout = CacheLayout::get(cache);
  int64_t group = layout.keys.positions;
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    CacheArguments caches{k.argument(2), k.argument(3), k.argument(4), k.argument(5)};
    Value base = getCacheOfRow(k, caches, row);
    Value end = k.add(loadIndex(k, caches.positions, row), 1), index = k.div(end, group);
    k.ifThen(k.equal(k.mul(index, group), end), [&] {
      Value full = k.add(index, -1);
      Values blocks;
      for (int64_t i = 0; i < group / keyBlock; ++i)
        blocks.push_back(
            getPlace(k, layout.exact, k.add(k.mul(full, group / keyBlock), i), keyBlock));
      Value place = getPlace(k, layout.stored, full, group);
      k.loop(k.integer(0), k.integer(layout.heads), 1, [&](Value head) {
        auto memoryOf = [&](const CacheArray &array) {
          return k.offset(base, k.add(k.mul(head, array.headBytes), array.offset));
        };
        emitGroupWrite(k, layout.keys, memoryOf(layout.keys), *layout.exactKeys, blocks,
                       memoryOf(*layout.exactKeys), place);
      });
    });
  });
  return k.finish();
}
