//===- Matchers.cpp - which function raises which operator ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Matchers.h"
#include "Evaluate/Evaluate.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace llmc;

Matcher llmc::findMatcher(StringRef type) {
  if (findElementwise(type) && type != "IsNaN")
    return raiseElementwise;
  return llvm::StringSwitch<Matcher>(type)
      .Case("Concat", raiseConcat)
      .Case("Gather", raiseGather)
      .Cases({"Identity", "Dropout", "Cast", "Reshape", "Flatten", "Unsqueeze", "Squeeze"},
             raiseMovement)
      .Cases({"Transpose", "Slice", "Split", "Expand", "Tile", "GatherND", "GatherElements"},
             raiseMovement)
      .Cases({"ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL2"}, raiseReduction)
      .Case("Softmax", raiseSoftmax)
      .Case("IsNaN", raiseIsNaN)
      .Case("MatMul", raiseMatMul)
      .Case("Gemm", raiseGemm)
      .Case("com.microsoft::MatMulNBits", raiseMatMulNBits)
      .Case("com.microsoft::GatherBlockQuantized", raiseGatherBlockQuantized)
      .Case("DynamicQuantizeLinear", raiseDynamicQuantizeLinear)
      .Case("MatMulInteger", raiseMatMulInteger)
      .Case("DequantizeLinear", raiseDequantizeLinear)
      .Cases({"RMSNormalization", "SimplifiedLayerNormalization",
              "com.microsoft::SimplifiedLayerNormalization"},
             raiseRMSNorm)
      .Case("LayerNormalization", raiseLayerNorm)
      .Cases({"com.microsoft::SkipSimplifiedLayerNormalization",
              "com.microsoft::SkipLayerNormalization"},
             raiseSkipNorm)
      .Cases({"Gelu", "com.microsoft::Gelu", "com.microsoft::FastGelu", "com.microsoft::BiasGelu",
              "com.microsoft::QuickGelu"},
             raiseGelu)
      .Case("RotaryEmbedding", raiseRotaryEmbedding)
      .Case("com.microsoft::RotaryEmbedding", raiseContribRotaryEmbedding)
      .Case("Attention", raiseAttention)
      .Case("com.microsoft::GroupQueryAttention", raiseGroupQueryAttention)
      .Default(nullptr);
}
