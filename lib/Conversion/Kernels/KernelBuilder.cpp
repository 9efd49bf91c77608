//===- KernelBuilder.cpp - what every emitter of kernels builds with ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "llmc/Dialect/CPU/IR/CPU.h"
#include "llmc/Dialect/LLMC/IR/SmallFloat.h"
#include "llmc/program.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/xxhash.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

/// `element` as often as a value has it.
static Type withElement(Value value, Type element) {
  if (auto shaped = dyn_cast<VectorType>(value.getType()))
    return shaped.clone(element);
  return element;
}

KernelBuilder::KernelBuilder(ModuleOp module, StringRef name, StringRef arguments,
                             const KernelTarget &target)
    : target(target), builder(module.getContext()), location(module.getLoc()) {
  SmallVector<Type> types;
  for (char letter : arguments)
    types.push_back(letter == 'p' ? pointer() : i64());
  builder.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(builder, location, name, builder.getFunctionType(types, {}));
  function.setPrivate();
  builder.setInsertionPointToStart(function.addEntryBlock());
}

func::FuncOp KernelBuilder::finish() {
  func::ReturnOp::create(builder, location);
  return function;
}

Type KernelBuilder::i8() { return builder.getI8Type(); }
Type KernelBuilder::i16() { return builder.getI16Type(); }
Type KernelBuilder::i32() { return builder.getI32Type(); }
Type KernelBuilder::i64() { return builder.getI64Type(); }
Type KernelBuilder::f32() { return builder.getF32Type(); }
Type KernelBuilder::f64() { return builder.getF64Type(); }
Type KernelBuilder::pointer() { return LLVM::LLVMPointerType::get(builder.getContext()); }
VectorType KernelBuilder::vector(Type element, int64_t count) {
  return VectorType::get({count}, element);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value KernelBuilder::integer(int64_t value) { return integer(i64(), value); }

Value KernelBuilder::integer(Type type, int64_t value) {
  TypedAttr attribute = builder.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vectorType = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vectorType, attribute);
  return arith::ConstantOp::create(builder, location, attribute);
}

Value KernelBuilder::real(Type type, double value) {
  TypedAttr attribute = builder.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto vectorType = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vectorType, attribute);
  return arith::ConstantOp::create(builder, location, attribute);
}

Value KernelBuilder::bytes(ArrayRef<int8_t> numbers) {
  VectorType type = vector(i8(), static_cast<int64_t>(numbers.size()));
  return arith::ConstantOp::create(builder, location, DenseElementsAttr::get(type, numbers));
}

std::string llmc::spellBits(float value) {
  return llvm::utohexstr(llvm::bit_cast<uint32_t>(value));
}

uint64_t llmc::hashNumbers(ArrayRef<float> numbers) {
  return llvm::xxh3_64bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(numbers.data()), numbers.size() * sizeof(float)));
}

Value KernelBuilder::table(ArrayRef<float> numbers) {
  auto type = RankedTensorType::get({static_cast<int64_t>(numbers.size())}, f32());
  return table(DenseElementsAttr::get(type, numbers));
}

Value KernelBuilder::table(DenseElementsAttr numbers) {
  ArrayRef<char> data = numbers.getRawData();
  int64_t count = numbers.getNumElements();
  Type element = numbers.getElementType();
  std::string name = "table_";
  // One number may stand for all.
  if (numbers.isSplat() && count > 1)
    name += std::to_string(count) + "x";
  if (!element.isF32())
    llvm::raw_string_ostream(name) << element << "_";
  name += llvm::utohexstr(
      llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(data.data()), data.size())));
  auto module = function->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(builder, location, LLVM::LLVMArrayType::get(element, count),
                           /*isConstant=*/true, LLVM::Linkage::Internal, name,
                           numbers.reshape(RankedTensorType::get({count}, element)),
                           element.getIntOrFloatBitWidth() / 8);
  }
  return LLVM::AddressOfOp::create(builder, location, pointer(), name);
}

//===----------------------------------------------------------------------===//
// Integers and addresses
//===----------------------------------------------------------------------===//

