//===- Expansion.cpp - operators written as others ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

std::optional<SmallVector<int64_t>> Expansion::integers(unsigned i) const {
  const HostTensor *found = tensor(i);
  if (!found || !found->isKnown())
    return std::nullopt;
  SmallVector<int64_t> values;
  for (double value : *found->data)
    values.push_back(toInteger(value));
  return values;
}

Expanded Expansion::replace(ArrayRef<Value> values) {
  for (unsigned i = 0; i < numOutputs(); ++i) {
    bool isGiven = i < values.size() && values[i];
    if (!isGiven && isUsed(i))
      return fail("expected output " + Twine(i) + " not to be used");
    if (isGiven)
      node.op.getResult(i).replaceAllUsesWith(values[i]);
  }
  return Expanded::Replaced;
}

Expanded Expansion::hold(SmallVector<Value> tensors) {
  sequences[node.op.getResult(0)] = std::move(tensors);
  return Expanded::Held;
}

ArrayRef<Operator> llmc::getExpandedOperators() {
  static const Operator rows[] = {
      Operator::onnx("CastLike", 15)
          .takes({"input", "target_type"})
          .reads({"saturate=0|1", "round_mode"})
          .expandedBy(expandCastLike),
      Operator::onnx("Swish", 24).takes({"X"}).reads({"alpha"}).expandedBy(expandSwish),
      Operator::contrib("BiasAdd").takes({"X", "bias", "skip"}).expandedBy(expandBiasAdd),
      Operator::contrib("BiasSplitGelu").takes({"X", "bias"}).expandedBy(expandBiasSplitGelu),
      Operator::contrib("FusedGemm")
          .takes({"A", "B", "C?"})
          .reads({"alpha", "beta", "transA=0|1", "transB=0|1", "activation", "activation_alpha"})
          .expandedBy(expandFusedGemm),
      Operator::contrib("FusedMatMulActivation")
          .takes({"A", "B"})
          .reads({"alpha", "transA=0|1", "transB=0|1", "transBatchA=0|1", "transBatchB=0|1",
                  "activation", "activation_alpha"})
          .expandedBy(expandFusedMatMulActivation),
      Operator::contrib("TransposeMatMul")
          .takes({"A", "B"})
          .reads({"alpha", "transA=0|1", "transB=0|1"})
          .expandedBy(expandFusedMatMul),
      Operator::onnx("Einsum", 12)
          .takes({"Inputs..."})
          .reads({"equation"})
          .expandedBy(expandEinsum),
      Operator::onnx("SplitToSequence", 11)
          .takes({"input", "split?"})
          .reads({"axis", "keepdims=0|1"})
          .expandedBy(expandSplitToSequence),
      Operator::onnx("SequenceConstruct", 11)
          .takes({"inputs..."})
          .expandedBy(expandSequenceConstruct),
      Operator::onnx("SequenceEmpty", 11)
          .takes({})
          .reads({"dtype"})
          .expandedBy(expandSequenceEmpty),
      Operator::onnx("SequenceInsert", 11)
          .takes({"input_sequence", "tensor", "position?"})
          .expandedBy(expandSequenceInsert),
      Operator::onnx("SequenceErase", 11)
          .takes({"input_sequence", "position?"})
          .expandedBy(expandSequenceErase),
      Operator::onnx("SequenceAt", 11)
          .takes({"input_sequence", "position"})
          .expandedBy(expandSequenceAt),
      Operator::onnx("SequenceLength", 11)
          .takes({"input_sequence"})
          .expandedBy(expandSequenceLength),
      Operator::onnx("ConcatFromSequence", 11)
          .takes({"input_sequence"})
          .reads({"axis", "new_axis=0|1"})
          .expandedBy(expandConcatFromSequence),
      Operator::contrib("Attention")
          .takes({"input", "weights", "bias?", "mask_index?", "past?*", "attention_bias?",
                  "past_sequence_length!"})
          .reads({"num_heads", "unidirectional=0|1", "scale", "qkv_hidden_sizes",
                  "mask_filter_value", "do_rotary=0", "rotary_embedding_dim=0",
                  "past_present_share_buffer=0"})
          .expandedBy(expandContribAttention),
      Operator::contrib("EmbedLayerNormalization")
          .takes({"input_ids", "segment_ids?", "word_embedding", "position_embedding",
                  "segment_embedding?", "gamma", "beta", "mask!", "position_ids?"})
          .reads({"epsilon", "mask_index_type"})
          .expandedBy(expandEmbedNorm),
  };
  return rows;
}
