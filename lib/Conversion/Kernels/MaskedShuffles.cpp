//===- MaskedShuffles.cpp - kept codes put in their places by shuffles ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskedShuffles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/bit.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

/// Bytes of a word's weights, of what a shuffle takes from, and of those of one row.
static constexpr int64_t wordBytes = 64, laneBytes = 16, rowBytes = 4;
/// A place that nothing comes from.
static constexpr uint8_t nowhere = 128;

bool llmc::expandsByShuffles(const KernelTarget &target) {
  StringRef features = target.llvmFeatures;
  return target.dot != cpu::DotLowering::Plain && features.contains("+avx2") &&
         !features.contains("+avx512vbmi2");
}

MaskedShuffles::MaskedShuffles(KernelBuilder &k, Value line, Value scratch)
    : k(k), line(line), scratch(scratch) {
  countBits();
}

/// 64 bytes, of which `number` says each.
static Value makeBytes(KernelBuilder &k, function_ref<int64_t(int64_t byte)> number) {
  SmallVector<int8_t> numbers;
  for (int64_t byte = 0; byte < wordBytes; ++byte)
    numbers.push_back(static_cast<int8_t>(number(byte)));
  return k.bytes(numbers);
}

Value MaskedShuffles::interleave(Value even, Value odd, int64_t half) const {
  SmallVector<int64_t> mask;
  for (int64_t byte = 0; byte < wordBytes; ++byte) {
    int64_t lane = byte / laneBytes * laneBytes, inLane = byte % laneBytes;
    mask.push_back(lane + laneBytes / 2 * half + inLane / 2 + (inLane % 2 == 0 ? 0 : wordBytes));
  }
  return k.shuffle(even, odd, mask);
}

void MaskedShuffles::countBits() {
  VectorType bytes = k.vector(k.i8(), wordBytes), halves = k.vector(k.i16(), wordBytes / 2);
  Value mask = k.load(bytes, line, 1), fifteen = k.integer(bytes, 15);
  Value ones = makeBytes(k, [](int64_t byte) { return llvm::popcount<uint8_t>(byte % 16); });
  auto shifted = [&](Value value, int64_t left) {
    Value wide = k.bitcast(value, halves);
    return k.bitcast(left < 0 ? k.shr(wide, -left) : k.shl(wide, left), bytes);
  };
  // The low half of a byte is of an even row, the high one of the odd row after it; two bytes are
  // of the four rows of a lane.
  Value ofEven = k.shuffleBytes(ones, k.bitAnd(mask, fifteen));
  Value ofOdd = k.shuffleBytes(ones, k.bitAnd(shifted(mask, -4), fifteen));
  Value ofByte = k.add(ofEven, ofOdd);
  Value even = shifted(ofByte, 8), odd = k.add(even, ofEven);
  // The last input is the highest bit of a half.
  Value highest = k.integer(bytes, static_cast<int8_t>(nowhere));
  Value others = k.sub(k.integer(bytes, -1), mask);
  Value evenEnd = k.bitOr(even, k.bitAnd(shifted(others, 4), highest));
  Value oddEnd = k.bitOr(odd, k.bitAnd(others, highest));
  for (int64_t parity = 0; parity < 2; ++parity) {
    Value starts = interleave(even, odd, parity), ends = interleave(evenEnd, oddEnd, parity);
    for (int64_t half = 0; half < 2; ++half) {
      // The first or the second eight bytes of each 16 of both.
      SmallVector<int64_t> both;
      for (int64_t byte = 0; byte < wordBytes; ++byte) {
        int64_t row = byte / laneBytes * laneBytes + laneBytes / 2 * half + byte % 8;
        both.push_back(row + (byte % laneBytes < 8 ? 0 : wordBytes));
      }
      k.store(k.shuffle(starts, ends, both), k.offset(scratch, wordBytes * (2 * parity + half)), 1);
    }
  }
  // Sums of two bytes, and of those before in the same word.
  VectorType quads = k.vector(k.i64(), wordBytes / 8);
  Value two = k.bitcast(ofByte, halves);
  Value sums = k.add(k.bitAnd(two, k.integer(halves, 255)), k.shr(two, 8));
  for (int64_t bits : {16, 32}) {
    Value before = k.bitcast(k.shl(k.bitcast(sums, quads), bits), halves);
    sums = k.add(sums, before);
  }
  k.store(sums, k.offset(scratch, 4 * wordBytes), 1);
}