Value KernelBuilder::add(Value a, Value b) {
  return arith::AddIOp::create(builder, location, a, b);
}
Value KernelBuilder::sub(Value a, Value b) {
  return arith::SubIOp::create(builder, location, a, b);
}
Value KernelBuilder::mul(Value a, Value b) {
  return arith::MulIOp::create(builder, location, a, b);
}
Value KernelBuilder::div(Value a, Value b) {
  return arith::DivUIOp::create(builder, location, a, b);
}
Value KernelBuilder::rem(Value a, Value b) {
  return arith::RemUIOp::create(builder, location, a, b);
}
Value KernelBuilder::min(Value a, Value b) {
  return arith::MinSIOp::create(builder, location, a, b);
}
Value KernelBuilder::max(Value a, Value b) {
  return arith::MaxSIOp::create(builder, location, a, b);
}
Value KernelBuilder::add(Value a, int64_t b) { return add(a, integer(a.getType(), b)); }
Value KernelBuilder::mul(Value a, int64_t b) { return mul(a, integer(a.getType(), b)); }
Value KernelBuilder::div(Value a, int64_t b) { return div(a, integer(a.getType(), b)); }
Value KernelBuilder::bitAnd(Value a, Value b) {
  return arith::AndIOp::create(builder, location, a, b);
}
Value KernelBuilder::bitOr(Value a, Value b) {
  return arith::OrIOp::create(builder, location, a, b);
}
Value KernelBuilder::shl(Value a, int64_t b) {
  return b == 0 ? a : arith::ShLIOp::create(builder, location, a, integer(a.getType(), b));
}
Value KernelBuilder::shl(Value a, Value b) {
  return arith::ShLIOp::create(builder, location, a, b);
}
Value KernelBuilder::shr(Value a, int64_t b) {
  return b == 0 ? a : arith::ShRUIOp::create(builder, location, a, integer(a.getType(), b));
}

Value KernelBuilder::shr(Value a, Value b) {
  return arith::ShRUIOp::create(builder, location, a, b);
}

Value KernelBuilder::offset(Value base, Value bytes) {
  return LLVM::GEPOp::create(builder, location, pointer(), i8(), base,
                             ArrayRef<LLVM::GEPArg>{bytes});
}
Value KernelBuilder::offset(Value base, int64_t bytes) {
  return bytes == 0 ? base : offset(base, integer(bytes));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value KernelBuilder::load(Type type, Value address, unsigned alignment) {
  return LLVM::LoadOp::create(builder, location, type, address, alignment);
}
void KernelBuilder::store(Value value, Value address, unsigned alignment) {
  LLVM::StoreOp::create(builder, location, value, address, alignment);
}

Value KernelBuilder::gather(Type element, Value base, Value indices) {
  Values numbers;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Value index = extendUnsigned(extract(indices, lane), i64());
    numbers.push_back(load(element, offset(base, mul(index, element.getIntOrFloatBitWidth() / 8))));
  }
  return vector::FromElementsOp::create(builder, location, vector(element), numbers);
}

Value KernelBuilder::loadAsFloats(Type element, Value address, int64_t count) {
  bool scalar = count == 1;
  if (isByteFloat(element)) {
    Value codes = load(scalar ? i8() : Type(vector(i8(), count)), address, 1);
    return widenCodes(extendUnsigned(codes, scalar ? i32() : Type(vector(i32(), count))), element);
  }
  Type raw = element.isF32() ? f32() : i16();
  return widen(load(scalar ? raw : Type(vector(raw, count)), address, element.isF32() ? 4 : 2),
               element);
}

