//===- Probe.cpp - a graph run at chosen sizes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Probe.h"

#include <numeric>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Constants of at most this many elements are read at once.
static constexpr int64_t smallConstant = 4096;

Value Probe::resolve(Value value) const {
  for (auto alias = aliases.find(value); alias != aliases.end(); alias = aliases.find(value))
    value = alias->second;
  return value;
}

const HostTensor *Probe::get(Value value) const {
  auto found = tensors.find(resolve(value));
  return found == tensors.end() ? nullptr : &found->second;
}

std::shared_ptr<const std::vector<double>> Probe::load(Value value) {
  auto found = tensors.find(resolve(value));
  if (found == tensors.end())
    return nullptr;
  HostTensor &tensor = found->second;
  if (!tensor.data && tensor.constant && tensor.getNumElements() <= maxEvaluatedElements)
    if (auto values = tensor.constant->load())
      tensor.data = std::make_shared<const std::vector<double>>(std::move(*values));
  return tensor.data;
}

void Probe::bindInputs() {
  for (auto [argument, input] : llvm::zip(graph.getBody().getArguments(), inputs)) {
    HostTensor tensor;
    std::vector<double> places(sizes.rows);
    std::iota(places.begin(), places.end(), static_cast<double>(sizes.past));
    switch (input.role) {
    case InputRole::Tokens:
      tensor = HostTensor::unknown({1, sizes.rows}, /*isInteger=*/true);
      break;
    case InputRole::Mask:
      tensor = HostTensor::known({1, sizes.total()}, std::vector<double>(sizes.total(), 1.0), true);
      break;
    case InputRole::Positions:
      tensor = HostTensor::known({1, sizes.rows}, std::move(places), true);
      break;
    case InputRole::CachePositions:
      tensor = HostTensor::known(sizes.rows, std::move(places), true);
      break;
    case InputRole::UseCache:
      tensor = HostTensor::known({}, {sizes.past > 0 ? 1.0 : 0.0}, true);
      break;
    case InputRole::Past:
      tensor = HostTensor::unknown({1, input.heads, sizes.past, input.headSize});
      break;
    }
    tensors[argument] = std::move(tensor);
  }
}

void Probe::run(const DenseSet<Value> *onlyWanted) {
  wanted = onlyWanted;
  if (wanted)
    graph.walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        ++usesLeft[operand];
    });
  bindInputs();
  runBlock(graph.getBody().front());
}

void Probe::runBlock(Block &block) {
  for (Operation &op : block) {
    if (auto initializer = dyn_cast<InitializerOp>(op)) {
      auto type = cast<RankedTensorType>(initializer.getType());
      HostTensor tensor =
          HostTensor::unknown(type.getShape(), !isa<FloatType>(type.getElementType()));
      tensor.constant = ConstantView::get(initializer.getData(), type);
      bool small = tensor.getNumElements() <= smallConstant;
      tensors[initializer] = std::move(tensor);
      if (small && !load(initializer))
        problems.push_back(
            {nullptr, "cannot read initializer '" + initializer.getName().str() + "'"});
    } else if (auto node = dyn_cast<NodeOp>(op)) {
      runNode(node);
      if (wanted)
        release(node);
    }
  }
}

/// Drops operands that were read for the last time.
void Probe::release(NodeOp op) {
  for (Value operand : op->getOperands()) {
    Value value = resolve(operand);
    if (--usesLeft[operand] == 0 && value == operand && !wanted->contains(value))
      if (auto found = tensors.find(value); found != tensors.end())
        found->second.data.reset();
  }
}

void Probe::runNode(NodeOp op) {
  Evaluation evaluation{Node(op), {}, {}, {}};
  std::string type = evaluation.node.getType();
  if (type == "If")
    return runIf(op);
  for (Value input : op.getInputs()) {
    const HostTensor *tensor = get(input);
    // What feeds it was reported already.
    if (!tensor && !isa<AbsentType>(input.getType()))
      return;
    evaluation.inputs.push_back(tensor);
  }
  nodes.push_back(op);
  EvaluateFunction function = findEvaluation(type);
  if (!function) {
    problems.push_back({op, ""});
    return;
  }
  if (!evaluate(evaluation, function) || evaluation.outputs.size() < op.getNumResults()) {
    problems.push_back(
        {op, evaluation.error.empty()
                 ? "expected " + std::to_string(evaluation.outputs.size()) + " outputs"
                 : evaluation.error});
    return;
  }
  for (auto [result, tensor] : llvm::zip(op.getResults(), evaluation.outputs)) {
    bool small = tensor.constant && tensor.getNumElements() <= smallConstant;
    tensors[result] = std::move(tensor);
    if (small)
      load(result);
  }
}

bool Probe::evaluate(Evaluation &evaluation, EvaluateFunction function) {
  NodeOp op = evaluation.node.op;
  bool moves = isMovement(evaluation.node.getType());
  if (llvm::any_of(evaluation.inputs, [](auto *tensor) {
        return tensor && tensor->getNumElements() < 0 && tensor->shape.size() != 4;
      }))
    return evaluation.fail("expected inputs of known sizes");
  // Absent inputs that an operator can't do without are reported here, not in each function.
  unsigned required = getRequiredInputs(evaluation.node.getType());
  for (unsigned i = 0; i < required; ++i)
    if (!evaluation.has(i))
      return evaluation.fail("expected at least " + Twine(required) + " inputs");
  bool anyLarge = false, loadable = true;
  for (const HostTensor *tensor : evaluation.inputs)
    if (tensor && !tensor->data) {
      anyLarge |= tensor->constant.has_value();
      loadable &= tensor->constant.has_value();
    }
  if (!anyLarge || !loadable)
    return function(evaluation);
  // Large constants only: moving one needs no values.
  if (moves) {
    if (!function(evaluation))
      return false;
    if (llvm::all_of(evaluation.outputs, [](auto &tensor) { return tensor.constant.has_value(); }))
      return true;
    evaluation.outputs.clear();
  }
  for (Value input : op.getInputs())
    if (!isa<AbsentType>(input.getType()))
      load(input);
  return function(evaluation);
}

void Probe::runIf(NodeOp op) {
  const HostTensor *condition = op.getInputs().empty() ? nullptr : get(op.getInputs()[0]);
  if (!condition || !condition->isKnown() || condition->getNumElements() != 1) {
    problems.push_back({op, "its condition depends on values that are not known"});
    return;
  }
  StringRef wantedGraph = (*condition)[0] != 0 ? "then_branch" : "else_branch";
  for (auto [index, body] : llvm::enumerate(op.getBodies())) {
    Attribute name = (*op.getGraphs())[index];
    if (cast<StringAttr>(name).getValue() != wantedGraph)
      continue;
    runBlock(body.front());
    auto yield = cast<YieldOp>(body.front().back());
    if (yield.getValues().size() != op.getNumResults()) {
      problems.push_back({op, "expected as many outputs as its branch has"});
      return;
    }
    for (auto [result, value] : llvm::zip(op.getResults(), yield.getValues()))
      aliases[result] = value;
    return;
  }
  problems.push_back({op, "expected a graph '" + wantedGraph.str() + "'"});
}
