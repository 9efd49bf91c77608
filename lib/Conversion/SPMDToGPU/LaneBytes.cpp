//===- LaneBytes.cpp - what threads do with their four bytes of a line ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaneBytes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace llmc;

static constexpr int64_t laneBytes = 4;

Value LaneBytes::bitAnd(Value value, int64_t mask) {
  return arith::AndIOp::create(b.builder, b.location, value, b.integer(value.getType(), mask));
}

Value LaneBytes::shiftRight(Value value, Value bits) {
  return arith::ShRUIOp::create(b.builder, b.location, value, bits);
}

/// Puts a byte, i32, to the others of a lane.
Value LaneBytes::join(Value bytes, Value byte, int64_t place) {
  if (place > 0)
    byte = arith::ShLIOp::create(b.builder, b.location, byte, number(8 * place));
  return bytes ? arith::OrIOp::create(b.builder, b.location, bytes, byte).getResult() : byte;
}

Value LaneBytes::countOnes(Value bits) {
  return LLVM::CtPopOp::create(b.builder, b.location, bits.getType(), bits);
}

Value LaneBytes::countBelow(Value bits, Value index) {
  Type type = bits.getType();
  if (index.getType() != type)
    index = arith::ExtUIOp::create(b.builder, b.location, type, index);
  Value one = b.integer(type, 1);
  Value limit = arith::ShLIOp::create(b.builder, b.location, one, index);
  Value below = arith::SubIOp::create(b.builder, b.location, limit, one);
  Value count = countOnes(arith::AndIOp::create(b.builder, b.location, bits, below).getResult());
  return type == b.i32() ? count : arith::TruncIOp::create(b.builder, b.location, b.i32(), count);
}

Value LaneBytes::findWindows(Value low, Value high, ArrayRef<int64_t> starts) {
  Value first = arith::ExtUIOp::create(b.builder, b.location, b.i64(), low);
  Value second = arith::ExtUIOp::create(b.builder, b.location, b.i64(), high);
  second = arith::ShLIOp::create(b.builder, b.location, second, b.integer(b.i64(), 32));
  Value stream = arith::OrIOp::create(b.builder, b.location, first, second), bytes;
  for (auto [place, start] : llvm::enumerate(starts)) {
    Value moved = shiftRight(stream, b.integer(b.i64(), start));
    Value part = arith::TruncIOp::create(b.builder, b.location, b.i32(), moved);
    bytes = join(bytes, bitAnd(part, 255), place);
  }
  return bytes;
}

Value LaneBytes::lookUp(Value table, Value indices, int64_t size, bool byRow) {
  Value start = number(0), bytes;
  if (byRow)
    start = arith::MulIOp::create(b.builder, b.location, lane, number(size));
  for (int64_t place = 0; place < laneBytes; ++place) {
    // An index beyond the table gives any byte: one of the table.
    Value index = bitAnd(shiftRight(indices, number(8 * place)), size - 1);
    index = arith::AddIOp::create(b.builder, b.location, start, index);
    Value at = b.offset(table, arith::ExtUIOp::create(b.builder, b.location, b.i64(), index));
    Value byte = LLVM::LoadOp::create(b.builder, b.location, b.builder.getI8Type(), at, 1);
    bytes = join(bytes, arith::ExtUIOp::create(b.builder, b.location, b.i32(), byte), place);
  }
  return bytes;
}

Value LaneBytes::spread(Value mask) {
  Value first = arith::ExtUIOp::create(
      b.builder, b.location, b.i64(),
      arith::MulIOp::create(b.builder, b.location, lane, number(laneBytes)).getResult());
  Value own = arith::TruncIOp::create(b.builder, b.location, b.i32(), shiftRight(mask, first));
  // Bit i goes to bit 8i: no two of the products meet.
  Value bits = arith::MulIOp::create(b.builder, b.location, bitAnd(own, 15), number(0x00204081));
  return arith::MulIOp::create(b.builder, b.location, bitAnd(bits, 0x01010101), number(255));
}

Value LaneBytes::select(Value mask, Value a, Value other) {
  Value difference = arith::XOrIOp::create(b.builder, b.location, a, other);
  Value taken = arith::AndIOp::create(b.builder, b.location, difference, mask);
  return arith::XOrIOp::create(b.builder, b.location, other, taken);
}

Value LaneBytes::expand(Value mask, Value others, function_ref<Value(Value thread)> fromThread) {
  Value first = arith::MulIOp::create(b.builder, b.location, lane, number(laneBytes)), bytes;
  for (int64_t place = 0; place < laneBytes; ++place) {
    Value index = arith::AddIOp::create(b.builder, b.location, first, number(place));
    Value source = countBelow(mask, index);
    Value four = fromThread(shiftRight(source, number(2)));
    Value bit = arith::MulIOp::create(b.builder, b.location, bitAnd(source, 3), number(8));
    bytes = join(bytes, bitAnd(shiftRight(four, bit), 255), place);
  }
  return select(spread(mask), bytes, others);
}

Value LaneBytes::expandLoad(Value address, Value bits, Value isSet, Value none) {
  Type type = none.getType();
  int64_t size = type.getIntOrFloatBitWidth() / 8;
  Value wide = arith::ExtUIOp::create(b.builder, b.location, b.i32(), bits);
  Value index = arith::ExtUIOp::create(b.builder, b.location, b.i64(), countBelow(wide, lane));
  Value bytes = arith::MulIOp::create(b.builder, b.location, index, b.integer(b.i64(), size));
  auto branch = scf::IfOp::create(
      b.builder, b.location, isSet,
      [&](OpBuilder &nested, Location location) {
        Value at = LLVM::GEPOp::create(nested, location, b.pointer(), nested.getI8Type(), address,
                                       ArrayRef<LLVM::GEPArg>{bytes});
        Value loaded = LLVM::LoadOp::create(nested, location, type, at, size);
        scf::YieldOp::create(nested, location, loaded);
      },
      [&](OpBuilder &nested, Location location) { scf::YieldOp::create(nested, location, none); });
  return branch.getResult(0);
}
