//===- LookupLowering.cpp - from look-ups to instructions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

#include <numeric>

using namespace mlir;
using namespace llmc;
using cpu::DotLowering;
using cpu::TableLookupOp;
using cpu::TakeBytesOp;

namespace {

/// Builds one replacement.
class LookupBuilder {
public:
  explicit LookupBuilder(TableLookupOp op) : op(op), b(op.getLoc(), op) {}

  Value plain();
  Value permute512();
  Value permute256();

private:
  VectorType floats(int64_t count) { return VectorType::get({count}, b.getF32Type()); }
  Value splat(VectorType type, int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(type, b.getIntegerAttr(type.getElementType(), value)));
  }
  /// Numbers [first, first + count) of the table, which is repeated behind its end.
  Value getNumbers(int64_t first, int64_t count) {
    ArrayRef<float> table = op.getTable();
    SmallVector<float> numbers;
    for (int64_t i = first; i < first + count; ++i)
      numbers.push_back(table[i % table.size()]);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(floats(count), ArrayRef(numbers)));
  }
  /// The indices without a mask of the bits that the instructions take by themselves.
  Value getLowBits();
  Value call(StringRef intrinsic, Type type, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(intrinsic), operands)
        .getResult(0);
  }

  TableLookupOp op;
  ImplicitLocOpBuilder b;
};

} // namespace

/// Halves of the table are chosen between, bit by bit.
Value LookupBuilder::plain() {
  Value indices = op.getIndices();
  auto integers = cast<VectorType>(indices.getType());
  SmallVector<Value> numbers;
  for (float number : op.getTable())
    numbers.push_back(arith::ConstantOp::create(
        b, DenseElementsAttr::get(floats(16), b.getF32FloatAttr(number))));
  for (int64_t bit = 1; numbers.size() > 1; bit *= 2) {
    Value digit = arith::AndIOp::create(b, indices, splat(integers, bit));
    Value odd =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, digit, splat(integers, bit)).getResult();
    for (size_t i = 0; i < numbers.size() / 2; ++i)
      numbers[i] = arith::SelectOp::create(b, odd, numbers[2 * i + 1], numbers[2 * i]);
    numbers.truncate(numbers.size() / 2);
  }
  return numbers.front();
}

Value LookupBuilder::getLowBits() {
  auto masked = op.getIndices().getDefiningOp<arith::AndIOp>();
  APInt mask;
  if (!masked || !matchPattern(masked.getRhs(), m_ConstantInt(&mask)))
    return op.getIndices();
  // What is above them says nothing: a table is repeated behind its end.
  uint64_t needed = op.getTable().size() - 1;
  return (mask.getZExtValue() & needed) == needed ? masked.getLhs() : op.getIndices();
}

/// The instruction takes the low four bits of an index.
Value LookupBuilder::permute512() {
  return call("llvm.x86.avx512.permvar.sf.512", floats(16), {getNumbers(0, 16), getLowBits()});
}

/// The instruction takes the low three bits of an index; the fourth says which half of a table of
/// 16 it was.
Value LookupBuilder::permute256() {
  bool isLong = op.getTable().size() > 8;
  auto integers = VectorType::get({8}, b.getI32Type());
  Value all16 = getLowBits(), halves[2];
  for (int64_t half = 0; half < 2; ++half) {
    SmallVector<int64_t> mask(8);
    std::iota(mask.begin(), mask.end(), 8 * half);
    Value indices = vector::ShuffleOp::create(b, all16, all16, mask);
    Value low = call("llvm.x86.avx2.permps", floats(8), {getNumbers(0, 8), indices});
    halves[half] = low;
    if (!isLong)
      continue;
    Value high = call("llvm.x86.avx2.permps", floats(8), {getNumbers(8, 8), indices});
    Value digit = arith::AndIOp::create(b, indices, splat(integers, 8));
    Value isHigh =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, digit, splat(integers, 8)).getResult();
    halves[half] = arith::SelectOp::create(b, isHigh, high, low);
  }
  SmallVector<int64_t> all(16);
  std::iota(all.begin(), all.end(), 0);
  return vector::ShuffleOp::create(b, halves[0], halves[1], all);
}

