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

/// Bytes of each of 16 rows that stand side by side.
constexpr int64_t rowBytes = 4;

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
  /// Vectors one after the other: a power of two of them.
  Value concatAll(SmallVector<Value> parts) {
    while (parts.size() > 1) {
      for (size_t i = 0; i < parts.size() / 2; ++i)
        parts[i] = concat(parts[2 * i], parts[2 * i + 1]);
      parts.truncate(parts.size() / 2);
    }
    return parts.front();
  }
  static StringRef getShuffle(int64_t count) {
    return count == 64 ? "llvm.x86.avx512.pshuf.b.512" : "llvm.x86.avx2.pshuf.b";
  }
  /// 16 bytes out of the 64 of a table from `first` on; beyond them `others`, or zero where there
  /// are none.
  Value takeFromTable(Value table, int64_t first, Value indices, Value others) {
    SmallVector<Value> operands;
    if (others)
      operands.push_back(others);
    for (int64_t part = 0; part < 4; ++part)
      operands.push_back(loadTable(table, first + 16 * part, 16));
    operands.push_back(indices);
    return call(others ? "llvm.aarch64.neon.tbx4.v16i8" : "llvm.aarch64.neon.tbl4.v16i8", bytes(16),
                operands);
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

/// What a machine looks bytes up with.
enum class LookupKind {
  Loads,    ///< nothing: each is loaded
  Pshufb,   ///< 16 bytes, in each 16 of 32
  Pshufb64, ///< the same of 64
  Vpermb,   ///< 64 bytes, or 128
  Tbl       ///< 64 bytes, for 16 indices
};

class LookupLowering : BytesLowering {
public:
  LookupLowering(LookUpBytesOp op, LookupKind kind)
      : BytesLowering(op), op(op), kind(kind), size(static_cast<int64_t>(op.getSize())) {}

  Value lower();

private:
  /// What the indices find in a table of `size` bytes which starts at byte `first`.
  Value find(int64_t first, Value indices, int64_t size);
  Value load();
  Value permute(int64_t first, Value indices, int64_t size);
  Value shuffle(int64_t first, Value indices, int64_t size, int64_t count);
  Value lookUpInQuarters(int64_t first, Value indices, int64_t size);
  /// What they find in 16 tables, one for each four.
  Value findByRow();
  Value shuffleByRow(int64_t count);
  Value findInFourRows();
  /// `vector` plus what `number(row)` says of the bytes of each row.
  Value addToRows(Value vector, llvm::function_ref<int64_t(int64_t row)> number);
  /// Bytes of `a` in rows that `takes` says, of `c` elsewhere.
  Value selectRows(int64_t firstRow, Value a, Value c, llvm::function_ref<bool(int64_t row)> takes);

  LookUpBytesOp op;
  LookupKind kind;
  int64_t size;
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

Value LookupLowering::lower() {
  // Where each row has a table of more than a shuffle looks up in, loads are fewer instructions.
  bool shuffles = kind == LookupKind::Pshufb || kind == LookupKind::Pshufb64;
  if (kind == LookupKind::Loads || (shuffles && op.getByRow() && size > 16))
    return load();
  return op.getByRow() ? findByRow() : find(0, op.getIndices(), size);
}

Value LookupLowering::find(int64_t first, Value indices, int64_t size) {
  switch (kind) {
  case LookupKind::Pshufb:
    return shuffle(first, indices, size, 32);
  case LookupKind::Pshufb64:
    return shuffle(first, indices, size, 64);
  case LookupKind::Tbl:
    return lookUpInQuarters(first, indices, size);
  case LookupKind::Vpermb:
  case LookupKind::Loads:
    break;
  }
  return permute(first, indices, size);
}

Value LookupLowering::load() {
  auto offsets = VectorType::get({64}, b.getI64Type());
  auto bits = VectorType::get({64}, b.getI1Type());
  auto addresses = VectorType::get({64}, op.getTable().getType());
  Value index = arith::ExtUIOp::create(b, offsets, op.getIndices());
  if (op.getByRow()) {
    SmallVector<int64_t> starts;
    for (int64_t byte = 0; byte < 64; ++byte)
      starts.push_back(byte / rowBytes * size);
    index = arith::AddIOp::create(
        b, index, arith::ConstantOp::create(b, DenseElementsAttr::get(offsets, ArrayRef(starts))));
  }
  Value places = LLVM::GEPOp::create(b, addresses, b.getI8Type(), op.getTable(),
                                     ArrayRef<LLVM::GEPArg>{index});
  Value all = arith::ConstantOp::create(b, DenseElementsAttr::get(bits, true));
  return LLVM::masked_gather::create(b, bytes(64), places, all, ValueRange{splat(bytes(64), 0)}, 1);
}

/// An instruction takes the low six or seven bits of an index; an eighth says which half of the
/// table it was.
Value LookupLowering::permute(int64_t first, Value indices, int64_t size) {
  Value table = op.getTable();
  if (size <= 64)
    return call("llvm.x86.avx512.permvar.qi.512", bytes(64),
                {loadTable(table, first, 64), indices});
  auto half = [&](int64_t begin) {
    return call(
        "llvm.x86.avx512.vpermi2var.qi.512", bytes(64),
        {loadTable(table, first + begin, 64), indices, loadTable(table, first + begin + 64, 64)});
  };
  Value low = half(0);
  if (size <= 128)
    return low;
  Value isLow =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sge, indices, splat(bytes(64), 0)).getResult();
  return arith::SelectOp::create(b, isLow, low, half(128));
}

/// The instruction looks up in 16 bytes, and gives zero where the index has its highest bit: of all
/// parts of the table all but one do.
Value LookupLowering::shuffle(int64_t first, Value indices, int64_t size, int64_t count) {
  SmallVector<Value> found;
  for (int64_t begin = 0; begin < 64; begin += count) {
    Value some = count == 64 ? indices : slice(indices, begin, count), sum;
    for (int64_t place = 0; place < size; place += 16) {
      Value part = loadTable(op.getTable(), first + place, 16);
      SmallVector<int64_t> repeated(count);
      for (int64_t i = 0; i < count; ++i)
        repeated[i] = i % 16;
      Value table = vector::ShuffleOp::create(b, part, part, repeated);
      Value inPart = some;
      if (size > 16) {
        // Beyond this part the sum saturates.
        inPart = arith::SubIOp::create(b, some, splat(bytes(count), place));
        inPart = LLVM::UAddSat::create(b, inPart, splat(bytes(count), 0x70));
      }
      Value here = call(getShuffle(count), bytes(count), {table, inPart});
      sum = sum ? arith::OrIOp::create(b, sum, here).getResult() : here;
    }
    found.push_back(sum);
  }
  return concatAll(found);
}

/// The instructions look up in 64 bytes: a first one gives zero beyond them, the others leave what
/// is there.
Value LookupLowering::lookUpInQuarters(int64_t first, Value indices, int64_t size) {
  SmallVector<Value> parts;
  for (int64_t begin = 0; begin < 64; begin += 16) {
    Value some = slice(indices, begin, 16), found;
    for (int64_t place = 0; place < size; place += 64)
      found = takeFromTable(op.getTable(), first + place,
                            arith::SubIOp::create(b, some, splat(bytes(16), place)), found);
    parts.push_back(found);
  }
  return concatAll(parts);
}

//===----------------------------------------------------------------------===//
// A table for each row
//===----------------------------------------------------------------------===//

Value LookupLowering::addToRows(Value vector, llvm::function_ref<int64_t(int64_t row)> number) {
  int64_t count = cast<VectorType>(vector.getType()).getNumElements();
  SmallVector<int8_t> numbers;
  for (int64_t byte = 0; byte < count; ++byte)
    numbers.push_back(static_cast<int8_t>(number(byte / rowBytes)));
  return arith::AddIOp::create(b, vector, constant(numbers));
}

Value LookupLowering::selectRows(int64_t firstRow, Value a, Value c,
                                 llvm::function_ref<bool(int64_t row)> takes) {
  int64_t count = cast<VectorType>(a.getType()).getNumElements();
  SmallVector<bool> conditions;
  for (int64_t byte = 0; byte < count; ++byte)
    conditions.push_back(takes(firstRow + byte / rowBytes));
  auto type = VectorType::get({count}, b.getI1Type());
  Value mask = arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(conditions)));
  return arith::SelectOp::create(b, mask, a, c);
}

