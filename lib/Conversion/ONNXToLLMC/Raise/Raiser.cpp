//===- Raiser.cpp - the walk over the graph, and views of rows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Raiser.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

Raiser::Raiser(GraphOp graph, ArrayRef<ModelInput> inputs, Probe &probe, func::FuncOp step,
               int64_t capacity)
    : graph(graph), inputs(inputs), probe(probe), step(step), capacity(capacity),
      builder(step.getContext()), location(step.getLoc()),
      parameters(step->getParentOfType<ModuleOp>()) {
  Block *block = step.addEntryBlock();
  builder.setInsertionPointToEnd(block);
  tokens = block->getArgument(0);
  rows = block->getArgument(1);
  int past = 0;
  for (auto [argument, input] : llvm::zip(graph.getBody().getArguments(), inputs)) {
    if (input.role == InputRole::Tokens)
      abstracts[argument] = TokensValue();
    else if (input.role == InputRole::Past)
      abstracts[argument] = PastValue{past};
    ++past;
  }
}

LogicalResult Raiser::fail(const Twine &why) {
  if (reason.empty())
    reason = why.str();
  return failure();
}

Raiser::Method Raiser::find(StringRef type) {
  if (findElementwise(type) && type != "IsNaN")
    return &Raiser::raiseElementwise;
  return llvm::StringSwitch<Method>(type)
      .Case("Concat", &Raiser::raiseConcat)
      .Case("Gather", &Raiser::raiseGather)
      .Cases({"Identity", "Dropout", "Cast", "Reshape", "Flatten", "Unsqueeze", "Squeeze"},
             &Raiser::raiseMovement)
      .Cases({"Transpose", "Slice", "Split", "Expand", "Tile", "GatherND", "GatherElements"},
             &Raiser::raiseMovement)
      .Cases({"ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL2"}, &Raiser::raiseReduction)
      .Case("Softmax", &Raiser::raiseSoftmax)
      .Case("IsNaN", &Raiser::raiseIsNaN)
      .Case("MatMul", &Raiser::raiseMatMul)
      .Case("Gemm", &Raiser::raiseGemm)
      .Case("com.microsoft::MatMulNBits", &Raiser::raiseMatMulNBits)
      .Case("com.microsoft::GatherBlockQuantized", &Raiser::raiseGatherBlockQuantized)
      .Case("DynamicQuantizeLinear", &Raiser::raiseDynamicQuantizeLinear)
      .Case("MatMulInteger", &Raiser::raiseMatMulInteger)
      .Case("DequantizeLinear", &Raiser::raiseDequantizeLinear)
      .Cases({"RMSNormalization", "SimplifiedLayerNormalization",
              "com.microsoft::SimplifiedLayerNormalization"},
             &Raiser::raiseRMSNorm)
      .Case("LayerNormalization", &Raiser::raiseLayerNorm)
      .Cases({"com.microsoft::SkipSimplifiedLayerNormalization",
              "com.microsoft::SkipLayerNormalization"},
             &Raiser::raiseSkipNorm)
      .Cases({"Gelu", "com.microsoft::Gelu", "com.microsoft::FastGelu", "com.microsoft::BiasGelu",
              "com.microsoft::QuickGelu"},
             &Raiser::raiseGelu)
      .Case("RotaryEmbedding", &Raiser::raiseRotary)
      .Case("com.microsoft::RotaryEmbedding", &Raiser::raiseContribRotary)
      .Case("Attention", &Raiser::raiseAttention)
      .Case("com.microsoft::GroupQueryAttention", &Raiser::raiseGroupQueryAttention)
      .Default(nullptr);
}

// What a raise may do in all: columns that it keeps at a time, and elements that it looks at.
static constexpr int64_t maxLiveColumns = int64_t(1) << 24;
static constexpr int64_t maxWork = int64_t(1) << 31;

