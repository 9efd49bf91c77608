//===- CacheCodec.cpp - keys and values between registers and the cache ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheCodec.h"
#include "GroupEncoder.h"
#include "RegisterBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Value llmc::getElementAddress(KernelBuilder &k, const CachePlane &plane, Value memory,
                              Value position, Value element) {
  int64_t bytes = plane.getElementBytes();
  Value block = position, inBlock;
  if (plane.block != 1) {
    block = k.div(position, plane.block);
    inBlock = k.rem(position, k.integer(plane.block));
  }
  Value place = k.mul(k.add(k.mul(block, plane.elements), element), plane.block);
  if (inBlock)
    place = k.add(place, inBlock);
  return k.offset(memory, k.add(k.mul(place, bytes), plane.offset));
}

/// The first of the numbers that share the bytes of a line.
static Value getFirstNumberOf(KernelBuilder &k, const CacheArray &array, Value line) {
  if (array.apart == 1)
    return k.mul(line, array.packed);
  if (array.packed == 1)
    return line;
  Value run = k.mul(k.div(line, lanes), lanes * array.packed);
  return k.add(run, k.rem(line, k.integer(lanes)));
}

Value llmc::getPlace(KernelBuilder &k, const CacheRing &ring, Value index, int64_t unit) {
  if (!ring.wraps())
    return index;
  int64_t fixed = ring.fixed / unit, turning = ring.turning / unit;
  if (fixed == 0)
    return k.rem(index, k.integer(turning));
  Value place = k.add(k.rem(k.max(k.add(index, -fixed), k.integer(0)), k.integer(turning)), fixed);
  return k.select(k.lessInteger(index, k.integer(fixed)), index, place);
}

void llmc::emitCacheWrite(KernelBuilder &k, const CacheArray &array, Value numbers, Value memory,
                          Value position) {
  bool shares =
      llvm::any_of(array.planes, [](const CachePlane &plane) { return !plane.isOfNumbers(); });
  auto write = [&](Value group, Value first, int64_t count) {
    GroupEncoder encoder(k, count, shares);
    DecodeBuilder::Operand loaded = encoder.load(k.offset(numbers, k.mul(first, 4)));
    for (auto [element, plane] :
         llvm::zip_equal(array.encoding.encode(encoder, loaded), array.planes))
      encoder.store(element, plane,
                    getElementAddress(k, plane, memory, position,
                                      plane.isOfNumbers() ? k.mul(k.div(first, array.packed),
                                                                  plane.getLineElements())
                                                          : group));
  };
  int64_t step = shares ? array.group : array.apart * array.packed;
  int64_t whole = array.headSize / step, rest = array.headSize % step;
  k.loop(k.integer(0), k.integer(whole), 1,
         [&](Value group) { write(group, k.mul(group, step), step); });
  if (rest != 0)
    write(k.integer(whole), k.integer(whole * step), rest);
}

void llmc::emitCacheMove(KernelBuilder &k, const CacheArray &array, Value memory, Value from,
                         Value to) {
  for (const CachePlane &plane : array.planes) {
    constexpr int64_t byteBits = 8;
    Type element = k.builder.getIntegerType(plane.getElementBytes() * byteBits);
    k.loop(k.integer(0), k.integer(plane.elements), 1, [&](Value index) {
      Value moved = k.load(element, getElementAddress(k, plane, memory, from, index));
      k.store(moved, getElementAddress(k, plane, memory, to, index));
    });
  }
}

Value llmc::countFrom(KernelBuilder &k, Value first) {
  SmallVector<int32_t> numbers(lanes);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value lane = arith::ConstantOp::create(
      k.builder, k.location, DenseElementsAttr::get(k.vector(k.i32()), ArrayRef<int32_t>(numbers)));
  return k.add(lane, k.broadcast(k.truncate(first, k.i32())));
}

