//===- Probe.cpp - a graph run at chosen sizes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Probe.h"
#include "Evaluate/Evaluate.h"
#include "Evaluate/Operator.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

// What a probe may do in all: elements that it reads and makes, and elements that it keeps.
static constexpr int64_t maxProbeWork = int64_t(1) << 29;
static constexpr int64_t maxHeld = int64_t(1) << 26;

/// Whether a shape is one that operators can be applied to.
static bool isValidShape(ArrayRef<int64_t> shape) {
  if (shape.size() > maxEvaluatedRank)
    return false;
  for (int64_t dim : shape)
    if (dim < 0 || dim > maxShapeElements)
      return false;
  int64_t count = getProduct(shape);
  return count >= 0 && count <= maxShapeElements;
}

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
  int64_t count = tensor.getNumElements();
  if (!tensor.data && tensor.constant && count >= 0 && count <= maxEvaluatedElements &&
      count <= maxHeld - held)
    if (auto values = tensor.constant->load()) {
      tensor.data = std::make_shared<const std::vector<double>>(std::move(*values));
      held += count;
    }
  return tensor.data;
}

/// Keeps what is known of a value.
void Probe::hold(Value value, HostTensor tensor) {
  // A reshape shares its input's data.
  if (tensor.data && tensor.data.use_count() == 1)
    held += tensor.data->size();
  tensors[value] = std::move(tensor);
}

void Probe::bindInputs() {
  for (auto [argument, input] : llvm::zip(graph.getBody().getArguments(), inputs))
    tensors[argument] = makeInput(input, sizes);
}

/// Follows the wanted values back to all that they depend on or, not through shapes, to all whose
/// values they depend on.
DenseSet<Operation *> Probe::findNeeded(bool throughShapes) const {
  DenseSet<Operation *> found;
  SmallVector<Value> next(wanted->begin(), wanted->end());
  while (!next.empty()) {
    Operation *op = next.pop_back_val().getDefiningOp();
    if (!op || !found.insert(op).second)
      continue;
    // Any branch may be taken, and what is in a branch runs with its operation.
    op->walk([&](Operation *inner) {
      found.insert(inner);
      auto node = dyn_cast<NodeOp>(inner);
      bool asksShape = node && (node.getOpType() == "Shape" || node.getOpType() == "Size");
      if (throughShapes || !asksShape)
        next.append(inner->operand_begin(), inner->operand_end());
    });
    if (Operation *parent = op->getParentOp(); isa<NodeOp>(parent))
      next.append(parent->result_begin(), parent->result_end());
  }
  return found;
}

void Probe::run(const DenseSet<Value> *onlyWanted, bool whole) {
  wanted = onlyWanted;
  needed.reset();
  valued.reset();
  if (wanted && !whole) {
    needed = findNeeded(/*throughShapes=*/true);
    valued = findNeeded(/*throughShapes=*/false);
  }
  if (wanted)
    graph.walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        ++usesLeft[operand];
    });
  bindInputs();
  runBlock(graph.getBody().front());
}