/// Columns that a meaning consists of.
static int64_t countColumns(const Abstract &abstract) {
  if (auto *view = std::get_if<View>(&abstract))
    return view->columns.size();
  if (auto *statistic = std::get_if<Statistic>(&abstract))
    return statistic->of.columns.size();
  if (auto *normal = std::get_if<Normal>(&abstract))
    return normal->of.columns.size();
  if (auto *function = std::get_if<Function>(&abstract))
    return function->of.columns.size();
  if (auto *scores = std::get_if<Scores>(&abstract))
    return scores->query.columns.size() + scores->keys.columns.size();
  if (auto *rounded = std::get_if<RoundedRows>(&abstract))
    return rounded->of.columns.size();
  if (auto *product = std::get_if<IntegerProduct>(&abstract))
    return product->of.columns.size();
  return 0;
}

/// Notes by which node each value is read last; what the graph gives out is read for ever.
void Raiser::findLastUses() {
  for (auto [index, node] : llvm::enumerate(probe.getNodes()))
    for (Value input : NodeOp(node).getInputs())
      lastUses[probe.resolve(input)] = index;
  for (Value value : graph.getBody().front().getTerminator()->getOperands())
    lastUses[probe.resolve(value)] = SIZE_MAX;
}

/// Forgets what the meanings of operands were once nobody asks again.
void Raiser::release(size_t index, Node &node) {
  for (Value input : node.op.getInputs()) {
    Value value = probe.resolve(input);
    if (lastUses.lookup(value) == index)
      assign(value, Abstract());
  }
}

void Raiser::assign(Value value, Abstract abstract) {
  Abstract &known = abstracts[value];
  liveColumns += countColumns(abstract) - countColumns(known);
  work += countColumns(abstract);
  known = std::move(abstract);
}

/// Raises one node; whether it could be is told by `problems`.
void Raiser::raiseNode(Node &node) {
  // What does not depend on tokens was computed; a shape needs no value.
  bool data = false, missing = false;
  for (unsigned i = 0; i < node.op.getInputs().size(); ++i) {
    if (!has(node, i))
      continue;
    data |= isData(node, i);
    missing |= !probe.get(operand(node, i)) ||
               (isData(node, i) && std::holds_alternative<std::monostate>(get(operand(node, i))));
  }
  std::string type = node.getType();
  if (!data || missing || type == "Shape" || type == "Size")
    return;
  reason.clear();
  location = node.op.getLoc();
  Method method = find(type);
  if (!method)
    problems.push_back({node.op, findEvaluation(type) ? "it is applied to rows of the model" : ""});
  else if (failed((this->*method)(node)))
    problems.push_back({node.op, reason});
}

