//===- GroupDotLowering.cpp - from dot products of groups to instructions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/Sequence.h"

#include <numeric>

using namespace mlir;
using namespace llmc;
using cpu::DotLowering;

namespace {

/// Builds where a dot product stands.
class VectorBuilder {
protected:
  explicit VectorBuilder(GroupDotOp place) : builder(place), location(place.getLoc()) {}

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

  OpBuilder builder;
  Location location;
};

/// Builds one replacement.
class DotBuilder : VectorBuilder {
public:
  DotBuilder(GroupDotOp op) : VectorBuilder(op), op(op) {}

  Value plain();
  Value sdot();

private:
  VectorType vector(Type element, int64_t count) { return VectorType::get({count}, element); }
  Type i8() { return builder.getI8Type(); }
  Type i16() { return builder.getI16Type(); }
  Type i32() { return builder.getI32Type(); }

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

  GroupDotOp op;
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

/// Whether it is loaded, or made of what is: such operations are moved to where they are used.
static bool isMoved(Operation *op) {
  return isa<LLVM::LoadOp, vector::BroadcastOp, vector::BitCastOp>(op);
}

/// Moves the loading of a factor down to where it is used. Nothing on the way writes memory.
static void sink(Value value, Operation *before, DenseSet<Operation *> &sunk) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != before->getBlock() || sunk.contains(op) || !isMoved(op))
    return;
  sunk.insert(op);
  for (Value operand : op->getOperands())
    sink(operand, before, sunk);
  op->moveBefore(before);
}

/// The later of `place`, null at first, and what computes `value` or what it is loaded from.
static Operation *findLast(Value value, Block *block, Operation *place) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != block)
    return place;
  if (!isMoved(op))
    return !place || place->isBeforeInBlock(op) ? op : place;
  for (Value operand : op->getOperands())
    place = findLast(operand, block, place);
  return place;
}

/// The operation that adds a dot product to what a loop carries, if that is all it is for.
static arith::AddIOp getAddition(GroupDotOp dot) {
  if (!dot->hasOneUse())
    return {};
  auto addition = dyn_cast<arith::AddIOp>(*dot->user_begin());
  bool isCarried = addition && llvm::any_of(addition->getOperands(), [&](Value operand) {
                     auto argument = dyn_cast<BlockArgument>(operand);
                     return argument && argument.getOwner() == dot->getBlock();
                   });
  return isCarried ? addition : arith::AddIOp();
}

namespace {

/// Lowers products that stand side by side, step by step together: every chain of additions has the
/// time that the others take, and a step's weights and activations fill registers for a short
/// while.
class RunLowering : VectorBuilder {
public:
  RunLowering(MutableArrayRef<GroupDotOp> dots)
      : VectorBuilder(dots.back()), dots(dots), steps(dots.front().getWeights().size()) {}

  void toVnni();
  void toMaddubs();

private:
  VectorType vector(unsigned bits, int64_t count) {
    return VectorType::get({count}, builder.getIntegerType(bits));
  }
  /// Whether some weights of each step are more than loaded.
  bool areComputed() {
    return llvm::all_of(llvm::seq(steps), [&](size_t step) {
      return llvm::any_of(dots, [&](GroupDotOp dot) {
        Operation *op = dot.getWeights()[step].getDefiningOp();
        return op && !isMoved(op);
      });
    });
  }
  /// Goes to where the products of a step are built: where all of its weights are computed, so that
  /// registers needn't hold those of all steps, or else where the dot products stand.
  void startStep(size_t step) {
    if (areAllComputed) {
      Operation *last = place;
      for (GroupDotOp dot : dots)
        for (Value factor : {dot.getWeights()[step], dot.getActivations()[step]})
          last = findLast(factor, dots.back()->getBlock(), last);
      if (last != place)
        builder.setInsertionPointAfter(last);
      place = last;
    }
    Operation *before = &*builder.getInsertionPoint();
    for (GroupDotOp dot : dots) {
      sink(dot.getWeights()[step], before, sunk);
      sink(dot.getActivations()[step], before, sunk);
    }
  }
  /// What a sum begins with: zero, or what it is to be added to.
  Value getStart(GroupDotOp dot);
  /// 32 of 64 bytes; of weights above 15 the low (part 0) or the high four bits.
  Value getHalf(Value bytes, int64_t half);
  Value getPart(Value weights, int64_t half, int64_t part, int64_t parts);

  MutableArrayRef<GroupDotOp> dots;
  size_t steps;
  DenseSet<Operation *> sunk;
  bool areAllComputed = areComputed();
  Operation *place = nullptr; ///< that the last step stands behind
  DenseMap<std::pair<Value, int64_t>, Value> halves;
  DenseMap<std::pair<Value, int64_t>, Value> nibbles; ///< by weights, and 2 · half + part
};

} // namespace

void RunLowering::toVnni() {
  VectorType words = vector(32, 16);
  SmallVector<Value> sums;
  for (size_t step = 0; step < steps; ++step) {
    startStep(step);
    if (sums.empty())
      for (GroupDotOp dot : dots)
        sums.push_back(getStart(dot));
    // LLVM 22 takes vectors of bytes for the factors.
    for (auto [sum, dot] : llvm::zip(sums, dots))
      sum = call("llvm.x86.avx512.vpdpbusd.512", words,
                 {sum, dot.getWeights()[step], dot.getActivations()[step]});
  }
  for (auto [sum, dot] : llvm::zip(sums, dots)) {
    if (arith::AddIOp addition = getAddition(dot)) {
      addition.replaceAllUsesWith(sum);
      addition.erase();
    } else {
      dot.replaceAllUsesWith(sum);
    }
  }
}

