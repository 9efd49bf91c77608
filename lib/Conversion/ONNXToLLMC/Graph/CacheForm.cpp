//===- CacheForm.cpp - caches followed through what moves them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/CacheForm.h"
#include "Graph/RemoveUnused.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

using Input = ModelInput;

//===----------------------------------------------------------------------===//
// One form
//===----------------------------------------------------------------------===//

bool CacheForm::isPlain() const {
  if (parts.size() != 1 || axes.size() != 4)
    return false;
  // An axis of size one may stand for one that the cache has.
  for (auto [i, axis] : llvm::enumerate(axes))
    if (axis != static_cast<int>(i) && (axis != extra || find(static_cast<int>(i)) >= 0))
      return false;
  return true;
}

int64_t CacheForm::find(int axis) const {
  const auto *found = llvm::find(axes, axis);
  return found == axes.end() ? -1 : found - axes.begin();
}

/// Of one part, the places of axes that are none of its own, and the order of its own axes: those
/// that the tensor leaves out come first.
static void describe(const CacheForm &form, SmallVectorImpl<int64_t> &others,
                     SmallVectorImpl<int64_t> &left, SmallVectorImpl<int64_t> &order) {
  SmallVector<int64_t> own;
  for (auto [i, axis] : llvm::enumerate(form.axes)) {
    if (axis == CacheForm::extra || axis == Input::Parts)
      others.push_back(i);
    else
      own.push_back(axis == Input::JoinedSize ? static_cast<int64_t>(Input::Size) : axis);
  }
  for (int64_t axis = 0; axis < 4; ++axis)
    if (!llvm::is_contained(own, axis)) {
      left.push_back(order.size());
      order.push_back(axis);
    }
  llvm::append_range(order, own);
}

Value CacheForm::materialize(NodeMaker &maker) const {
  SmallVector<int64_t> others, left, order;
  describe(*this, others, left, order);
  SmallVector<Value> tensors;
  for (Value part : parts)
    tensors.push_back(maker.unsqueeze(maker.squeeze(maker.transpose(part, order), left), others));
  int64_t joint = find(Input::Parts);
  return maker.concat(tensors, joint < 0 ? find(Input::JoinedSize) : joint);
}

Value CacheForm::cut(NodeMaker &maker, Value tensor, int64_t part, int64_t size) const {
  if (int64_t joint = find(Input::Parts); joint >= 0)
    return maker.slice(tensor, joint, part, part + 1);
  if (int64_t joint = find(Input::JoinedSize); joint >= 0)
    return maker.slice(tensor, joint, part * size, (part + 1) * size);
  return tensor;
}

Value CacheForm::makePlain(NodeMaker &maker, Value part) const {
  SmallVector<int64_t> others, left, order, back(4);
  describe(*this, others, left, order);
  for (auto [i, axis] : llvm::enumerate(order))
    back[axis] = i;
  return maker.transpose(maker.unsqueeze(maker.squeeze(part, others), left), back);
}

//===----------------------------------------------------------------------===//
// Following forms
//===----------------------------------------------------------------------===//

CacheForms::CacheForms(GraphOp graph, ArrayRef<ModelInput> inputs) : graph(graph), inputs(inputs) {
  for (auto [input, argument] : llvm::zip(inputs, graph.getBody().getArguments()))
    if (input.role == InputRole::Past)
      forms[argument] = {{argument}, {Input::Batch, Input::Heads, Input::Length, Input::Size}};
}

const CacheForm *CacheForms::get(Value value) const {
  auto found = forms.find(value);
  return found == forms.end() ? nullptr : &found->second;
}

/// Known integers of input `i`, or of the attribute `name` in older versions.
static std::optional<SmallVector<int64_t>> getIntegers(NodeOp op, StringRef name, unsigned i,
                                                       const Probe &probe) {
  if (auto given = Node(op).getInts(name))
    return SmallVector<int64_t>(*given);
  const HostTensor *found = i < op.getInputs().size() ? probe.get(op.getInputs()[i]) : nullptr;
  if (!found || !found->isKnown())
    return std::nullopt;
  SmallVector<int64_t> values;
  for (double value : *found->data)
    values.push_back(toInteger(value));
  return values;
}