void Raiser::run() {
  findLastUses();
  for (auto [branch, taken] : probe.getBranches())
    checks.conditions.push_back({NodeOp(branch).getInputs()[0], taken, NodeOp(branch).getLoc()});
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

//===----------------------------------------------------------------------===//
// Operands and results
//===----------------------------------------------------------------------===//

bool Raiser::has(Node &node, unsigned i) const {
  return i < node.op.getInputs().size() && !isa<AbsentType>(node.op.getInputs()[i].getType());
}

const Abstract &Raiser::get(Value value) const {
  static const Abstract none;
  auto found = abstracts.find(value);
  return found == abstracts.end() ? none : found->second;
}

/// Whether an operand depends on tokens: neither known nor a constant of the file.
bool Raiser::isData(Node &node, unsigned i) const {
  if (!has(node, i))
    return false;
  const HostTensor *found = probe.get(operand(node, i));
  return found && !found->isKnown() && !found->constant && !found->isWeights;
}

/// A known operand of one element. What is computed may depend on the length, so it is checked.
std::optional<double> Raiser::getScalar(Node &node, unsigned i) {
  if (!has(node, i))
    return std::nullopt;
  const HostTensor *found = probe.get(operand(node, i));
  if (!found || !found->isKnown() || found->getNumElements() != 1)
    return std::nullopt;
  if (!found->constant)
    checks.numbers.push_back({operand(node, i), (*found)[0], location});
  return (*found)[0];
}

void Raiser::set(Node &node, unsigned result, Abstract value) {
  if (result < node.op.getNumResults())
    assign(node.op.getResult(result), std::move(value));
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

int64_t Raiser::getRowCount(const View &view) const {
  return view.past >= 0 ? probe.getSizes().total() : probe.getSizes().rows;
}

View Raiser::makeView(std::shared_ptr<Base> base, ArrayRef<int64_t> shape) {
  View view;
  view.base = std::move(base);
  view.shape.assign(shape.begin(), shape.end());
  // The width stands last; the rows are the one axis before it that is not of size one.
  for (int64_t axis = 0; axis + 1 < static_cast<int64_t>(shape.size()); ++axis)
    if (shape[axis] != 1)
      view.rowsAxis = axis;
  view.columns.resize(view.base->width);
  for (auto [i, column] : llvm::enumerate(view.columns))
    column.first.column = i;
  return view;
}

View Raiser::makeView(Value value, ArrayRef<int64_t> shape) {
  auto base = std::make_shared<Base>(location);
  base->value = value;
  base->width = cast<RankedTensorType>(value.getType()).getDimSize(1);
  return makeView(std::move(base), shape);
}

bool Raiser::sameColumns(const View &a, const View &b) {
  if (a.base != b.base || a.past != b.past || a.columns.size() != b.columns.size())
    return false;
  return llvm::all_of(llvm::zip(a.columns, b.columns), [](const auto &pair) {
    Column one = std::get<0>(pair), other = std::get<1>(pair);
    double &factor = one.first.coefficient;
    if (std::fabs(factor - other.first.coefficient) <= 1e-12 * std::fabs(factor))
      factor = other.first.coefficient;
    return one == other;
  });
}

/// A tensor of the view's shape whose elements say which row and column they are:
/// first + row · columns + column.
HostTensor Raiser::getIndices(const View &view, int64_t first) const {
  int64_t columns = view.columns.size();
  std::vector<double> values(getProduct(view.shape));
  work += values.size();
  int64_t outer = 1, count = 1, inner = columns;
  if (view.rowsAxis >= 0) {
    outer = getProduct(ArrayRef(view.shape).take_front(view.rowsAxis));
    count = view.shape[view.rowsAxis];
    inner = getProduct(ArrayRef(view.shape).drop_front(view.rowsAxis + 1));
  }
  size_t next = 0;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t row = 0; row < count; ++row)
      for (int64_t i = 0; i < inner; ++i)
        values[next++] = first + row * columns + o * inner + i;
  return HostTensor::known(view.shape, std::move(values), true);
}

/// Reads such a tensor back: finds the axis along which rows run, and the columns of the others.
std::optional<View> Raiser::separate(const HostTensor &indices, std::shared_ptr<Base> base,
                                     int past, int64_t rowCount,
                                     const std::vector<Column> &table) const {
  int64_t width = table.size();
  View view;
  view.base = std::move(base);
  view.past = past;
  view.shape = indices.shape;
  auto rowOf = [&](int64_t i) { return static_cast<int64_t>(indices[i]) / width; };
  auto columnOf = [&](int64_t i) { return static_cast<int64_t>(indices[i]) % width; };
  int64_t count = indices.getNumElements();
  if (count == 0)
    return std::nullopt;
  auto tryAxis = [&](int axis) {
    int64_t inner = getProduct(ArrayRef(view.shape).drop_front(axis + 1));
    int64_t size = view.shape[axis];
    std::vector<Column> columns;
    columns.reserve(count / size);
    for (int64_t i = 0; i < count; ++i) {
      int64_t row = i / inner % size;
      int64_t first = i - row * inner;
      if (rowOf(i) != row || columnOf(i) != columnOf(first))
        return false;
      if (row == 0)
        columns.push_back(table[columnOf(i)]);
    }
    view.rowsAxis = axis;
    view.columns = std::move(columns);
    return true;
  };
  for (int axis = 0, rank = view.shape.size(); axis < rank; ++axis)
    if (view.shape[axis] == rowCount && tryAxis(axis))
      return view;
  // Only the last row.
  for (int64_t i = 0; i < count; ++i) {
    if (rowOf(i) != rowOf(0) || rowOf(0) != rowCount - 1)
      return std::nullopt;
    view.columns.push_back(table[columnOf(i)]);
  }
  return view;
}

std::optional<View> Raiser::applyMovement(const View &view, ArrayRef<int64_t> newShape,
                                          ArrayRef<int64_t> permutation) {
  HostTensor indices = getIndices(view, 0);
  if (getProduct(newShape) != indices.getNumElements())
    return std::nullopt;
  SmallVector<int64_t> shape, steps, strides = getRowMajorStrides(newShape);
  for (int64_t axis : permutation) {
    shape.push_back(newShape[axis]);
    steps.push_back(strides[axis]);
  }
  std::vector<double> values(indices.data->size());
  SmallVector<int64_t> own = getRowMajorStrides(shape);
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t from = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      from += static_cast<int64_t>(i) / own[axis] % shape[axis] * steps[axis];
    values[i] = indices[from];
  }
  return separate(HostTensor::known(shape, std::move(values), true), view.base, view.past,
                  getRowCount(view), view.columns);
}

