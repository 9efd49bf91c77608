//===- ReferenceModel.cpp - an ONNX decoder run step by step ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceModel.h"
#include "Evaluate/Operator.h"
#include "Evaluate/Probe.h"
#include "Graph/ExpandQuantized.h"
#include "Graph/InlineFunctions.h"
#include "Graph/NormalizeONNX.h"
#include "Graph/RemoveUnused.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Nodes between an output of the graph and the cache that it continues.
static constexpr int maxDistance = 16;

/// Whether a node is evaluated with the types that its inputs have.
static bool isEvaluable(NodeOp op) {
  std::string type = Node(op).getType();
  const Operator *row = findOperator(type);
  if (!row || (!row->evaluate && row->name != "If"))
    return false;
  // Tables of bytes alone are.
  auto table =
      op.getInputs().empty() ? ShapedType() : dyn_cast<ShapedType>(op.getInputs()[0].getType());
  return type != "com.microsoft::GatherBlockQuantized" || !table ||
         table.getElementType().isInteger(8);
}

/// Whether a graph can be run as it stands.
static bool isEvaluable(GraphOp graph) {
  WalkResult result = graph.walk(
      [](NodeOp op) { return isEvaluable(op) ? WalkResult::advance() : WalkResult::interrupt(); });
  return !result.wasInterrupted();
}

FailureOr<ReferenceModel> ReferenceModel::create(ModuleOp module, int64_t vocabulary) {
  auto graph = module.lookupSymbol<GraphOp>("main");
  if (!graph || failed(inlineFunctions(module)))
    return failure();
  // The program gives logits.
  (void)leaveOutSoftmax(graph);
  // Fused operators on integers that are not evaluated by themselves are, as what they stand for.
  if (!isEvaluable(graph) && failed(expandQuantized(module)))
    return failure();
  ReferenceModel model(graph);
  model.vocabulary = vocabulary;
  FailureOr<SmallVector<ModelInput>> inputs = classifyInputs(graph);
  if (failed(inputs))
    return failure();
  model.inputs = std::move(*inputs);
  // What is known by other operators alone is run as those; each is compared with ONNX Runtime.
  if (!isEvaluable(graph) && failed(expandOperators(module, graph, model.inputs)))
    return failure();
  if (failed(model.findPresents()))
    return failure();
  return model;
}

//===----------------------------------------------------------------------===//
// Caches
//===----------------------------------------------------------------------===//

/// Which of an attention operator's inputs a result of it continues; nothing for other nodes.
static std::optional<unsigned> getPastInput(NodeOp op, unsigned result) {
  StringRef type = op.getOpType();
  unsigned first = type == "GroupQueryAttention"  ? 3
                   : type == "Attention"          ? 4
                   : type == "MultiHeadAttention" ? 6
                                                  : 0;
  if (first == 0 || result == 0 || result > 2)
    return std::nullopt;
  return first + result - 1;
}

/// The past input that a value continues: what attention gives back of it, or new rows joined to
/// it, whatever else is moved.
static BlockArgument findPast(Value value, ArrayRef<ModelInput> inputs, int distance = 0) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return isa<GraphOp>(argument.getOwner()->getParentOp()) &&
                   inputs[argument.getArgNumber()].role == InputRole::Past
               ? argument
               : BlockArgument();
  auto op = value.getDefiningOp<NodeOp>();
  if (!op || distance > maxDistance)
    return {};
  if (auto input = getPastInput(op, cast<OpResult>(value).getResultNumber()))
    return *input < op.getInputs().size() ? findPast(op.getInputs()[*input], inputs, distance + 1)
                                          : BlockArgument();
  // A decoder of two branches continues its past in one of them.
  unsigned result = cast<OpResult>(value).getResultNumber();
  for (Region &body : op.getBodies()) {
    OperandRange yielded = body.front().getTerminator()->getOperands();
    if (result >= yielded.size())
      continue;
    if (BlockArgument found = findPast(yielded[result], inputs, distance + 1))
      return found;
  }
  // Rounded on its way.
  if (op.getOpType() == "QuantizeLinear" || op.getOpType() == "DequantizeLinear")
    return findPast(op.getInputs()[0], inputs, distance + 1);
  const Operator *row = findOperator(Node(op).getType());
  if (!row || !row->isMovement)
    return {};
  for (Value operand : op.getInputs())
    if (BlockArgument found = findPast(operand, inputs, distance + 1))
      return found;
  return {};
}