/// Numbers of `line` at the 16 positions of block `block`, exactly.
static Value loadExactLine(KernelBuilder &k, const CacheArray &exact, Value memory, Value block,
                           Value number) {
  const CachePlane &plane = exact.planes.front();
  Value line = k.add(k.mul(block, plane.elements), number);
  int64_t bytes = keyBlock * plane.getElementBytes();
  return k.loadAsFloats(plane.element, k.offset(memory, k.mul(line, bytes)));
}

void llmc::emitGroupWrite(KernelBuilder &k, const CacheArray &array, Value memory,
                          const CacheArray &exact, ArrayRef<Value> exactBlocks, Value exactMemory,
                          Value group) {
  auto blocks = static_cast<int64_t>(exactBlocks.size());
  k.loop(k.integer(0), k.integer(array.headSize / array.packed), 1, [&](Value line) {
    GroupEncoder encoder(k, blocks * lanes, /*shares=*/true);
    Value first = getFirstNumberOf(k, array, line);
    SmallVector<Values> bytes(array.planes.size());
    for (int64_t place = 0; place < array.packed; ++place) {
      Value number = k.add(first, place * array.apart);
      Values numbers;
      for (Value block : exactBlocks)
        numbers.push_back(loadExactLine(k, exact, exactMemory, block, number));
      auto encoded = array.encoding.encode(encoder, encoder.take(std::move(numbers)));
      for (auto [operand, plane, packed] : llvm::zip_equal(encoded, array.planes, bytes)) {
        if (!plane.isOfNumbers()) {
          Value element = k.add(k.mul(group, plane.elements), number);
          Value to = k.add(k.mul(element, plane.getElementBytes()), plane.offset);
          encoder.store(operand, plane, k.offset(memory, to));
          continue;
        }
        for (int64_t block = 0; block < blocks; ++block) {
          Value code = k.shl(encoder.get(operand, block), place * plane.getBits());
          if (place == 0)
            packed.push_back(code);
          else
            packed[block] = k.bitOr(packed[block], code);
        }
      }
    }
    for (auto [plane, packed] : llvm::zip_equal(array.planes, bytes))
      for (auto [block, codes] : llvm::enumerate(packed)) {
        Value of = k.add(k.mul(group, blocks), int64_t(block));
        Value first = k.add(k.mul(of, plane.elements), k.mul(line, plane.getLineElements()));
        for (int64_t byte = 0; byte < plane.getLineElements(); ++byte) {
          Value at = k.add(k.mul(k.add(first, byte), keyBlock), plane.offset);
          k.store(k.truncate(k.shr(codes, byte * 8), k.vector(k.i8())), k.offset(memory, at), 1);
        }
      }
  });
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

int64_t CacheReader::getLinesTogether() const {
  constexpr int64_t cacheLine = 64;
  int64_t together = cacheLine;
  for (const CachePlane &plane : array.planes)
    if (plane.isOfNumbers())
      together = std::min(together, cacheLine / (keyBlock * plane.getElementBytes()));
  return getLines() % together == 0 && getLinesPerGroup() % together == 0 ? together : 1;
}

/// Elements as they are stored, widened to f32 or i32.
static Value loadElementsOf(KernelBuilder &k, const CachePlane &plane, Value address,
                            int64_t count) {
  if (plane.isFloat())
    return k.loadAsFloats(plane.element, address, count);
  if (count == 1)
    return k.extendUnsigned(k.load(k.i8(), address, 1), k.i32());
  return k.extendUnsigned(k.load(k.vector(k.i8(), count), address, 1), k.vector(k.i32(), count));
}

/// 16 integers of 3 bits, six bytes from `address` on.
static Value loadTriples(KernelBuilder &k, Value address) {
  constexpr int64_t half = lanes / 2, bits = 3;
  Values words;
  for (int64_t word = 0; word < bits; ++word)
    words.push_back(k.extendUnsigned(k.load(k.i16(), k.offset(address, word * 2), 2), k.i32()));
  // Three bytes are 8 of them.
  Value low = k.bitOr(words[0], k.shl(words[1], 16));
  Value high = k.bitOr(k.shr(words[1], 8), k.shl(words[2], 8));
  SmallVector<int32_t> shifts, places;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    places.push_back(static_cast<int32_t>(lane));
    shifts.push_back(static_cast<int32_t>(lane % half * bits));
  }
  auto constant = [&](ArrayRef<int32_t> numbers) -> Value {
    return arith::ConstantOp::create(k.builder, k.location,
                                     DenseElementsAttr::get(k.vector(k.i32()), numbers));
  };
  Value isLow = k.lessInteger(constant(places), k.integer(k.vector(k.i32()), half));
  Value both = k.select(isLow, k.broadcast(low), k.broadcast(high));
  return k.bitAnd(k.shr(both, constant(shifts)), k.integer(k.vector(k.i32()), (1 << bits) - 1));
}

