//===- CacheCodec.cpp - keys and values between registers and the cache ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheCodec.h"
#include "RegisterBuilder.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <deque>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

namespace {

/// An encoding's arithmetic on numbers that share elements of planes: as many
/// vectors as they fill, and the rest one by one.
class GroupEncoder final : public EncodeBuilder {
public:
  GroupEncoder(KernelBuilder &k, int64_t count, bool shares)
      : k(k), vectors(count / lanes), parts(vectors + count % lanes), shares(shares) {}

  /// Floats from `address` on.
  Operand load(Value address) {
    Values loaded;
    for (int64_t part = 0; part < parts; ++part)
      loaded.push_back(k.load(isVector(part) ? Type(k.vector(k.f32())) : k.f32(),
                              k.offset(address, getFirst(part) * 4), 4));
    return make(std::move(loaded));
  }
  /// `address` is that of the first number's element.
  void store(Operand operand, const CachePlane &plane, Value address);

  Operand integer(int32_t value) override { return constant(k.integer(k.i32(), value)); }
  Operand add(Operand a, Operand b) override {
    return apply({a, b}, [&](ValueRange v) { return k.add(v[0], v[1]); });
  }
  Operand subtract(Operand a, Operand b) override {
    return apply({a, b}, [&](ValueRange v) { return k.sub(v[0], v[1]); });
  }
  Operand bitAnd(Operand a, Operand b) override {
    return apply({a, b}, [&](ValueRange v) { return k.bitAnd(v[0], v[1]); });
  }
  Operand shiftRight(Operand a, unsigned bits) override {
    return apply({a}, [&](ValueRange v) { return k.shr(v[0], bits); });
  }
  Operand shiftLeft(Operand a, Operand bits) override {
    return apply({a, bits}, [&](ValueRange v) { return k.shl(v[0], v[1]); });
  }
  Operand takeBytes(Operand bytes, Operand places) override {
    return apply({bytes, places}, [&](ValueRange v) { return k.takeBytes(v[0], v[1]); });
  }
  Operand lookUpByte(Operand, Operand) override {
    llvm_unreachable("caches have no planes that are tables");
  }
  Operand lookUpInteger(ArrayRef<int32_t> table, Operand index) override {
    return apply({index}, [&](ValueRange v) { return k.lookUpInteger(table, v[0]); });
  }
  Operand selectEqual(Operand a, Operand b, Operand then, Operand otherwise) override {
    return apply({a, b, then, otherwise},
                 [&](ValueRange v) { return k.select(k.equal(v[0], v[1]), v[2], v[3]); });
  }

  Operand real(float value) override { return constant(k.real(k.f32(), value)); }
  Operand toReal(Operand integer) override {
    return apply({integer}, [&](ValueRange v) { return k.toFloat(v[0]); });
  }
  Operand multiply(Operand a, Operand b) override {
    return apply({a, b}, [&](ValueRange v) { return k.fmul(v[0], v[1]); });
  }
  Operand multiplyAdd(Operand a, Operand b, Operand c) override {
    return apply({a, b, c}, [&](ValueRange v) { return k.fadd(k.fmul(v[0], v[1]), v[2]); });
  }
  Operand lookUp(ArrayRef<float> table, Operand index) override {
    return apply({index}, [&](ValueRange v) { return k.lookUp(table, v[0]); });
  }

  Operand absolute(Operand a) override {
    return apply({a}, [&](ValueRange v) { return k.fabs(v[0]); });
  }
  Operand divide(Operand a, Operand b) override {
    return apply({a, b}, [&](ValueRange v) { return k.fdiv(v[0], v[1]); });
  }
  Operand largest(Operand a) override;
  Operand roundTo(Operand a, Type element) override {
    return apply({a}, [&](ValueRange v) {
      return element.isF32() ? v[0] : k.widen(k.narrow(v[0], element), element);
    });
  }
  Operand roundToInteger(Operand a, int32_t low, int32_t high) override {
    return apply({a}, [&](ValueRange v) {
      Type type = v[0].getType();
      Value least = k.real(type, low), most = k.real(type, high);
      Value x = k.select(k.less(least, v[0]), v[0], least);
      x = k.select(k.less(x, most), x, most);
      // 1.5 · 2^23: adding it rounds to an integer, half to even.
      Value magic = k.real(type, 0x1.8p23);
      return k.toInteger(k.fsub(k.fadd(x, magic), magic));
    });
  }

private:
  struct Numbers {
    Values parts; ///< or one number that is the same for all
    bool uniform;
  };

  static const Numbers &get(Operand operand) {
    return *static_cast<const Numbers *>(operand.getHandle());
  }
  Operand make(Values values) {
    return Operand(&numbers.emplace_back(Numbers{std::move(values), false}));
  }
  Operand constant(Value value) { return Operand(&numbers.emplace_back(Numbers{{value}, true})); }

  bool isVector(int64_t part) const { return part < vectors; }
  /// The place of a part's first number.
  int64_t getFirst(int64_t part) const {
    return isVector(part) ? part * lanes : vectors * (lanes - 1) + part;
  }
  Value getPart(Operand operand, int64_t part) {
    const Numbers &from = get(operand);
    if (!from.uniform)
      return from.parts[part];
    return isVector(part) ? k.broadcast(from.parts[0]) : from.parts[0];
  }

  Operand apply(ArrayRef<Operand> operands, function_ref<Value(ValueRange)> body) {
    Values results, arguments;
    if (llvm::all_of(operands, [](Operand operand) { return get(operand).uniform; })) {
      for (Operand operand : operands)
        arguments.push_back(get(operand).parts[0]);
      return constant(body(arguments));
    }
    for (int64_t part = 0; part < parts; ++part) {
      arguments.clear();
      for (Operand operand : operands)
        arguments.push_back(getPart(operand, part));
      results.push_back(body(arguments));
    }
    return make(std::move(results));
  }