/// As many tables as fit 256 bytes are looked up in as one.
Value LookupLowering::findByRow() {
  if (size <= 16 && kind != LookupKind::Vpermb)
    return kind == LookupKind::Tbl ? findInFourRows()
                                   : shuffleByRow(kind == LookupKind::Pshufb ? 32 : 64);
  int64_t rowsAtOnce = std::min<int64_t>(256 / size, 16);
  Value indices = addToRows(op.getIndices(), [&](int64_t row) { return row % rowsAtOnce * size; });
  Value found;
  for (int64_t row = 0; row < 16; row += rowsAtOnce) {
    Value here = find(row * size, indices, rowsAtOnce * size);
    found = found ? selectRows(0, here, found, [&](int64_t other) { return other >= row; }) : here;
  }
  return found;
}

/// Each 16 bytes are of four rows: an instruction for the first of each four, one for the second …
Value LookupLowering::shuffleByRow(int64_t count) {
  SmallVector<Value> parts;
  for (int64_t begin = 0; begin < 64; begin += count) {
    Value indices = count == 64 ? op.getIndices() : slice(op.getIndices(), begin, count), found;
    for (int64_t inFour = 0; inFour < 4; ++inFour) {
      SmallVector<Value> tables;
      for (int64_t row = begin / rowBytes + inFour; row < (begin + count) / rowBytes; row += 4)
        tables.push_back(loadTable(op.getTable(), row * size, 16));
      Value here = call(getShuffle(count), bytes(count), {concatAll(tables), indices});
      found = found ? selectRows(begin / rowBytes, here, found,
                                 [&](int64_t row) { return row % 4 == inFour; })
                    : here;
    }
    parts.push_back(found);
  }
  return concatAll(parts);
}

