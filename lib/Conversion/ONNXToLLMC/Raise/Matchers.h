//===- Matchers.h - how each operator is raised ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_MATCHERS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_MATCHERS_H

#include "Graph/Node.h"

namespace llmc {

class Raise;

// Each raises a node: gives its results meanings, or fails with a reason. Operator.h says which
// raises what.

// What only moves elements, and arithmetic on each.
mlir::LogicalResult raiseMovement(Raise &raise, Node &node);
mlir::LogicalResult raiseConcat(Raise &raise, Node &node);
mlir::LogicalResult raiseElementwise(Raise &raise, Node &node);

// Linears and embeddings.
mlir::LogicalResult raiseMatMul(Raise &raise, Node &node);
mlir::LogicalResult raiseGemm(Raise &raise, Node &node);
mlir::LogicalResult raiseMatMulNBits(Raise &raise, Node &node);
mlir::LogicalResult raiseDynamicQuantizeLinear(Raise &raise, Node &node);
mlir::LogicalResult raiseQuantizeLinear(Raise &raise, Node &node);
mlir::LogicalResult raiseMatMulInteger(Raise &raise, Node &node);
mlir::LogicalResult raiseGather(Raise &raise, Node &node);
mlir::LogicalResult raiseGatherBlockQuantized(Raise &raise, Node &node);
mlir::LogicalResult raiseDequantizeLinear(Raise &raise, Node &node);

// Norms.
mlir::LogicalResult raiseReduction(Raise &raise, Node &node);
mlir::LogicalResult raiseRMSNorm(Raise &raise, Node &node);
mlir::LogicalResult raiseLayerNorm(Raise &raise, Node &node);
mlir::LogicalResult raiseSkipNorm(Raise &raise, Node &node);

// Attention.
mlir::LogicalResult raiseSoftmax(Raise &raise, Node &node);
mlir::LogicalResult raiseIsNaN(Raise &raise, Node &node);
mlir::LogicalResult raiseRotaryEmbedding(Raise &raise, Node &node);
mlir::LogicalResult raiseContribRotaryEmbedding(Raise &raise, Node &node);
mlir::LogicalResult raiseAttention(Raise &raise, Node &node);
mlir::LogicalResult raiseGroupQueryAttention(Raise &raise, Node &node);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_MATCHERS_H