/// The integers in place `place` of bytes that several of them share.
static Value unpack(KernelBuilder &k, const CachePlane &plane, Value bytes, int64_t place) {
  if (plane.getPackedNumbers() == 1)
    return bytes;
  Value shifted = k.shr(bytes, place * plane.getBits());
  return k.bitAnd(shifted, k.integer(bytes.getType(), (1 << plane.getBits()) - 1));
}

CacheReader::CacheReader(const CacheArray &array, bool ofGroups) : array(array) {
  std::optional<LinearCodes> linear = this->array.encoding.getLinearCodes();
  if (!linear || linear->zeros || linear->minima)
    return;
  const CachePlane &numbers = array.planes[linear->codes], &scales = array.planes[linear->scales];
  if (numbers.isOfNumbers() && (scales.elements == 1 || (ofGroups && !scales.isOfNumbers())))
    codes = Codes{numbers, scales, linear->zero};
}

Value CacheReader::getFirstNumber(KernelBuilder &k, Value line) const {
  return getFirstNumberOf(k, array, line);
}

Value CacheReader::decode(KernelBuilder &k, ArrayRef<Value> elements, int64_t count) const {
  RegisterBuilder builder(k, count);
  SmallVector<DecodeBuilder::Operands> ofPlanes;
  for (Value element : elements)
    ofPlanes.push_back({RegisterBuilder::make(element)});
  return RegisterBuilder::toValue(
      EncodingInterface(array.encoding).decode(builder, ofPlanes).front());
}

/// Codes less what stands for zero, as floats.
static Value subtractZero(KernelBuilder &k, Value codes, int32_t zero) {
  return k.toFloat(zero == 0 ? codes : k.sub(codes, k.integer(codes.getType(), zero)));
}

/// Where the elements at `index` of the 16 positions of a block stand.
Value CacheReader::getLine(KernelBuilder &k, const CachePlane &plane, Value memory, Value block,
                           int64_t next, Value index) const {
  int64_t bytes = keyBlock * plane.getElementBytes();
  Value line = k.add(k.mul(block, plane.elements), index);
  Value address = k.offset(memory, k.add(k.mul(line, bytes), plane.offset));
  return k.offset(address, next * plane.elements * bytes);
}

Value CacheReader::loadScales(KernelBuilder &k, Value memory, Value block, int64_t next,
                              Value group) const {
  // A block of values has one scale for each position: they stand as those of
  // keys do.
  return k.loadAsFloats(codes->scales.element,
                        getLine(k, codes->scales, memory, block, next, group));
}

Value CacheReader::loadShared(KernelBuilder &k, const CachePlane &plane, Value memory, Value block,
                              int64_t next, Value number) const {
  Value group = k.div(k.add(block, next), plane.rows / keyBlock);
  Value element = k.add(k.mul(group, plane.elements), number);
  Value address = k.add(k.mul(element, plane.getElementBytes()), plane.offset);
  return k.broadcast(loadElementsOf(k, plane, k.offset(memory, address), 1));
}