/// Each 16 bytes are of four rows, whose tables fit one instruction.
Value LookupLowering::findInFourRows() {
  Value indices = addToRows(op.getIndices(), [&](int64_t row) { return row % 4 * size; });
  SmallVector<Value> parts;
  for (int64_t begin = 0; begin < 64; begin += 16)
    parts.push_back(
        takeFromTable(op.getTable(), begin / rowBytes * size, slice(indices, begin, 16), {}));
  return concatAll(parts);
}

Value WindowsLowering::join() {
  int64_t first = op.getStarts().front();
  if (first == 0)
    return op.getLow();
  if (op.getLow() == op.getHigh())
    return arith::ShRUIOp::create(b, op.getLow(), splat(words(), first));
  return LLVM::FshrOp::create(b, op.getHigh(), op.getLow(), splat(words(), first));
}

Value WindowsLowering::plain() {
  Value bits = join(), result;
  for (int64_t byte = 0; byte < 4; ++byte) {
    int64_t right = op.getStarts()[byte] - op.getStarts().front() - 8 * byte;
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
  int64_t joined = fits ? 0 : op.getStarts().front();
  SmallVector<int8_t> starts;
  for (int64_t byte = 0; byte < 64; ++byte)
    starts.push_back(static_cast<int8_t>(op.getStarts()[byte % 4] - joined + byte / 4 % 2 * 32));
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
      LookupKind kind = hasVbmi            ? LookupKind::Vpermb
                        : has("+avx512bw") ? LookupKind::Pshufb64
                        : has("+avx2")     ? LookupKind::Pshufb
                        : has("+neon")     ? LookupKind::Tbl
                                           : LookupKind::Loads;
      value = LookupLowering(cast<LookUpBytesOp>(op), kind).lower();
    }
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }
}
