//===- KernelBuilder.h - what every emitter of kernels builds with ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Short names for the operations that kernels are made of: 64-bit integers, raw pointers, vectors
// of 16 floats. Nothing here depends on the instruction set but `fma` and `loadHalf`, which become
// exact equivalents where the target lacks them.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_KERNELS_KERNELBUILDER_H
#define LLMC_LIB_CONVERSION_KERNELS_KERNELBUILDER_H

#include "llmc/Conversion/Kernels/KernelTarget.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace llmc {

/// Lanes of the vectors that kernels are written on.
inline constexpr int64_t lanes = 16;

/// Bytes between what a kernel reads and what it asks for, where that comes from memory: memory's
/// latency at twice its speed, and more.
inline constexpr int64_t prefetchDistance = 4096;

/// A float in a function's name: its bits.
std::string spellBits(float value);

/// Tells lists of numbers apart in names of functions and tables.
uint64_t hashNumbers(llvm::ArrayRef<float> numbers);

class KernelBuilder {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<mlir::Value>;

  /// Starts function @name in `module`: its arguments are pointers and i64, as `arguments` says
  /// with a letter each, 'p' or 'i'. The body ends with finish().
  KernelBuilder(mlir::ModuleOp module, llvm::StringRef name, llvm::StringRef arguments,
                const KernelTarget &target);

  Value argument(unsigned index) { return function.getArgument(index); }
  mlir::func::FuncOp finish();

  // Types.
  mlir::Type i8(), i16(), i32(), i64(), f32(), f64(), pointer();
  mlir::VectorType vector(mlir::Type element, int64_t count = lanes);

  // Constants.
  Value integer(int64_t value);                  ///< i64
  Value integer(mlir::Type type, int64_t value); ///< scalar or splat
  Value real(mlir::Type type, double value);     ///< scalar or splat
  Value bytes(llvm::ArrayRef<int8_t> numbers);   ///< a vector
  /// The address of constant numbers, which stand once in the module.
  Value table(llvm::ArrayRef<float> numbers);
  /// The same of numbers of any type, in row-major order.
  Value table(mlir::DenseElementsAttr numbers);

  // Integers and addresses.
  Value add(Value a, Value b), sub(Value a, Value b), mul(Value a, Value b);
  Value div(Value a, Value b), rem(Value a, Value b);
  Value min(Value a, Value b), max(Value a, Value b); ///< signed
  Value add(Value a, int64_t b), mul(Value a, int64_t b), div(Value a, int64_t b);
  Value bitAnd(Value a, Value b), bitOr(Value a, Value b);
  Value shl(Value a, int64_t b), shl(Value a, Value b);
  Value shr(Value a, int64_t b), shr(Value a, Value b);
  /// The address `bytes` after `base`.
  Value offset(Value base, Value bytes), offset(Value base, int64_t bytes);

  // Memory. `alignment` 0 means the element's own.
  Value load(mlir::Type type, Value address, unsigned alignment = 0);
  void store(Value value, Value address, unsigned alignment = 0);
  /// 16 floats; aligned to 4 bytes only.
  Value loadVector(Value address) { return load(vector(f32()), address, 4); }
  void storeVector(Value value, Value address) { store(value, address, 4); }
  /// The float at `address` in all lanes.
  Value loadBroadcast(Value address) { return broadcast(load(f32(), address)); }
  /// The numbers of `element` that 16 indices (i32, from 0 on) say behind `base`.
  Value gather(mlir::Type element, Value base, Value indices);
  /// `count` numbers of a plane's type of floats at `address`, each in whole bytes, widened exactly
  /// to f32.
  Value loadAsFloats(mlir::Type element, Value address, int64_t count = lanes);
  /// Widens one number of f32, f16 or bf16 or a vector of them.
  Value widen(Value bits, mlir::Type element);
  /// What codes of a type of floats of a byte or less stand for, one i32 or a vector of them.
  Value widenCodes(Value codes, mlir::Type element);
  /// The same of 64 bytes, one code each: a vector of the first of each four, of the second …
  Values widenBytes(Value codes, mlir::Type element);
  /// Rounds floats to f16, bf16 or a float of a byte or less, half to even: their bits. Those of
  /// f32 are themselves.
  Value narrow(Value floats, mlir::Type element);
  /// Asks for the line at `address`, into the second level of the cache.
  void prefetch(Value address);

