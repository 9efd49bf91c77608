//===- LaneBytes.h - what threads do with their four bytes of a line ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_SPMDTOGPU_LANEBYTES_H
#define LLMC_LIB_CONVERSION_SPMDTOGPU_LANEBYTES_H

#include "GridProgram.h"

namespace llmc {

/// The operations of the dialect cpu on lines of 64 bytes, for a thread that has four of them in 32
/// bits. `lane` is the thread in its group, i32.
class LaneBytes {
public:
  using Value = mlir::Value;

  LaneBytes(ThreadBuilder &b, Value lane) : b(b), lane(lane) {}

  /// cpu.windows: bytes from these bits on of the 64 bits of a lane.
  Value findWindows(Value low, Value high, llvm::ArrayRef<int64_t> starts);
  /// cpu.look_up_bytes, whose table is the lane's own where `byRow` is set.
  Value lookUp(Value table, Value indices, int64_t size, bool byRow);
  /// cpu.expand_bytes: `fromThread` gives the bytes that another thread of the group has.
  Value expand(Value mask, Value others, llvm::function_ref<Value(Value thread)> fromThread);
  /// llvm.intr.masked.expandload of 16 numbers, of which `bits` (i16) says who has one.
  Value expandLoad(Value address, Value bits, Value isSet, Value none);
  /// 255 in each byte whose bit of `mask` (i64) is set.
  Value spread(Value mask);
  /// The bytes of `a` where those of a mask are 255, else those of `b`.
  Value select(Value mask, Value a, Value other);

private:
  Value number(int64_t value) { return b.integer(b.i32(), value); }
  Value bitAnd(Value value, int64_t mask);
  Value shiftRight(Value value, Value bits);
  Value join(Value bytes, Value byte, int64_t place);
  Value countOnes(Value bits);
  /// How many of the bits below `index` are set, i32.
  Value countBelow(Value bits, Value index);

  ThreadBuilder &b;
  Value lane;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_SPMDTOGPU_LANEBYTES_H
