//===- Expansions.h - how single operators are written as others ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANSIONS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANSIONS_H

#include "Evaluate/Operator.h"

namespace llmc {

// Activations and norms.
Expanded expandGelu(Expansion &e);
Expanded expandQuickGelu(Expansion &e);
Expanded expandBiasGelu(Expansion &e);
Expanded expandFastGelu(Expansion &e);
Expanded expandBiasSplitGelu(Expansion &e);
Expanded expandBiasAdd(Expansion &e);
Expanded expandSwish(Expansion &e);
Expanded expandSkipNorm(Expansion &e);

// Products.
Expanded expandFusedMatMul(Expansion &e);
Expanded expandGemm(Expansion &e);
Expanded expandFusedGemm(Expansion &e);
Expanded expandFusedMatMulActivation(Expansion &e);

Expanded expandEinsum(Expansion &e);

// Attention.
Expanded expandMultiHeadAttention(Expansion &e);
Expanded expandContribAttention(Expansion &e);
Expanded expandContribRotaryEmbedding(Expansion &e);
Expanded expandGroupQueryAttention(Expansion &e);
Expanded expandEmbedNorm(Expansion &e);

// Sequences.
Expanded expandSplitToSequence(Expansion &e);
Expanded expandSequenceConstruct(Expansion &e);
Expanded expandSequenceEmpty(Expansion &e);
Expanded expandSequenceInsert(Expansion &e);
Expanded expandSequenceErase(Expansion &e);
Expanded expandSequenceAt(Expansion &e);
Expanded expandSequenceLength(Expansion &e);
Expanded expandConcatFromSequence(Expansion &e);

Expanded expandCastLike(Expansion &e);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_EXPANSIONS_H
