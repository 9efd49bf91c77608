//===- GroupEncoder.h - numbers that share elements of a cache's planes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_GROUPENCODER_H
#define LLMC_LIB_CONVERSION_KERNELS_GROUPENCODER_H

#include "KernelBuilder.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include <deque>

namespace llmc {

/// An encoding's arithmetic on numbers that share elements of planes: as many
/// vectors as they fill, and the rest one by one.
class GroupEncoder final : public EncodeBuilder {
public:
  GroupEncoder(KernelBuilder &k, int64_t count, bool shares)
      : k(k), vectors(count / lanes), parts(vectors + count % lanes), shares(shares) {}

  /// Floats from `address` on.
  Operand load(mlir::Value address) {
    KernelBuilder::Values loaded;
    for (int64_t part = 0; part < parts; ++part)
      loaded.push_back(k.load(isVector(part) ? mlir::Type(k.vector(k.f32())) : k.f32(),
                              k.offset(address, getFirst(part) * 4), 4));
    return make(std::move(loaded));
  }
  /// Numbers that are there, a vector for every 16 of them.
  Operand take(KernelBuilder::Values loaded) { return make(std::move(loaded)); }
  /// The elements in part `part`: 16 of them, or what all share.
  mlir::Value get(Operand operand, int64_t part) { return getPart(operand, part); }
  /// `address` is that of the first number's element.
  void store(Operand operand, const CachePlane &plane, mlir::Value address);

  Operand integer(int32_t value) override { return constant(k.integer(k.i32(), value)); }
  Operand add(Operand a, Operand b) override {
    return apply({a, b}, [&](mlir::ValueRange v) { return k.add(v[0], v[1]); });
  }
  Operand subtract(Operand a, Operand b) override {
    return apply({a, b}, [&](mlir::ValueRange v) { return k.sub(v[0], v[1]); });
  }
  Operand bitAnd(Operand a, Operand b) override {
    return apply({a, b}, [&](mlir::ValueRange v) { return k.bitAnd(v[0], v[1]); });
  }
  Operand shiftRight(Operand a, unsigned bits) override {
    return apply({a}, [&](mlir::ValueRange v) { return k.shr(v[0], bits); });
  }
  Operand shiftLeft(Operand a, Operand bits) override {
    return apply({a, bits}, [&](mlir::ValueRange v) { return k.shl(v[0], v[1]); });
  }
  Operand takeBytes(Operand bytes, Operand places) override {
    return apply({bytes, places}, [&](mlir::ValueRange v) { return k.takeBytes(v[0], v[1]); });
  }
  Operand lookUpByte(Operand, Operand) override {
    llvm_unreachable("caches have no planes that are tables");
  }
  Operand lookUpInteger(llvm::ArrayRef<int32_t> table, Operand index) override {
    return apply({index}, [&](mlir::ValueRange v) { return k.lookUpInteger(table, v[0]); });
  }
  Operand selectEqual(Operand a, Operand b, Operand then, Operand otherwise) override {
    return apply({a, b, then, otherwise},
                 [&](mlir::ValueRange v) { return k.select(k.equal(v[0], v[1]), v[2], v[3]); });
  }

  Operand real(float value) override { return constant(k.real(k.f32(), value)); }
  Operand toReal(Operand integer) override {
    return apply({integer}, [&](mlir::ValueRange v) { return k.toFloat(v[0]); });
  }
  Operand multiply(Operand a, Operand b) override {
    return apply({a, b}, [&](mlir::ValueRange v) { return k.fmul(v[0], v[1]); });
  }
  Operand multiplyAdd(Operand a, Operand b, Operand c) override {
    return apply({a, b, c}, [&](mlir::ValueRange v) { return k.fadd(k.fmul(v[0], v[1]), v[2]); });
  }
  Operand lookUp(llvm::ArrayRef<float> table, Operand index) override {
    return apply({index}, [&](mlir::ValueRange v) { return k.lookUp(table, v[0]); });
  }

  Operand absolute(Operand a) override {
    return apply({a}, [&](mlir::ValueRange v) { return k.fabs(v[0]); });
  }
  Operand divide(Operand a, Operand b) override {
    return apply({a, b}, [&](mlir::ValueRange v) { return k.fdiv(v[0], v[1]); });
  }
  Operand squareRoot(Operand a) override {
    return apply({a}, [&](mlir::ValueRange v) { return k.sqrt(v[0]); });
  }
  Operand largest(Operand a) override;
  Operand sum(Operand a) override;
  Operand countBelow(llvm::ArrayRef<float> limits, Operand a) override {
    return apply({a}, [&](mlir::ValueRange v) { return countBelow(limits, v[0]); });
  }
  Operand roundTo(Operand a, mlir::Type element) override {
    return apply({a}, [&](mlir::ValueRange v) {
      return element.isF32() ? v[0] : k.widen(k.narrow(v[0], element), element);
    });
  }
  Operand roundToInteger(Operand a, int32_t low, int32_t high) override {
    return apply({a}, [&](mlir::ValueRange v) {
      mlir::Type type = v[0].getType();
      mlir::Value least = k.real(type, low), most = k.real(type, high);
      mlir::Value x = k.select(k.less(least, v[0]), v[0], least);
      x = k.select(k.less(x, most), x, most);
      // 1.5 · 2^23: adding it rounds to an integer, half to even.
      mlir::Value magic = k.real(type, 0x1.8p23);
      return k.toInteger(k.fsub(k.fadd(x, magic), magic));
    });
  }

private:
  struct Numbers {
    KernelBuilder::Values parts; ///< or one number that is the same for all
    bool uniform;
  };

  static const Numbers &get(Operand operand) {
    return *static_cast<const Numbers *>(operand.getHandle());
  }
  Operand make(KernelBuilder::Values values) {
    return Operand(&numbers.emplace_back(Numbers{std::move(values), false}));
  }
  Operand constant(mlir::Value value) {
    return Operand(&numbers.emplace_back(Numbers{{value}, true}));
  }

  /// Integers of 3 bits, with `stride` bytes from one of theirs to the next.
  void storeTriples(Operand operand, mlir::Value address, int64_t stride);
  mlir::Value countBelow(llvm::ArrayRef<float> limits, mlir::Value x);

  bool isVector(int64_t part) const { return part < vectors; }
  /// The place of a part's first number.
  int64_t getFirst(int64_t part) const {
    return isVector(part) ? part * lanes : vectors * (lanes - 1) + part;
  }
  mlir::Value getPart(Operand operand, int64_t part) {
    const Numbers &from = get(operand);
    if (!from.uniform)
      return from.parts[part];
    return isVector(part) ? k.broadcast(from.parts[0]) : from.parts[0];
  }

  Operand apply(llvm::ArrayRef<Operand> operands,
                llvm::function_ref<mlir::Value(mlir::ValueRange)> body) {
    KernelBuilder::Values results, arguments;
    if (llvm::all_of(operands, [](Operand operand) { return get(operand).uniform; })) {
      for (Operand operand : operands)
        arguments.push_back(get(operand).parts[0]);
      return constant(body(arguments));
    }
    for (int64_t part = 0; part < parts; ++part) {
      arguments.clear();
      for (Operand operand : operands)
        arguments.push_back(getPart(operand, part));
      results.push_back(body(arguments));
    }
    return make(std::move(results));
  }

  KernelBuilder &k;
  int64_t vectors, parts;
  bool shares;
  std::deque<Numbers> numbers; ///< grows without moving what operands point to
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_GROUPENCODER_H