namespace {

/// Builds one replacement.
class BytesBuilder {
public:
  explicit BytesBuilder(TakeBytesOp op) : op(op), b(op.getLoc(), op) {}

  Value plain();
  Value shuffle(int64_t bits);

private:
  VectorType words() { return VectorType::get({16}, b.getI32Type()); }
  Value splat(int64_t value) {
    return arith::ConstantOp::create(b,
                                     DenseElementsAttr::get(words(), b.getI32IntegerAttr(value)));
  }

  TakeBytesOp op;
  ImplicitLocOpBuilder b;
};

} // namespace

Value BytesBuilder::plain() {
  Value result = splat(0);
  for (int64_t byte = 0; byte < 4; ++byte) {
    Value place = arith::ShRUIOp::create(b, op.getPlaces(), splat(8 * byte));
    Value bits = arith::ShLIOp::create(b, arith::AndIOp::create(b, place, splat(3)), splat(3));
    Value taken = arith::ShRUIOp::create(b, op.getBytes(), bits);
    taken = arith::AndIOp::create(b, taken, splat(255));
    result = arith::OrIOp::create(b, result, arith::ShLIOp::create(b, taken, splat(8 * byte)));
  }
  return result;
}

/// The instruction counts bytes from the start of each 16.
Value BytesBuilder::shuffle(int64_t bits) {
  SmallVector<int32_t> firsts;
  for (int32_t lane = 0; lane < 16; ++lane)
    firsts.push_back(0x01010101 * (4 * (lane % 4)));
  Value places = arith::OrIOp::create(
      b, op.getPlaces(),
      arith::ConstantOp::create(b, DenseElementsAttr::get(words(), ArrayRef(firsts))));
  auto all = VectorType::get({64}, b.getI8Type()),
       some = VectorType::get({bits / 8}, b.getI8Type());
  Value from = vector::BitCastOp::create(b, all, op.getBytes());
  places = vector::BitCastOp::create(b, all, places);
  StringRef intrinsic = bits == 512 ? "llvm.x86.avx512.pshuf.b.512" : "llvm.x86.avx2.pshuf.b";
  auto call = [&](Value from, Value places) {
    return LLVM::CallIntrinsicOp::create(b, some, b.getStringAttr(intrinsic),
                                         ValueRange{from, places})
        .getResult(0);
  };
  if (bits == 512)
    return vector::BitCastOp::create(b, words(), call(from, places));
  Value halves[2];
  for (int64_t half = 0; half < 2; ++half) {
    SmallVector<int64_t> mask(32);
    std::iota(mask.begin(), mask.end(), 32 * half);
    halves[half] = call(vector::ShuffleOp::create(b, from, from, mask),
                        vector::ShuffleOp::create(b, places, places, mask));
  }
  SmallVector<int64_t> mask(64);
  std::iota(mask.begin(), mask.end(), 0);
  return vector::BitCastOp::create(
      b, words(), vector::ShuffleOp::create(b, halves[0], halves[1], mask).getResult());
}

void llmc::lowerLookups(func::FuncOp function, DotLowering lowering) {
  SmallVector<Operation *> found;
  function.walk([&](Operation *op) {
    if (isa<TableLookupOp, TakeBytesOp>(op))
      found.push_back(op);
  });
  for (Operation *op : found) {
    Value value;
    if (auto bytes = dyn_cast<TakeBytesOp>(op)) {
      BytesBuilder builder(bytes);
      value = lowering == DotLowering::Vnni      ? builder.shuffle(512)
              : lowering == DotLowering::Maddubs ? builder.shuffle(256)
                                                 : builder.plain();
    } else {
      LookupBuilder builder(cast<TableLookupOp>(op));
      value = lowering == DotLowering::Vnni      ? builder.permute512()
              : lowering == DotLowering::Maddubs ? builder.permute256()
                                                 : builder.plain();
    }
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }
}
