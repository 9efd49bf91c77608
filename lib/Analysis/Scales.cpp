//===- Scales.cpp - what a scale of a linear's inputs can be folded into ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Finders.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

static std::string spellName(Operation *op) {
  return "'" + op->getName().getStringRef().str() + "'";
}

static std::string spellName(ParameterOp parameter) { return "@" + parameter.getSymName().str(); }

namespace llmc {

class ScaleFinder {
public:
  explicit ScaleFinder(Structure &structure)
      : structure(structure), body(structure.function.getBody().front()) {}

  void run() {
    body.walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (ParameterOp parameter = structure.getParameter(operand))
          ++uses[parameter];
    });
    for (const ResidualStream &stream : structure.streams)
      ofStream.insert(stream.values.begin(), stream.values.end());
    for (auto linear : body.getOps<LinearOp>()) {
      auto [place, isNew] =
          structure.scaleOfInput.try_emplace(linear.getInput(), structure.scales.size());
      if (isNew) {
        structure.scales.emplace_back();
        structure.scales.back().input = linear.getInput();
      }
      structure.scales[place->second].readers.push_back(linear);
    }
    for (InputScale &scale : structure.scales) {
      scale.reason = checkReaders(scale);
      if (scale.reason.empty())
        scale.reason = findProducer(scale);
      if (!scale.reason.empty())
        scale.producer = nullptr;
    }
  }

private:
  /// How many rows there are is not what is scaled.
  static bool readsNumbers(OpOperand &use) { return !isa<tensor::DimOp>(use.getOwner()); }

  /// Why the readers' weights can't be scaled; empty where they can.
  std::string checkReaders(const InputScale &scale) const {
    for (OpOperand &use : scale.input.getUses())
      if (readsNumbers(use) && (!isa<LinearOp>(use.getOwner()) || use.getOperandNumber() != 0))
        return spellName(use.getOwner()) + " reads it too";
    llvm::DenseMap<ParameterOp, int64_t> read;
    for (LinearOp reader : scale.readers) {
      ParameterOp parameter = structure.getParameter(reader.getWeight());
      if (!parameter)
        return "the weight of a reader is no parameter";
      ++read[parameter];
    }
    for (LinearOp reader : scale.readers) {
      ParameterOp parameter = structure.getParameter(reader.getWeight());
      if (uses.lookup(parameter) != read.lookup(parameter))
        return spellName(parameter) + " is used elsewhere too";
    }
    return "";
  }

  /// Follows the input to what can be divided; gives why there is nothing.
  std::string findProducer(InputScale &scale) const {
    Value value = scale.input;
    while (true) {
      if (value != scale.input && llvm::count_if(value.getUses(), readsNumbers) != 1)
        return "a value on the way to it is used several times";
      if (ofStream.contains(value))
        return "it is the residual stream";
      Operation *op = value.getDefiningOp();
      if (!op)
        return "it is an argument";
      if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
        return takeSlice(scale, slice);
      if (isNorm(op) || isa<LinearOp>(op))
        return take(scale, op, 0, cast<RankedTensorType>(value.getType()).getDimSize(1));
      if (isa<ScaleOp, OutputRowsOp>(op)) {
        value = op->getOperand(0);
      } else if (auto gate = dyn_cast<GateOp>(op)) {
        value = gate.getUp();
      } else if (auto activation = dyn_cast<ActivationOp>(op)) {
        if (activation.getFunction() != Nonlinearity::Relu)
          return "a scale does not pass through '" +
                 stringifyNonlinearity(activation.getFunction()).str() + "'";
        scale.positiveOnly = true;
        value = activation.getInput();
      } else if (auto attention = dyn_cast<AttentionOp>(op)) {
        auto append = attention.getCache().getDefiningOp<CacheAppendOp>();
        if (!append || !append.getResult().hasOneUse() || !append.getCache().hasOneUse())
          return "its values' cache is used several times";
        scale.sharing = attention.getHeads() / append.getCache().getType().getValueHeads();
        scale.headSize = append.getCache().getType().getValueSize();
        value = append.getValues();
      } else {
        return isa<arith::AddFOp>(op) ? std::string("it is a sum") : spellName(op) + " makes it";
      }
    }
  }

  std::string takeSlice(InputScale &scale, tensor::ExtractSliceOp slice) const {
    auto columns = getSlicedColumns(slice);
    auto linear = slice.getSource().getDefiningOp<LinearOp>();
    if (!columns || !linear)
      return spellName(slice) + " makes it";
    for (auto [output, begin] : getOutputs(linear)) {
      int64_t end = begin + cast<RankedTensorType>(output.getType()).getDimSize(1);
      if (output != slice.getResult() && begin < columns->first + columns->second &&
          columns->first < end)
        return "a part of the linear's outputs that makes it is used several times";
    }
    return take(scale, linear, columns->first, columns->second);
  }

  /// Takes a norm or linear as what can be divided, from output `begin` on.
  std::string take(InputScale &scale, Operation *op, int64_t begin, int64_t count) const {
    if (auto norm = dyn_cast<RMSNormOp>(op); norm && norm.getGroups() > 1)
      return "heads share the gain of the norm that makes it";
    scale.producer = op;
    scale.count = count;
    for (Value value : op->getOperands().drop_front()) {
      ParameterOp parameter = structure.getParameter(value);
      if (!parameter)
        return "what makes it has a weight that is no parameter";
      if (uses.lookup(parameter) != 1)
        return spellName(parameter) + " is used elsewhere too";
      scale.rows.push_back({parameter, begin});
    }
    return "";
  }

  Structure &structure;
  Block &body;
  llvm::DenseMap<ParameterOp, int64_t> uses; ///< operands that read a parameter
  llvm::DenseSet<Value> ofStream;
};

} // namespace llmc

void llmc::findScales(Structure &structure) { ScaleFinder(structure).run(); }
