//===- RegisterBuilder.h - an encoding's arithmetic in registers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_REGISTERBUILDER_H
#define LLMC_LIB_CONVERSION_KERNELS_REGISTERBUILDER_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/Plane.h"

#include "llvm/ADT/DenseMap.h"

namespace llmc {

/// Decodes 16 numbers side by side, or one.
class RegisterBuilder final : public DecodeBuilder {
public:
  using Value = mlir::Value;

  explicit RegisterBuilder(KernelBuilder &k, int64_t count = lanes) : k(k), count(count) {}

  static Operand make(Value value) { return Operand(value.getAsOpaquePointer()); }
  static Value toValue(Operand operand) { return Value::getFromOpaquePointer(operand.getHandle()); }

  Operand integer(int32_t value) override { return make(k.integer(like(k.i32()), value)); }
  Operand add(Operand a, Operand b) override { return make(k.add(toValue(a), toValue(b))); }
  Operand subtract(Operand a, Operand b) override { return make(k.sub(toValue(a), toValue(b))); }
  Operand bitAnd(Operand a, Operand b) override { return make(k.bitAnd(toValue(a), toValue(b))); }
  Operand shiftRight(Operand a, unsigned bits) override { return make(k.shr(toValue(a), bits)); }
  Operand shiftLeft(Operand a, Operand bits) override {
    return make(k.shl(toValue(a), toValue(bits)));
  }
  Operand takeBytes(Operand bytes, Operand places) override {
    return make(k.takeBytes(toValue(bytes), toValue(places)));
  }
  Operand lookUpInteger(llvm::ArrayRef<int32_t> table, Operand index) override {
    return make(k.lookUpInteger(table, toValue(index)));
  }
  Operand selectEqual(Operand a, Operand b, Operand then, Operand otherwise) override {
    return make(k.select(k.equal(toValue(a), toValue(b)), toValue(then), toValue(otherwise)));
  }
  Operand real(float value) override { return make(k.real(like(k.f32()), value)); }
  Operand toReal(Operand integer) override { return make(k.toFloat(toValue(integer))); }
  Operand multiply(Operand a, Operand b) override { return make(k.fmul(toValue(a), toValue(b))); }
  Operand multiplyAdd(Operand a, Operand b, Operand c) override {
    return make(k.fma(toValue(a), toValue(b), toValue(c)));
  }
  Operand lookUp(llvm::ArrayRef<float> table, Operand index) override {
    return make(k.lookUp(table, toValue(index)));
  }
  Operand lookUpByte(Operand table, Operand index) override {
    auto [size, byRow] = tables.at(toValue(table));
    return make(k.lookUpByte(toValue(table), toValue(index), size, byRow));
  }
  /// Says of the address of a table how many bytes it has, and whether each lane has its own.
  void describeTable(Value address, int64_t size, bool byRow) { tables[address] = {size, byRow}; }

private:
  mlir::Type like(mlir::Type element) {
    return count == 1 ? element : mlir::Type(k.vector(element, count));
  }

  KernelBuilder &k;
  int64_t count;
  llvm::SmallDenseMap<Value, std::pair<int64_t, bool>> tables;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_REGISTERBUILDER_H