  // Vectors and floats; all work on scalars too where that makes sense.
  Value broadcast(Value scalar, int64_t count = lanes);
  Value fadd(Value a, Value b), fsub(Value a, Value b), fmul(Value a, Value b),
      fdiv(Value a, Value b);
  Value fmax(Value a, Value b);
  Value fma(Value a, Value b, Value c); ///< a · b + c
  Value fneg(Value a), fabs(Value a), sqrt(Value a);
  Value toFloat(Value integers), toInteger(Value floats); ///< i32 ↔ f32
  Value bitcast(Value value, mlir::Type type);
  Value truncate(Value integers, mlir::Type type);
  Value extendSigned(Value integers, mlir::Type type),
      extendUnsigned(Value integers, mlir::Type type);
  Value less(Value a, Value b);        ///< floats, ordered
  Value equal(Value a, Value b);       ///< integers
  Value lessInteger(Value a, Value b); ///< signed
  Value select(Value condition, Value a, Value b);
  /// The floats at `indices` of a table of 2, 4, 8 or 16.
  Value lookUp(llvm::ArrayRef<float> table, Value indices);
  Value lookUpInteger(llvm::ArrayRef<int32_t> table, Value indices);
  /// Bytes of 16 integers of 32 bits, each in the order that the bytes of `places` say.
  Value takeBytes(Value bytes, Value places);
  /// The bits of an integer, the lowest first, as a vector of conditions.
  Value asMask(Value integer);
  /// How many bits of an integer are 1.
  Value countOnes(Value integer);
  /// The first of 64 bytes at the places of an i64's bits that are 1, and `others` elsewhere.
  Value expandBytes(Value bytes, Value mask, Value others);
  /// The same of numbers in memory, and of any number of them; no others are read.
  Value expandLoad(Value address, Value mask, Value others);
  /// Of 64 bytes, the one of each 16 at the place that another says: modulo 16, and 0 from 128 on.
  Value shuffleBytes(Value bytes, Value places);
  /// The bytes at `indices`, 64 bytes, of a table of `size` at an address that nothing writes to,
  /// or of one for each four bytes.
  Value lookUpBytes(Value table, Value indices, int64_t size = 256, bool byRow = false);
  /// The byte at an index below `size`, as i32; of each lane, or of one.
  Value lookUpByte(Value table, Value index, int64_t size = 256, bool byRow = false);
  /// Byte 4r + i: the 8 bits from bit starts[i] on of high · 2^32 + low in lane r.
  Value windows(Value low, Value high, llvm::ArrayRef<int64_t> starts);
  Value extract(Value vector, int64_t lane);
  Value shuffle(Value a, Value b, llvm::ArrayRef<int64_t> mask);
  /// Sum or maximum of the lanes, by a fixed tree: the same bits on every machine.
  Value sumLanes(Value vector), maxLanes(Value vector);

  // Functions of floats (MathFunctions.cpp); relative errors around 2^-22 unless said otherwise.
  Value exp(Value x);
  Value sigmoid(Value x);                  ///< 1 / (1 + exp(-x))
  Value tanh(Value x);                     ///< relative error below 3e-7
  Value erf(Value x);                      ///< absolute error below 2e-7
  std::pair<Value, Value> sincos(Value x); ///< for |x| < 2^20

  // Control.
  using LoopBody = llvm::function_ref<Values(Value index, mlir::ValueRange carried)>;
  /// for (i = begin; i < end; i += step), carrying values; gives what they are at the end.
  Values loop(Value begin, Value end, int64_t step, mlir::ValueRange carried, LoopBody body);
  void loop(Value begin, Value end, int64_t step, llvm::function_ref<void(Value index)> body);
  /// [begin, end) in blocks of `most`, then in ever smaller ones down to 1; all sizes are known
  /// when the kernel is made.
  void loopInBlocks(Value begin, Value end, int64_t most,
                    llvm::function_ref<void(Value first, int64_t size)> body);
  void ifThen(Value condition, llvm::function_ref<void()> body);

  const KernelTarget &target;
  mlir::OpBuilder builder;
  mlir::Location location;

private:
  mlir::func::FuncOp function;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_KERNELS_KERNELBUILDER_H
