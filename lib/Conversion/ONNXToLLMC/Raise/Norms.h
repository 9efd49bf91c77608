//===- Norms.h - means of rows, and norms by them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_NORMS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_NORMS_H

#include "Raise/View.h"

namespace llmc {

/// A number per row: root(mul · mean(x or (x − mean)²) + add).
struct Statistic : MeaningOf<Statistic> {
  enum class Kind { Mean, MeanSquare } kind = Kind::Mean;
  enum class Root { None, Inverse, Square, InverseSquare } root = Root::None;
  View of;
  bool centered = false;
  double mul = 1, add = 0;

  int64_t countColumns() const override { return of.countColumns(); }
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

/// A norm on its way: (x − mean)? · 1 / sqrt(…) · gain + bias.
struct Normal : MeaningOf<Normal> {
  View of;
  bool centered = false;
  std::optional<double> epsilon; ///< set once it is divided
  std::optional<Weight> gain, bias;

  Normal(View of, bool centered, std::optional<double> epsilon,
         std::optional<Weight> gain = std::nullopt, std::optional<Weight> bias = std::nullopt)
      : of(std::move(of)), centered(centered), epsilon(epsilon), gain(std::move(gain)),
        bias(std::move(bias)) {}

  int64_t countColumns() const override { return of.countColumns(); }
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;
  mlir::FailureOr<View> toRows(Raise &raise) const override;
  bool isRows() const override { return true; }
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_NORMS_H
