//===- Pattern.h - which weights of a matrix pruning keeps ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What all pruning passes have in common: the pattern, which of some weights are kept once each has
// a score, and storing those that are kept.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_PATTERN_H
#define LLMC_TRANSFORMS_PRUNING_PATTERN_H

#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include <optional>

namespace llmc {

/// How many weights are kept: of each `of` that stand side by side in a row `count`, or a share of
/// all, wherever they are.
struct PruningPattern {
  int64_t count = 0, of = 0; ///< of: 2, 4, 8, 16 or 32; 0: any weights
  double sparsity = 0;       ///< the share of weights that go, where `of` is 0

  /// What the options `pattern`, "2:4", or `sparsity` ask for. Reports at `location` what can't be.
  static mlir::FailureOr<PruningPattern> get(mlir::Location location, llvm::StringRef pattern,
                                             std::optional<double> sparsity);

  bool isFree() const { return of == 0; }
  /// How many are kept of so many.
  int64_t getKept(int64_t weights) const;

  /// The encoding of a matrix of which `kept` weights are, by this pattern. `weights` says how
  /// those are stored: an encoding, or the TypeAttr of floats. Null where that can't be, which is
  /// reported.
  EncodingInterface store(mlir::Attribute weights, int64_t kept,
                          llvm::function_ref<mlir::InFlightDiagnostic()> emitError) const;

  /// Of weights side by side keeps of each `of`, or of all of them, those of largest score; of the
  /// same score, those that come first.
  void choose(llvm::ArrayRef<double> scores, llvm::MutableArrayRef<bool> kept) const;
};

/// Keeps the `count` weights of largest score; of the same score, those that come first.
void keepLargest(llvm::ArrayRef<double> scores, int64_t count, llvm::MutableArrayRef<bool> kept);

/// How a parameter's weights are stored: its encoding, or the TypeAttr of floats.
mlir::Attribute getStoredWeights(ParameterOp parameter);

/// Reports at the parameter a shape that `pattern` can't be of.
mlir::LogicalResult checkShape(ParameterOp parameter, const PruningPattern &pattern);

/// The weights of a parameter that `kept` says, one for each, as they are: floats or the codes of
/// an encoding. Reports at the parameter what `pattern` can't be of.
mlir::FailureOr<QuantizedWeight> pruneWeight(ParameterOp parameter, const WeightValues &values,
                                             const PruningPattern &pattern,
                                             llvm::ArrayRef<bool> kept);

/// States at the linears that read a weight how its inputs are rounded now that it is pruned: as
/// they were, or with a warning not at all where no code stands for zero.
DynamicAttr keepRounding(SelectedWeight &weight);

/// Takes from `weights` those that are pruned already, with a remark at the module.
void leavePruned(mlir::ModuleOp module, llvm::SmallVectorImpl<SelectedWeight> &weights);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_PATTERN_H
