//===- ExpandLoadLowering.cpp - from loads of kept numbers to instructions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where there is no instruction, LLVM makes a branch for every number, which takes long to compile
// and longer to run. A shuffle puts 16 bytes in their places: a table says where from, for each
// mask.
//
//===----------------------------------------------------------------------===//

#include "JoinVectors.h"
#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace llmc;
using ExpandLoadOp = LLVM::masked_expandload;

/// Bytes that a shuffle takes from as many.
static constexpr int64_t shuffled = 16;

namespace {

/// Builds one replacement.
class ExpandLoadBuilder {
public:
  /// `shuffle` is the intrinsic of a shuffle; empty where there is none.
  ExpandLoadBuilder(ExpandLoadOp op, StringRef shuffle)
      : op(op), shuffle(shuffle), b(op.getLoc(), op), type(cast<VectorType>(op.getRes().getType())),
        size(type.getElementTypeBitWidth() / 8) {}

  Value build() {
    Value result = shuffle.empty() ? one() : some();
    // Those of places that have no number are zero.
    if (matchPattern(op.getPassthru(), m_Zero()) ||
        matchPattern(op.getPassthru(), m_AnyZeroFloat()))
      return result;
    return arith::SelectOp::create(b, op.getMask(), result, op.getPassthru());
  }

private:
  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }
  VectorType bytes(int64_t count) { return VectorType::get({count}, b.getI8Type()); }
  Value integer(int64_t value) { return arith::ConstantIntOp::create(b, value, 64); }
  Value at(Value base, Value offset) {
    return LLVM::GEPOp::create(b, pointer(), b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{offset});
  }
  /// The bits of the mask.
  Value getBits() {
    Value bits = LLVM::BitcastOp::create(
        b, b.getIntegerType(static_cast<unsigned>(type.getNumElements())), op.getMask());
    return arith::ExtUIOp::create(b, b.getI64Type(), bits);
  }
  Value getTable();
  Value some();
  Value one();

  ExpandLoadOp op;
  StringRef shuffle;
  ImplicitLocOpBuilder b;
  VectorType type;
  int64_t size; ///< of a number, in bytes
};

} // namespace

/// The address of, for every mask of 16 bytes of numbers, the 16 bytes that say where each comes
/// from. It stands once in the module.
Value ExpandLoadBuilder::getTable() {
  std::string name = "expand_load_" + std::to_string(size);
  auto module = op->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    SmallVector<int8_t> places;
    for (unsigned mask = 0; mask < 1u << (shuffled / size); ++mask) {
      int64_t next = 0;
      for (int64_t i = 0; i < shuffled; ++i)
        places.push_back(mask >> (i / size) & 1 ? static_cast<int8_t>(next++) : int8_t(-128));
    }
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto count = static_cast<int64_t>(places.size());
    LLVM::GlobalOp::create(
        b, LLVM::LLVMArrayType::get(b.getI8Type(), count), /*isConstant=*/true,
        LLVM::Linkage::Internal, name,
        DenseElementsAttr::get(RankedTensorType::get({count}, b.getI8Type()), ArrayRef(places)),
        /*alignment=*/64);
  }
  return LLVM::AddressOfOp::create(b, pointer(), name);
}

/// 16 bytes at a time. Those behind the last kept number are read too.
Value ExpandLoadBuilder::some() {
  Value table = getTable(), mask = getBits(), next = op.getPtr();
  int64_t numbers = shuffled / size;
  SmallVector<Value> parts;
  for (int64_t first = 0; first < type.getNumElements(); first += numbers) {
    Value bits = arith::AndIOp::create(b, arith::ShRUIOp::create(b, mask, integer(first)),
                                       integer((1 << numbers) - 1));
    Value places = LLVM::LoadOp::create(
        b, bytes(shuffled), at(table, arith::MulIOp::create(b, bits, integer(shuffled))), 16,
        /*isVolatile=*/false, /*isNonTemporal=*/false, /*isInvariant=*/true);
    Value kept = LLVM::LoadOp::create(b, bytes(shuffled), next, 1);
    parts.push_back(LLVM::CallIntrinsicOp::create(b, bytes(shuffled), b.getStringAttr(shuffle),
                                                  ValueRange{kept, places})
                        .getResult(0));
    Value count = LLVM::CtPopOp::create(b, b.getI64Type(), bits);
    next = at(next, arith::MulIOp::create(b, count, integer(size)));
  }
  for (; parts.size() > 1; parts.truncate(parts.size() / 2))
    for (size_t i = 0; i < parts.size() / 2; ++i)
      parts[i] = joinVectors(b, parts[2 * i], parts[2 * i + 1]);
  return vector::BitCastOp::create(b, type, parts.front());
}

/// One number at a time, in a loop.
Value ExpandLoadBuilder::one() {
  Value mask = getBits(), result;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&op->getParentOfType<func::FuncOp>().getBody().front());
    result = LLVM::AllocaOp::create(b, pointer(), type, integer(1), /*alignment=*/64);
  }
  auto number = b.getIntegerType(static_cast<unsigned>(8 * size));
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
  scf::ForOp::create(
      b, index(0), index(type.getNumElements()), index(1), ValueRange{op.getPtr()},
      [&](OpBuilder &, Location, Value i, ValueRange next) {
        Value place = arith::IndexCastOp::create(b, b.getI64Type(), i);
        Value bit = arith::AndIOp::create(b, arith::ShRUIOp::create(b, mask, place), integer(1));
        Value isKept =
            arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, integer(0)).getResult();
        // What comes next can be read even where it is another's.
        Value kept = LLVM::LoadOp::create(b, number, next[0], 1);
        Value none = arith::ConstantIntOp::create(b, 0, static_cast<unsigned>(8 * size));
        LLVM::StoreOp::create(b, arith::SelectOp::create(b, isKept, kept, none),
                              at(result, arith::MulIOp::create(b, place, integer(size))), 1);
        scf::YieldOp::create(b,
                             ValueRange{at(next[0], arith::MulIOp::create(b, bit, integer(size)))});
      });
  return LLVM::LoadOp::create(b, type, result);
}

/// Whether numbers are what kernels load, and no instruction is for them.
static bool isLowered(cpu::TargetAttr target, VectorType type) {
  unsigned bits = type.getElementTypeBitWidth();
  if ((bits != 16 && bits != 32) || type.getRank() != 1 || type.getNumElements() != 16)
    return false;
  return target.getDot() == cpu::DotLowering::Plain ||
         !target.getFeatures().contains(bits == 32 ? "+avx512f" : "+avx512vbmi2");
}

static StringRef chooseShuffle(cpu::TargetAttr target) {
  StringRef features = target.getFeatures();
  if (target.getDot() != cpu::DotLowering::Plain && features.contains("+avx2"))
    return "llvm.x86.ssse3.pshuf.b.128";
  return features.contains("+neon") ? "llvm.aarch64.neon.tbl1.v16i8" : "";
}

void llmc::lowerExpandLoads(func::FuncOp function, cpu::TargetAttr target) {
  SmallVector<ExpandLoadOp> found;
  function.walk([&](ExpandLoadOp op) {
    if (auto type = dyn_cast<VectorType>(op.getRes().getType()); type && isLowered(target, type))
      found.push_back(op);
  });
  for (ExpandLoadOp op : found) {
    op.getRes().replaceAllUsesWith(ExpandLoadBuilder(op, chooseShuffle(target)).build());
    op.erase();
  }
}