void Probe::runBlock(Block &block) {
  // New nodes stand between `last` and the node that they replace or stand for.
  Operation *last = nullptr, *skipped = nullptr;
  while (true) {
    Operation *op = last ? last->getNextNode() : block.empty() ? nullptr : &block.front();
    if (!op)
      return;
    auto node = dyn_cast<NodeOp>(op);
    Rewriting rewriting = node && rewrite && op != skipped ? rewrite(node) : Rewriting::Run;
    if (rewriting == Rewriting::Replaced)
      continue;
    if (rewriting == Rewriting::Skip) {
      skipped = op;
      continue;
    }
    last = op;
    if (op == skipped)
      continue;
    if (auto initializer = dyn_cast<InitializerOp>(op)) {
      auto type = cast<RankedTensorType>(initializer.getType());
      HostTensor tensor =
          HostTensor::unknown(type.getShape(), !isa<FloatType>(type.getElementType()));
      tensor.constant = ConstantView::get(initializer.getData(), type);
      tensor.roundoff = getRoundoff(type.getElementType());
      bool small = tensor.getNumElements() <= smallConstant;
      tensors[initializer] = std::move(tensor);
      if (small && !initializer->use_empty() && !load(initializer))
        problems.push_back(
            {nullptr, "cannot read initializer '" + initializer.getName().str() + "'"});
    } else if (node) {
      if (!needed || needed->contains(op))
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
      if (auto found = tensors.find(value); found != tensors.end()) {
        auto &data = found->second.data;
        if (data && data.use_count() == 1)
          held -= data->size();
        data.reset();
      }
  }
}

void Probe::runNode(NodeOp op) {
  if (op.getNumResults() == 0)
    return;
  Evaluation evaluation{Node(op), {}, {}, {}};
  // Positions, angles and lengths are what they are before a graph rounds them.
  evaluation.roundsActivations = false;
  std::string type = evaluation.node.getType();
  const Operator *row = findOperator(type);
  if (!row) {
    problems.push_back({op, ""});
    return;
  }
  if (std::optional<std::string> unknown = findUnknownPart(*row, evaluation.node)) {
    problems.push_back({op, *unknown});
    return;
  }
  if (type == "If")
    return runIf(op);
  if (!row->evaluate) {
    problems.push_back({op, "it is known only where its inputs let it be written as others"});
    return;
  }
  for (Value input : op.getInputs()) {
    const HostTensor *tensor = get(input);
    // What feeds it was reported already.
    if (!tensor && !isa<AbsentType>(input.getType()))
      return;
    evaluation.inputs.push_back(tensor);
  }
  nodes.push_back(op);
  bool shapesOnly = valued && !valued->contains(op);
  if (!(shapesOnly ? evaluateShape(evaluation, *row) : evaluate(evaluation, *row)) ||
      evaluation.outputs.size() < op.getNumResults()) {
    problems.push_back(
        {op, evaluation.error.empty()
                 ? "expected " + std::to_string(evaluation.outputs.size()) + " outputs"
                 : evaluation.error});
    return;
  }
  for (auto [result, tensor] : llvm::zip(op.getResults(), evaluation.outputs)) {
    bool small = tensor.constant && tensor.getNumElements() <= smallConstant;
    hold(result, std::move(tensor));
    if (small)
      load(result);
  }
}

/// Whether a node computes a matrix of weights, or something from one, and from constants alone.
static bool isFromWeights(const Evaluation &evaluation) {
  bool any = evaluation.node.getType() == "DequantizeLinear" &&
             evaluation.in(0).shape.size() == 2 && evaluation.in(0).constant;
  for (const HostTensor *tensor : evaluation.inputs) {
    any |= tensor && tensor->isWeights;
    if (tensor && !tensor->data && !tensor->constant && !tensor->isWeights)
      return false;
  }
  return any;
}

/// Evaluates a node of which the shape is asked for: without values of its inputs that are too many
/// to be shapes themselves, so that masks of a long context are not computed.
bool Probe::evaluateShape(Evaluation &evaluation, const Operator &row) {
  constexpr int64_t mostSizes = 64;
  SmallVector<const HostTensor *> inputs = evaluation.inputs;
  std::vector<HostTensor> unknown(inputs.size());
  for (auto [i, tensor] : llvm::enumerate(inputs))
    if (tensor && tensor->data && tensor->getNumElements() > mostSizes) {
      unknown[i] = HostTensor::unknown(tensor->shape, tensor->isInteger);
      evaluation.inputs[i] = &unknown[i];
    }
  evaluation.shapesOnly = true;
  bool isKnown = evaluate(evaluation, row);
  evaluation.shapesOnly = false;
  evaluation.inputs = inputs;
  if (isKnown)
    return true;
  // The shape follows from the values.
  evaluation.outputs.clear();
  return evaluate(evaluation, row);
}

bool Probe::evaluate(Evaluation &evaluation, const Operator &row) {
  NodeOp op = evaluation.node.op;
  for (auto [i, tensor] : llvm::enumerate(evaluation.inputs))
    if (tensor && !isValidShape(tensor->shape) && !row.takesAnyShape(static_cast<unsigned>(i)))
      return evaluation.fail("expected inputs of known sizes, of at most " +
                             Twine(maxShapeElements) + " elements and rank " +
                             Twine(maxEvaluatedRank));
  bool anyLarge = false, loadable = true;
  for (const HostTensor *tensor : evaluation.inputs)
    if (tensor && !tensor->data) {
      anyLarge |= tensor->constant.has_value();
      loadable &= tensor->constant.has_value();
    }
  // Weights that are large are dequantized row by row when they are written.
  bool isLazy = isFromWeights(evaluation);
  if (!anyLarge || !loadable || isLazy)
    return evaluateOnce(evaluation, row);
  // Large constants only: moving one needs no values.
  if (row.isMovement) {
    if (!evaluateOnce(evaluation, row))
      return false;
    if (llvm::all_of(evaluation.outputs, [](auto &tensor) { return tensor.constant.has_value(); }))
      return true;
    evaluation.outputs.clear();
  }
  for (Value input : op.getInputs())
    if (!isa<AbsentType>(input.getType()))
      load(input);
  return evaluateOnce(evaluation, row);
}

/// Evaluates a node within the bounds of what a probe may do.
bool Probe::evaluateOnce(Evaluation &evaluation, const Operator &row) {
  for (const HostTensor *tensor : evaluation.inputs)
    if (tensor && tensor->data)
      work += tensor->data->size();
  if (work > maxProbeWork || held > maxHeld)
    return evaluation.fail("the graph computes with more numbers than any model needs");
  if (!row.evaluate(evaluation))
    return false;
  work += evaluation.work;
  // What is only moved or scaled was rounded as before.
  float roundoff = 0;
  if (row.isMovement || row.name == "Mul" || row.name == "Neg")
    for (const HostTensor *tensor : evaluation.inputs)
      roundoff = tensor ? std::max(roundoff, tensor->roundoff) : roundoff;
  bool isWeights = isFromWeights(evaluation), isFixed = evaluation.isFixed();
  for (HostTensor &tensor : evaluation.outputs) {
    tensor.isWeights = isWeights;
    tensor.isFixed = isFixed;
    tensor.roundoff = tensor.constant ? getRoundoff(tensor.constant->element) : roundoff;
    if (!isValidShape(tensor.shape))
      return evaluation.fail("expected a result of at most " + Twine(maxShapeElements) +
                             " elements and rank " + Twine(maxEvaluatedRank));
    if (tensor.data)
      work += tensor.data->size();
  }
  return true;
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
    branches.push_back({op, (*condition)[0] != 0});
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