Value KernelBuilder::widen(Value bits, Type element) {
  if (element.isF32())
    return bits;
  auto like = [&](Type type) -> Type {
    auto shaped = dyn_cast<VectorType>(bits.getType());
    return shaped ? Type(vector(type, shaped.getNumElements())) : type;
  };
  if (element.isBF16())
    return bitcast(shl(extendUnsigned(bits, like(i32())), 16), like(f32()));
  if (target.halfConversion)
    return arith::ExtFOp::create(builder, location, like(f32()),
                                 bitcast(bits, like(builder.getF16Type())));
  // Shifted into place the exponent is 112 too small, which a multiplication by 2^112 mends,
  // subnormal numbers included. Weights and caches hold no infinities and no NaN.
  Value wide = extendUnsigned(bits, like(i32()));
  Value magnitude = shl(bitAnd(wide, integer(like(i32()), 0x7fff)), 13);
  Value sign = shl(bitAnd(wide, integer(like(i32()), 0x8000)), 16);
  Value value = fmul(bitcast(magnitude, like(f32())), real(like(f32()), 0x1p112));
  return bitcast(bitOr(bitcast(value, like(i32())), sign), like(f32()));
}

Value KernelBuilder::widenCodes(Value codes, Type element) {
  Type integers = codes.getType(), floats = withElement(codes, f32());
  if (isa<Float8E8M0FNUType>(element)) {
    // The code is an exponent of f32; of the least, 2^-127, there the fraction says so.
    Value least = integer(integers, 0x00400000), zero = integer(integers, 0);
    return bitcast(select(equal(codes, zero), least, shl(codes, 23)), floats);
  }
  SmallFloat small = *SmallFloat::get(element);
  if (small.bits == 4) {
    SmallVector<float> numbers;
    for (unsigned code = 0; code < 16; ++code)
      numbers.push_back(small.decode(code));
    return lookUp(numbers, codes);
  }
  // A half with the same exponent and fraction is too small by a power of two, subnormal numbers
  // included: none of what weights are has infinities or NaN.
  unsigned magnitudeBits = small.bits - 1;
  Value magnitude = bitAnd(codes, integer(integers, (1 << magnitudeBits) - 1));
  Value sign = bitAnd(codes, integer(integers, 1 << magnitudeBits));
  Value half = bitOr(shl(magnitude, 10 - small.fractionBits), shl(sign, 15 - magnitudeBits));
  Value value = widen(truncate(half, withElement(codes, i16())), builder.getF16Type());
  int exponent = small.leastExponent + 14; // of a half's least normal number it is −14
  return exponent == 0 ? value : fmul(value, real(floats, std::ldexp(1.0, exponent)));
}

/// A byte of the bf16 numbers that the first codes of a type stand for, each of 64 or 128.
static Value getBytesOfNumbers(KernelBuilder &k, const SmallFloat &type, int64_t count,
                               unsigned byte) {
  constexpr int64_t readable = 256; // whatever the size of a table
  SmallVector<int8_t> numbers(readable, 0);
  for (int64_t code = 0; code < count; ++code)
    numbers[code] = static_cast<int8_t>(
        llvm::bit_cast<uint32_t>(type.decode(static_cast<unsigned>(code))) >> (16 + 8 * byte));
  auto shape = RankedTensorType::get({readable}, k.i8());
  return k.table(DenseElementsAttr::get(shape, ArrayRef(numbers)));
}

KernelBuilder::Values KernelBuilder::widenBytes(Value codes, Type element) {
  VectorType words = vector(i32()), halves = vector(i16(), 32), bytes = vector(i8(), 64);
  SmallFloat small = *SmallFloat::get(element);
  Values result;
  if (small.bits == 4 || !(target.features & LLMC_FEATURE_AVX512VBMI)) {
    for (int64_t byte = 0; byte < 4; ++byte) {
      Value code = bitAnd(shr(bitcast(codes, words), 8 * byte), integer(words, 255));
      result.push_back(widenCodes(code, element));
    }
    return result;
  }
  // A bf16 holds each number, and 128 bytes are one look-up: of codes of 8 bits the sign, which is
  // that of the number, stays out of it.
  int64_t count = small.bits == 8 ? 128 : int64_t(1) << small.bits;
  Value indices = small.bits == 8 ? bitAnd(codes, integer(bytes, 127)) : codes;
  Value low = lookUpBytes(getBytesOfNumbers(*this, small, count, 0), indices, count, false);
  Value high = lookUpBytes(getBytesOfNumbers(*this, small, count, 1), indices, count, false);
  if (small.bits == 8)
    high = bitOr(high, bitAnd(codes, integer(bytes, -128)));
  // Numbers 0 and 2 of each lane, and 1 and 3.
  Value lowBytes = bitcast(low, halves), highBytes = bitcast(high, halves);
  Value pairs[] = {bitOr(bitAnd(lowBytes, integer(halves, 0xff)), shl(highBytes, 8)),
                   bitOr(shr(lowBytes, 8), bitAnd(highBytes, integer(halves, -256)))};
  for (int64_t number = 0; number < 4; ++number) {
    Value pair = bitcast(pairs[number % 2], words);
    Value bits = number < 2 ? shl(pair, 16) : bitAnd(pair, integer(words, -65536));
    result.push_back(bitcast(bits, vector(f32())));
  }
  return result;
}

