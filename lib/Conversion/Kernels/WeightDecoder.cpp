//===- WeightDecoder.cpp - reading tiled weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightDecoder.h"
#include "MaskedBlock.h"
#include "MaskedShuffles.h"
#include "RegisterBuilder.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/CPU/IR/CPU.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/xxhash.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

void llmc::loadKernelDialects(MLIRContext *context) {
  context->loadDialect<LLMCDialect, cpu::CPUDialect, LLVM::LLVMDialect, arith::ArithDialect,
                       scf::SCFDialect, vector::VectorDialect, func::FuncDialect>();
}

std::string llmc::explainUnsupported(RankedTensorType weight) {
  if (!weight.getEncoding() || isa<EncodingInterface>(weight.getEncoding()))
    return "";
  std::string reason;
  llvm::raw_string_ostream(reason)
      << "cannot generate kernels for encoding " << weight.getEncoding();
  return reason;
}

std::unique_ptr<WeightDecoder> llmc::getWeightDecoder(RankedTensorType type) {
  if (!isa_and_nonnull<EncodingInterface>(type.getEncoding()))
    return nullptr;
  return std::make_unique<WeightDecoder>(TiledLayout::get(type));
}

std::unique_ptr<WeightDecoder> llmc::getDecoderWithoutList(RankedTensorType type) {
  if (!isa_and_nonnull<EncodingInterface>(type.getEncoding()))
    return nullptr;
  return std::make_unique<WeightDecoder>(TiledLayout::get(type).withoutList());
}

Value llmc::getTileAddress(KernelBuilder &k, const TiledLayout &layout, Value matrix, Value tile) {
  return k.offset(matrix, k.add(k.mul(tile, layout.tileBytes), layout.tableBytes));
}

int64_t llmc::getDecoderScratchBytes(const TiledLayout &layout) {
  return layout.isMasked() ? MaskedShuffles::scratchBytes : 0;
}

std::string llmc::getEncodingName(Attribute encoding) {
  std::string text = spellForPeople(encoding), name;
  for (char letter : text)
    if (llvm::isAlnum(letter))
      name += letter;
  return name + "_" + llvm::utohexstr(llvm::xxh3_64bits(text) & 0xffffffff);
}

std::string llmc::getWeightName(RankedTensorType type) {
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << type.getDimSize(0) << "x" << type.getDimSize(1) << "_";
  if (Attribute encoding = type.getEncoding())
    stream << getEncodingName(encoding);
  else
    stream << type.getElementType();
  return name;
}

//===----------------------------------------------------------------------===//
// Planes in registers
//===----------------------------------------------------------------------===//

/// Loads the lines of a block of a plane in parts, and calls `visit(line, its first element, width
/// of its part, place of the part in the integer)` for each.
template <typename Visit>
static void visitLines(KernelBuilder &k, const TiledPlane &plane, Value tile, Value block,
                       VectorType type, Visit visit) {
  Value lines = k.offset(tile, k.add(k.mul(block, plane.getBlockBytes()), plane.offset));
  int64_t offset = 0;
  unsigned place = 0;
  for (unsigned width : getBitParts(plane.getBits())) {
    for (int64_t line = 0; line < plane.getLines(width); ++line)
      visit(k.load(type, k.offset(lines, offset + line * 64), 1), line * (blockInputs / width),
            width, place);
    offset += plane.getLines(width) * 64;
    place += width;
  }
}

/// The integers of a plane in parts that a block has: a vector of the 16 rows for each.
static Values loadIntegers(KernelBuilder &k, const TiledPlane &plane, Value tile, Value block) {
  VectorType words = k.vector(k.i32());
  Values integers(plane.getElementsPerBlock());
  // The four elements of a row that stand side by side are in one 32-bit lane.
  visitLines(k, plane, tile, block, words,
             [&](Value packed, int64_t first, unsigned width, unsigned place) {
               int64_t end = std::min<int64_t>(first + blockInputs / width, integers.size());
               for (int64_t element = first; element < end; ++element) {
                 int64_t inLine = element - first;
                 Value part = k.bitAnd(k.shr(packed, 8 * (inLine % 4) + width * (inLine / 4)),
                                       k.integer(words, (1 << width) - 1));
                 Value &integer = integers[element];
                 integer = place == 0 ? part : k.bitOr(integer, k.shl(part, place));
               }
             });
  return integers;
}

