//===- MergedHeads.h - rows and heads along one axis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGEDHEADS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGEDHEADS_H

#include "Raise/View.h"

namespace llmc {

/// Rows × heads along one axis and the columns of a head along the last, as exporters shape what
/// they apply a norm of heads to. Nothing but a reshape leads here, and one leads back.
struct MergedHeads : MeaningOf<MergedHeads> {
  View of; ///< rows × heads × size
  explicit MergedHeads(View of) : of(std::move(of)) {}

  int64_t countColumns() const override { return of.countColumns(); }
  std::optional<mlir::LogicalResult> raiseUse(Raise &raise, Node &node) const override;

  /// A view under a shape that a reshape gives it, where it has that form.
  static std::optional<MergedHeads> get(const View &view, llvm::ArrayRef<int64_t> shape);
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGEDHEADS_H
