//===- Raise.cpp - the walk over a graph, and what its matchers share ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Raise.h"
#include "Evaluate/Operator.h"
#include "Raise/Attention.h"

using namespace mlir;
using namespace llmc;

// What a raise may do in all: columns that it keeps at a time, and elements that it looks at.
static constexpr int64_t maxLiveColumns = int64_t(1) << 24;
static constexpr int64_t maxWork = int64_t(1) << 31;

std::optional<LogicalResult> Meaning::raiseUse(Raise &, Node &) const { return std::nullopt; }

FailureOr<View> Meaning::toRows(Raise &raise) const {
  return raise.fail("expected rows of the model as operand");
}

Raise::Raise(carrier::GraphOp graph, ArrayRef<ModelInput> inputs, Probe &probe,
             func::FuncOp function, int64_t capacity)
    : graph(graph), inputs(inputs), probe(probe), step(function, capacity),
      builder(function.getContext()), location(function.getLoc()),
      parameters(function->getParentOfType<ModuleOp>()) {
  builder.setInsertionPointToEnd(&function.getBody().front());
  for (auto [i, argument, input] : llvm::enumerate(graph.getBody().getArguments(), inputs)) {
    if (input.role == InputRole::Tokens)
      assign(argument, std::make_shared<TokensValue>());
    else if (input.role == InputRole::Past)
      assign(argument, std::make_shared<PastValue>(static_cast<int>(i)));
  }
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

/// Notes by which node each value is read last; what the graph gives out is read for ever.
void Raise::findLastUses() {
  for (auto [index, node] : llvm::enumerate(probe.getNodes()))
    for (Value input : carrier::NodeOp(node).getInputs())
      lastUses[probe.resolve(input)] = index;
  for (Value value : graph.getBody().front().getTerminator()->getOperands())
    lastUses[probe.resolve(value)] = SIZE_MAX;
}

/// Forgets what the meanings of operands were once nobody asks again.
void Raise::release(size_t index, const Node &node) {
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i)
    if (Value value = getOperand(node, i); value && lastUses.lookup(value) == index)
      assign(value, nullptr);
}

void Raise::assign(Value value, std::shared_ptr<const Meaning> meaning) {
  int64_t columns = meaning ? meaning->countColumns() : 0;
  std::shared_ptr<const Meaning> &known = meanings[value];
  liveColumns += columns - (known ? known->countColumns() : 0);
  work += columns;
  known = std::move(meaning);
}

/// What an operand means decides how the node goes on with it; where none does, the operator.
LogicalResult Raise::raiseOperator(Node &node) {
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i) {
    // A matcher may put rows in the place of what was held back.
    std::shared_ptr<const Meaning> meaning =
        has(node, i) ? meanings.lookup(getOperand(node, i)) : nullptr;
    if (!meaning)
      continue;
    if (std::optional<LogicalResult> result = meaning->raiseUse(*this, node))
      return *result;
  }
  const Operator *row = findOperator(node.getType());
  if (!row || !row->raise)
    return row ? fail("it is applied to rows of the model") : failure();
  return row->raise(*this, node);
}

/// Raises one node; whether it could be is told by `problems`.
void Raise::raiseNode(Node &node) {
  // What does not depend on tokens was computed; a shape needs no value.
  bool data = false, missing = false;
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i) {
    if (!has(node, i))
      continue;
    data |= isData(node, i);
    missing |= !probe.get(getOperand(node, i)) || (isData(node, i) && !getMeaning(node, i));
  }
  std::string type = node.getType();
  if (!data || missing || type == "Shape" || type == "Size")
    return;
  startAt(node.op.getLoc());
  if (failed(raiseOperator(node)))
    problems.push_back({node.op, reason});
}

void Raise::run() {
  findLastUses();
  for (auto [branch, taken] : probe.getBranches()) {
    carrier::NodeOp op = branch;
    lengths.conditions.push_back({op.getInputs()[0], taken, op.getLoc()});
  }
  for (auto [index, op] : llvm::enumerate(probe.getNodes())) {
    Node node(op);
    raiseNode(node);
    release(index, node);
    if (liveColumns > maxLiveColumns || work > maxWork) {
      problems.push_back({op, "the graph computes with more columns than any model needs"});
      return;
    }
  }
}

