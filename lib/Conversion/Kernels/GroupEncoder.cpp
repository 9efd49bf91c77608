//===- GroupEncoder.cpp - numbers that share elements of a cache's planes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupEncoder.h"

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
