//===- Linear.h - rows times constant matrices ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_LINEAR_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_LINEAR_H

#include "Raise/View.h"

namespace llmc {

/// A constant matrix of the file or a computed one.
std::optional<Weight> getMatrix(Raise &raise, const Node &node, unsigned i);

/// Computes the values of weights that no encoding holds.
mlir::LogicalResult settle(Raise &raise, Weight &weight);

/// Gives a node's result the meaning of a linear, which is held back until what follows is known.
/// `weight` is out × in.
mlir::LogicalResult emitLinear(Raise &raise, Node &node, const View &input, Weight weight,
                               std::optional<Weight> bias, DynamicAttr activation);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_LINEAR_H