Value KernelBuilder::narrow(Value floats, Type element) {
  if (element.isF32())
    return floats;
  auto like = [&](Type type) -> Type {
    auto shaped = dyn_cast<VectorType>(floats.getType());
    return shaped ? Type(vector(type, shaped.getNumElements())) : type;
  };
  if (std::optional<SmallFloat> small = SmallFloat::get(element))
    return truncate(buildSmallFloatCode(builder, location, *small, floats), like(i8()));
  Value bits = bitcast(floats, like(i32()));
  Value sign = bitAnd(shr(bits, 16), integer(like(i32()), 0x8000));
  Value magnitude = fabs(floats);
  if (element.isBF16()) {
    // Ties by adding the last kept bit. What is no number stays none.
    Value wide = bitcast(magnitude, like(i32()));
    Value odd = bitAnd(shr(wide, 16), integer(like(i32()), 1));
    Value rounded = shr(add(wide, add(odd, integer(like(i32()), 0x7fff))), 16);
    rounded = arith::MinUIOp::create(builder, location, rounded, integer(like(i32()), 0x7fff));
    return truncate(bitOr(rounded, sign), like(i16()));
  }
  if (target.halfConversion)
    return bitcast(arith::TruncFOp::create(builder, location, like(builder.getF16Type()), floats),
                   like(i16()));
  // With 112 less in the exponent, rounding the bits to nearest even rounds the number; ties by
  // adding the last kept bit. Beyond the largest half this gives infinity's pattern or above it:
  // cut to infinity. Added to 0.5, a number below 2^-14 is rounded by the addition itself, to
  // multiples of the smallest half.
  Value raw = sub(bitcast(magnitude, like(i32())), integer(like(i32()), 112 << 23));
  Value odd = bitAnd(shr(raw, 13), integer(like(i32()), 1));
  Value normal = shr(add(raw, add(odd, integer(like(i32()), 0xfff))), 13);
  normal = arith::MinUIOp::create(builder, location, normal, integer(like(i32()), 0x7c00));
  Value shifted = fadd(magnitude, real(like(f32()), 0.5));
  Value subnormal =
      sub(bitcast(shifted, like(i32())), integer(like(i32()), llvm::bit_cast<uint32_t>(0.5f)));
  Value half = select(less(magnitude, real(like(f32()), 0x1p-14)), subnormal, normal);
  return truncate(bitOr(half, sign), like(i16()));
}

void KernelBuilder::prefetch(Value address) {
  LLVM::Prefetch::create(builder, location, address, builder.getI32IntegerAttr(0),
                         builder.getI32IntegerAttr(2), builder.getI32IntegerAttr(1));
}

//===----------------------------------------------------------------------===//
// Vectors and floats
//===----------------------------------------------------------------------===//

