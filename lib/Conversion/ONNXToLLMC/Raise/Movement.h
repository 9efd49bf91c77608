//===- Movement.h - reshapes, transposes, cuts and joins of rows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_MOVEMENT_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_MOVEMENT_H

#include "Raise/View.h"

namespace llmc {

/// Rows reshaped, then transposed. Nothing where that mixes rows with columns.
std::optional<View> moveView(Raise &raise, const View &view, llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<int64_t> permutation);

/// Whether a node only moves what its first operand holds.
bool onlyMoves(const Node &node);

/// For meanings that know no axes: raises a movement that leaves all elements of the first operand
/// in their order.
mlir::LogicalResult keepMeaning(Raise &raise, Node &node);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_MOVEMENT_H