/// The form after an operator that moves axes.
std::optional<CacheForm> CacheForms::move(NodeOp op, const CacheForm &form, const Probe &probe) {
  Node node(op);
  std::string type = node.getType();
  int64_t rank = form.axes.size();
  CacheForm moved{form.parts, {}};
  if (type == "Cast" || type == "Identity")
    return form;
  if (type == "Transpose") {
    auto permutation = node.getInts("perm");
    if (!permutation || static_cast<int64_t>(permutation->size()) != rank)
      return std::nullopt;
    for (int64_t axis : *permutation) {
      if (axis < 0 || axis >= rank)
        return std::nullopt;
      moved.axes.push_back(form.axes[axis]);
    }
    return moved;
  }
  auto axes = getIntegers(op, "axes", 1, probe);
  if (!axes || (type != "Squeeze" && type != "Unsqueeze"))
    return std::nullopt;
  int64_t newRank = rank + (type == "Unsqueeze" ? axes->size() : 0);
  for (int64_t &axis : *axes)
    axis = normalizeAxis(axis, newRank);
  if (llvm::is_contained(*axes, -1))
    return std::nullopt;
  size_t next = 0;
  for (int64_t axis = 0; axis < newRank; ++axis) {
    bool named = llvm::is_contained(*axes, axis);
    if (type == "Unsqueeze")
      moved.axes.push_back(named ? CacheForm::extra : form.axes[next++]);
    else if (!named)
      moved.axes.push_back(form.axes[axis]);
    else if (form.axes[axis] == Input::Parts || form.axes[axis] == Input::JoinedSize)
      return std::nullopt;
  }
  return moved;
}

/// The forms of parts that an operator takes out.
std::optional<SmallVector<CacheForm>> CacheForms::split(NodeOp op, const CacheForm &form,
                                                        const Probe &probe) {
  Node node(op);
  std::string type = node.getType();
  int64_t rank = form.axes.size(), parts = form.parts.size();
  int64_t joint = form.find(Input::Parts);
  bool isJoined = joint < 0;
  joint = isJoined ? form.find(Input::JoinedSize) : joint;
  const HostTensor *tensor = probe.get(op.getInputs()[0]);
  if (joint < 0 || !tensor || joint >= static_cast<int64_t>(tensor->shape.size()))
    return std::nullopt;
  // Places of one part along the axis.
  int64_t width = tensor->shape[joint] / parts;
  SmallVector<CacheForm> taken;
  auto take = [&](int64_t begin, int64_t count, bool dropsAxis) {
    if (width < 1 || begin < 0 || count < 1 || begin % width != 0 || count % width != 0 ||
        (begin + count) / width > parts)
      return false;
    CacheForm piece{{}, form.axes};
    for (int64_t i = begin / width; i < (begin + count) / width; ++i)
      piece.parts.push_back(form.parts[i]);
    if (piece.parts.size() == 1)
      piece.axes[joint] = isJoined ? static_cast<int>(Input::Size) : CacheForm::extra;
    if (dropsAxis)
      piece.axes.erase(piece.axes.begin() + joint);
    taken.push_back(std::move(piece));
    return true;
  };
  int64_t size = tensor->shape[joint];
  if (type == "Gather") {
    const HostTensor *places = probe.get(op.getInputs()[1]);
    if (isJoined || normalizeAxis(node.getInt("axis", 0), rank) != joint || !places ||
        !places->isKnown() || places->getNumElements() != 1 || places->shape.size() > 1)
      return std::nullopt;
    int64_t place = toInteger((*places)[0]);
    if (!take(place < 0 ? place + size : place, 1, places->shape.empty()))
      return std::nullopt;
    return taken;
  }
  if (type == "Slice") {
    auto starts = getIntegers(op, "starts", 1, probe), ends = getIntegers(op, "ends", 2, probe);
    auto axes = getIntegers(op, "axes", 3, probe), steps = getIntegers(op, "steps", 4, probe);
    if (!starts || !ends || starts->size() != 1 || ends->size() != 1 ||
        (steps && *steps != SmallVector<int64_t>{1}) ||
        normalizeAxis(axes && axes->size() == 1 ? axes->front() : 0, rank) != joint)
      return std::nullopt;
    auto clamp = [&](int64_t place) {
      return std::clamp<int64_t>(place < 0 ? place + size : place, 0, size);
    };
    if (!take(clamp(starts->front()), clamp(ends->front()) - clamp(starts->front()), false))
      return std::nullopt;
    return taken;
  }
  if (type != "Split" || normalizeAxis(node.getInt("axis", 0), rank) != joint)
    return std::nullopt;
  auto sizes = getIntegers(op, "split", 1, probe);
  int64_t count = op.getNumResults();
  if (!sizes)
    sizes = SmallVector<int64_t>(count, size / count);
  int64_t begin = 0;
  for (int64_t part : *sizes) {
    if (!take(begin, part, false))
      return std::nullopt;
    begin += part;
  }
  if (static_cast<int64_t>(taken.size()) != count)
    return std::nullopt;
  return taken;
}