LogicalResult Raise::fail(const Twine &why) {
  if (reason.empty())
    reason = why.str();
  return failure();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Raise::has(const Node &node, unsigned i) const {
  return i < node.op.getInputs().size() &&
         !isa<carrier::AbsentType>(node.op.getInputs()[i].getType());
}

Value Raise::getOperand(const Node &node, unsigned i) const {
  return has(node, i) ? probe.resolve(node.op.getInputs()[i]) : Value();
}

const Meaning *Raise::getMeaning(Value value) const {
  return value ? meanings.lookup(probe.resolve(value)).get() : nullptr;
}

const Meaning *Raise::getMeaning(const Node &node, unsigned i) const {
  return getMeaning(getOperand(node, i));
}

const HostTensor &Raise::getTensor(Value value) const {
  static const HostTensor nothing;
  const HostTensor *found = value ? probe.get(value) : nullptr;
  return found ? *found : nothing;
}

const HostTensor &Raise::getTensor(const Node &node, unsigned i) const {
  return getTensor(getOperand(node, i));
}

ArrayRef<int64_t> Raise::getResultShape(const Node &node, unsigned i) const {
  return i < node.op.getNumResults() ? getTensor(node.op.getResult(i)).shape : ArrayRef<int64_t>();
}

bool Raise::isData(const Node &node, unsigned i) const {
  if (!has(node, i) || !probe.get(getOperand(node, i)))
    return false;
  const HostTensor &found = getTensor(node, i);
  return !found.isKnown() && !found.constant && !found.isWeights;
}

std::optional<double> Raise::getScalar(const Node &node, unsigned i) {
  const HostTensor &found = getTensor(node, i);
  if (!found.isKnown() || found.getNumElements() != 1)
    return std::nullopt;
  lengths.addFixed(getOperand(node, i), found, location);
  return found[0];
}

std::optional<ConstantView> Raise::getConstant(const Node &node, unsigned i) const {
  return getTensor(node, i).constant;
}

std::optional<View> Raise::getView(const Node &node, unsigned i) {
  if (!has(node, i)) {
    (void)fail("expected input " + Twine(i));
    return std::nullopt;
  }
  Value value = getOperand(node, i);
  std::shared_ptr<const Meaning> meaning = meanings.lookup(value);
  if (!meaning) {
    (void)fail("expected rows of the model as operand");
    return std::nullopt;
  }
  FailureOr<View> view = meaning->toRows(*this);
  if (failed(view))
    return std::nullopt;
  View rows = std::move(*view);
  if (!isa<View>(meaning.get()))
    assign(value, std::make_shared<View>(rows));
  return rows;
}

std::optional<View> Raise::getRows(const Node &node, unsigned i) {
  std::optional<View> view = getView(node, i);
  if (view && (view->shape.empty() || view->shape.back() < 1 ||
               view->rowsAxis == static_cast<int>(view->shape.size()) - 1)) {
    (void)fail("expected rows whose columns are the last axis");
    return std::nullopt;
  }
  return view;
}

std::optional<Weight> Raise::getVector(const Node &node, unsigned i, int64_t size) {
  const HostTensor &found = getTensor(node, i);
  if (found.getNumElements() != size || found.shape.empty() || found.shape.back() != size)
    return std::nullopt;
  Weight weight;
  weight.shape = {size};
  if (found.constant)
    if (auto view = found.constant->reshape(size)) {
      weight.view = std::move(*view);
      return weight;
    }
  weight.values = probe.load(getOperand(node, i));
  lengths.addFixed(getOperand(node, i), found, location);
  return weight.values ? std::optional(weight) : std::nullopt;
}

LogicalResult Raise::expectCount(const Node &node, unsigned i, LengthRecord::Count::Kind kind,
                                 const Twine &what) {
  using Kind = LengthRecord::Count::Kind;
  const HostTensor &found = getTensor(node, i);
  ProbeSizes sizes = getSizes();
  int64_t count = kind == Kind::Positions ? sizes.rows : 1;
  int64_t first = kind == Kind::Last    ? sizes.total() - 1
                  : kind == Kind::Total ? sizes.total()
                                        : sizes.past;
  bool counts = found.isKnown() && found.getNumElements() == count;
  for (int64_t k = 0; counts && k < count; ++k)
    counts = found[k] == static_cast<double>(first + k);
  if (!counts)
    return fail(what);
  lengths.counts.push_back({kind, getOperand(node, i), 0, location});
  return success();
}

Evaluation Raise::getEvaluation(const Node &node) const {
  Evaluation evaluation{node, {}, {}, {}};
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i)
    evaluation.inputs.push_back(has(node, i) ? &getTensor(node, i) : nullptr);
  return evaluation;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void Raise::set(const Node &node, unsigned result, std::shared_ptr<const Meaning> meaning) {
  if (result < node.op.getNumResults())
    assign(node.op.getResult(result), std::move(meaning));
}

void Raise::forward(const Node &node, unsigned operand, unsigned result) {
  set(node, result, share(node, operand));
}
