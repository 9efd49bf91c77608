//===- RewriteMemory.cpp - from loops over memory to loads and stores at addresses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MeaningFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// What there is code for
//===----------------------------------------------------------------------===//

static std::string spell(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Strides of memory, in elements; none where they are not known.
static std::optional<SmallVector<int64_t>> getStrides(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  if (failed(type.getStridesAndOffset(strides, offset)) ||
      llvm::is_contained(strides, ShapedType::kDynamic))
    return std::nullopt;
  return strides;
}

/// Floats that are stored, and computed with when they have been widened.
static bool isHalf(Type type) { return type.isF16() || type.isBF16(); }

static bool hasCode(Type type) {
  if (auto memory = dyn_cast<MemRefType>(type)) {
    Type element = memory.getElementType();
    return getStrides(memory) &&
           (element.isF32() || element.isF64() || isHalf(element) || element.isSignlessInteger(8) ||
            element.isSignlessInteger(32) || element.isSignlessInteger(64));
  }
  return type.isF32() || type.isF64() || type.isSignlessInteger() || type.isIndex();
}

/// Whether an operation moves, widens or narrows halves, which it names by their own type.
static bool takesHalves(Operation *op) {
  if (auto narrow = dyn_cast<arith::TruncFOp>(op))
    return narrow.getIn().getType().isF32();
  return isa<memref::LoadOp, memref::StoreOp, arith::ExtFOp, arith::SelectOp>(op);
}

std::string llmc::explainNoCode(Operation *op) {
  bool known =
      isa<memref::LoadOp, memref::StoreOp, memref::SubViewOp, memref::CastOp,
          memref::CollapseShapeOp, memref::ExpandShapeOp, memref::AllocOp, memref::GetGlobalOp,
          scf::ForOp, scf::IfOp, scf::YieldOp, func::ReturnOp, math::ExpOp, math::TanhOp,
          math::ErfOp, math::SinOp, math::CosOp, math::AbsFOp, math::SqrtOp, math::RoundEvenOp>(
          op) ||
      (isa<arith::ArithDialect>(op->getDialect()) &&
       !isa<arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op));
  if (!known)
    return "has no code for CPUs in meanings";
  for (TypeRange types : {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (!hasCode(type) && !(isHalf(type) && takesHalves(op)))
        return "has no code for CPUs in meanings on " + spell(type);
  if (isa<scf::ForOp, scf::IfOp>(op) &&
      llvm::any_of(op->getResultTypes(), llvm::IsaPred<MemRefType>))
    return "has no code for CPUs in meanings where it gives memory";
  return "";
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

namespace {

class MemoryRewriter {
public:
  using Addresses = llvm::DenseMap<Value, Value>;

  MemoryRewriter(KernelBuilder &k, Addresses addresses, Value scratch)
      : k(k), addresses(std::move(addresses)), scratch(scratch) {}

  void rewrite(ArrayRef<Operation *> ops) {
    OpBuilder::InsertionGuard guard(k.builder);
    for (Operation *op : ops) {
      k.builder.setInsertionPoint(op);
      rewrite(op);
    }
    for (Operation *op : llvm::reverse(replaced))
      op->erase();
  }

private:
  void rewrite(Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](memref::LoadOp load) {
          Value address = getAddress(load.getMemRef(), load.getIndices());
          replace(op, k.load(load.getType(), address));
        })
        .Case([&](memref::StoreOp store) {
          k.store(store.getValueToStore(), getAddress(store.getMemRef(), store.getIndices()));
          replaced.push_back(op);
        })
        .Case([&](memref::AllocOp alloc) {
          auto offset = alloc->getAttrOfType<IntegerAttr>(scratchOffsetName);
          alias(op, k.offset(scratch, offset.getInt()));
        })
        .Case([&](memref::SubViewOp view) {
          SmallVector<Value> offsets;
          for (OpFoldResult offset : view.getMixedOffsets())
            offsets.push_back(isa<Value>(offset) ? cast<Value>(offset)
                                                 : k.integer(*getConstantIntValue(offset)));
          alias(op, getAddress(view.getSource(), offsets));
        })
        .Case<memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp>(
            [&](Operation *same) { alias(op, addresses.lookup(same->getOperand(0))); })
        .Case([&](memref::GetGlobalOp) { replaced.push_back(op); })
        .Case([&](arith::ExtFOp wider) {
          if (isHalf(wider.getIn().getType()))
            replace(op, widen(wider.getIn(), wider.getType()));
        })
        .Case([&](arith::TruncFOp narrower) {
          Type type = narrower.getType();
          if (isHalf(type))
            replace(op, k.bitcast(k.narrow(narrower.getIn(), type), type));
        })
        .Case([&](math::ExpOp math) { replace(op, k.exp(math.getOperand())); })
        .Case([&](math::TanhOp math) { replace(op, k.tanh(math.getOperand())); })
        .Case([&](math::ErfOp math) { replace(op, k.erf(math.getOperand())); })
        .Case([&](math::SinOp math) { replace(op, k.sincos(math.getOperand()).first); })
        .Case([&](math::CosOp math) { replace(op, k.sincos(math.getOperand()).second); })
        .Case([&](math::AbsFOp math) { replace(op, k.fabs(math.getOperand())); })
        .Case([&](math::SqrtOp math) { replace(op, k.sqrt(math.getOperand())); })
        .Case([&](math::RoundEvenOp math) { replace(op, roundEven(math.getOperand())); });
  }

  void replace(Operation *op, Value value) {
    op->getResult(0).replaceAllUsesWith(value);
    replaced.push_back(op);
  }
  /// What was memory is an address: all that reads it is rewritten later.
  void alias(Operation *op, Value address) {
    addresses[op->getResult(0)] = address;
    replaced.push_back(op);
  }

  Value getAddress(Value memory, ValueRange indices) {
    auto type = cast<MemRefType>(memory.getType());
    Value address = addresses.lookup(memory);
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    for (auto [index, stride] : llvm::zip(indices, *getStrides(type))) {
      if (matchPattern(index, m_Zero()))
        continue;
      Value count = index;
      if (index.getType().isIndex())
        count = arith::IndexCastOp::create(k.builder, k.location, k.i64(), index);
      address = k.offset(address, k.mul(count, stride * bytes));
    }
    return address;
  }

  /// A half as f32 or f64.
  Value widen(Value half, Type type) {
    Value single = k.widen(k.bitcast(half, k.i16()), half.getType());
    return type.isF32() ? single : arith::ExtFOp::create(k.builder, k.location, type, single);
  }

  /// To the nearest integer, half to even: adding 2^23 leaves no bits for a fraction, and from
  /// there on there is none.
  Value roundEven(Value x) {
    Type type = x.getType();
    Value magic = k.real(type, 0x1p23), magnitude = k.fabs(x);
    Value rounded = k.fsub(k.fadd(magnitude, magic), magic);
    Value signedAgain = k.select(k.less(x, k.real(type, 0.0)), k.fneg(rounded), rounded);
    return k.select(k.less(magnitude, magic), signedAgain, x);
  }

  KernelBuilder &k;
  Addresses addresses;
  Value scratch;
  SmallVector<Operation *> replaced;
};

} // namespace

void llmc::rewriteMemory(KernelBuilder &k, ArrayRef<Operation *> ops,
                         llvm::DenseMap<Value, Value> addresses, Value scratch) {
  MemoryRewriter(k, std::move(addresses), scratch).rewrite(ops);
}
