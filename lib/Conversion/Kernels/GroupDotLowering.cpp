//===- GroupDotLowering.cpp - from dot products of groups to instructions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/Kernels/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

namespace {

/// Builds one replacement.
class DotBuilder {
public:
  DotBuilder(GroupDotOp op) : op(op), builder(op), location(op.getLoc()) {}

  Value plain();
  Value vnni();
  Value maddubs();
  Value sdot();

private:
  VectorType vector(Type element, int64_t count) { return VectorType::get({count}, element); }
  Type i8() { return builder.getI8Type(); }
  Type i16() { return builder.getI16Type(); }
  Type i32() { return builder.getI32Type(); }

  Value splat(VectorType type, int64_t value) {
    return arith::ConstantOp::create(
        builder, location,
        DenseElementsAttr::get(type, builder.getIntegerAttr(type.getElementType(), value)));
  }
  Value call(StringRef intrinsic, Type type, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(builder, location, type, builder.getStringAttr(intrinsic),
                                         operands)
        .getResult(0);
  }
  Value add(Value a, Value b) { return arith::AddIOp::create(builder, location, a, b); }
  /// Lanes [first, first + count) of a vector, `stride` apart.
  Value slice(Value value, int64_t first, int64_t count, int64_t stride = 1) {
    SmallVector<int64_t> mask(count);
    for (int64_t i = 0; i < count; ++i)
      mask[i] = first + i * stride;
    return vector::ShuffleOp::create(builder, location, value, value, mask);
  }
  Value concat(Value a, Value b) {
    SmallVector<int64_t> mask(2 * cast<VectorType>(a.getType()).getNumElements());
    std::iota(mask.begin(), mask.end(), 0);
    return vector::ShuffleOp::create(builder, location, a, b, mask);
  }
  /// The bits [shift, shift + 4) of every byte.
  Value nibbles(Value bytes, int64_t shift);
  Value maddubsHalf(ArrayRef<Value> weights, ArrayRef<Value> activations, int64_t maxWeight);

  GroupDotOp op;
  OpBuilder builder;
  Location location;
};

} // namespace

/// Everything stays in its 32-bit lane, which any machine with vectors can do without shuffles: the
/// bytes at even and at odd places as int16, where a product fits, and pairs of those as int32.
Value DotBuilder::plain() {
  VectorType halves = vector(i16(), 32), words = vector(i32(), 16);
  auto cast = [&](VectorType type, Value value) -> Value {
    return vector::BitCastOp::create(builder, location, type, value);
  };
  auto left = [&](Value value, int64_t bits) -> Value {
    Value count = splat(llvm::cast<VectorType>(value.getType()), bits);
    return arith::ShLIOp::create(builder, location, value, count);
  };
  auto right = [&](Value value, int64_t bits) -> Value {
    Value count = splat(llvm::cast<VectorType>(value.getType()), bits);
    return arith::ShRSIOp::create(builder, location, value, count);
  };
  Value sum = splat(words, 0);
  for (auto [weight, activation] : llvm::zip(op.getWeights(), op.getActivations())) {
    Value w = cast(halves, weight), a = cast(halves, activation);
    Value products[] = {
        arith::MulIOp::create(builder, location,
                              arith::AndIOp::create(builder, location, w, splat(halves, 255)),
                              right(left(a, 8), 8)),
        arith::MulIOp::create(builder, location,
                              arith::ShRUIOp::create(builder, location, w, splat(halves, 8)),
                              right(a, 8))};
    for (Value product : products) {
      Value pair = cast(words, product);
      sum = add(add(sum, right(left(pair, 16), 16)), right(pair, 16));
    }
  }
  return sum;
}

Value DotBuilder::vnni() {
  VectorType words = vector(i32(), 16);
  // LLVM 22 takes vectors of bytes for the factors.
  Value sum = splat(words, 0);
  for (auto [weight, activation] : llvm::zip(op.getWeights(), op.getActivations()))
    sum = call("llvm.x86.avx512.vpdpbusd.512", words, {sum, weight, activation});
  return sum;
}

