//===- ExpandLowering.cpp - from expansions to instructions ---===//
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
#include "llvm/ADT/bit.h"

#include <numeric>

using namespace mlir;
using namespace llmc;
using cpu::ExpandBytesOp;

/// Bytes that are expanded at a time where there is a shuffle of bytes.
static constexpr int64_t atOnce = 8;
/// The name of a table of 256 times 8 places: for each mask of 8 bits, how many bits before each
/// are
/// 1. What it says of bits that are 0 is no matter.
static constexpr llvm::StringLiteral tableName = "expanded_places";

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
  Value getTable();
  Value shuffle(Value from, Value places);
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
  return LLVM::AllocaOp::create(b, pointer(), b.getI8Type(), integer(64 + atOnce),
                                /*alignment=*/64);
}

Value ExpandBuilder::getTable() {
  auto module = op->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(tableName)) {
    SmallVector<uint8_t> places;
    for (unsigned mask = 0; mask < 256; ++mask)
      for (unsigned bit = 0; bit < 8; ++bit)
        places.push_back(static_cast<uint8_t>(llvm::popcount(mask & ((1u << bit) - 1))));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto count = static_cast<int64_t>(places.size());
    LLVM::GlobalOp::create(
        b, LLVM::LLVMArrayType::get(b.getI8Type(), count), /*isConstant=*/true,
        LLVM::Linkage::Internal, tableName,
        DenseElementsAttr::get(RankedTensorType::get({count}, b.getI8Type()), ArrayRef(places)),
        /*alignment=*/8);
  }
  return LLVM::AddressOfOp::create(b, pointer(), tableName);
}

/// Byte i is the one of 8 that `places` says.
Value ExpandBuilder::shuffle(Value from, Value places) {
  SmallVector<int64_t> twice(16), half(8);
  std::iota(half.begin(), half.end(), 0);
  for (int64_t i = 0; i < 16; ++i)
    twice[i] = i % 8;
  Value wide = vector::ShuffleOp::create(b, from, from, twice);
  if (expansion == Expansion::NeonTable)
    return call("llvm.aarch64.neon.tbl1.v8i8", bytes(8), {wide, places});
  Value widePlaces = vector::ShuffleOp::create(b, places, places, twice);
  Value taken = call("llvm.x86.ssse3.pshuf.b.128", bytes(16), {wide, widePlaces});
  return vector::ShuffleOp::create(b, taken, taken, half);
}

/// 8 bytes at a time: those that come next, at the places that the table has for 8 bits of the
/// mask.
Value ExpandBuilder::some() {
  Value table = getTable(), next = integer(0);
  SmallVector<Value> parts;
  for (int64_t first = 0; first < 64; first += atOnce) {
    Value bits = arith::AndIOp::create(b, arith::ShRUIOp::create(b, op.getMask(), integer(first)),
                                       integer(255));
    Value places = LLVM::LoadOp::create(
        b, bytes(8), at(table, arith::MulIOp::create(b, bits, integer(atOnce))), 8);
    Value from = LLVM::LoadOp::create(b, bytes(8), at(memory, next), 1);
    parts.push_back(shuffle(from, places));
    next = arith::AddIOp::create(b, next, LLVM::CtPopOp::create(b, b.getI64Type(), bits));
  }
  while (parts.size() > 1) {
    SmallVector<Value> joined;
    for (size_t i = 0; i < parts.size(); i += 2) {
      SmallVector<int64_t> all(2 * cast<VectorType>(parts[i].getType()).getNumElements());
      std::iota(all.begin(), all.end(), 0);
      joined.push_back(vector::ShuffleOp::create(b, parts[i], parts[i + 1], all));
    }
    parts = std::move(joined);
  }
  return arith::SelectOp::create(b, getCondition(), parts.front(), op.getOthers());
}

/// One byte at a time.
Value ExpandBuilder::one() {
  Value next = integer(0), result = op.getOthers();
  for (int64_t place = 0; place < 64; ++place) {
    Value bit = arith::AndIOp::create(b, arith::ShRUIOp::create(b, op.getMask(), integer(place)),
                                      integer(1));
    Value byte = LLVM::LoadOp::create(b, b.getI8Type(), at(memory, next), 1);
    Value other = vector::ExtractOp::create(b, op.getOthers(), place);
    Value isKept = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, integer(0));
    result = vector::InsertOp::create(
        b, arith::SelectOp::create(b, isKept, byte, other).getResult(), result, place);
    next = arith::AddIOp::create(b, next, bit);
  }
  return result;
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