std::optional<View> Raiser::toView(const Abstract &value) {
  if (auto *view = std::get_if<View>(&value))
    return *view;
  if (auto *normal = std::get_if<Normal>(&value))
    return emitNormal(*normal);
  if (auto *function = std::get_if<Function>(&value))
    return emitFunction(*function);
  (void)fail("expected rows of the model as operand");
  return std::nullopt;
}

/// An operand as rows. What was held back is computed, once.
std::optional<View> Raiser::getView(Node &node, unsigned i) {
  if (!has(node, i)) {
    (void)fail("expected input " + Twine(i));
    return std::nullopt;
  }
  Value value = operand(node, i);
  const Abstract &found = get(value);
  if (auto *view = std::get_if<View>(&found))
    return *view;
  std::optional<View> view = toView(found);
  if (view)
    assign(value, *view);
  return view;
}

/// An operand whose last axis is a vector of each row (or, with heads, a part of it).
std::optional<View> Raiser::getRows(Node &node, unsigned i) {
  std::optional<View> view = getView(node, i);
  if (view && (view->shape.empty() || view->shape.back() < 1 ||
               view->rowsAxis == static_cast<int>(view->shape.size()) - 1)) {
    (void)fail("expected rows whose columns are the last axis");
    return std::nullopt;
  }
  return view;
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

LogicalResult Raiser::raiseMovement(Node &node) {
  const Abstract &found = get(operand(node, 0));
  std::string type = node.getType();
  if (type == "Cast") {
    int64_t to = node.getInt("to", 1);
    bool toFloat = to == 1 || to == 10 || to == 11 || to == 16;
    bool isTokens = std::holds_alternative<TokensValue>(found);
    if (toFloat == isTokens)
      return fail("expected rows to stay numbers and tokens to stay integers");
  }
  if (std::holds_alternative<Scores>(found) || std::holds_alternative<NanTest>(found)) {
    ArrayRef<int64_t> shape = tensor(node.op.getResult(0)).shape;
    if (type == "Transpose" || type == "Slice" || shape.size() < 2 ||
        node.op.getNumResults() != 1 || shape.back() != probe.getSizes().total() ||
        shape[shape.size() - 2] != probe.getSizes().rows)
      return fail("expected attention scores to keep rows and keys as their last axes");
    set(node, 0, found);
    return success();
  }
  if (std::holds_alternative<TokensValue>(found) || std::holds_alternative<PastValue>(found) ||
      std::holds_alternative<CacheValue>(found) || std::holds_alternative<Statistic>(found)) {
    if (getProduct(tensor(node.op.getResult(0)).shape) !=
        getProduct(tensor(operand(node, 0)).shape))
      return fail("expected all elements to stay");
    if (std::holds_alternative<PastValue>(found) && type != "Identity" && type != "Cast")
      return fail("expected the cache to be joined with new rows as it comes in");
    set(node, 0, found);
    return success();
  }
  // A half-finished norm or function keeps its meaning under a change of type.
  if (type == "Cast" || type == "Identity" || type == "Dropout") {
    set(node, 0, found);
    return success();
  }
  std::optional<View> view = getView(node, 0);
  if (!view)
    return failure();
  HostTensor indices = getIndices(*view, 0);
  Evaluation evaluation{node, {&indices}, {}, {}};
  for (unsigned i = 1; i < node.op.getInputs().size(); ++i)
    evaluation.inputs.push_back(has(node, i) ? probe.get(operand(node, i)) : nullptr);
  if (!findMovement(type)(evaluation))
    return fail(evaluation.error);
  for (auto [i, output] : llvm::enumerate(evaluation.outputs)) {
    if (output.getNumElements() == 0) {
      set(node, i, NoElements());
      continue;
    }
    std::optional<View> moved =
        separate(output, view->base, view->past, getRowCount(*view), view->columns);
    if (!moved)
      return fail("it mixes rows with columns");
    set(node, i, std::move(*moved));
  }
  return success();
}

FailureOr<View> Raiser::concatPast(const PastValue &past, const View &view) {
  if (view.past >= 0 || view.rowsAxis < 0 || view.shape.size() != 4 || view.rowsAxis != 2)
    return fail("expected new keys or values of shape batch × heads × rows × size");
  View result = view;
  result.past = past.index;
  result.shape[2] = probe.getSizes().total();
  return result;
}

LogicalResult Raiser::raiseConcat(Node &node) {
  unsigned count = node.op.getInputs().size();
  if (count == 1)
    return raiseMovement(node);
  if (auto *past = getIf<PastValue>(node, 0)) {
    std::optional<View> view = count == 2 ? getView(node, 1) : std::nullopt;
    if (!view)
      return fail("expected the cache to be joined with one operand");
    if (normalizeAxis(node.getInt("axis", 0), 4) != 2)
      return fail("expected the cache to grow along axis 2");
    FailureOr<View> joined = concatPast(*past, *view);
    if (failed(joined))
      return failure();
    set(node, 0, std::move(*joined));
    return success();
  }
  std::vector<View> views;
  std::vector<Column> table;
  std::vector<HostTensor> indices;
  for (unsigned i = 0; i < count; ++i) {
    if (getIf<NoElements>(node, i))
      continue;
    std::optional<View> view = isData(node, i) ? getView(node, i) : std::nullopt;
    if (!view)
      return fail("expected rows of the model alone to be joined");
    views.push_back(std::move(*view));
    table.insert(table.end(), views.back().columns.begin(), views.back().columns.end());
  }
  int64_t offset = 0, width = table.size();
  for (const View &view : views) {
    if (view.base != views[0].base || view.past != views[0].past)
      return fail("expected parts of one matrix to be joined");
    HostTensor own = getIndices(view, 0);
    std::vector<double> values(*own.data);
    int64_t columns = view.columns.size();
    for (double &value : values) {
      int64_t index = static_cast<int64_t>(value);
      int64_t row = index / columns;
      value = static_cast<double>(row * width + offset + index % columns);
    }
    indices.push_back(HostTensor::known(own.shape, std::move(values), true));
    offset += columns;
  }
  Evaluation evaluation{node, {}, {}, {}};
  for (const HostTensor &own : indices)
    evaluation.inputs.push_back(&own);
  if (!findMovement("Concat")(evaluation))
    return fail(evaluation.error);
  std::optional<View> joined =
      separate(evaluation.outputs[0], views[0].base, views[0].past, getRowCount(views[0]), table);
  if (!joined)
    return fail("it mixes rows with columns");
  set(node, 0, std::move(*joined));
  return success();
}
