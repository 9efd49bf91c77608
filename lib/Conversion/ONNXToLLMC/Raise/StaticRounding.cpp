//===- StaticRounding.cpp - activations that a graph rounds by fixed scales ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Static quantization writes QuantizeLinear and DequantizeLinear behind each other wherever a value
// is read or computed in integers: inputs and results of linears, but angles, scores and
// probabilities too. Their scales come from what a calibration saw, and cut off what is larger.
// Here the inputs of linears with integer weights are rounded by scales of their own rows, which
// lose less, and all else is left as it is computed; a remark counts both. Where integers have one
// sign alone, as behind a relu that the quantizer left to them, the other sign still becomes 0.
//
//===----------------------------------------------------------------------===//

#include "Raise/StaticRounding.h"
#include "Evaluate/Scales.h"
#include "Raise/Functions.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"
#include "Raise/Scores.h"

using namespace mlir;
using namespace llmc;

namespace llmc {

/// Integers of a value that the next DequantizeLinear takes back.
struct StaticIntegers : MeaningOf<StaticIntegers> {
  std::shared_ptr<const Meaning> of;
  carrier::NodeOp quantize;

  StaticIntegers(std::shared_ptr<const Meaning> of, carrier::NodeOp quantize)
      : of(std::move(of)), quantize(quantize) {}
  int64_t countColumns() const override { return of->countColumns(); }
  std::optional<LogicalResult> raiseUse(Raise &raise, Node &node) const override;
};

} // namespace llmc

LogicalResult llmc::raiseQuantizeLinear(Raise &raise, Node &node) {
  std::optional<ConstantView> scale = raise.getConstant(node, 1), zero = raise.getConstant(node, 2);
  if (!scale || (raise.has(node, 2) && !zero))
    return raise.fail("expected a constant scale and zero point");
  std::shared_ptr<const Meaning> meaning = raise.share(node, 0);
  if (!meaning)
    return raise.fail("expected a value that depends on tokens");
  raise.set(node, 0, StaticIntegers(std::move(meaning), node.op));
  return success();
}

/// Whether two nodes have the same scales, or zero points where there are some.
static bool haveSame(Raise &raise, const Node &a, const Node &b, unsigned operand) {
  auto load = [&](const Node &node) {
    std::optional<ConstantView> view = raise.getConstant(node, operand);
    return view ? view->load() : std::nullopt;
  };
  if (raise.has(a, operand) != raise.has(b, operand))
    return false;
  if (!raise.has(a, operand))
    return true;
  auto first = load(a), second = load(b);
  return first && second && *first == *second;
}

/// What a rounding does with one sign: the sign that it keeps, or nothing where it keeps both.
static FailureOr<std::optional<bool>> findKeptSign(Raise &raise, const Node &quantize) {
  std::optional<ConstantView> zero = raise.getConstant(quantize, 2);
  IntegerType type = getCodeType(quantize, zero ? zero->element : Type());
  if (!type)
    return raise.fail("expected integers of 2, 4, 8 or 16 bits");
  auto [low, high] = getCodeRange(type);
  std::vector<double> zeros = {0};
  if (zero) {
    auto loaded = zero->load();
    if (!loaded)
      return raise.fail("cannot read its zero points");
    zeros.assign(loaded->begin(), loaded->end());
  }
  size_t atLow = llvm::count(zeros, low), atHigh = llvm::count(zeros, high);
  if (atLow == zeros.size() || atHigh == zeros.size())
    return std::optional(atLow > 0);
  if (atLow + atHigh > 0)
    return raise.fail("expected zero points that all leave both signs, or one");
  return std::optional<bool>();
}

std::optional<LogicalResult> StaticIntegers::raiseUse(Raise &raise, Node &node) const {
  Node from(quantize);
  if (node.getType() != "DequantizeLinear")
    return raise.fail("expected the integers of QuantizeLinear to be read by DequantizeLinear, "
                      "found them read by " +
                      node.getType());
  std::optional<ConstantView> scale = raise.getConstant(from, 1);
  bool isOne = scale && scale->getNumElements() == 1; // along any axis
  bool same = haveSame(raise, from, node, 1) && haveSame(raise, from, node, 2) &&
              (isOne || from.getInt("axis", 1) == node.getInt("axis", 1)) &&
              from.getInt("block_size", 0) == node.getInt("block_size", 0);
  if (!same)
    return raise.fail("expected the scale and zero point of the QuantizeLinear before it");
  FailureOr<std::optional<bool>> positive = findKeptSign(raise, from);
  if (failed(positive))
    return failure();
  const auto *scores = dyn_cast<Scores>(of.get());
  bool isProbability = scores && scores->isSoftmax && positive->value_or(true);
  if (!*positive || isProbability) {
    raise.set(node, 0, of);
    return success();
  }
  if (scores)
    return raise.fail("expected integers that hold scores of both signs");
  FailureOr<Function> kept = keepSign(raise, *of, **positive);
  if (failed(kept))
    return failure();
  raise.set(node, 0, std::move(*kept));
  return success();
}

DynamicAttr llmc::takeStaticRounding(Raise &raise, const Node &node, const Weight &weight) {
  if (!weight.dequantized || !weight.dequantized->isGrouped())
    return {};
  auto getProducer = [&](Value value, StringRef type) {
    auto op = raise.probe.resolve(value).getDefiningOp<carrier::NodeOp>();
    return op && op.getOpType() == type && !op.getInputs().empty() ? op : carrier::NodeOp();
  };
  carrier::NodeOp dequantize = getProducer(raise.getOperand(node, 0), "DequantizeLinear");
  carrier::NodeOp quantize =
      dequantize ? getProducer(dequantize.getInputs()[0], "QuantizeLinear") : carrier::NodeOp();
  if (!quantize)
    return {};
  std::optional<ConstantView> zero = raise.getConstant(Node(quantize), 2);
  IntegerType type = getCodeType(Node(quantize), zero ? zero->element : Type());
  // What is rounded more finely stays as it is.
  if (!type || type.getWidth() != 8)
    return {};
  raise.takenRoundings.insert(quantize);
  return getRoundingOfRows(quantize.getContext());
}

void llmc::reportStaticRounding(Raise &raise) {
  size_t all = 0, taken = raise.takenRoundings.size();
  raise.graph.walk([&](carrier::NodeOp node) { all += node.getOpType() == "QuantizeLinear"; });
  if (all > 0)
    raise.graph.emitRemark("rounds ")
        << taken << " values before linears to 8 bits with scales of their own rows, where the "
        << "graph has fixed ones, and leaves out " << all - taken
        << " other roundings by fixed scales";
}
