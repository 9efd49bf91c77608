//===- ByteLookupLowering.cpp - from streams and tables of bytes to instructions ---===//
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

#include <numeric>

using namespace mlir;
using namespace llmc;
using cpu::LookUpBytesOp;
using cpu::WindowsOp;

namespace {

/// Builds one replacement.
class BytesLowering {
public:
  explicit BytesLowering(Operation *op) : b(op->getLoc(), op) {}

  VectorType bytes(int64_t count) { return VectorType::get({count}, b.getI8Type()); }
  VectorType words() { return VectorType::get({16}, b.getI32Type()); }
  Value splat(VectorType type, int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(type, b.getIntegerAttr(type.getElementType(), value)));
  }
  Value constant(ArrayRef<int8_t> numbers) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(bytes(static_cast<int64_t>(numbers.size())), numbers));
  }
  Value call(StringRef intrinsic, Type type, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(intrinsic), operands)
        .getResult(0);
  }
  /// Lanes [first, first + count).
  Value slice(Value vector, int64_t first, int64_t count) {
    SmallVector<int64_t> mask(count);
    std::iota(mask.begin(), mask.end(), first);
    return vector::ShuffleOp::create(b, vector, vector, mask);
  }
  Value concat(Value a, Value c) {
    SmallVector<int64_t> mask(2 * cast<VectorType>(a.getType()).getNumElements());
    std::iota(mask.begin(), mask.end(), 0);
    return vector::ShuffleOp::create(b, a, c, mask);
  }
  /// `count` bytes of a table from `first` on. Nothing writes to it: they may be loaded once for
  /// many look-ups.
  Value loadTable(Value table, int64_t first, int64_t count) {
    Value address = LLVM::GEPOp::create(b, table.getType(), b.getI8Type(), table,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(first)});
    return LLVM::LoadOp::create(b, bytes(count), address, /*alignment=*/1, /*isVolatile=*/false,
                                /*isNonTemporal=*/false, /*isInvariant=*/true);
  }

protected:
  ImplicitLocOpBuilder b;
};

class LookupLowering : BytesLowering {
public:
  explicit LookupLowering(LookUpBytesOp op) : BytesLowering(op), op(op) {}

  Value plain();
  Value permute();
  Value shuffle(int64_t count);
  Value lookUpInQuarters();

private:
  LookUpBytesOp op;
};

class WindowsLowering : BytesLowering {
public:
  explicit WindowsLowering(WindowsOp op) : BytesLowering(op), op(op) {}

  Value plain();
  Value multishift();

private:
  /// The 32 bits from the first window on, which has the others in it.
  Value join();

  WindowsOp op;
};

} // namespace

Value LookupLowering::plain() {
  auto offsets = VectorType::get({64}, b.getI64Type());
  auto bits = VectorType::get({64}, b.getI1Type());
  auto addresses = VectorType::get({64}, op.getTable().getType());
  Value index = arith::ExtUIOp::create(b, offsets, op.getIndices());
  Value places = LLVM::GEPOp::create(b, addresses, b.getI8Type(), op.getTable(),
                                     ArrayRef<LLVM::GEPArg>{index});
  Value all = arith::ConstantOp::create(b, DenseElementsAttr::get(bits, true));
  return LLVM::masked_gather::create(b, bytes(64), places, all, ValueRange{splat(bytes(64), 0)}, 1);
}

/// The instruction takes the low seven bits of an index; the eighth says which half of the table it
/// was.
Value LookupLowering::permute() {
  Value halves[2], indices = op.getIndices();
  for (int64_t half = 0; half < 2; ++half)
    halves[half] = call("llvm.x86.avx512.vpermi2var.qi.512", bytes(64),
                        {loadTable(op.getTable(), 128 * half, 64), indices,
                         loadTable(op.getTable(), 128 * half + 64, 64)});
  Value isLow =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sge, indices, splat(bytes(64), 0)).getResult();
  return arith::SelectOp::create(b, isLow, halves[0], halves[1]);
}

/// The instruction looks up in 16 bytes, and gives zero where the index has its highest bit: of 16
/// parts of the table all but one do.
Value LookupLowering::shuffle(int64_t count) {
  StringRef intrinsic = count == 64 ? "llvm.x86.avx512.pshuf.b.512" : "llvm.x86.avx2.pshuf.b";
  SmallVector<Value> parts;
  for (int64_t first = 0; first < 64; first += count) {
    Value indices = count == 64 ? op.getIndices() : slice(op.getIndices(), first, count);
    Value found;
    for (int64_t part = 0; part < 16; ++part) {
      Value some = loadTable(op.getTable(), 16 * part, 16);
      SmallVector<int64_t> repeated(count);
      for (int64_t i = 0; i < count; ++i)
        repeated[i] = i % 16;
      Value table = vector::ShuffleOp::create(b, some, some, repeated);
      // Beyond this part the sum saturates.
      Value inPart = arith::SubIOp::create(b, indices, splat(bytes(count), 16 * part));
      inPart = LLVM::UAddSat::create(b, inPart, splat(bytes(count), 0x70));
      Value here = call(intrinsic, bytes(count), {table, inPart});
      found = found ? arith::OrIOp::create(b, found, here).getResult() : here;
    }
    parts.push_back(found);
  }
  return parts.size() == 1 ? parts[0] : concat(parts[0], parts[1]);
}

