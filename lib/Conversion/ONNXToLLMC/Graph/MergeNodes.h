//===- MergeNodes.h - equal nodes of a graph as one ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGENODES_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGENODES_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

namespace llmc {

/// Makes nodes of the same operator, inputs and attributes one: optimizers write some once for each
/// reader. Known operators alone, all of which give the same results each time.
void mergeEqualNodes(carrier::GraphOp graph);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGENODES_H
