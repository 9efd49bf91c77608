//===- MergeBranches.h - choices between the same ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGEBRANCHES_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGEBRANCHES_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

namespace llmc {

/// Replaces every `If` whose branches are the same nodes by these nodes: a condition that changes
/// with the length then does not matter.
void mergeEqualBranches(carrier::GraphOp graph);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_MERGEBRANCHES_H
