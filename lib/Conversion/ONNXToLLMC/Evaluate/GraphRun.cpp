//===- GraphRun.cpp - a graph run on real values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/GraphRun.h"
#include "Evaluate/Evaluate.h"
#include "Evaluate/Operator.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

LogicalResult GraphRun::run() {
  graph.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      ++usesLeft[operand];
  });
  return runBlock(graph.getBody().front());
}

FailureOr<HostTensor> GraphRun::getOutput(unsigned index) {
  Value value = graph.getBody().front().getTerminator()->getOperand(index);
  auto found = tensors.find(value);
  if (found == tensors.end())
    return failure();
  return load(value.getDefiningOp<NodeOp>(), found->second);
}

FailureOr<HostTensor> GraphRun::load(NodeOp reader, const HostTensor &tensor) {
  if (tensor.data || !tensor.constant)
    return tensor;
  HostTensor loaded = tensor;
  std::optional<std::vector<double>> values = tensor.constant->load();
  if (!values) {
    Operation *place = reader ? reader.getOperation() : graph.getOperation();
    return place->emitError("cannot read a constant of ") << tensor.getNumElements() << " elements";
  }
  loaded.data = std::make_shared<const std::vector<double>>(std::move(*values));
  return loaded;
}

LogicalResult GraphRun::runBlock(Block &block) {
  for (Operation &op : block) {
    if (auto initializer = dyn_cast<InitializerOp>(op)) {
      bindInitializer(initializer);
    } else if (auto node = dyn_cast<NodeOp>(op)) {
      if (failed(runNode(node)))
        return failure();
      release(node);
    }
  }
  return success();
}

void GraphRun::bindInitializer(InitializerOp initializer) {
  auto type = cast<RankedTensorType>(initializer.getType());
  HostTensor tensor = HostTensor::unknown(type.getShape(), !isa<FloatType>(type.getElementType()));
  tensor.constant = ConstantView::get(initializer.getData(), type);
  if (tensor.getNumElements() <= smallConstant && !initializer->use_empty())
    if (auto values = tensor.constant->load())
      tensor.data = std::make_shared<const std::vector<double>>(std::move(*values));
  tensors[initializer] = std::move(tensor);
}

/// Drops operands that were read for the last time.
void GraphRun::release(NodeOp op) {
  for (Value operand : op->getOperands())
    if (--usesLeft[operand] == 0)
      tensors.erase(operand);
}

LogicalResult GraphRun::runNode(NodeOp op) {
  if (op.getNumResults() == 0)
    return success();
  Evaluation evaluation{Node(op), {}, {}, {}};
  evaluation.isWhole = true;
  evaluation.roundsActivations = roundsActivations;
  auto fail = [&](const Twine &why) {
    return op.emitError("cannot run node '")
           << op.getName() << "' (" << evaluation.node.getType() << "): " << why;
  };
  const Operator *row = findOperator(evaluation.node.getType());
  if (!row)
    return fail("this operator is not known");
  if (std::optional<std::string> unknown = findUnknownPart(*row, evaluation.node))
    return fail(*unknown);
  if (row->name == "If")
    return runIf(op);
  if (!row->evaluate)
    return fail("it can't be evaluated");
  for (Value input : op.getInputs()) {
    auto found = tensors.find(input);
    if (found == tensors.end() && !isa<AbsentType>(input.getType()))
      return fail("an input has no value");
    evaluation.inputs.push_back(found == tensors.end() ? nullptr : &found->second);
  }
  if (failed(evaluate(evaluation, *row)))
    return failure();
  if (evaluation.outputs.size() < op.getNumResults())
    return fail("expected " + Twine(evaluation.outputs.size()) + " outputs");
  bool isFixed = evaluation.isFixed();
  for (HostTensor &tensor : evaluation.outputs)
    tensor.isFixed = isFixed;
  if (observe)
    observe(op, evaluation.outputs);
  for (auto [result, tensor] : llvm::zip(op.getResults(), evaluation.outputs)) {
    if (result.use_empty())
      continue;
    bool isSmall = tensor.constant && tensor.getNumElements() <= smallConstant;
    FailureOr<HostTensor> held = isSmall ? load(op, tensor) : std::move(tensor);
    if (failed(held))
      return failure();
    tensors[result] = std::move(*held);
  }
  return success();
}

LogicalResult GraphRun::evaluate(Evaluation &evaluation, const Operator &row) {
  NodeOp op = evaluation.node.op;
  auto attempt = [&]() -> LogicalResult {
    evaluation.outputs.clear();
    if (row.evaluate(evaluation))
      return success();
    return op.emitError("cannot run node '")
           << op.getName() << "' (" << evaluation.node.getType() << "): " << evaluation.error;
  };
  auto isComplete = [&] {
    return llvm::all_of(evaluation.outputs,
                        [](const HostTensor &tensor) { return tensor.data || tensor.constant; });
  };
  bool anyUnread = llvm::any_of(evaluation.inputs, [](const HostTensor *tensor) {
    return tensor && !tensor->data && tensor->constant;
  });
  if (!anyUnread || row.isStreaming)
    return attempt();
  // What moves large constants leaves them in the file where it can.
  if (row.isMovement) {
    if (failed(attempt()))
      return failure();
    if (isComplete())
      return success();
  }
  std::vector<HostTensor> loaded;
  loaded.reserve(evaluation.inputs.size());
  for (const HostTensor *&input : evaluation.inputs) {
    if (!input || input->data)
      continue;
    FailureOr<HostTensor> values = load(op, *input);
    if (failed(values))
      return failure();
    loaded.push_back(std::move(*values));
    input = &loaded.back();
  }
  return attempt();
}

LogicalResult GraphRun::runIf(NodeOp op) {
  auto condition = tensors.find(op.getInputs()[0]);
  if (condition == tensors.end() || !condition->second.isKnown() ||
      condition->second.getNumElements() != 1)
    return op.emitError("expected a condition of one element");
  StringRef wanted = condition->second[0] != 0 ? "then_branch" : "else_branch";
  for (auto [index, body] : llvm::enumerate(op.getBodies())) {
    if (cast<StringAttr>((*op.getGraphs())[index]).getValue() != wanted)
      continue;
    if (failed(runBlock(body.front())))
      return failure();
    Operation *yield = body.front().getTerminator();
    if (yield->getNumOperands() != op.getNumResults())
      return op.emitError("expected as many outputs as its branch has");
    for (auto [result, value] : llvm::zip(op.getResults(), yield->getOperands()))
      if (auto found = tensors.find(value); found != tensors.end())
        tensors[result] = HostTensor(found->second);
    return success();
  }
  return op.emitError("expected a graph '") << wanted << "'";
}
