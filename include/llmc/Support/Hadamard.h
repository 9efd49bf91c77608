//===- Hadamard.h - orthogonal matrices of signs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Hadamard matrix H of order n has elements ±1 and H·Hᵀ = n·I, so that x·H / √n is a rotation
// that spreads every element of x over all of the result. Here n = m · 2^k and H = C ⊗ S: S is
// Sylvester's matrix of order 2^k, S[i, j] = (−1)^popcount(i & j), and the core C of order m is 1
// or one of Paley's two kinds (Paley 1933, "On orthogonal matrices", J. Math. Phys. 12, 311–320)
// over a field of p or p² elements: m = 1, 12, 20, 28, 36, 44, 52, 60, 68, 76, 84, 100, …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_HADAMARD_H
#define LLMC_SUPPORT_HADAMARD_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace llmc {

class Hadamard {
public:
  /// Cores are at most this large.
  static constexpr int64_t maxCore = 1024;

  /// The matrix of this order, or nothing where none is known here.
  static std::optional<Hadamard> get(int64_t order);

  int64_t getOrder() const { return core * power; }
  /// m: the order of the core.
  int64_t getCoreOrder() const { return core; }
  /// 2^k.
  int64_t getPower() const { return power; }
  /// The core, row by row.
  llvm::ArrayRef<int8_t> getCore() const { return signs; }
  /// H[row, column].
  int getSign(int64_t row, int64_t column) const;

  /// x ← x·H / √n for `x` of n elements.
  void apply(llvm::MutableArrayRef<double> x) const { apply(x, /*transposed=*/false); }
  /// x ← x·Hᵀ / √n, the way back.
  void applyTransposed(llvm::MutableArrayRef<double> x) const { apply(x, /*transposed=*/true); }

private:
  Hadamard(int64_t core, int64_t power, std::vector<int8_t> signs)
      : core(core), power(power), signs(std::move(signs)) {}
  void apply(llvm::MutableArrayRef<double> x, bool transposed) const;

  int64_t core, power;
  std::vector<int8_t> signs;
};

/// The largest order that divides `width` and has a matrix here whose core is at most `maxCore`: a
/// row is cut into blocks of so many elements, as few as can be.
int64_t getHadamardBlock(int64_t width, int64_t maxCore = Hadamard::maxCore);

} // namespace llmc

#endif // LLMC_SUPPORT_HADAMARD_H