/// The instructions look up in 64 bytes: a first one gives zero beyond them, the others leave what
/// is there.
Value LookupLowering::lookUpInQuarters() {
  SmallVector<Value> parts;
  for (int64_t first = 0; first < 64; first += 16) {
    Value indices = slice(op.getIndices(), first, 16), found;
    for (int64_t quarter = 0; quarter < 4; ++quarter) {
      SmallVector<Value> operands;
      if (quarter > 0)
        operands.push_back(found);
      for (int64_t part = 0; part < 4; ++part)
        operands.push_back(loadTable(op.getTable(), 64 * quarter + 16 * part, 16));
      operands.push_back(arith::SubIOp::create(b, indices, splat(bytes(16), 64 * quarter)));
      found = call(quarter == 0 ? "llvm.aarch64.neon.tbl4.v16i8" : "llvm.aarch64.neon.tbx4.v16i8",
                   bytes(16), operands);
    }
    parts.push_back(found);
  }
  return concat(concat(parts[0], parts[1]), concat(parts[2], parts[3]));
}

Value WindowsLowering::join() {
  if (op.getOffset() == 0)
    return op.getLow();
  if (op.getLow() == op.getHigh())
    return arith::ShRUIOp::create(b, op.getLow(), splat(words(), op.getOffset()));
  return LLVM::FshrOp::create(b, op.getHigh(), op.getLow(), splat(words(), op.getOffset()));
}

Value WindowsLowering::plain() {
  Value bits = join(), result;
  for (int64_t byte = 0; byte < 4; ++byte) {
    int64_t right = byte * static_cast<int64_t>(op.getStep()) - 8 * byte;
    Value moved = right > 0   ? arith::ShRUIOp::create(b, bits, splat(words(), right)).getResult()
                  : right < 0 ? arith::ShLIOp::create(b, bits, splat(words(), -right)).getResult()
                              : bits;
    Value taken = arith::AndIOp::create(b, moved, splat(words(), int64_t(255) << (8 * byte)));
    result = result ? arith::OrIOp::create(b, result, taken).getResult() : taken;
  }
  return vector::BitCastOp::create(b, bytes(64), result);
}

/// The instruction takes eight windows of each 64 bits: four of each of two lanes.
Value WindowsLowering::multishift() {
  bool fits = op.getLow() == op.getHigh();
  Value bits = fits ? op.getLow() : join();
  int64_t first = fits ? static_cast<int64_t>(op.getOffset()) : 0;
  SmallVector<int8_t> starts;
  for (int64_t byte = 0; byte < 64; ++byte)
    starts.push_back(static_cast<int8_t>(first + byte % 4 * static_cast<int64_t>(op.getStep()) +
                                         byte / 4 % 2 * 32));
  return call("llvm.x86.avx512.pmultishift.qb.512", bytes(64),
              {constant(starts), vector::BitCastOp::create(b, bytes(64), bits)});
}

void llmc::lowerByteLookups(func::FuncOp function, StringRef features) {
  SmallVector<StringRef> list;
  features.split(list, ',');
  auto has = [&](StringRef feature) { return llvm::is_contained(list, feature); };
  bool hasVbmi = has("+avx512vbmi") && has("+avx512vbmi2");
  SmallVector<Operation *> found;
  function.walk([&](Operation *op) {
    if (isa<LookUpBytesOp, WindowsOp>(op))
      found.push_back(op);
  });
  for (Operation *op : found) {
    Value value;
    if (auto windows = dyn_cast<WindowsOp>(op)) {
      value = hasVbmi ? WindowsLowering(windows).multishift() : WindowsLowering(windows).plain();
    } else {
      LookupLowering lowering(cast<LookUpBytesOp>(op));
      value = hasVbmi            ? lowering.permute()
              : has("+avx512bw") ? lowering.shuffle(64)
              : has("+avx2")     ? lowering.shuffle(32)
              : has("+neon")     ? lowering.lookUpInQuarters()
                                 : lowering.plain();
    }
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }
}