Value KernelBuilder::broadcast(Value scalar, int64_t count) {
  return vector::BroadcastOp::create(builder, location, vector(scalar.getType(), count), scalar);
}
Value KernelBuilder::fadd(Value a, Value b) {
  return arith::AddFOp::create(builder, location, a, b);
}
Value KernelBuilder::fsub(Value a, Value b) {
  return arith::SubFOp::create(builder, location, a, b);
}
Value KernelBuilder::fmul(Value a, Value b) {
  return arith::MulFOp::create(builder, location, a, b);
}
Value KernelBuilder::fdiv(Value a, Value b) {
  return arith::DivFOp::create(builder, location, a, b);
}
Value KernelBuilder::fmax(Value a, Value b) { return select(less(a, b), b, a); }
Value KernelBuilder::fma(Value a, Value b, Value c) {
  if (target.fma)
    return LLVM::FMAOp::create(builder, location, a, b, c);
  return fadd(fmul(a, b), c);
}
Value KernelBuilder::fneg(Value a) { return arith::NegFOp::create(builder, location, a); }
Value KernelBuilder::fabs(Value a) { return LLVM::FAbsOp::create(builder, location, a); }
Value KernelBuilder::sqrt(Value a) { return LLVM::SqrtOp::create(builder, location, a); }

Value KernelBuilder::toFloat(Value integers) {
  return arith::SIToFPOp::create(builder, location, withElement(integers, f32()), integers);
}
Value KernelBuilder::toInteger(Value floats) {
  return arith::FPToSIOp::create(builder, location, withElement(floats, i32()), floats);
}
Value KernelBuilder::bitcast(Value value, Type type) {
  if (value.getType() == type)
    return value;
  if (isa<VectorType>(type))
    return vector::BitCastOp::create(builder, location, cast<VectorType>(type), value);
  return arith::BitcastOp::create(builder, location, type, value);
}
Value KernelBuilder::truncate(Value integers, Type type) {
  return arith::TruncIOp::create(builder, location, type, integers);
}
Value KernelBuilder::extendSigned(Value integers, Type type) {
  return arith::ExtSIOp::create(builder, location, type, integers);
}
Value KernelBuilder::extendUnsigned(Value integers, Type type) {
  return arith::ExtUIOp::create(builder, location, type, integers);
}
Value KernelBuilder::less(Value a, Value b) {
  return arith::CmpFOp::create(builder, location, arith::CmpFPredicate::OLT, a, b);
}
Value KernelBuilder::equal(Value a, Value b) {
  return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, a, b);
}
Value KernelBuilder::lessInteger(Value a, Value b) {
  return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, a, b);
}
Value KernelBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, location, condition, a, b);
}
Value KernelBuilder::lookUp(ArrayRef<float> table, Value indices) {
  if (!isa<VectorType>(indices.getType()))
    return extract(lookUp(table, broadcast(indices)), 0);
  return cpu::TableLookupOp::create(builder, location, withElement(indices, f32()), table, indices);
}
Value KernelBuilder::lookUpInteger(ArrayRef<int32_t> table, Value indices) {
  // What is looked up is bits.
  SmallVector<float> bits;
  for (int32_t number : table)
    bits.push_back(llvm::bit_cast<float>(number));
  return bitcast(lookUp(bits, indices), withElement(indices, i32()));
}
Value KernelBuilder::takeBytes(Value bytes, Value places) {
  if (!isa<VectorType>(bytes.getType()))
    return extract(takeBytes(broadcast(bytes), broadcast(places)), 0);
  return cpu::TakeBytesOp::create(builder, location, bytes.getType(), bytes, places);
}
Value KernelBuilder::asMask(Value integer) {
  VectorType type = vector(builder.getI1Type(), integer.getType().getIntOrFloatBitWidth());
  return LLVM::BitcastOp::create(builder, location, type, integer);
}
Value KernelBuilder::countOnes(Value integer) {
  return LLVM::CtPopOp::create(builder, location, integer.getType(), integer);
}
Value KernelBuilder::expandBytes(Value bytes, Value mask, Value others) {
  return cpu::ExpandBytesOp::create(builder, location, bytes.getType(), bytes, mask, others);
}
Value KernelBuilder::expandLoad(Value address, Value mask, Value others) {
  return LLVM::masked_expandload::create(builder, location, others.getType(), address, mask,
                                         others);
}
Value KernelBuilder::shuffleBytes(Value bytes, Value places) {
  return cpu::ShuffleBytesOp::create(builder, location, bytes.getType(), bytes, places);
}
Value KernelBuilder::lookUpBytes(Value table, Value indices, int64_t size, bool byRow) {
  return cpu::LookUpBytesOp::create(builder, location, indices.getType(), table, indices, size,
                                    byRow);
}
Value KernelBuilder::lookUpByte(Value table, Value index, int64_t size, bool byRow) {
  if (!isa<VectorType>(index.getType()))
    return extract(lookUpByte(table, broadcast(index), size, byRow), 0);
  // Bytes above the lowest of a lane are zero before, and anything behind.
  Value bytes = lookUpBytes(table, bitcast(index, vector(i8(), 64)), size, byRow);
  return bitAnd(bitcast(bytes, index.getType()), integer(index.getType(), 255));
}
Value KernelBuilder::windows(Value low, Value high, ArrayRef<int64_t> starts) {
  return cpu::WindowsOp::create(builder, location, vector(i8(), 64), low, high, starts);
}
Value KernelBuilder::extract(Value vector, int64_t lane) {
  return vector::ExtractOp::create(builder, location, vector, lane);
}
Value KernelBuilder::shuffle(Value a, Value b, ArrayRef<int64_t> mask) {
  return vector::ShuffleOp::create(builder, location, a, b, mask);
}

