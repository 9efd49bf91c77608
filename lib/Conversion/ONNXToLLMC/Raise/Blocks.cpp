//===- Blocks.cpp - weights in blocks of integers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Embedding.h"
#include "Raise/Linear.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"

using namespace mlir;
using namespace llmc;

/// The operands that hold blocks of integers, from the codes on.
static std::optional<BlockQuantized> getBlocks(const HostTensor *codes, const HostTensor *scales,
                                               const HostTensor *zeros) {
  if (!codes || !scales || !codes->constant || !scales->constant ||
      !codes->constant->isContiguous() || !scales->constant->isContiguous() ||
      !codes->constant->element.isInteger(8))
    return std::nullopt;
  Type scale = scales->constant->element;
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return std::nullopt;
  BlockQuantized blocks{};
  blocks.codes = *codes->constant;
  blocks.scales = *scales->constant;
  if (zeros) {
    Type zero = zeros->constant ? zeros->constant->element : Type();
    bool isNumber = zero && (zero.isF32() || zero.isF16() || zero.isBF16());
    if (!zero || !zeros->constant->isContiguous() || !(isNumber || zero.isInteger(8)))
      return std::nullopt;
    blocks.zeros = *zeros->constant;
    blocks.packedZeros = !isNumber;
  }
  return blocks;
}

/// Checks that the operands have as many elements as the sizes ask for.
static bool fits(const BlockQuantized &blocks) {
  int64_t perRow = (blocks.columns + blocks.block - 1) / blocks.block;
  int64_t blobBytes = blocks.block * blocks.bits / 8;
  int64_t zeroBytes = blocks.packedZeros ? (perRow * blocks.bits + 7) / 8 : perRow;
  return blocks.codes.getNumElements() == blocks.rows * perRow * blobBytes &&
         blocks.scales.getNumElements() == blocks.rows * perRow &&
         (!blocks.zeros || blocks.zeros->getNumElements() == blocks.rows * zeroBytes);
}

static Weight makeQuantized(BlockQuantized blocks) {
  Weight weight;
  weight.count = blocks.rows;
  weight.shape = {blocks.rows, blocks.columns};
  weight.quantized = std::make_shared<const BlockQuantized>(std::move(blocks));
  return weight;
}

LogicalResult llmc::raiseMatMulNBits(Raise &raise, Node &node) {
  std::optional<View> input = raise.getView(node, 0);
  if (!input)
    return failure();
  auto find = [&](unsigned i) { return raise.has(node, i) ? &raise.getTensor(node, i) : nullptr; };
  std::optional<BlockQuantized> blocks = getBlocks(find(1), find(2), find(3));
  if (!blocks)
    return raise.fail("expected constant bytes of codes, scales, and zero points as bytes, as "
                      "numbers or none");
  if (raise.has(node, 4)) {
    // An order of the inputs; counting up by blocks it says nothing.
    auto order = raise.probe.load(raise.getOperand(node, 4));
    int64_t block = node.getInt("block_size", 32);
    if (block <= 0)
      return raise.fail("expected a block_size above 0, found " + Twine(block));
    for (size_t i = 0; order && i < order->size(); ++i)
      if (const int64_t expected = static_cast<int64_t>(i) / block;
          (*order)[i] != static_cast<double>(expected))
        return raise.fail(
            "expected a g_idx that counts up by blocks, or that permutes the inputs of 4- "
            "or 8-bit weights without zero points as codes, which ONNX Runtime leaves "
            "out on CPUs and reads on other devices");
  }
  blocks->bits = static_cast<unsigned>(node.getInt("bits", 4));
  blocks->block = node.getInt("block_size", 32);
  blocks->rows = node.getInt("N", 0);
  blocks->columns = node.getInt("K", 0);
  if ((blocks->bits != 2 && blocks->bits != 4 && blocks->bits != 8) || blocks->block < 16 ||
      blocks->block > maxColumns || blocks->rows < 1 || blocks->columns < 1 ||
      blocks->rows > maxColumns || blocks->columns > maxColumns || !fits(*blocks))
    return raise.fail("expected codes and scales for N × K weights in blocks");
  // accuracy_level 4: activations in 8 bits per block.
  DynamicAttr activation;
  if (node.getInt("accuracy_level", 0) == 4 && blocks->block % 32 == 0)
    activation = DynamicAttr::get(raise.builder.getContext(), 8, blocks->block);
  std::optional<Weight> bias;
  if (raise.has(node, 5)) {
    bias = raise.getVector(node, 5, blocks->rows);
    if (!bias)
      return raise.fail("expected a bias as wide as the result");
  }
  return emitLinear(raise, node, *input, makeQuantized(std::move(*blocks)), std::move(bias),
                    activation);
}

LogicalResult llmc::raiseGatherBlockQuantized(Raise &raise, Node &node) {
  auto find = [&](unsigned i) { return raise.has(node, i) ? &raise.getTensor(node, i) : nullptr; };
  std::optional<BlockQuantized> blocks = getBlocks(find(0), find(2), find(3));
  if (!blocks || !raise.getIf<TokensValue>(node, 1) || node.getInt("gather_axis", 0) != 0)
    return raise.fail("expected tokens to choose rows of bytes of codes");
  ArrayRef<int64_t> shape = raise.getResultShape(node);
  blocks->bits = static_cast<unsigned>(node.getInt("bits", 4));
  blocks->block = node.getInt("block_size", 128);
  blocks->rows = find(0)->shape[0];
  blocks->columns = shape.back();
  if ((blocks->bits != 2 && blocks->bits != 4 && blocks->bits != 8) || blocks->block < 16 ||
      blocks->block > maxColumns || blocks->columns < 1 || blocks->columns > maxColumns ||
      !fits(*blocks))
    return raise.fail("expected codes and scales for a table in blocks");
  return emitEmbedding(raise, node, makeQuantized(std::move(*blocks)));
}