/// Notes what new rows say of heads whose number and size an input leaves open.
void CacheForms::learnSizes(const CacheForm &form, const HostTensor &rows) {
  int64_t heads = 1, size = -1;
  for (auto [axis, dim] : llvm::zip(form.axes, rows.shape)) {
    heads = axis == Input::Heads ? dim : heads;
    size = axis == Input::Size ? dim : axis == Input::JoinedSize ? dim / 2 : size;
  }
  for (Value part : form.parts)
    if (auto argument = dyn_cast<BlockArgument>(part);
        argument && argument.getOwner() == &graph.getBody().front())
      sizes[argument.getArgNumber()] = {heads, size};
}

/// The piece of new rows that was joined with others along an axis before, seen through axes of
/// size one that come and go; null where that is not how they came about.
static Value findJoined(NodeMaker &maker, Value tensor, int64_t joint, int64_t pieces,
                        int64_t piece, const Probe &probe) {
  auto op = tensor.getDefiningOp<NodeOp>();
  const HostTensor *known = probe.get(tensor);
  if (!op || !known || op.getInputs().empty())
    return {};
  std::string type = Node(op).getType();
  int64_t rank = known->shape.size();
  if (type == "Concat") {
    const HostTensor *first = probe.get(op.getInputs()[0]);
    if (static_cast<int64_t>(op.getInputs().size()) != pieces || !first ||
        normalizeAxis(Node(op).getInt("axis", 0), rank) != joint)
      return {};
    for (Value input : op.getInputs())
      if (const HostTensor *other = probe.get(input); !other || other->shape != first->shape)
        return {};
    return op.getInputs()[piece];
  }
  auto axes = getIntegers(op, "axes", 1, probe);
  const HostTensor *from = probe.get(op.getInputs()[0]);
  if (!axes || !from || (type != "Squeeze" && type != "Unsqueeze"))
    return {};
  bool drops = type == "Squeeze";
  int64_t wide = drops ? from->shape.size() : rank, narrow = 0, source = -1;
  for (int64_t &axis : *axes)
    axis = normalizeAxis(axis, wide);
  for (int64_t axis = 0; axis < wide; ++axis) {
    if (llvm::is_contained(*axes, axis))
      continue;
    if ((drops ? narrow : axis) == joint)
      source = drops ? axis : narrow;
    ++narrow;
  }
  Value inner =
      source < 0 ? Value() : findJoined(maker, op.getInputs()[0], source, pieces, piece, probe);
  if (!inner)
    return {};
  return drops ? maker.squeeze(inner, *axes) : maker.unsqueeze(inner, *axes);
}

/// The form after new rows were joined behind all parts.
std::optional<CacheForm> CacheForms::grow(NodeOp op, const CacheForm &form, const Probe &probe) {
  int64_t rank = form.axes.size(), length = form.find(Input::Length);
  const HostTensor *rows = op.getInputs().size() == 2 ? probe.get(op.getInputs()[1]) : nullptr;
  if (!rows || static_cast<int64_t>(rows->shape.size()) != rank || length < 0 ||
      normalizeAxis(Node(op).getInt("axis", 0), rank) != length)
    return std::nullopt;
  learnSizes(form, *rows);
  if (form.isPlain())
    return std::nullopt;
  int64_t joined = form.find(Input::JoinedSize), parts = form.parts.size();
  int64_t size = joined < 0 ? 0 : rows->shape[joined] / parts;
  NodeMaker maker(OpBuilder(op), op.getLoc(), op.getName());
  CacheForm grown{{}, form.axes};
  Value given = op.getInputs()[1];
  int64_t joint = joined < 0 ? form.find(Input::Parts) : joined;
  for (int64_t part = 0; part < parts; ++part) {
    Value piece = joint < 0 ? Value() : findJoined(maker, given, joint, parts, part, probe);
    if (!piece)
      piece = form.cut(maker, given, part, size);
    grown.parts.push_back(
        maker.concat({form.parts[part], form.makePlain(maker, piece)}, Input::Length));
  }
  if (Operation *producer = given.getDefiningOp())
    passed.push_back(producer);
  return grown;
}