/// Where the bytes of a row come from among its own, by which of its first three inputs are kept.
static SmallVector<int32_t> getOwnPlaces() {
  SmallVector<int32_t> table;
  for (uint32_t kept = 0; kept < 8; ++kept) {
    uint32_t places = 0;
    for (uint32_t input = 0; input < rowBytes; ++input) {
      bool isKept = input + 1 == rowBytes || (kept >> input & 1) != 0;
      uint32_t before = llvm::popcount(kept & ((1u << input) - 1));
      places |= (isKept ? before : nowhere) << (8 * input);
    }
    table.push_back(static_cast<int32_t>(places));
  }
  return table;
}

/// Vectors one after the other: two, or four.
static Value join(KernelBuilder &k, SmallVector<Value> parts) {
  for (; parts.size() > 1; parts.truncate(parts.size() / 2))
    for (size_t i = 0; i < parts.size() / 2; ++i) {
      SmallVector<int64_t> all(2 * cast<VectorType>(parts[2 * i].getType()).getNumElements());
      std::iota(all.begin(), all.end(), 0);
      parts[i] = k.shuffle(parts[2 * i], parts[2 * i + 1], all);
    }
  return parts.front();
}

Value MaskedShuffles::getPlaces(int64_t word) const {
  // What is stored of half a word, for each of the two lanes that it is of; and the four bits of
  // each of its rows, in lanes of 32 bits.
  SmallVector<Value> rowsOfHalves, bitsOfHalves;
  SmallVector<int64_t> twice;
  for (int64_t byte = 0; byte < 2 * laneBytes; ++byte)
    twice.push_back(byte % laneBytes);
  for (int64_t half = 0; half < 2; ++half) {
    int64_t at = wordBytes * (2 * (word % 2) + half) + laneBytes * (word / 2);
    Value stored = k.load(k.vector(k.i8(), laneBytes), k.offset(scratch, at), 1);
    rowsOfHalves.push_back(k.shuffle(stored, stored, twice));
    bitsOfHalves.push_back(
        k.broadcast(k.load(k.i32(), k.offset(line, 8 * word + 4 * half), 4), lanes / 2));
  }
  Value rows = join(k, rowsOfHalves);
  Value before = k.shuffleBytes(rows, makeBytes(k, [](int64_t byte) {
                                  int64_t row = byte / rowBytes % 8;
                                  return byte % rowBytes == rowBytes - 1 ? 8 + row : row;
                                }));
  VectorType words = k.vector(k.i32());
  SmallVector<int32_t> shifts;
  for (int32_t row = 0; row < lanes; ++row)
    shifts.push_back(row % 8 * 4);
  Value bits = k.shr(join(k, bitsOfHalves),
                     arith::ConstantOp::create(k.builder, k.location,
                                               DenseElementsAttr::get(words, ArrayRef(shifts))));
  Value own = k.lookUpInteger(getOwnPlaces(), k.bitAnd(bits, k.integer(words, 7)));
  return k.add(k.bitcast(own, k.vector(k.i8(), wordBytes)), before);
}

Value MaskedShuffles::countFirst(int64_t word, int64_t lanes) const {
  int64_t at = 4 * wordBytes + 8 * word + 2 * (lanes - 1);
  return k.extendUnsigned(k.load(k.i16(), k.offset(scratch, at), 2), k.i64());
}

Value MaskedShuffles::load(int64_t word, Value from) const {
  SmallVector<Value> parts;
  for (int64_t lane = 0; lane < wordBytes / laneBytes; ++lane) {
    Value at = lane == 0 ? from : k.offset(from, countFirst(word, lane));
    parts.push_back(k.load(k.vector(k.i8(), laneBytes), at, 1));
  }
  return join(k, parts);
}
