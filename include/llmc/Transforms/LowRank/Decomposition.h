//===- Decomposition.h - the two factors whose product is nearest to a matrix ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// W, out × in, is near to B·A of rank r: what an error E = W − B·A costs is ‖E·S‖², where S says
// how inputs count. With W·S = Σ σᵢ·uᵢ·vᵢᵀ, σ descending, the best B·A is Σ_{i<r} uᵢ·uᵢᵀ·W, and
// costs what is left out, Σ_{i≥r} σᵢ² (Eckart and Young 1936; with S·Sᵀ = X·Xᵀ Wang et al. 2024,
// "SVD-LLM", theorem 3.2). All of it is fp64.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_DECOMPOSITION_H
#define LLMC_TRANSFORMS_LOWRANK_DECOMPOSITION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <vector>

namespace llmc {

class InverseHessian;

/// How errors in the columns of a weight count: S.
class InputMetric {
public:
  /// All alike.
  explicit InputMetric(int64_t width) : width(width), dead(width, false) {}
  /// S is diagonal. Columns whose factor is not positive do not count.
  explicit InputMetric(std::vector<double> factors);
  /// S is the root of a second moment, taken in columns from left to right. Dead ones don't count.
  explicit InputMetric(InverseHessian hessian);

  int64_t getWidth() const { return width; }
  /// Whether nothing is known of what an error in the column costs: its weights are taken as zero.
  bool isDead(int64_t column) const { return dead[column]; }

  /// rows ← rows·S, of rows side by side.
  void apply(std::vector<double> &rows) const;
  /// rows ← rows·S⁻¹, of columns that are not dead.
  void undo(std::vector<double> &rows) const;

private:
  int64_t width;
  std::vector<bool> dead;
  std::vector<double> factors;       ///< of a diagonal
  std::vector<double> root, inverse; ///< upper triangles
};

/// B·A of a matrix.
struct LowRankFactors {
  int64_t rank = 0;
  std::vector<double> a; ///< rank × columns
  std::vector<double> b; ///< rows × rank, its columns orthonormal where they are not zero
};

/// A matrix taken apart, so that it is known what each rank costs.
class Decomposition {
public:
  /// `weights`, which are finite, are rows of metric.getWidth() columns; the metric has to stay
  /// alive. An error where the numbers do not converge.
  static llvm::Expected<Decomposition> create(std::vector<double> weights,
                                              const InputMetric &metric);

  int64_t getFullRank() const { return static_cast<int64_t>(squares.size()); }
  /// σᵢ², descending.
  llvm::ArrayRef<double> getSquares() const { return squares; }
  /// ‖(W − B·A)·S‖² of the best factors of a rank.
  double getLoss(int64_t rank) const;
  LowRankFactors getFactors(int64_t rank) const;

private:
  Decomposition(std::vector<double> weights, const InputMetric &metric);
  bool isWide() const { return rows <= columns; }

  const InputMetric *metric;
  int64_t rows, columns;
  std::vector<double> weights; ///< W, without dead columns, where it is wide, else W·S
  std::vector<double> squares; ///< σᵢ²
  std::vector<double> vectors; ///< row i: uᵢ where the matrix is wide, else vᵢ
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_LOWRANK_DECOMPOSITION_H
