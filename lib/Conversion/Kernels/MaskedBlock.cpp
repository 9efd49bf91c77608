//===- MaskedBlock.cpp - reading kept weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskedBlock.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

MaskedBlock::MaskedBlock(KernelBuilder &k, const TiledLayout &layout, Value tile, Value block)
    : k(k), layout(layout), tile(tile), block(block) {
  Value line = k.offset(tile, k.add(k.mul(block, 64), layout.planes.front().offset));
  for (int64_t word = 0; word < blockInputs / 4; ++word)
    words.push_back(k.load(k.i64(), k.offset(line, 8 * word), 8));
}

Value MaskedBlock::getAddress(const TiledPlane &plane) const {
  Value start = k.load(k.i32(), k.offset(tile, k.add(k.mul(block, 4), plane.offset)), 4);
  return k.offset(tile, k.extendUnsigned(start, k.i64()));
}

Values MaskedBlock::loadBytes(const TiledPlane &plane, Value others) const {
  VectorType bytes = k.vector(k.i8(), 64), halves = k.vector(k.i16(), 32);
  Value from = getAddress(plane), none = k.integer(bytes, 0);
  SmallVector<unsigned, 3> widths = getBitParts(plane.getBits());
  bool isWhole = widths.size() == 1;
  Values lines(words.size());
  unsigned place = 0; // of the part in the integer
  for (unsigned width : widths) {
    int64_t shared = 8 / width;
    for (int64_t first = 0; first < static_cast<int64_t>(words.size()); first += shared) {
      Value packed = k.load(bytes, from, 1), most;
      for (int64_t i = 0; i < shared; ++i) {
        Value word = words[first + i], part = packed;
        // There are no shifts of bytes: 16-bit ones, and the mask removes what comes across.
        if (width != 8)
          part = k.bitAnd(k.bitcast(k.shr(k.bitcast(packed, halves), width * i), bytes),
                          k.integer(bytes, (1 << width) - 1));
        part = k.expandBytes(part, word, isWhole ? others : none);
        Value &line = lines[first + i];
        if (place == 0)
          line = part;
        else
          line = k.bitOr(line, k.bitcast(k.shl(k.bitcast(part, halves), place), bytes));
        Value count = k.countOnes(word);
        most = most ? k.max(most, count) : count;
      }
      from = k.offset(from, most);
    }
    place += width;
  }
  if (!isWhole)
    for (auto [line, word] : llvm::zip(lines, words))
      line = k.select(k.asMask(word), line, others);
  return lines;
}

Values MaskedBlock::split(ArrayRef<Value> lines) const {
  VectorType integers = k.vector(k.i32());
  Values result;
  for (Value line : lines)
    for (int64_t i = 0; i < 4; ++i)
      result.push_back(k.bitAnd(k.shr(k.bitcast(line, integers), 8 * i), k.integer(integers, 255)));
  return result;
}

Values MaskedBlock::loadElements(const TiledPlane &plane) const {
  if (!plane.isOfCodes())
    return loadFloats(plane);
  Values codes = split(loadBytes(plane, k.integer(k.vector(k.i8(), 64), 0)));
  if (plane.isFloat())
    for (Value &code : codes)
      code = k.widenCodes(code, plane.element);
  return codes;
}

Values MaskedBlock::loadFloats(const TiledPlane &plane) const {
  Type raw = plane.element.isF32() ? k.f32() : k.i16();
  VectorType vector = k.vector(raw);
  Value from = getAddress(plane);
  Value none = plane.element.isF32() ? k.real(vector, 0) : k.integer(vector, 0);
  Values result;
  for (int64_t input = 0; input < blockInputs; ++input) {
    Value bits = k.truncate(k.shr(words[input / 4], tileRows * (input % 4)), k.i16());
    result.push_back(k.widen(k.expandLoad(from, k.asMask(bits), none), plane.element));
    Value count = k.extendUnsigned(k.countOnes(bits), k.i64());
    from = k.offset(from, k.mul(count, plane.getElementBytes()));
  }
  return result;
}

Values MaskedBlock::getMask() const {
  bool byInput = llvm::any_of(
      layout.planes, [](const TiledPlane &plane) { return plane.kept != 0 && !plane.isOfCodes(); });
  if (!byInput) {
    VectorType bytes = k.vector(k.i8(), 64);
    Values lines;
    for (Value word : words)
      lines.push_back(k.select(k.asMask(word), k.integer(bytes, 1), k.integer(bytes, 0)));
    return split(lines);
  }
  VectorType integers = k.vector(k.i32());
  Values result;
  for (int64_t input = 0; input < blockInputs; ++input) {
    Value bits = k.truncate(k.shr(words[input / 4], tileRows * (input % 4)), k.i16());
    result.push_back(k.select(k.asMask(bits), k.integer(integers, 1), k.integer(integers, 0)));
  }
  return result;
}