/// The same as vectors of 64 bytes, four elements of each row in one.
static Values loadBytes(KernelBuilder &k, const TiledPlane &plane, Value tile, Value block) {
  VectorType bytes = k.vector(k.i8(), 64), halves = k.vector(k.i16(), 32);
  Values integers(plane.getElementsPerBlock() / 4);
  visitLines(k, plane, tile, block, bytes,
             [&](Value packed, int64_t first, unsigned width, unsigned place) {
               int64_t steps = 8 / width;
               for (int64_t j = 0; j < steps; ++j) {
                 // There are no shifts of bytes: 16-bit ones, and the mask removes what comes
                 // across.
                 Value part =
                     width == 8
                         ? packed
                         : k.bitAnd(k.bitcast(k.shr(k.bitcast(packed, halves), width * j), bytes),
                                    k.integer(bytes, (1 << width) - 1));
                 Value &integer = integers[first / 4 + j];
                 if (place == 0)
                   integer = part;
                 else
                   // The part fits above the bits that are there, inside its byte.
                   integer =
                       k.bitOr(integer, k.bitcast(k.shl(k.bitcast(part, halves), place), bytes));
               }
             });
  return integers;
}

/// The windows of a stream that a block has, as vectors of 64 bytes: those of four weights of each
/// row in one.
static Values loadWindows(KernelBuilder &k, const TiledPlane &plane, Value tile, Value block) {
  VectorType words = k.vector(k.i32());
  constexpr int64_t lineBits = 32;
  int64_t blockBits = plane.getStart(blockInputs);
  Value first = k.offset(tile, k.add(k.mul(block, plane.getBlockBytes()), plane.offset));
  // The line before holds what the first windows of the block begin with; before the first block
  // there are zeros.
  // A block's last line may have 16 bits of each row.
  auto loadHalf = [&](Value address) {
    return k.extendUnsigned(k.load(k.vector(k.i16()), address, 1), words);
  };
  bool endsInHalf = blockBits % lineBits != 0;
  Value isFirst = k.equal(block, k.integer(0));
  Value place = k.offset(first, k.select(isFirst, k.integer(0), k.integer(endsInHalf ? -32 : -64)));
  Value before = endsInHalf ? k.shl(loadHalf(place), 16) : k.load(words, place, 1);
  Values lines{k.select(isFirst, k.integer(words, 0), before)};
  for (int64_t line = 0; line < blockBits / lineBits; ++line)
    lines.push_back(k.load(words, k.offset(first, line * 64), 1));
  if (endsInHalf)
    lines.push_back(loadHalf(k.offset(first, blockBits / lineBits * 64)));
  Values windows;
  for (int64_t weight = 0; weight < blockInputs; weight += 4) {
    int64_t start = lineBits + plane.getStart(weight + 1) - plane.window, line = start / lineBits;
    SmallVector<int64_t> starts;
    for (int64_t next = weight + 1; next <= weight + 4; ++next)
      starts.push_back(lineBits * (1 - line) + plane.getStart(next) - plane.window);
    bool crosses = starts.back() + plane.window > lineBits;
    windows.push_back(k.windows(lines[line], lines[crosses ? line + 1 : line], starts));
  }
  return windows;
}

/// The same as 32-bit integers: a vector of the 16 rows for each weight.
static Values loadStream(KernelBuilder &k, const TiledPlane &plane, Value tile, Value block) {
  VectorType words = k.vector(k.i32());
  Values integers;
  for (Value four : loadWindows(k, plane, tile, block))
    for (int64_t byte = 0; byte < 4; ++byte)
      integers.push_back(k.bitAnd(k.shr(k.bitcast(four, words), 8 * byte), k.integer(words, 255)));
  return integers;
}