  KernelBuilder &k;
  int64_t vectors, parts;
  bool shares;
  std::deque<Numbers> numbers; ///< grows without moving what operands point to
};

} // namespace

DecodeBuilder::Operand GroupEncoder::largest(Operand a) {
  const Numbers &from = get(a);
  if (!shares || from.uniform)
    return a;
  auto fold = [&](ArrayRef<Value> values) {
    Value result = values.front();
    for (Value value : values.drop_front())
      result = k.fmax(result, value);
    return result;
  };
  Values rest(ArrayRef(from.parts).drop_front(vectors));
  if (vectors > 0)
    rest.push_back(k.maxLanes(fold(ArrayRef(from.parts).take_front(vectors))));
  return constant(fold(rest));
}

void GroupEncoder::store(Operand operand, const CachePlane &plane, Value address) {
  unsigned bytes = plane.getElementBytes();
  int64_t stride = plane.block * bytes;
  auto toBits = [&](Value value) {
    if (plane.isFloat())
      return k.narrow(value, plane.element);
    return k.truncate(value, isa<VectorType>(value.getType()) ? Type(k.vector(k.i8())) : k.i8());
  };
  if (!plane.isOfNumbers()) {
    Value first = get(operand).parts[0];
    if (isa<VectorType>(first.getType()))
      first = k.extract(first, 0);
    return k.store(toBits(first), address, bytes);
  }
  // Vectors whose numbers share bytes follow each other.
  int64_t packed = plane.getNumbersPerElement();
  for (int64_t part = 0; part < parts; part += packed) {
    Value number = getPart(operand, part);
    for (int64_t i = 1; i < packed; ++i)
      number = k.bitOr(number, k.shl(getPart(operand, part + i), i * plane.getBits()));
    Value bits = toBits(number), to = k.offset(address, getFirst(part) / packed * stride);
    if (!isVector(part) || plane.block == 1) {
      k.store(bits, to, bytes);
      continue;
    }
    for (int64_t lane = 0; lane < lanes; ++lane)
      k.store(k.extract(bits, lane), k.offset(to, lane * stride), bytes);
  }
}

/// The address of an element of a position.
static Value getAddress(KernelBuilder &k, const CachePlane &plane, Value memory, Value position,
                        Value element) {
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
                    getAddress(k, plane, memory, position,
                               plane.isOfNumbers() ? k.div(first, array.packed) : group));
  };
  int64_t step = shares ? array.group : lanes * array.packed;
  int64_t whole = array.headSize / step, rest = array.headSize % step;
  k.loop(k.integer(0), k.integer(whole), 1,
         [&](Value group) { write(group, k.mul(group, step), step); });
  if (rest != 0)
    write(k.integer(whole), k.integer(whole * step), rest);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Elements as they are stored, widened to f32 or i32.
static Value loadElementsOf(KernelBuilder &k, const CachePlane &plane, Value address,
                            int64_t count) {
  if (plane.isFloat())
    return k.loadAsFloats(plane.element, address, count);
  if (count == 1)
    return k.extendUnsigned(k.load(k.i8(), address, 1), k.i32());
  return k.extendUnsigned(k.load(k.vector(k.i8(), count), address, 1), k.vector(k.i32(), count));
}

/// The integers in place `place` of bytes that several of them share.
static Value unpack(KernelBuilder &k, const CachePlane &plane, Value bytes, int64_t place) {
  if (plane.getNumbersPerElement() == 1)
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
  if (array.packed == 1)
    return line;
  Value run = k.mul(k.div(line, lanes), lanes * array.packed);
  return k.add(run, k.rem(line, k.integer(lanes)));
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

Values CacheReader::loadPositions(KernelBuilder &k, Value memory, Value block, int64_t next,
                                  Value line) const {
  Value group = array.planes.size() == 1 ? Value() : k.div(line, getLinesPerGroup());
  auto load = [&](const CachePlane &plane) {
    return loadElementsOf(
        k, plane, getLine(k, plane, memory, block, next, plane.isOfNumbers() ? line : group),
        lanes);
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
    for (auto [plane, bytes] : llvm::zip_equal(array.planes, loaded))
      elements.push_back(plane.isOfNumbers() ? unpack(k, plane, bytes, place) : bytes);
    numbers.push_back(decode(k, elements, lanes));
  }
  return numbers;
}

Value CacheReader::loadElements(KernelBuilder &k, Value memory, Value position, int64_t element,
                                int64_t count) const {
  auto load = [&](const CachePlane &plane) -> Value {
    Value at = k.offset(memory, k.add(k.mul(position, plane.getStride()), plane.offset));
    int64_t bytes = plane.getElementBytes(), packed = plane.getNumbersPerElement();
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
      k.prefetch(getLine(k, plane, memory, block, next, line));
}

void CacheReader::prefetchElements(KernelBuilder &k, Value memory, Value position, int64_t element,
                                   int64_t count, int64_t distance) const {
  for (const CachePlane &plane : array.planes) {
    if (!plane.isOfNumbers())
      continue;
    Value at = k.offset(memory, k.add(k.mul(position, plane.getStride()), plane.offset));
    int64_t bytes = plane.getElementBytes(), packed = plane.getNumbersPerElement();
    for (int64_t byte = 0; byte < count * bytes / packed; byte += 64)
      k.prefetch(k.offset(at, distance + element * bytes / packed + byte));
  }
}