Values CacheReader::loadPositions(KernelBuilder &k, Value memory, Value block, int64_t next,
                                  Value line) const {
  Value group = array.planes.size() == 1 ? Value() : k.div(line, getLinesPerGroup());
  auto load = [&](const CachePlane &plane) {
    if (plane.rows != 1)
      return Value();
    Value index = plane.isOfNumbers() ? k.mul(line, plane.getLineElements()) : group;
    Value loaded = loadElementsOf(k, plane, getLine(k, plane, memory, block, next, index), lanes);
    for (int64_t byte = 1; byte < plane.getLineElements(); ++byte) {
      Value more = loadElementsOf(
          k, plane, getLine(k, plane, memory, block, next, k.add(index, byte)), lanes);
      loaded = k.bitOr(loaded, k.shl(more, byte * 8));
    }
    return loaded;
  };
  Values numbers, loaded;
  if (codes) {
    Value bytes = load(codes->codes);
    for (int64_t place = 0; place < array.packed; ++place)
      numbers.push_back(subtractZero(k, unpack(k, codes->codes, bytes, place), codes->zero));
    return numbers;
  }
  for (const CachePlane &plane : array.planes)
    loaded.push_back(load(plane));
  for (int64_t place = 0; place < array.packed; ++place) {
    Values elements;
    for (auto [plane, bytes] : llvm::zip_equal(array.planes, loaded)) {
      if (plane.rows != 1)
        bytes = loadShared(k, plane, memory, block, next,
                           k.add(getFirstNumber(k, line), place * array.apart));
      elements.push_back(plane.isOfNumbers() ? unpack(k, plane, bytes, place) : bytes);
    }
    numbers.push_back(decode(k, elements, lanes));
  }
  return numbers;
}

Value CacheReader::loadElements(KernelBuilder &k, Value memory, Value position, int64_t element,
                                int64_t count) const {
  auto load = [&](const CachePlane &plane) -> Value {
    Value at = k.offset(memory, k.add(k.mul(position, plane.getStride()), plane.offset));
    int64_t bytes = plane.getElementBytes(), packed = plane.getPackedNumbers();
    if (plane.isTriple())
      return loadTriples(k, k.offset(at, element / packed * plane.getLineElements()));
    if (plane.isOfNumbers()) {
      // 16 numbers are one place of 16 bytes.
      int64_t line = packed == 1 ? element : element / (lanes * packed) * lanes;
      return unpack(k, plane, loadElementsOf(k, plane, k.offset(at, line * bytes), count),
                    element / lanes % packed);
    }
    // Groups that begin among these numbers have elements of their own.
    int64_t first = element / array.group, last = (element + count - 1) / array.group;
    Values ofGroups, spread;
    for (int64_t group = first; group <= last; ++group)
      ofGroups.push_back(loadElementsOf(k, plane, k.offset(at, group * bytes), 1));
    if (first == last)
      return count == 1 ? ofGroups[0] : k.broadcast(ofGroups[0], count);
    for (int64_t lane = 0; lane < count; ++lane)
      spread.push_back(ofGroups[(element + lane) / array.group - first]);
    return vector::FromElementsOp::create(k.builder, k.location,
                                          k.vector(spread[0].getType(), count), spread);
  };
  if (codes)
    return subtractZero(k, load(codes->codes), codes->zero);
  Values elements;
  for (const CachePlane &plane : array.planes)
    elements.push_back(load(plane));
  return decode(k, elements, count);
}

void CacheReader::prefetchPositions(KernelBuilder &k, Value memory, Value block, int64_t next,
                                    Value line) const {
  for (const CachePlane &plane : array.planes)
    if (plane.isOfNumbers())
      k.prefetch(getLine(k, plane, memory, block, next, k.mul(line, plane.getLineElements())));
}

void CacheReader::prefetchElements(KernelBuilder &k, Value memory, Value position, int64_t element,
                                   int64_t count, int64_t distance) const {
  for (const CachePlane &plane : array.planes) {
    if (!plane.isOfNumbers())
      continue;
    Value at = k.offset(memory, k.add(k.mul(position, plane.getStride()), plane.offset));
    int64_t bytes = plane.getElementBytes() * plane.getLineElements(),
            packed = plane.getPackedNumbers();
    for (int64_t byte = 0; byte < count * bytes / packed; byte += 64)
      k.prefetch(k.offset(at, distance + element * bytes / packed + byte));
  }
}
