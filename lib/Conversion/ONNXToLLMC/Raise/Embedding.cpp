//===- Embedding.cpp - rows of tables that tokens or positions choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Embedding.h"
#include "Raise/Linear.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace llmc;

namespace llmc {

/// Rows of a constant matrix of integers that tokens chose.
struct GatheredIntegers : MeaningOf<GatheredIntegers> {
  ConstantView codes;
  explicit GatheredIntegers(ConstantView codes) : codes(std::move(codes)) {}
};

} // namespace llmc

LogicalResult llmc::emitEmbedding(Raise &raise, Node &node, Weight table) {
  if (table.shape[1] < 1 || table.shape[1] > maxColumns)
    return raise.fail("expected rows of 1 to " + Twine(maxColumns) + " columns, found " +
                      Twine(table.shape[1]));
  if (failed(settle(raise, table)))
    return failure();
  Value tableValue = raise.parameters.get(raise.builder, raise.location, table);
  if (!tableValue)
    return raise.fail("cannot read its table");
  auto type =
      RankedTensorType::get({ShapedType::kDynamic, table.shape[1]}, raise.builder.getF32Type());
  Value embedded =
      EmbeddingOp::create(raise.builder, raise.location, type, raise.step.getTokens(), tableValue);
  raise.set(node, 0, makeView(embedded, raise.getResultShape(node), raise.location));
  return success();
}

LogicalResult llmc::raiseGather(Raise &raise, Node &node) {
  if (!raise.getIf<TokensValue>(node, 1))
    return raiseMovement(raise, node);
  std::optional<Weight> table = getMatrix(raise, node, 0);
  if (!table || node.getInt("axis", 0) != 0)
    return raise.fail("expected tokens to choose rows of a constant matrix");
  if (!table->values && !table->dequantized && isa<IntegerType>(table->view.element)) {
    raise.set(node, 0, GatheredIntegers(table->view));
    return success();
  }
  return emitEmbedding(raise, node, std::move(*table));
}

/// A table of integers with the scales of a DequantizeLinear that stands after the look-up.
static std::optional<Weight> getScaledTable(Raise &raise, Node &node, ConstantView codes) {
  std::optional<ConstantView> scales = raise.getConstant(node, 1),
                              zeros = raise.getConstant(node, 2);
  int64_t rank = raise.getShape(node, 0).size();
  int64_t axis = normalizeAxis(node.getInt("axis", 1), rank);
  // What was looked up has the axes of tokens before the table's columns.
  if (!scales || (raise.has(node, 2) && !zeros) ||
      (scales->getNumElements() > 1 && axis != rank - 1))
    return std::nullopt;
  std::optional<Dequantized> matrix = Dequantized::get(
      std::move(codes), std::move(*scales), std::move(zeros), 1, node.getInt("block_size", 0));
  if (!matrix)
    return std::nullopt;
  Weight table;
  table.shape = matrix->codes.shape;
  table.dequantized = std::move(matrix);
  return table;
}

LogicalResult llmc::raiseDequantizeLinear(Raise &raise, Node &node) {
  auto *found = raise.getIf<GatheredIntegers>(node, 0);
  std::optional<Weight> table = found ? getScaledTable(raise, node, found->codes) : std::nullopt;
  if (!table)
    return raise.fail(
        "expected rows of a constant matrix of integers, with a constant scale and zero "
        "point for all or for each column");
  return emitEmbedding(raise, node, std::move(*table));
}

FailureOr<Value> llmc::emitPositionEmbedding(Raise &raise, Value known) {
  known = raise.probe.resolve(known);
  auto op = known.getDefiningOp<carrier::NodeOp>();
  while (op && llvm::StringSwitch<bool>(op.getOpType())
                   .Cases({"Reshape", "Unsqueeze", "Squeeze", "Cast", "Identity"}, true)
                   .Default(false))
    op = raise.probe.resolve(op.getInputs()[0]).getDefiningOp<carrier::NodeOp>();
  std::optional<Node> scaling;
  if (op && op.getOpType() == "DequantizeLinear") {
    scaling.emplace(op);
    op = raise.probe.resolve(op.getInputs()[0]).getDefiningOp<carrier::NodeOp>();
  }
  if (!op || op.getOpType() != "Gather" || op.getInputs().size() != 2)
    return failure();
  Node node(op);
  std::optional<Weight> table = getMatrix(raise, node, 0);
  if (table && scaling)
    table = getScaledTable(raise, *scaling, table->view);
  const HostTensor &indices = raise.getTensor(node, 1);
  ProbeSizes sizes = raise.getSizes();
  if (!table || table->values || indices.getNumElements() != sizes.rows || !indices.isKnown() ||
      table->shape[1] < 1 || table->shape[1] > maxColumns)
    return failure();
  int64_t offset = static_cast<int64_t>(indices[0]) - sizes.past;
  for (int64_t i = 0; i < sizes.rows; ++i)
    if (indices[i] != sizes.past + i + offset)
      return failure();
  if (offset < 0 || offset >= table->shape[0] || failed(settle(raise, *table)))
    return failure();
  Value tableValue = raise.parameters.get(raise.builder, raise.location,
                                          *table->takeRows(offset, table->shape[0] - offset, 1));
  if (!tableValue)
    return failure();
  raise.lengths.counts.push_back(
      {LengthRecord::Count::Kind::Positions, raise.getOperand(node, 1), offset, raise.location});
  Value positions = raise.step.getPositions(raise.builder, raise.location);
  auto type =
      RankedTensorType::get({ShapedType::kDynamic, table->shape[1]}, raise.builder.getF32Type());
  return EmbeddingOp::create(raise.builder, raise.location, type, positions, tableValue)
      .getResult();
}
