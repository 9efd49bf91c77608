//===- GroupEncoder.cpp - numbers that share elements of a cache's planes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupEncoder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

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

DecodeBuilder::Operand GroupEncoder::sum(Operand a) {
  assert(parts == vectors && "groups with sums are of whole vectors");
  Value total = k.real(k.vector(k.f32()), 0.0);
  for (int64_t part = 0; part < parts; ++part)
    total = k.fadd(total, getPart(a, part));
  return constant(k.sumLanes(total));
}

Value GroupEncoder::countBelow(ArrayRef<float> limits, Value x) {
  auto shaped = dyn_cast<VectorType>(x.getType());
  Type integers = shaped ? Type(k.vector(k.i32(), shaped.getNumElements())) : k.i32();
  Value count = k.integer(integers, 0), one = k.integer(integers, 1);
  for (float limit : limits)
    count = k.select(k.less(k.real(x.getType(), limit), x), k.add(count, one), count);
  return count;
}

void GroupEncoder::storeTriples(Operand operand, Value address, int64_t stride) {
  assert(parts == vectors && "groups of integers of 3 bits are of whole vectors");
  constexpr int64_t half = lanes / 2, bits = 3;
  Type integers = k.vector(k.i32());
  // An integer of three bytes for every 8 numbers.
  SmallVector<int32_t> factors[2];
  for (int64_t lane = 0; lane < lanes; ++lane)
    for (int64_t part = 0; part < 2; ++part)
      factors[part].push_back(lane / half == part ? 1 << (lane % half * bits) : 0);
  for (int64_t part = 0; part < parts; ++part)
    for (int64_t side = 0; side < 2; ++side) {
      Value factor = arith::ConstantOp::create(
          k.builder, k.location,
          DenseElementsAttr::get(cast<VectorType>(integers), ArrayRef(factors[side])));
      Value word = k.sumLanes(k.mul(getPart(operand, part), factor));
      for (int64_t byte = 0; byte < bits; ++byte)
        k.store(k.truncate(k.shr(word, byte * 8), k.i8()),
                k.offset(address, ((part * 2 + side) * bits + byte) * stride), 1);
    }
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
  if (plane.isTriple())
    return storeTriples(operand, address, stride);
  // Vectors whose numbers share bytes follow each other.
  int64_t packed = plane.getPackedNumbers();
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
