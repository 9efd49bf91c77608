//===- ExpandRotation.cpp - ONNX Runtime's rotations by computed angles as the standard's ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// com.microsoft's operators read angles of every position from tables. Fusions write them where a
// graph computes the angles of a step's own rows: the tables are these, and positions count them.
// What is gathered then are known angles of rows, which the standard's operator takes.
//
//===----------------------------------------------------------------------===//

#include "Graph/Expansion.h"
#include "Graph/Expansions.h"

using namespace mlir;
using namespace llmc;

/// Whether an input holds the same numbers in every step.
static bool isConstantTable(Expansion &e, unsigned i) {
  const HostTensor *table = e.tensor(i);
  return table->isFixed || table->isWeights || table->constant;
}

namespace {

/// Tables of angles and the places in them, by the numbers of inputs.
struct RotationInputs {
  unsigned positions, cosine, sine;
};

/// Gathers the angles of a step's rows and turns rows by them.
class RowRotation {
public:
  RowRotation(Expansion &e, RotationInputs inputs, StringRef interleaved)
      : e(e), pairs(e.tensor(inputs.cosine)->shape[1]),
        isInterleaved(e.node.getInt(interleaved, 0) != 0) {
    for (unsigned table : {inputs.cosine, inputs.sine})
      angles.push_back(
          e.make("Gather", {e.input(table), e.input(inputs.positions)}, {{"axis", e.integer(0)}}));
  }

  Value turn(Value rows, int64_t heads, int64_t size) {
    return e.make("RotaryEmbedding", {rows, angles[0], angles[1]},
                  {{"num_heads", e.integer(heads)},
                   {"interleaved", e.integer(isInterleaved)},
                   {"rotary_embedding_dim", e.integer(2 * pairs == size ? 0 : 2 * pairs)}});
  }

private:
  Expansion &e;
  int64_t pairs;
  bool isInterleaved;
  SmallVector<Value> angles;
};

} // namespace

/// Whether angles are computed for each step, at places of batch × rows.
static bool hasComputedAngles(Expansion &e, RotationInputs inputs) {
  return e.has(inputs.positions) && e.has(inputs.cosine) && e.has(inputs.sine) &&
         e.tensor(inputs.positions)->shape.size() == 2 &&
         e.tensor(inputs.cosine)->shape.size() == 2 && !isConstantTable(e, inputs.cosine) &&
         !isConstantTable(e, inputs.sine);
}

Expanded llmc::expandContribRotaryEmbedding(Expansion &e) {
  RotationInputs inputs{1, 2, 3};
  if (!hasComputedAngles(e, inputs))
    return Expanded::Kept;
  ArrayRef<int64_t> shape = e.tensor(0)->shape;
  int64_t heads = e.node.getInt("num_heads", 0), width = 2 * e.tensor(2)->shape[1];
  if (shape.size() == 4) {
    heads = shape[1];
    return e.replace(RowRotation(e, inputs, "interleaved").turn(e.input(0), heads, shape[3]));
  }
  if (shape.size() != 3 || width < 1)
    return Expanded::Kept;
  if (heads == 0)
    heads = shape[2] / width;
  if (heads < 1 || shape[2] % heads != 0)
    return e.fail("expected heads that divide a width of " + Twine(shape[2]) + ", found " +
                  Twine(heads));
  return e.replace(RowRotation(e, inputs, "interleaved").turn(e.input(0), heads, shape[2] / heads));
}

/// The operator without its own rotation, and with queries, keys and values apart.
Expanded llmc::expandGroupQueryAttention(Expansion &e) {
  RotationInputs inputs{9, 7, 8};
  bool hasNorms = e.has(14) || e.has(15); // which come before the rotation
  if (e.node.getInt("do_rotary", 0) == 0 || hasNorms || !hasComputedAngles(e, inputs))
    return Expanded::Kept;
  int64_t heads = e.node.getInt("num_heads", 0), kvHeads = e.node.getInt("kv_num_heads", 0);
  ArrayRef<int64_t> shape = e.tensor(0)->shape;
  int64_t parts = e.has(1) ? heads : heads + 2 * kvHeads;
  if (heads < 1 || kvHeads < 1 || shape.size() != 3 || shape[2] % parts != 0)
    return e.fail("expected a query of batch × rows × " + Twine(parts) + " heads");
  int64_t size = shape[2] / parts;
  SmallVector<Value> operands;
  if (e.has(1) && e.has(2))
    operands = {e.input(0), e.input(1), e.input(2)};
  else
    operands = e.makeMany(
        "Split", 3, {e.input(0), e.makeIntegers({heads * size, kvHeads * size, kvHeads * size})},
        {{"axis", e.integer(-1)}});
  RowRotation rotation(e, inputs, "rotary_interleaved");
  operands[0] = rotation.turn(operands[0], heads, size);
  operands[1] = rotation.turn(operands[1], kvHeads, size);
  for (unsigned i = 3; i < e.numInputs(); ++i)
    operands.push_back(i >= 7 && i <= 9 ? e.makeAbsent() : e.input(i));
  SmallVector<std::pair<StringRef, Attribute>> attributes;
  for (NamedAttribute attribute : e.node.op.getNodeAttributes())
    if (!llvm::is_contained({"do_rotary", "rotary_interleaved"}, attribute.getName().getValue()))
      attributes.push_back({attribute.getName(), attribute.getValue()});
  return e.replace(e.makeMany("GroupQueryAttention", e.numOutputs(), operands, attributes,
                              e.node.op.getDomain()));
}