/// The address of the table of all rows, or of the tables of a tile's.
static Value getTableAddress(KernelBuilder &k, const TiledPlane &table, TilePlace place) {
  return k.offset(table.isSharedTable() ? place.matrix : place.tile, table.offset);
}

Value llmc::loadElement(KernelBuilder &k, const TiledPlane &plane, Value tile, Value index,
                        Value row) {
  int64_t bytes = plane.getElementBytes();
  Value place = k.mul(index, bytes * tileRows);
  if (row)
    place = k.add(place, k.mul(row, bytes));
  Value address = k.offset(tile, k.add(place, plane.offset));
  if (plane.isFloat())
    return k.loadAsFloats(plane.element, address, row ? 1 : lanes);
  Type stored = bytes == 1 ? k.i8() : k.i16();
  Value integers = k.load(row ? stored : k.vector(stored), address, bytes);
  return k.extendUnsigned(integers, row ? k.i32() : k.vector(k.i32()));
}

/// What is listed for the weights of a block: a vector of the 16 rows for each.
static Values loadListed(KernelBuilder &k, const TiledPlane *list, Value tile, Value block) {
  VectorType words = k.vector(k.i32());
  Value first = k.broadcast(k.truncate(k.mul(block, blockInputs), k.i32()));
  return k.loop(k.integer(0), k.integer(list->listed), 1,
                Values(blockInputs, k.real(k.vector(k.f32()), 0.0)),
                [&](Value element, ValueRange sums) {
                  Value column = k.sub(loadElement(k, list[0], tile, element), first);
                  Value number = loadElement(k, list[1], tile, element);
                  Values next;
                  for (int64_t n = 0; n < blockInputs; ++n)
                    next.push_back(k.select(k.equal(column, k.integer(words, n)),
                                            k.fadd(sums[n], number), sums[n]));
                  return next;
                });
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

namespace {

/// What the planes of a tile have for the units of a block.
class BlockElements {
public:
  BlockElements(KernelBuilder &k, const TiledLayout &layout, TilePlace place, Value block)
      : k(k), layout(layout), tile(place.tile), firstInput(k.mul(block, blockInputs)),
        unit(EncodingInterface(layout.encoding).getUnit()) {
    std::optional<MaskedBlock> masked;
    if (layout.isMasked())
      masked.emplace(k, layout, tile, block, place.scratch);
    for (const TiledPlane &plane : layout.planes) {
      if (plane.isMask)
        loaded.push_back(masked->getMask());
      else if (plane.kept != 0)
        loaded.push_back(masked->loadElements(plane));
      else if (plane.listed != 0)
        loaded.push_back(plane.isFloat() ? loadListed(k, layout.getPositions(), tile, block)
                                         : Values());
      else if (plane.isTable())
        loaded.push_back({getTableAddress(k, plane, place)});
      else if (plane.isStream())
        loaded.push_back(loadStream(k, plane, tile, block));
      else
        loaded.push_back(plane.inParts ? loadBlock(plane, block) : Values(1));
    }
  }

  int64_t getUnit() const { return unit; }

  void describeTables(RegisterBuilder &builder) const {
    for (auto [index, plane] : llvm::enumerate(layout.planes))
      if (plane.isTable())
        builder.describeTable(loaded[index][0], plane.count, plane.rows == 1);
  }

  /// The elements of the unit that starts at an input of the block, plane by plane. Inputs are
  /// taken in ascending order.
  SmallVector<DecodeBuilder::Operands> get(int64_t input) {
    SmallVector<DecodeBuilder::Operands> elements;
    for (auto [index, plane] : llvm::enumerate(layout.planes)) {
      auto &ofPlane = elements.emplace_back();
      if (plane.listed != 0) {
        if (plane.isFloat())
          ofPlane.push_back(RegisterBuilder::make(loaded[index][input]));
        continue;
      }
      int64_t step = plane.columns == Plane::all ? unit : std::min(plane.columns, unit);
      for (int64_t place = 0; place < unit; place += step)
        ofPlane.push_back(RegisterBuilder::make(getElement(index, input + place)));
    }
    return elements;
  }

private:
  Values loadBlock(const TiledPlane &plane, Value block) {
    if (plane.isFloat() && plane.getBits() > 4 && plane.columns == 1) {
      Values numbers;
      for (Value bytes : loadBytes(k, plane, tile, block))
        numbers.append(k.widenBytes(bytes, plane.element));
      return numbers;
    }
    Values codes = loadIntegers(k, plane, tile, block);
    if (plane.isFloat())
      for (Value &code : codes)
        code = k.widenCodes(code, plane.element);
    return codes;
  }

  Value getElement(unsigned index, int64_t input) {
    const TiledPlane &plane = layout.planes[index];
    if (plane.isTable())
      return loaded[index][0];
    if (plane.isInBlocks() || plane.isMask || plane.kept != 0)
      return loaded[index][input / plane.columns];
    // Inside of a block groups end at multiples of this many inputs alone.
    if (input % std::gcd(plane.inputs, blockInputs) == 0) {
      // Beyond the last input there are no scales: the last group's stand in, times zero.
      Value group = k.div(k.add(firstInput, input), plane.inputs);
      if (plane.inputs % blockInputs != 0)
        group = k.min(group, k.integer(plane.elements - 1));
      loaded[index][0] = loadElement(k, plane, tile, group);
    }
    return loaded[index][0];
  }

  KernelBuilder &k;
  const TiledLayout &layout;
  Value tile, firstInput;
  int64_t unit;
  SmallVector<Values> loaded; ///< the block's elements, or the one of the input in hand
};

} // namespace

WeightDecoder::WeightDecoder(const TiledLayout &layout) : layout(layout) {
  if (std::optional<LinearCodes> linear = this->layout.encoding.getLinearCodes())
    codes.emplace(layout, *linear);
}

Values WeightDecoder::decodeBlock(KernelBuilder &k, TilePlace place, Value block) const {
  if (codes && codes->isFound() && !codes->hasZeros() && codes->explainUnsupported().empty())
    return codes->decodeFound(k, place, block);
  RegisterBuilder builder(k);
  BlockElements elements(k, layout, place, block);
  elements.describeTables(builder);
  EncodingInterface encoding = layout.encoding;
  Values decoded;
  for (int64_t input = 0; input < blockInputs; input += elements.getUnit())
    for (DecodeBuilder::Operand value : encoding.decode(builder, elements.get(input)))
      decoded.push_back(RegisterBuilder::toValue(value));
  return decoded;
}

//===----------------------------------------------------------------------===//
// Linear codes
//===----------------------------------------------------------------------===//

std::string CodeDecoder::explainUnsupported() const {
  int64_t inputs = scales().inputs;
  if (inputs % blockInputs != 0)
    return "rounded activations need groups of a multiple of 32 weights, found " +
           std::to_string(inputs);
  for (std::optional<unsigned> other : {linear.zeros, linear.minima})
    if (other && layout.planes[*other].inputs != inputs)
      return "rounded activations need zero points of groups of " + std::to_string(inputs) +
             " weights, as scales have, found " + std::to_string(layout.planes[*other].inputs);
  return "";
}

/// Codes of kept weights, and the code of zero where there are none.
Values CodeDecoder::loadKept(KernelBuilder &k, TilePlace place, Value block) const {
  VectorType bytes = k.vector(k.i8(), 64);
  Value others = k.integer(bytes, linear.zero);
  if (linear.zeros) {
    // That of a row four times, side by side.
    const TiledPlane &zeros = layout.planes[*linear.zeros];
    Value group = k.div(block, getBlocksPerScale());
    Value address = k.offset(place.tile, k.add(k.mul(group, tileRows), zeros.offset));
    Value ofRows = k.load(k.vector(k.i8()), address, 1);
    SmallVector<int64_t> places;
    for (int64_t byte = 0; byte < 64; ++byte)
      places.push_back(byte / 4);
    others = k.shuffle(ofRows, ofRows, places);
  }
  return MaskedBlock(k, layout, place.tile, block, place.scratch).loadBytes(codes(), others);
}

/// Looks each byte of the codes' plane up.
static Values findCodes(KernelBuilder &k, const TiledPlane &places, const TiledPlane &table,
                        TilePlace place, Value block) {
  Value numbers = getTableAddress(k, table, place);
  Values found = places.isStream() ? loadWindows(k, places, place.tile, block)
                                   : loadBytes(k, places, place.tile, block);
  for (Value &bytes : found)
    bytes = k.lookUpBytes(numbers, bytes, table.count, table.rows == 1);
  return found;
}

Values CodeDecoder::loadCodes(KernelBuilder &k, TilePlace place, Value block) const {
  if (linear.masked)
    return loadKept(k, place, block);
  if (linear.table)
    return findCodes(k, codes(), layout.planes[*linear.table], place, block);
  if (!linear.packed)
    return loadBytes(k, codes(), place.tile, block);
  RegisterBuilder builder(k);
  BlockElements elements(k, layout, place, block);
  EncodingInterface encoding = layout.encoding;
  Values lines;
  for (int64_t input = 0; input < blockInputs; input += elements.getUnit())
    for (DecodeBuilder::Operand quad : encoding.decodeCodes(builder, elements.get(input)))
      lines.push_back(k.bitcast(RegisterBuilder::toValue(quad), k.vector(k.i8(), 64)));
  return lines;
}

bool CodeDecoder::isGathered(const KernelTarget &target) const {
  auto sparse = dyn_cast<SparseAttr>(layout.encoding);
  return linear.packed && sparse && sparse.getCount() == 2 && sparse.getOf() == 4 &&
         codes().inParts && target.dot != cpu::DotLowering::Plain;
}

/// Positions of a group of four weights are 4 bits, which stand as bytes: those of groups 4l … 4l +
/// 3 of the rows in vector l. Vector 2l + h of codes has, in bytes 0 and 1 of each row, what is
/// kept of group 4l + 2h, in bytes 2 and 3 that of the next one.
CodeDecoder::Gathered CodeDecoder::loadGathered(KernelBuilder &k, TilePlace place,
                                                Value block) const {
  Gathered result;
  result.codes = loadBytes(k, codes(), place.tile, block);
  VectorType halves = k.vector(k.i16(), 32), bytes = k.vector(k.i8(), 64);
  constexpr int64_t windowInputs = 16;
  for (auto [window, positions] :
       llvm::enumerate(loadBytes(k, layout.planes.front(), place.tile, block)))
    for (int64_t half = 0; half < 2; ++half) {
      SmallVector<int8_t> groups, starts, first, second;
      for (int64_t byte = 0; byte < 64; ++byte) {
        int64_t group = 2 * half + byte % 4 / 2;
        groups.push_back(static_cast<int8_t>(byte % 16 / 4 * 4 + group));
        starts.push_back(static_cast<int8_t>(4 * group));
        first.push_back(byte % 2 == 0 ? 3 : 0);
        second.push_back(byte % 2 == 0 ? 0 : 3);
      }
      // The first position is in the low two bits.
      Value both = k.shuffleBytes(positions, k.bytes(groups));
      Value upper = k.bitcast(k.shr(k.bitcast(both, halves), 2), bytes);
      Value taken = k.bitOr(k.bitAnd(both, k.bytes(first)), k.bitAnd(upper, k.bytes(second)));
      result.places.push_back(k.bitOr(taken, k.bytes(starts)));
      result.windows.push_back(windowInputs * static_cast<int64_t>(window));
    }
  return result;
}

/// Four weights are looked up at a time, where decode() would look up each by itself.
Values CodeDecoder::decodeFound(KernelBuilder &k, TilePlace place, Value block) const {
  VectorType words = k.vector(k.i32());
  Scales ofGroup = loadScales(k, place, k.div(block, getBlocksPerScale()));
  Values decoded;
  for (Value four : loadCodes(k, place, block))
    for (int64_t byte = 0; byte < 4; ++byte) {
      Value code = k.bitAnd(k.shr(k.bitcast(four, words), 8 * byte), k.integer(words, 255));
      Value number = k.toFloat(k.sub(code, k.integer(words, linear.zero)));
      decoded.push_back(k.fmul(number, ofGroup.scales));
    }
  return decoded;
}

std::pair<Value, Value> CodeDecoder::loadEight(KernelBuilder &k, Value tile, Value block, Value row,
                                               Value eighth) const {
  constexpr int64_t inputs = 8, lineBytes = 64;
  const TiledPlane &plane = codes();
  Value ofRow = k.add(k.mul(block, plane.getBlockBytes()), k.mul(row, 4));
  Value lines = k.offset(tile, k.add(ofRow, plane.offset));
  Value first = k.mul(eighth, inputs);
  std::pair<Value, Value> result;
  int64_t offset = 0, place = 0;
  for (int64_t width : getBitParts(plane.getBits())) {
    int64_t inLine = blockInputs / width;
    Value at = k.offset(lines, k.add(k.mul(k.div(first, inLine), lineBytes), offset));
    Value low = k.load(k.i32(), at, 4), high;
    if (inLine < inputs) {
      high = k.load(k.i32(), k.offset(at, lineBytes), 4);
    } else {
      // Four elements of a row stand side by side, the next four `width` bits above.
      Value fours = k.div(k.rem(first, k.integer(inLine)), 4);
      low = k.shr(low, k.truncate(k.mul(fours, width), k.i32()));
      Value mask = k.integer(k.i32(), ((1 << width) - 1) * 0x01010101);
      high = k.bitAnd(k.shr(low, width), mask);
      low = k.bitAnd(low, mask);
    }
    result.first = place == 0 ? low : k.bitOr(result.first, k.shl(low, place));
    result.second = place == 0 ? high : k.bitOr(result.second, k.shl(high, place));
    offset += plane.getLines(width) * lineBytes;
    place += width;
  }
  return result;
}

CodeDecoder::Scales CodeDecoder::loadScales(KernelBuilder &k, TilePlace place, Value group,
                                            Value row) const {
  auto load = [&](const TiledPlane &plane) {
    return loadElement(k, plane, place.tile, group, row);
  };
  Scales result{load(scales()), {}};
  if (linear.zeros)
    result.zeros = k.toFloat(load(layout.planes[*linear.zeros]));
  else if (linear.minima)
    result.zeros = load(layout.planes[*linear.minima]);
  return result;
}

Value CodeDecoder::finishDot(KernelBuilder &k, Value dot, const Scales &weights, Value scale,
                             Value codeSum) const {
  // What zero stands for is taken off while all numbers are still integers.
  Value zero = k.integer(dot.getType(), linear.zero);
  if (linear.zeros)
    zero = k.toInteger(weights.zeros);
  Value exact = k.toFloat(k.sub(dot, k.mul(zero, k.toInteger(codeSum))));
  Value sum = k.fmul(exact, k.fmul(weights.scales, scale));
  return linear.minima ? k.fma(weights.zeros, k.fmul(scale, codeSum), sum) : sum;
}

Value CodeDecoder::getExact(KernelBuilder &k, Value dot, const Scales &weights,
                            Value codeSum) const {
  // Codes are unsigned; what zero stands for is taken off. All numbers are integers below 2^24
  // (32 · 255 · 127), so floats hold them exactly.
  Value exact = k.toFloat(dot);
  if (linear.zeros)
    return k.fma(k.fneg(weights.zeros), codeSum, exact);
  if (linear.zero != 0)
    return k.fma(k.real(exact.getType(), -static_cast<double>(linear.zero)), codeSum, exact);
  return exact;
}

Value CodeDecoder::addExact(KernelBuilder &k, Value exact, const Scales &weights, Value scale,
                            Value offset, Value sum) const {
  sum = k.fma(exact, k.fmul(weights.scales, scale), sum);
  return linear.minima ? k.fma(weights.zeros, offset, sum) : sum;
}

Value CodeDecoder::addDot(KernelBuilder &k, Value dot, const Scales &weights, Value scale,
                          Value codeSum, Value sum) const {
  Value offset = linear.minima ? k.fmul(scale, codeSum) : Value();
  return addExact(k, getExact(k, dot, weights, codeSum), weights, scale, offset, sum);
}
