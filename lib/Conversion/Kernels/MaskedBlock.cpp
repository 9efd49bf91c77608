//===- MaskedBlock.cpp - reading kept weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskedBlock.h"
#include "MaskedShuffles.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

MaskedBlock::MaskedBlock(KernelBuilder &k, const TiledLayout &layout, Value tile, Value block,
                         Value scratch)
    : k(k), layout(layout), tile(tile), block(block), scratch(scratch) {
  line = k.offset(tile, k.add(k.mul(block, 64), layout.planes.front().offset));
  for (int64_t word = 0; word < blockInputs / 4; ++word)
    words.push_back(k.load(k.i64(), k.offset(line, 8 * word), 8));
}

Value MaskedBlock::getAddress(const TiledPlane &plane) const {
  Value start = k.load(k.i32(), k.offset(tile, k.add(k.mul(block, 4), plane.offset)), 4);
  return k.offset(tile, k.extendUnsigned(start, k.i64()));
}

/// `width` bits of each byte from bit `shift` on.
static Value takePart(KernelBuilder &k, Value packed, int64_t shift, unsigned width) {
  if (width == 8)
    return packed;
  // There are no shifts of bytes: 16-bit ones, and the mask removes what comes across.
  VectorType bytes = k.vector(k.i8(), 64), halves = k.vector(k.i16(), 32);
  return k.bitAnd(k.bitcast(k.shr(k.bitcast(packed, halves), shift), bytes),
                  k.integer(bytes, (1 << width) - 1));
}

void MaskedBlock::visitParts(const TiledPlane &plane, function_ref<Value(int64_t word)> count,
                             PartVisitor visit) const {
  Value from = getAddress(plane);
  unsigned place = 0; // of the part in the integer
  for (unsigned width : getBitParts(plane.getBits())) {
    int64_t shared = 8 / width;
    for (int64_t first = 0; first < static_cast<int64_t>(words.size()); first += shared) {
      Value most;
      for (int64_t i = 0; i < shared; ++i) {
        visit({from, first + i, width, width * i, place});
        Value kept = count(first + i);
        most = most ? k.max(most, kept) : kept;
      }
      from = k.offset(from, most);
    }
    place += width;
  }
}

/// `line`, or nothing, and a part of integers from bit `place` on.
static Value addPart(KernelBuilder &k, Value line, Value part, unsigned place) {
  if (place == 0)
    return part;
  VectorType bytes = k.vector(k.i8(), 64), halves = k.vector(k.i16(), 32);
  return k.bitOr(line, k.bitcast(k.shl(k.bitcast(part, halves), place), bytes));
}

Values MaskedBlock::loadBytes(const TiledPlane &plane, Value others) const {
  if (scratch && expandsByShuffles(k.target))
    return shuffleBytes(plane, others);
  VectorType bytes = k.vector(k.i8(), 64);
  Value none = k.integer(bytes, 0);
  bool isWhole = getBitParts(plane.getBits()).size() == 1;
  Values lines(words.size());
  auto count = [&](int64_t word) { return k.countOnes(words[word]); };
  visitParts(plane, count, [&](const Part &part) {
    Value packed = takePart(k, k.load(bytes, part.from, 1), part.shift, part.width);
    Value expanded = k.expandBytes(packed, words[part.word], isWhole ? others : none);
    lines[part.word] = addPart(k, lines[part.word], expanded, part.place);
  });
  if (!isWhole)
    for (auto [line, word] : llvm::zip(lines, words))
      line = k.select(k.asMask(word), line, others);
  return lines;
}

Values MaskedBlock::shuffleBytes(const TiledPlane &plane, Value others) const {
  MaskedShuffles shuffles(k, line, scratch);
  Values lines(words.size()), places;
  auto count = [&](int64_t word) { return shuffles.count(word); };
  visitParts(plane, count, [&](const Part &part) {
    // Where they are first needed: registers hold few.
    if (places.size() == static_cast<size_t>(part.word))
      places.push_back(shuffles.getPlaces(part.word));
    Value kept = k.shuffleBytes(shuffles.load(part.word, part.from), places[part.word]);
    lines[part.word] =
        addPart(k, lines[part.word], takePart(k, kept, part.shift, part.width), part.place);
  });
  Value none = k.integer(k.vector(k.i8(), 64), 0);
  for (auto [line, place] : llvm::zip(lines, places))
    line = k.select(k.lessInteger(place, none), others, line);
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
    return loadAllFloats(plane);
  Values lines = loadBytes(plane, k.integer(k.vector(k.i8(), 64), 0));
  if (!plane.isFloat())
    return split(lines);
  Values numbers;
  for (Value line : lines)
    numbers.append(k.widenBytes(line, plane.element));
  return numbers;
}

/// Whether an instruction expands the floats of two inputs as fast as those of one.
static bool expandsPairs(const KernelTarget &target, const TiledPlane &plane) {
  return plane.getElementBytes() == 2 && target.dot != cpu::DotLowering::Plain &&
         StringRef(target.llvmFeatures).contains("+avx512vbmi2");
}

Values MaskedBlock::loadFloats(const TiledPlane &plane, FloatCursor &cursor) const {
  bool isF32 = plane.element.isF32();
  int64_t inputs = expandsPairs(k.target, plane) ? 2 : 1, count = inputs * tileRows;
  VectorType vector = k.vector(isF32 ? k.f32() : k.i16(), count);
  Value bits = k.truncate(k.shr(words[cursor.input / 4], tileRows * (cursor.input % 4)),
                          k.builder.getIntegerType(static_cast<unsigned>(count)));
  Value numbers =
      k.expandLoad(cursor.from, k.asMask(bits), isF32 ? k.real(vector, 0) : k.integer(vector, 0));
  Value kept = k.extendUnsigned(k.countOnes(bits), k.i64());
  cursor.from = k.offset(cursor.from, k.mul(kept, plane.getElementBytes()));
  cursor.input += inputs;
  if (inputs == 1)
    return {k.widen(numbers, plane.element)};
  Values result;
  for (int64_t first = 0; first < count; first += tileRows) {
    auto rows = llvm::to_vector(llvm::seq(first, first + tileRows));
    result.push_back(k.widen(k.shuffle(numbers, numbers, rows), plane.element));
  }
  return result;
}

Values MaskedBlock::loadAllFloats(const TiledPlane &plane) const {
  FloatCursor cursor = getFirstFloats(plane);
  Values result;
  while (cursor.input < blockInputs)
    result.append(loadFloats(plane, cursor));
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