/// Folds a vector of a power of two lanes: lane i with lane i + n/2, and again.
static Value foldLanes(KernelBuilder &k, Value value, function_ref<Value(Value, Value)> combine) {
  int64_t count = cast<VectorType>(value.getType()).getNumElements();
  for (int64_t half = count / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> low(half), high(half);
    std::iota(low.begin(), low.end(), 0);
    std::iota(high.begin(), high.end(), half);
    value = combine(k.shuffle(value, value, low), k.shuffle(value, value, high));
  }
  return k.extract(value, 0);
}

Value KernelBuilder::sumLanes(Value vector) {
  bool integers = isa<IntegerType>(getElementTypeOrSelf(vector));
  return foldLanes(*this, vector,
                   [&](Value a, Value b) { return integers ? add(a, b) : fadd(a, b); });
}
Value KernelBuilder::maxLanes(Value vector) {
  return foldLanes(*this, vector, [&](Value a, Value b) { return fmax(a, b); });
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

KernelBuilder::Values KernelBuilder::loop(Value begin, Value end, int64_t step, ValueRange carried,
                                          LoopBody body) {
  auto loop =
      scf::ForOp::create(builder, location, begin, end, integer(step), carried,
                         [&](OpBuilder &nested, Location, Value index, ValueRange arguments) {
                           OpBuilder::InsertPoint saved = builder.saveInsertionPoint();
                           builder.restoreInsertionPoint(nested.saveInsertionPoint());
                           Values results = body(index, arguments);
                           scf::YieldOp::create(builder, location, results);
                           builder.restoreInsertionPoint(saved);
                         });
  return Values(loop.getResults());
}

void KernelBuilder::loop(Value begin, Value end, int64_t step,
                         function_ref<void(Value index)> body) {
  loop(begin, end, step, ValueRange(), [&](Value index, ValueRange) -> Values {
    body(index);
    return {};
  });
}

void KernelBuilder::loopInBlocks(Value begin, Value end, int64_t most,
                                 function_ref<void(Value first, int64_t size)> body) {
  for (int64_t size = most; size > 0; size = size > 3 ? size / 3 : size > 1 ? 1 : 0) {
    Value next = add(begin, mul(div(sub(end, begin), size), size));
    loop(begin, next, size, [&](Value first) { body(first, size); });
    begin = next;
  }
}

void KernelBuilder::ifThen(Value condition, function_ref<void()> body) {
  scf::IfOp::create(builder, location, condition, [&](OpBuilder &nested, Location) {
    OpBuilder::InsertPoint saved = builder.saveInsertionPoint();
    builder.restoreInsertionPoint(nested.saveInsertionPoint());
    body();
    scf::YieldOp::create(builder, location);
    builder.restoreInsertionPoint(saved);
  });
}
