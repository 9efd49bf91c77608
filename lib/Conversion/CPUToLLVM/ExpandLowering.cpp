//===- ExpandLowering.cpp - from expansions to instructions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JoinVectors.h"
#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <numeric>

using namespace mlir;
using namespace llmc;
using cpu::ExpandBytesOp;

/// Bytes that a shuffle takes from as many.
static constexpr int64_t lane = 16;

namespace {

enum class Expansion { Instruction, ByteShuffle, NeonTable, Plain };

/// Builds one replacement.
class ExpandBuilder {
public:
  ExpandBuilder(ExpandBytesOp op, Expansion expansion)
      : op(op), expansion(expansion), b(op.getLoc(), op) {}

  Value build() {
    if (expansion == Expansion::Instruction)
      return call("llvm.x86.avx512.mask.expand.v64i8", bytes(64),
                  {op.getBytes(), op.getOthers(), getCondition()});
    memory = makeMemory();
    LLVM::StoreOp::create(b, op.getBytes(), memory);
    return expansion == Expansion::Plain ? one() : some();
  }

private:
  VectorType bytes(int64_t count) { return VectorType::get({count}, b.getI8Type()); }
  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }
  Value integer(int64_t value) { return arith::ConstantIntOp::create(b, value, 64); }
  Value call(StringRef intrinsic, Type type, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(intrinsic), operands)
        .getResult(0);
  }
  Value at(Value base, Value offset) {
    return LLVM::GEPOp::create(b, pointer(), b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{offset});
  }
  Value getCondition() {
    return LLVM::BitcastOp::create(b, VectorType::get({64}, b.getI1Type()), op.getMask());
  }
  Value makeMemory();
  Value getRanks();
  Value shuffle(Value from, Value places, int64_t first);
  Value some();
  Value one();

  ExpandBytesOp op;
  Expansion expansion;
  ImplicitLocOpBuilder b;
  Value memory; ///< of the bytes, and what is read beyond them
};

} // namespace

Value ExpandBuilder::makeMemory() {
  OpBuilder::InsertionGuard guard(b);
  auto function = op->getParentOfType<func::FuncOp>();
  b.setInsertionPointToStart(&function.getBody().front());
  return LLVM::AllocaOp::create(b, pointer(), b.getI8Type(), integer(64 + lane),
                                /*alignment=*/64);
}

/// How many bits below each, of the same 16, are 1: sums over twice as many in each step.
Value ExpandBuilder::getRanks() {
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(bytes(64)));
  Value ones = arith::ExtUIOp::create(b, bytes(64), getCondition());
  Value sums = ones;
  for (int64_t step = 1; step < lane; step *= 2) {
    SmallVector<int64_t> before;
    for (int64_t i = 0; i < 64; ++i)
      before.push_back(i % lane >= step ? i - step : 64 + i);
    sums = arith::AddIOp::create(b, sums, vector::ShuffleOp::create(b, sums, none, before));
  }
  return arith::SubIOp::create(b, sums, ones);
}

/// Byte i of each 16 is the one of the same 16 of `from` that byte `first` + i of `places` says.
Value ExpandBuilder::shuffle(Value from, Value places, int64_t first) {
  auto type = cast<VectorType>(from.getType());
  SmallVector<int64_t> some(type.getNumElements());
  std::iota(some.begin(), some.end(), first);
  Value here = vector::ShuffleOp::create(b, places, places, some);
  return call(expansion == Expansion::NeonTable ? "llvm.aarch64.neon.tbl1.v16i8"
                                                : "llvm.x86.avx2.pshuf.b",
              type, {from, here});
}

/// 16 bytes at a time: those that come next, each as many places on as bits before it are 1.
Value ExpandBuilder::some() {
  Value ranks = getRanks(), next = integer(0);
  SmallVector<Value> parts;
  for (int64_t first = 0; first < 64; first += lane) {
    parts.push_back(LLVM::LoadOp::create(b, bytes(lane), at(memory, next), 1));
    Value bits = arith::AndIOp::create(b, arith::ShRUIOp::create(b, op.getMask(), integer(first)),
                                       integer((1 << lane) - 1));
    next = arith::AddIOp::create(b, next, LLVM::CtPopOp::create(b, b.getI64Type(), bits));
  }
  if (expansion == Expansion::NeonTable)
    for (auto [index, part] : llvm::enumerate(parts))
      part = shuffle(part, ranks, static_cast<int64_t>(index) * lane);
  SmallVector<Value> halves{joinVectors(b, parts[0], parts[1]), joinVectors(b, parts[2], parts[3])};
  if (expansion == Expansion::ByteShuffle)
    for (auto [index, half] : llvm::enumerate(halves))
      half = shuffle(half, ranks, static_cast<int64_t>(index) * 2 * lane);
  return arith::SelectOp::create(b, getCondition(), joinVectors(b, halves[0], halves[1]),
                                 op.getOthers());
}

/// One byte at a time, in a loop: written out it would take long to compile.
Value ExpandBuilder::one() {
  Value result = makeMemory();
  LLVM::StoreOp::create(b, op.getOthers(), result);
  auto index = [&](int64_t number) -> Value { return arith::ConstantIndexOp::create(b, number); };
  scf::ForOp::create(b, index(0), index(64), index(1), ValueRange{integer(0)},
                     [&](OpBuilder &, Location, Value at64, ValueRange next) {
                       Value place = arith::IndexCastOp::create(b, b.getI64Type(), at64);
                       Value bit = arith::AndIOp::create(
                           b, arith::ShRUIOp::create(b, op.getMask(), place), integer(1));
                       Value isKept =
                           arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, integer(0));
                       Value byte = LLVM::LoadOp::create(b, b.getI8Type(), at(memory, next[0]), 1);
                       Value other = LLVM::LoadOp::create(b, b.getI8Type(), at(result, place), 1);
                       LLVM::StoreOp::create(b, arith::SelectOp::create(b, isKept, byte, other),
                                             at(result, place), 1);
                       scf::YieldOp::create(b, ValueRange{arith::AddIOp::create(b, next[0], bit)});
                     });
  return LLVM::LoadOp::create(b, bytes(64), result);
}

static Expansion chooseExpansion(cpu::TargetAttr target) {
  StringRef features = target.getFeatures();
  bool isPlain = target.getDot() == cpu::DotLowering::Plain;
  if (features.contains("+avx512vbmi2") && !isPlain)
    return Expansion::Instruction;
  if (features.contains("+avx2") && !isPlain)
    return Expansion::ByteShuffle;
  return features.contains("+neon") ? Expansion::NeonTable : Expansion::Plain;
}

void llmc::lowerExpansions(func::FuncOp function, cpu::TargetAttr target) {
  SmallVector<ExpandBytesOp> found;
  function.walk([&](ExpandBytesOp op) { found.push_back(op); });
  for (ExpandBytesOp op : found) {
    op.getResult().replaceAllUsesWith(ExpandBuilder(op, chooseExpansion(target)).build());
    op.erase();
  }
}
