//===- HadamardKernel.cpp - rows rotated by Hadamard matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// H = C ⊗ S: the core C mixes elements 2^k apart on the way from the input to the output;
// Sylvester's S are k steps of sums and differences in place, four of them inside vectors.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "llmc/Support/Hadamard.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

namespace {

class HadamardEmitter {
public:
  HadamardEmitter(KernelBuilder &k, const Hadamard &matrix, int64_t width, bool transposed)
      : k(k), matrix(matrix), width(width), transposed(transposed) {}

  void emitRow(Value input, Value output) {
    k.loop(k.integer(0), k.integer(width), matrix.getOrder(), [&](Value begin) {
      Value bytes = k.mul(begin, 4);
      mix(k.offset(input, bytes), k.offset(output, bytes));
    });
    if (isVectorized())
      k.loop(k.integer(0), k.integer(width), lanes, [&](Value i) {
        Value address = k.offset(output, k.mul(i, 4));
        k.storeVector(combineLanes(k.loadVector(address)), address);
      });
    for (int64_t half = isVectorized() ? lanes : 1; half < matrix.getPower(); half *= 2)
      combine(output, half);
    for (int64_t i = width; i < getRowStride(width); ++i)
      k.store(k.real(k.f32(), 0.0), k.offset(output, i * 4));
  }

private:
  bool isVectorized() const { return matrix.getPower() >= lanes; }
  int64_t getStep() const { return isVectorized() ? lanes : 1; }
  Type getType() { return isVectorized() ? Type(k.vector(k.f32())) : k.f32(); }

  /// The core's part of one block, with the factor 1 / √n.
  void mix(Value from, Value to) {
    const int64_t core = matrix.getCoreOrder(), power = matrix.getPower();
    Value scale = k.real(getType(), 1 / std::sqrt(static_cast<double>(matrix.getOrder())));
    k.loop(k.integer(0), k.integer(power), getStep(), [&](Value i) {
      Value bytes = k.mul(i, 4);
      Values terms;
      for (int64_t row = 0; row < core; ++row)
        terms.push_back(
            k.fmul(k.load(getType(), k.offset(k.offset(from, row * power * 4), bytes), 4), scale));
      for (int64_t column = 0; column < core; ++column) {
        Value sum;
        for (int64_t row = 0; row < core; ++row) {
          bool negative =
              matrix.getCore()[transposed ? column * core + row : row * core + column] < 0;
          if (!sum)
            sum = negative ? k.fneg(terms[row]) : terms[row];
          else
            sum = negative ? k.fsub(sum, terms[row]) : k.fadd(sum, terms[row]);
        }
        k.store(sum, k.offset(k.offset(to, column * power * 4), bytes), 4);
      }
    });
  }

  /// Sums and differences of lanes 1, 2, 4 and 8 apart.
  Value combineLanes(Value x) {
    for (int64_t half = 1; half < lanes; half *= 2) {
      SmallVector<int64_t> other;
      SmallVector<float> signs;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        other.push_back(lane ^ half);
        signs.push_back(lane & half ? -1.0f : 1.0f);
      }
      Value sign = arith::ConstantOp::create(
          k.builder, k.location, DenseElementsAttr::get(k.vector(k.f32()), ArrayRef<float>(signs)));
      x = k.fma(x, sign, k.shuffle(x, x, other));
    }
    return x;
  }

  /// Sums and differences of elements `half` apart.
  void combine(Value row, int64_t half) {
    k.loop(k.integer(0), k.integer(width), 2 * half, [&](Value begin) {
      k.loop(begin, k.add(begin, half), getStep(), [&](Value i) {
        Value first = k.offset(row, k.mul(i, 4)), second = k.offset(first, half * 4);
        Value a = k.load(getType(), first, 4), b = k.load(getType(), second, 4);
        k.store(k.fadd(a, b), first, 4);
        k.store(k.fsub(a, b), second, 4);
      });
    });
  }

  KernelBuilder &k;
  const Hadamard &matrix;
  int64_t width;
  bool transposed;
};

} // namespace

bool llmc::hasHadamardKernel(int64_t order) {
  // All terms of the core are written out.
  constexpr int64_t maxCore = 60;
  std::optional<Hadamard> matrix = Hadamard::get(order);
  return matrix && matrix->getCoreOrder() <= maxCore;
}

func::FuncOp llmc::emitHadamard(ModuleOp module, int64_t width, int64_t order, bool transposed,
                                const KernelTarget &target) {
  std::string name = ("hadamard_" + Twine(width) + "o" + Twine(order) + (transposed ? "t" : "") +
                      "_" + target.name)
                         .str();
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  Hadamard matrix = *Hadamard::get(order);
  KernelBuilder k(module, name, "iipp", target);
  HadamardEmitter emitter(k, matrix, width, transposed);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value bytes = k.mul(row, getRowStride(width) * 4);
    emitter.emitRow(k.offset(k.argument(2), bytes), k.offset(k.argument(3), bytes));
  });
  return k.finish();
}
