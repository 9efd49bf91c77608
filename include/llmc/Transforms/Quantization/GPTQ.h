//===- GPTQ.h - rounding that makes up for its own errors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The algorithm of Frantar et al. 2022 ("GPTQ: accurate post-training quantization for generative
// pre-trained transformers", algorithm 1). Columns are rounded one after another; what a column
// loses is made up for by the columns that are still to come, in the way that is best for the
// inputs that calibration saw.
//
// SparseGPT (Frantar and Alistarh 2023, "SparseGPT: massive language models can be accurately
// pruned in one-shot", algorithm 1) is the same with weights that are rounded to zero, chosen on
// the way: those whose loss is least, w² / U_jj².
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_GPTQ_H
#define LLMC_TRANSFORMS_QUANTIZATION_GPTQ_H

#include "llmc/Transforms/Pruning/Pattern.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include <vector>

namespace llmc {

/// The second moment of a linear's inputs, prepared for rounding: what all linears that read the
/// same inputs share.
class InverseHessian {
public:
  /// `hessian` is H, width × width, up to any positive factor; it is consumed. Inputs that are
  /// always zero (H_jj = 0) are dead: their weights become zero. The diagonal is raised by `damp`
  /// times its mean; where H is not positive definite even so, by ten times more, up to the mean
  /// itself. An error if that is not enough either. With `descending` columns are rounded in
  /// descending order of H_jj, else from left to right.
  static llvm::Expected<InverseHessian> create(std::vector<double> hessian, int64_t width,
                                               double damp, bool descending);

  /// What an error in each column costs once the columns after it have made up for it: 1 / U_jj²,
  /// as a part of the largest.
  std::vector<float> getImportance() const;

  int64_t width = 0;
  double damp = 0;             ///< the factor that was enough
  double added = 0;            ///< damp · mean(H_jj), what the diagonal was raised by
  std::vector<int64_t> order;  ///< the column that is rounded at each step
  std::vector<int64_t> steps;  ///< the step at which each column is rounded
  std::vector<bool> dead;      ///< by step
  std::vector<double> factor;  ///< R, upper triangular, H + added · I = R·Rᵀ, in steps
  std::vector<double> inverse; ///< U = R⁻¹, so that (H + added · I)⁻¹ = Uᵀ·U
};

struct GPTQOptions {
  /// One that has a format, or a sparsity of one that has, or of floats.
  EncodingInterface encoding;
  FitOptions fit;
  /// All groups are fitted to the weights as they were; else each to what its group has become by
  /// the time its first column is rounded.
  bool staticGroups = false;
};

struct GPTQResult {
  QuantizedWeight weight;
  /// Σ e² / 2 = tr(ΔW·(H + added · I)·ΔWᵀ) / 2, with ΔW taken after dead columns became zero.
  double loss = 0;
};

/// Rounds a matrix. Reports at `parameter` scales that the encoding's type can't hold. Groups of a
/// number of columns need static groups if the columns are out of order, and sequential encodings
/// need them in order.
mlir::FailureOr<GPTQResult> quantizeGPTQ(ParameterOp parameter, const WeightValues &values,
                                         const InverseHessian &hessian, const GPTQOptions &options);

/// Prunes a matrix by SparseGPT and rounds what is kept, in one loop: `options` has the sparsity,
/// by `pattern`, of what kept weights are rounded to. A share of the weights is chosen in each 128
/// columns or so, among all rows, which are all in memory then, in fp64. Of each M weights the N
/// are chosen when the first of them is reached, by what the weights are by then; a grid is fitted
/// to those that are best when its own first column is, or to all weights where it is fitted before
/// anything is rounded. Sets the mask of `values` to what is kept. Columns have to be in order.
mlir::FailureOr<GPTQResult> pruneSparseGPT(ParameterOp parameter, WeightValues &values,
                                           const InverseHessian &hessian,
                                           const GPTQOptions &options,
                                           const PruningPattern &pattern);

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_GPTQ_H