Value DotBuilder::nibbles(Value bytes, int64_t shift) {
  auto type = cast<VectorType>(bytes.getType());
  VectorType halves = vector(i16(), type.getNumElements() / 2);
  if (shift != 0) {
    Value wide = vector::BitCastOp::create(builder, location, halves, bytes);
    wide = arith::ShRUIOp::create(builder, location, wide, splat(halves, shift));
    bytes = vector::BitCastOp::create(builder, location, type, wide);
  }
  return arith::AndIOp::create(builder, location, bytes, splat(type, 15));
}

/// 8 rows: sums of products of pairs in int16 as long as they fit, then pairs of those in int32.
Value DotBuilder::maddubsHalf(ArrayRef<Value> weights, ArrayRef<Value> activations,
                              int64_t maxWeight) {
  VectorType shorts = vector(i16(), 16), words = vector(i32(), 8);
  // A lane gains at most 2 · maxWeight · 127 a step.
  int64_t stepsThatFit = 32767 / (2 * 127 * maxWeight);
  if (stepsThatFit == 0) {
    SmallVector<Value> low, high;
    for (Value weight : weights) {
      low.push_back(nibbles(weight, 0));
      high.push_back(nibbles(weight, 4));
    }
    Value sum = maddubsHalf(high, activations, 15);
    sum = arith::ShLIOp::create(builder, location, sum, splat(words, 4));
    return add(sum, maddubsHalf(low, activations, 15));
  }
  Value result;
  for (size_t begin = 0; begin < weights.size(); begin += stepsThatFit) {
    size_t end = std::min(weights.size(), begin + static_cast<size_t>(stepsThatFit));
    Value sum;
    for (size_t step = begin; step < end; ++step) {
      Value product = call("llvm.x86.avx2.pmadd.ub.sw", shorts, {weights[step], activations[step]});
      sum = sum ? add(sum, product) : product;
    }
    Value pairs = call("llvm.x86.avx2.pmadd.wd", words, {sum, splat(shorts, 1)});
    result = result ? add(result, pairs) : pairs;
  }
  return result;
}

Value DotBuilder::maddubs() {
  Value halves[2];
  for (int64_t half = 0; half < 2; ++half) {
    SmallVector<Value> weights, activations;
    for (auto [weight, activation] : llvm::zip(op.getWeights(), op.getActivations())) {
      weights.push_back(slice(weight, 32 * half, 32));
      activations.push_back(slice(activation, 32 * half, 32));
    }
    halves[half] = maddubsHalf(weights, activations, op.getMaxWeight());
  }
  return concat(halves[0], halves[1]);
}

Value DotBuilder::sdot() {
  VectorType words = vector(i32(), 4), bytes = vector(i8(), 16);
  Value quarters[4];
  for (int64_t quarter = 0; quarter < 4; ++quarter) {
    Value sum = splat(words, 0), activationSum = splat(words, 0);
    for (auto [weight, activation] : llvm::zip(op.getWeights(), op.getActivations())) {
      Value a = slice(weight, 16 * quarter, 16), b = slice(activation, 16 * quarter, 16);
      if (op.getMaxWeight() > 127) {
        // As signed bytes the codes are 128 less; 128 times the activations comes back below.
        a = arith::XOrIOp::create(builder, location, a, splat(bytes, -128));
        activationSum =
            call("llvm.aarch64.neon.sdot.v4i32.v16i8", words, {activationSum, splat(bytes, 1), b});
      }
      sum = call("llvm.aarch64.neon.sdot.v4i32.v16i8", words, {sum, a, b});
    }
    if (op.getMaxWeight() > 127)
      sum = add(sum, arith::ShLIOp::create(builder, location, activationSum, splat(words, 7)));
    quarters[quarter] = sum;
  }
  return concat(concat(quarters[0], quarters[1]), concat(quarters[2], quarters[3]));
}

void llmc::lowerGroupDots(func::FuncOp function, DotLowering lowering) {
  SmallVector<GroupDotOp> ops;
  function.walk([&](GroupDotOp op) { ops.push_back(op); });
  for (GroupDotOp op : ops) {
    DotBuilder dot(op);
    Value result;
    switch (lowering) {
    case DotLowering::Plain:
      result = dot.plain();
      break;
    case DotLowering::Vnni:
      result = dot.vnni();
      break;
    case DotLowering::Maddubs:
      result = dot.maddubs();
      break;
    case DotLowering::Sdot:
      result = dot.sdot();
      break;
    }
    op.replaceAllUsesWith(result);
    op.erase();
  }
}