Value RunLowering::getStart(GroupDotOp dot) {
  arith::AddIOp addition = getAddition(dot);
  if (!addition)
    return splat(vector(32, 16), 0);
  return addition.getLhs() == dot.getResult() ? addition.getRhs() : addition.getLhs();
}

Value RunLowering::getHalf(Value bytes, int64_t half) {
  Value &result = halves[{bytes, half}];
  if (!result) {
    SmallVector<int64_t> mask(32);
    std::iota(mask.begin(), mask.end(), 32 * half);
    result = vector::ShuffleOp::create(builder, location, bytes, bytes, mask);
  }
  return result;
}

Value RunLowering::getPart(Value weights, int64_t half, int64_t part, int64_t parts) {
  if (parts == 1)
    return getHalf(weights, half);
  Value &result = nibbles[{weights, 2 * half + part}];
  if (!result) {
    VectorType bytes = vector(8, 32), shorts = vector(16, 16);
    Value wide = vector::BitCastOp::create(builder, location, shorts, getHalf(weights, half));
    if (part == 1)
      wide = arith::ShRUIOp::create(builder, location, wide, splat(shorts, 4));
    result = arith::AndIOp::create(builder, location,
                                   vector::BitCastOp::create(builder, location, bytes, wide),
                                   splat(bytes, 15));
  }
  return result;
}

/// Sums of products of pairs in int16 as long as they fit, then pairs of those in int32.
void RunLowering::toMaddubs() {
  VectorType shorts = vector(16, 16), words = vector(32, 8);
  int64_t maxWeight = 0;
  for (GroupDotOp dot : dots)
    maxWeight = std::max<int64_t>(maxWeight, dot.getMaxWeight());
  // A lane gains at most 2 · weight · 127 a step. Where not even one step fits, weights are taken
  // in two parts of four bits.
  int64_t parts = maxWeight > 32767 / (2 * 127) ? 2 : 1;
  size_t stepsThatFit = 32767 / (2 * 127 * (parts == 2 ? 15 : maxWeight));
  // By product, half and part.
  size_t count = dots.size() * 2 * parts;
  SmallVector<Value> sums(count), results(count);
  for (size_t step = 0; step < steps; ++step) {
    startStep(step);
    bool widen = (step + 1) % stepsThatFit == 0 || step + 1 == steps;
    for (auto [index, dot] : llvm::enumerate(dots))
      for (int64_t half = 0; half < 2; ++half)
        for (int64_t part = 0; part < parts; ++part) {
          Value &sum = sums[(index * 2 + half) * parts + part];
          Value &result = results[(index * 2 + half) * parts + part];
          Value product = call("llvm.x86.avx2.pmadd.ub.sw", shorts,
                               {getPart(dot.getWeights()[step], half, part, parts),
                                getHalf(dot.getActivations()[step], half)});
          sum = sum ? add(sum, product) : product;
          if (!widen)
            continue;
          Value pairs = call("llvm.x86.avx2.pmadd.wd", words, {sum, splat(shorts, 1)});
          result = result ? add(result, pairs) : pairs;
          sum = nullptr;
        }
  }
  builder.setInsertionPoint(dots.back());
  SmallVector<int64_t> all(16);
  std::iota(all.begin(), all.end(), 0);
  for (auto [index, dot] : llvm::enumerate(dots)) {
    Value whole[2];
    for (int64_t half = 0; half < 2; ++half) {
      whole[half] = results[(index * 2 + half) * parts];
      if (parts == 2)
        whole[half] =
            add(whole[half],
                arith::ShLIOp::create(builder, location, results[(index * 2 + half) * parts + 1],
                                      splat(words, 4)));
    }
    dot.replaceAllUsesWith(
        vector::ShuffleOp::create(builder, location, whole[0], whole[1], all).getResult());
  }
}

void llmc::lowerGroupDots(func::FuncOp function, DotLowering lowering) {
  SmallVector<SmallVector<GroupDotOp>> runs;
  function.walk([&](GroupDotOp op) {
    bool continues = !runs.empty() && runs.back().back()->getNextNode() == op.getOperation() &&
                     runs.back().back().getWeights().size() == op.getWeights().size();
    if (!continues)
      runs.emplace_back();
    runs.back().push_back(op);
  });
  for (MutableArrayRef<GroupDotOp> run : runs) {
    switch (lowering) {
    case DotLowering::Vnni:
      RunLowering(run).toVnni();
      break;
    case DotLowering::Maddubs:
      RunLowering(run).toMaddubs();
      break;
    case DotLowering::Sdot:
      for (GroupDotOp op : run)
        op.replaceAllUsesWith(DotBuilder(op).sdot());
      break;
    case DotLowering::Plain:
      for (GroupDotOp op : run)
        op.replaceAllUsesWith(DotBuilder(op).plain());
      break;
    }
    for (GroupDotOp op : run)
      op.erase();
  }
}