LogicalResult ReferenceModel::findPresents() {
  Operation *yield = graph.getBody().front().getTerminator();
  for (auto [index, value] : llvm::enumerate(yield->getOperands()))
    if (BlockArgument past = findPast(value, inputs))
      presents.try_emplace(past.getArgNumber(), index);
  for (auto [index, input] : llvm::enumerate(inputs))
    if (input.role == InputRole::Past && !presents.count(index))
      return graph.emitError("expected an output that continues input '")
             << cast<StringAttr>(graph.getInputNames()[index]).getValue() << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

void ReferenceModel::restart() {
  text.clear();
  caches.clear();
}

HostTensor ReferenceModel::makeInput(unsigned index, ArrayRef<int32_t> tokens, int64_t past) const {
  const ModelInput &input = inputs[index];
  auto rows = static_cast<int64_t>(tokens.size());
  HostTensor tensor = llmc::makeInput(input, {past, rows});
  if (input.role == InputRole::Tokens)
    return HostTensor::known(tensor.shape, std::vector<double>(tokens.begin(), tokens.end()),
                             /*isInteger=*/true);
  if (input.role != InputRole::Past)
    return tensor;
  if (auto cache = caches.find(index); cache != caches.end())
    return cache->second;
  for (auto [axis, size] : llvm::enumerate(tensor.shape))
    if (size < 0)
      size = axis + 1 == tensor.shape.size() ? openSize : openHeads;
  return HostTensor::known(tensor.shape, std::vector<double>(getProduct(tensor.shape), 0.0), false);
}

FailureOr<ReferenceLogits>
ReferenceModel::step(ArrayRef<int32_t> tokens,
                     function_ref<void(NodeOp, ArrayRef<HostTensor>)> observe) {
  int64_t past = hasPast() ? text.size() : 0;
  text.insert(text.end(), tokens.begin(), tokens.end());
  ArrayRef<int32_t> given = hasPast() ? tokens : ArrayRef(text);
  GraphRun run(graph);
  run.roundsActivations = false;
  run.observe = observe;
  for (BlockArgument argument : graph.getBody().getArguments())
    run.bind(argument, makeInput(argument.getArgNumber(), given, past));
  if (failed(run.run()))
    return failure();
  for (auto [input, output] : presents) {
    FailureOr<HostTensor> present = run.getOutput(output);
    if (failed(present))
      return failure();
    caches[input] = std::move(*present);
  }
  return takeLogits(run, tokens.size());
}

/// The output of the vocabulary's width; of several the one that is named so.
FailureOr<ReferenceLogits> ReferenceModel::takeLogits(GraphRun &run, int64_t rows) {
  std::optional<HostTensor> logits;
  for (auto [index, name] : llvm::enumerate(graph.getOutputNames())) {
    bool isNamed = cast<StringAttr>(name).getValue().contains_insensitive("logits");
    FailureOr<HostTensor> tensor = run.getOutput(index);
    if (failed(tensor))
      return failure();
    if (tensor->data && !tensor->shape.empty() && tensor->shape.back() == vocabulary &&
        (!logits || isNamed))
      logits = std::move(*tensor);
  }
  if (!logits || logits->getNumElements() == 0)
    return graph.emitError("expected an output of ") << vocabulary << " logits";
  int64_t found = logits->getNumElements() / vocabulary;
  ReferenceLogits result{std::min(rows, found), {}};
  result.values.assign(logits->data->end() - result.rows * vocabulary, logits->data->end());
  return result;
}
