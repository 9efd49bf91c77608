//===- ShuffleLowering.cpp - from shuffles of bytes to instructions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <numeric>

using namespace mlir;
using namespace llmc;
using cpu::ShuffleBytesOp;

namespace {

/// An instruction, and the bytes that one has; 0 where there is none.
struct ShuffleInstruction {
  StringRef intrinsic;
  int64_t bytes;
  /// Whether places beyond 15 give zero, not those beyond 127 alone.
  bool seesAllBits;
};

/// Builds one replacement.
class ShuffleBuilder {
public:
  explicit ShuffleBuilder(ShuffleBytesOp op) : op(op), b(op.getLoc(), op) {}

  Value build(const ShuffleInstruction &instruction) {
    return instruction.bytes == 0 ? loop() : call(instruction);
  }

private:
  VectorType bytes(int64_t count) { return VectorType::get({count}, b.getI8Type()); }
  Value splat(int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(bytes(64), b.getIntegerAttr(b.getI8Type(), value)));
  }
  Value slice(Value vector, int64_t first, int64_t count) {
    SmallVector<int64_t> mask(count);
    std::iota(mask.begin(), mask.end(), first);
    return vector::ShuffleOp::create(b, vector, vector, mask);
  }
  Value concat(Value low, Value high) {
    SmallVector<int64_t> mask(2 * cast<VectorType>(low.getType()).getNumElements());
    std::iota(mask.begin(), mask.end(), 0);
    return vector::ShuffleOp::create(b, low, high, mask);
  }
  Value call(const ShuffleInstruction &instruction);
  Value loop();

  ShuffleBytesOp op;
  ImplicitLocOpBuilder b;
};

} // namespace

Value ShuffleBuilder::call(const ShuffleInstruction &instruction) {
  Value places = op.getPlaces();
  if (instruction.seesAllBits)
    places = arith::AndIOp::create(b, places, splat(0x8f - 256));
  int64_t count = instruction.bytes;
  SmallVector<Value> parts;
  for (int64_t first = 0; first < 64; first += count) {
    Value operands[] = {op.getBytes(), places};
    if (count < 64)
      for (Value &operand : operands)
        operand = slice(operand, first, count);
    parts.push_back(LLVM::CallIntrinsicOp::create(b, bytes(count),
                                                  b.getStringAttr(instruction.intrinsic), operands)
                        .getResult(0));
  }
  for (; parts.size() > 1; parts.truncate(parts.size() / 2))
    for (size_t i = 0; i < parts.size() / 2; ++i)
      parts[i] = concat(parts[2 * i], parts[2 * i + 1]);
  return parts.front();
}

/// One byte at a time: it is for tests.
Value ShuffleBuilder::loop() {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value memory[3]; // of bytes, places and the result
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&op->getParentOfType<func::FuncOp>().getBody().front());
    Value size = arith::ConstantIntOp::create(b, 64, 64);
    for (Value &each : memory)
      each = LLVM::AllocaOp::create(b, pointer, b.getI8Type(), size, /*alignment=*/64);
  }
  LLVM::StoreOp::create(b, op.getBytes(), memory[0]);
  LLVM::StoreOp::create(b, op.getPlaces(), memory[1]);
  auto integer = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, value, 64); };
  auto at = [&](Value base, Value offset) -> Value {
    return LLVM::GEPOp::create(b, pointer, b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{offset});
  };
  auto index = [&](int64_t number) -> Value { return arith::ConstantIndexOp::create(b, number); };
  scf::ForOp::create(
      b, index(0), index(64), index(1), ValueRange{},
      [&](OpBuilder &, Location, Value i, ValueRange) {
        Value here = arith::IndexCastOp::create(b, b.getI64Type(), i);
        Value place = LLVM::LoadOp::create(b, b.getI8Type(), at(memory[1], here), 1);
        Value wide = arith::ExtUIOp::create(b, b.getI64Type(), place);
        Value start = arith::AndIOp::create(b, here, integer(-16));
        Value from = arith::AddIOp::create(b, start, arith::AndIOp::create(b, wide, integer(15)));
        Value byte = LLVM::LoadOp::create(b, b.getI8Type(), at(memory[0], from), 1);
        Value isNone =
            arith::CmpIOp::create(b, arith::CmpIPredicate::sge, wide, integer(128)).getResult();
        Value none = arith::ConstantIntOp::create(b, 0, 8);
        LLVM::StoreOp::create(b, arith::SelectOp::create(b, isNone, none, byte),
                              at(memory[2], here), 1);
        scf::YieldOp::create(b);
      });
  return LLVM::LoadOp::create(b, bytes(64), memory[2]);
}

static ShuffleInstruction chooseInstruction(cpu::TargetAttr target) {
  StringRef features = target.getFeatures();
  if (target.getDot() != cpu::DotLowering::Plain) {
    if (features.contains("+avx512bw"))
      return {"llvm.x86.avx512.pshuf.b.512", 64, false};
    if (features.contains("+avx2"))
      return {"llvm.x86.avx2.pshuf.b", 32, false};
    if (features.contains("+neon"))
      return {"llvm.aarch64.neon.tbl1.v16i8", 16, true};
  }
  return {"", 0, false};
}

void llmc::lowerShuffles(func::FuncOp function, cpu::TargetAttr target) {
  ShuffleInstruction instruction = chooseInstruction(target);
  SmallVector<ShuffleBytesOp> found;
  function.walk([&](ShuffleBytesOp op) { found.push_back(op); });
  for (ShuffleBytesOp op : found) {
    op.getResult().replaceAllUsesWith(ShuffleBuilder(op).build(instruction));
    op.erase();
  }
}