/// The form of caches that are laid along an axis.
std::optional<CacheForm> CacheForms::join(NodeOp op, const CacheForm &form) {
  int64_t axis = normalizeAxis(Node(op).getInt("axis", 0), form.axes.size());
  if (axis < 0 || (form.axes[axis] != CacheForm::extra && form.axes[axis] != Input::Size))
    return std::nullopt;
  CacheForm joined{{}, form.axes};
  for (Value input : op.getInputs()) {
    const CacheForm *part = get(input);
    if (!part || part->parts.size() != 1 || part->axes != form.axes)
      return std::nullopt;
    joined.parts.push_back(part->parts[0]);
  }
  bool isSize = form.axes[axis] == Input::Size;
  if (isSize && joined.parts.size() != 2)
    return std::nullopt;
  joined.axes[axis] = isSize ? Input::JoinedSize : Input::Parts;
  return joined;
}

/// The shape of a tensor of caches from that of its first part.
Value CacheForms::makeShape(NodeOp op, const CacheForm &form, const Probe &probe) {
  Node node(op);
  const HostTensor *tensor = probe.get(op.getInputs()[0]);
  if (!tensor || tensor->shape.size() != form.axes.size())
    return {};
  NodeMaker maker(OpBuilder(op), op.getLoc(), op.getName());
  // The part's dimensions, then 1, the number of parts and the joined size.
  int64_t joined = form.find(Input::JoinedSize);
  Value all = maker.concat({maker.make("Shape", form.parts[0]),
                            maker.makeIntegers({1, static_cast<int64_t>(form.parts.size()),
                                                joined < 0 ? 0 : tensor->shape[joined]})},
                           0);
  SmallVector<int64_t> places;
  for (int axis : form.axes)
    places.push_back(axis == CacheForm::extra    ? 4
                     : axis == Input::Parts      ? 5
                     : axis == Input::JoinedSize ? 6
                                                 : axis);
  int64_t rank = places.size();
  auto clamp = [&](int64_t place) {
    return std::clamp<int64_t>(place < 0 ? place + rank : place, 0, rank);
  };
  int64_t begin = clamp(node.getInt("start", 0)), end = clamp(node.getInt("end", rank));
  ArrayRef<int64_t> wanted = ArrayRef(places).slice(begin, std::max<int64_t>(end - begin, 0));
  return maker.make("Gather", {all, maker.makeIntegers(wanted)}, {{"axis", maker.integer(0)}});
}

Probe::Rewriting CacheForms::rewrite(NodeOp op, const Probe &probe) {
  const CacheForm *found = op.getInputs().empty() ? nullptr : get(probe.resolve(op.getInputs()[0]));
  if (!found)
    return Probe::Rewriting::Run;
  CacheForm form = *found;
  std::string type = Node(op).getType();
  auto note = [&](Value value, CacheForm known) {
    order.push_back(value);
    forms[value] = std::move(known);
  };
  auto replace = [&](Value value) {
    op.getResult(0).replaceAllUsesWith(value);
    op.erase();
    return Probe::Rewriting::Replaced;
  };
  if (type == "Shape" && !form.isPlain())
    if (Value shape = makeShape(op, form, probe))
      return replace(shape);
  if (type == "Concat") {
    if (auto joined = join(op, form)) {
      note(op.getResult(0), std::move(*joined));
      return Probe::Rewriting::Run;
    }
    std::optional<CacheForm> grown = grow(op, form, probe);
    if (!grown)
      return Probe::Rewriting::Run;
    NodeMaker maker(OpBuilder(op), op.getLoc(), op.getName());
    Value tensor = grown->materialize(maker);
    note(tensor, std::move(*grown));
    return replace(tensor);
  }
  if (auto moved = move(op, form, probe)) {
    if (moved->isPlain() && type != "Cast")
      return replace(moved->parts[0]);
    note(op.getResult(0), std::move(*moved));
    return Probe::Rewriting::Run;
  }
  if (auto taken = split(op, form, probe)) {
    for (auto [result, piece] : llvm::zip(op.getResults(), *taken)) {
      // Behind the node, where the walk goes on.
      OpBuilder behind(op);
      behind.setInsertionPointAfter(op);
      NodeMaker maker(behind, op.getLoc(), op.getName());
      if (piece.isPlain()) {
        result.replaceAllUsesWith(piece.parts[0]);
      } else if (piece.parts.size() == 1) {
        Value part = piece.materialize(maker);
        result.replaceAllUsesWith(part);
        note(part, std::move(piece));
      } else {
        note(result, std::move(piece));
      }
    }
    passed.push_back(op);
  }
  return Probe::Rewriting::Run;
}

void CacheForms::removeUnused() {
  SmallPtrSet<Operation *, 16> made(passed.begin(), passed.end());
  for (Value value : order)
    if (Operation *op = value.getDefiningOp())
      made.insert(op);
  removeUnusedNodes(graph, std::move(made));
}
