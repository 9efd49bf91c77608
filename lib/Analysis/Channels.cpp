//===- Channels.cpp - channels that belong together across weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An axis is the columns of rows of activations, or one dimension of a parameter. What an operation
// does to every column alone makes its axes one; attention makes heads of four axes one. Axes that
// something reads or makes which is not understood are in no group.
//
//===----------------------------------------------------------------------===//

#include "Finders.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/SetVector.h"

#include <map>
#include <numeric>

using namespace mlir;
using namespace llmc;

namespace {

/// Outputs or inputs of a parameter, or a part of them.
struct ParameterAxis {
  ParameterOp parameter;
  unsigned axis;
  int64_t begin, size;
};

/// Axes that are one: a column of one is the column of the same number of all.
struct AxisClass {
  SmallVector<size_t> axes;
  int64_t width = 0;
  SmallVector<Operation *> norms, headed;
  int64_t mixed = 1;       ///< how many channels side by side rotations mix
  bool isExcluded = false; ///< not understood
  bool isFixed = false;    ///< logits: what the program gives out
  bool isStream = false;   ///< the residual stream
};

/// An attention's four axes.
struct AttentionAxes {
  AttentionOp op;
  size_t query, key, value, result;
  int64_t units; ///< heads that nothing else reads keys or values of
};

} // namespace

namespace llmc {

class ChannelFinder {
public:
  explicit ChannelFinder(Structure &structure)
      : structure(structure), body(structure.function.getBody().front()) {}

  void run() {
    for (Operation &op : body)
      connect(&op);
    excludeOverlaps();
    collectClasses();
    llvm::DenseSet<size_t> ofHeads = findHeadClasses();
    auto group = [&](bool isStream) {
      for (size_t leader : order)
        if (!ofHeads.contains(leader) && byLeader[leader].isStream == isStream)
          groupChannels(leader);
    };
    group(/*isStream=*/true);
    groupHeads();
    group(/*isStream=*/false);
  }

private:
  //===--------------------------------------------------------------------===//
  // Axes
  //===--------------------------------------------------------------------===//

  size_t addAxis(int64_t width) {
    size_t axis = widths.size();
    widths.push_back(width);
    classes.insert(axis);
    return axis;
  }

  static bool hasColumns(Value value) {
    return isRows(value) &&
           !ShapedType::isDynamic(cast<RankedTensorType>(value.getType()).getDimSize(1));
  }

  size_t getColumns(Value value) {
    auto [found, isNew] = columns.try_emplace(value, 0);
    if (isNew)
      found->second = addAxis(cast<RankedTensorType>(value.getType()).getDimSize(1));
    return found->second;
  }

  /// An axis of the parameter that `value` reads; `size` < 0 stands for all of it.
  std::optional<size_t> getAxis(Value value, unsigned axis, int64_t begin = 0, int64_t size = -1) {
    ParameterOp parameter = structure.getParameter(value);
    if (!parameter)
      return std::nullopt;
    if (size < 0)
      size = parameter.getTensorType().getDimSize(axis);
    auto [found, isNew] =
        parameterAxes.try_emplace({parameter, std::pair(axis, std::pair(begin, size))}, 0);
    if (isNew) {
      found->second = addAxis(size);
      parts[found->second] = {parameter, axis, begin, size};
    }
    return found->second;
  }

  void unite(size_t a, size_t b) { classes.unionSets(a, b); }

  /// Makes an axis one with that of an optional parameter.
  void uniteWith(size_t axis, Operation *op, Value value, unsigned dimension, int64_t begin = 0,
                 int64_t size = -1) {
    if (!value)
      return;
    if (std::optional<size_t> other = getAxis(value, dimension, begin, size))
      unite(axis, *other);
    else
      exclude(axis, op, "its weight is no parameter");
  }

  void exclude(size_t axis, Operation *op, StringRef reason) {
    exclusions.insert(axis);
    report(op, reason);
  }

  void report(Operation *op, StringRef reason) {
    if (reported.insert(op).second)
      structure.unknowns.push_back({op, reason.str()});
  }

  //===--------------------------------------------------------------------===//
  // What operations make of columns
  //===--------------------------------------------------------------------===//

  void connect(Operation *op) {
    if (auto embedding = dyn_cast<EmbeddingOp>(op))
      uniteWith(getColumns(embedding.getResult()), op, embedding.getTable(), 1);
    else if (auto linear = dyn_cast<LinearOp>(op))
      connectLinear(linear);
    else if (auto append = dyn_cast<CacheAppendOp>(op))
      connectCache(append);
    else if (auto attention = dyn_cast<AttentionOp>(op))
      connectAttention(attention);
    else if (isNorm(op))
      connectNorm(op);
    else if (auto hadamard = dyn_cast<HadamardOp>(op))
      connectHadamard(hadamard);
    else if (isa<func::ReturnOp>(op))
      for (Value value : op->getOperands()) {
        if (hasColumns(value))
          fixed.push_back(getColumns(value));
      }
    else if (Value input = getFunctionInput(op))
      unite(getColumns(input), getColumns(op->getResult(0)));
    else if (isa<RopeOp, ScaleOp, GateOp, OutputRowsOp>(op) ||
             (op->hasTrait<OpTrait::Elementwise>() && isMemoryEffectFree(op)))
      connectElementwise(op);
    else if (!isPartOfLinear(op) &&
             !isa<ParameterValueOp, PositionsOp, tensor::DimOp, tensor::EmptyOp>(op))
      excludeAll(op);
  }

  void connectLinear(LinearOp linear) {
    uniteWith(getColumns(linear.getInput()), linear, linear.getWeight(), 1);
    for (auto [output, begin] : getOutputs(linear)) {
      size_t axis = getColumns(output);
      uniteWith(axis, linear, linear.getWeight(), 0, begin, widths[axis]);
      uniteWith(axis, linear, linear.getBias(), 0, begin, widths[axis]);
    }
  }

  /// Whether an operation takes columns of a linear's result that only such take.
  static bool isPartOfLinear(Operation *op) {
    if (!getSlicedColumns(op))
      return false;
    Operation *source = op->getOperand(0).getDefiningOp();
    LinearOp repaired = getRepaired(source);
    auto linear = repaired ? repaired : dyn_cast_or_null<LinearOp>(source);
    return linear && getOutputs(linear).front().first != op->getOperand(0);
  }

  void connectNorm(Operation *op) {
    size_t axis = getColumns(op->getOperand(0));
    unite(axis, getColumns(op->getResult(0)));
    if (auto rms = dyn_cast<RMSNormOp>(op); rms && rms.getGroups() > 1) {
      headed.push_back({axis, op});
      return;
    }
    norms.push_back({axis, op});
    for (Value vector : op->getOperands().drop_front())
      uniteWith(axis, op, vector, 0);
  }

  void connectHadamard(HadamardOp op) {
    size_t axis = getColumns(op.getInput());
    unite(axis, getColumns(op.getResult()));
    mixtures.push_back({axis, static_cast<int64_t>(op.getOrder())});
  }

  void connectElementwise(Operation *op) {
    if (llvm::any_of(op->getOperands(), [&](Value value) { return structure.getParameter(value); }))
      return excludeAll(op);
    std::optional<size_t> axis;
    SmallVector<Value> values(op->getOperands());
    llvm::append_range(values, op->getResults());
    for (Value value : values) {
      if (!hasColumns(value))
        continue;
      if (axis)
        unite(*axis, getColumns(value));
      axis = getColumns(value);
    }
    if (isa<RopeOp>(op))
      headed.push_back({*axis, op});
  }

  void connectCache(CacheAppendOp append) {
    auto [known, isNew] = caches.try_emplace(
        append.getCache(), std::pair(getColumns(append.getKeys()), getColumns(append.getValues())));
    auto [keys, values] = known->second;
    unite(keys, getColumns(append.getKeys()));
    unite(values, getColumns(append.getValues()));
    caches[append.getResult()] = {keys, values};
  }

  void connectAttention(AttentionOp op) {
    size_t query = getColumns(op.getQuery()), result = getColumns(op.getResult());
    auto cache = caches.find(op.getCache());
    if (cache == caches.end()) {
      exclude(query, op, "nothing appends to its cache");
      exclude(result, op, "nothing appends to its cache");
      return;
    }
    auto [key, value] = cache->second;
    attentions.push_back({op, query, key, value, result, op.getCache().getType().getValueHeads()});
  }

  void excludeAll(Operation *op) {
    const StringRef reason = "what it does is not known";
    auto excludeValue = [&](Value value) {
      if (hasColumns(value))
        exclude(getColumns(value), op, reason);
      if (ParameterOp parameter = structure.getParameter(value))
        for (int64_t i = 0; i < parameter.getTensorType().getRank(); ++i)
          exclude(*getAxis(value, i), op, reason);
    };
    // What its regions read counts too.
    op->walk([&](Operation *inner) { llvm::for_each(inner->getOperands(), excludeValue); });
    llvm::for_each(op->getResults(), excludeValue);
    if (op->getNumRegions() > 0 || isa<CallOpInterface>(op))
      report(op, reason);
  }

  /// Parts of one axis have to be the same or to have nothing in common.
  void excludeOverlaps() {
    for (auto &[a, first] : parts)
      for (auto &[b, second] : parts) {
        bool overlaps = a < b && first.parameter == second.parameter && first.axis == second.axis &&
                        first.begin < second.begin + second.size &&
                        second.begin < first.begin + first.size;
        if (!overlaps)
          continue;
        exclude(a, first.parameter, "it is cut in several ways");
        exclude(b, first.parameter, "it is cut in several ways");
      }
  }

  //===--------------------------------------------------------------------===//
  // Classes
  //===--------------------------------------------------------------------===//

  size_t getLeader(size_t axis) { return classes.getLeaderValue(axis); }

  void collectClasses() {
    for (size_t axis = 0; axis < widths.size(); ++axis) {
      size_t leader = getLeader(axis);
      AxisClass &found = byLeader[leader];
      if (found.axes.empty())
        order.push_back(leader);
      found.axes.push_back(axis);
      found.width = widths[axis];
      found.isExcluded |= exclusions.contains(axis);
    }
    for (auto [axis, op] : norms)
      byLeader[getLeader(axis)].norms.push_back(op);
    for (auto [axis, op] : headed)
      byLeader[getLeader(axis)].headed.push_back(op);
    for (auto [axis, order] : mixtures) {
      AxisClass &mixed = byLeader[getLeader(axis)];
      mixed.mixed = std::lcm(mixed.mixed, order);
    }
    for (size_t axis : fixed)
      byLeader[getLeader(axis)].isFixed = true;
    for (const ResidualStream &stream : structure.streams)
      for (Value value : stream.values)
        if (hasColumns(value))
          byLeader[getLeader(getColumns(value))].isStream = true;
  }

  void addMembers(ChannelGroup &group, const AxisClass &axes) {
    int64_t perUnit = axes.width / group.count;
    for (size_t axis : axes.axes)
      if (auto part = parts.find(axis); part != parts.end())
        group.members.push_back(
            {part->second.parameter, part->second.axis, part->second.begin, perUnit});
    llvm::append_range(group.norms, axes.norms);
    llvm::append_range(group.headed, axes.headed);
  }

  /// Adds the group of a class of channels that each stand alone.
  void groupChannels(size_t leader) {
    const AxisClass &axes = byLeader[leader];
    bool hasMembers = llvm::count_if(axes.axes, [&](size_t axis) { return parts.count(axis); }) > 1;
    if (axes.isExcluded || axes.isFixed || !hasMembers || axes.mixed > 1)
      return;
    if (!axes.headed.empty())
      return report(axes.headed.front(), "its heads are those of no attention");
    ChannelGroup group;
    group.kind = axes.isStream ? ChannelGroup::Kind::Residual : ChannelGroup::Kind::Hidden;
    group.count = axes.width;
    addMembers(group, axes);
    structure.groups.push_back(std::move(group));
  }

  /// The classes that attentions are concerned with.
  llvm::DenseSet<size_t> findHeadClasses() {
    llvm::DenseSet<size_t> found;
    for (const AttentionAxes &axes : attentions)
      for (size_t axis : {axes.query, axes.key, axes.value, axes.result})
        found.insert(getLeader(axis));
    return found;
  }

  void groupHeads() {
    // Attentions that share an axis, such as a cache, have their heads in common.
    llvm::EquivalenceClasses<size_t> together;
    for (const AttentionAxes &axes : attentions)
      for (size_t axis : {axes.query, axes.key, axes.value, axes.result})
        together.unionSets(getLeader(axes.query), getLeader(axis));
    llvm::SetVector<size_t> leaders;
    for (const AttentionAxes &axes : attentions)
      leaders.insert(together.getLeaderValue(getLeader(axes.query)));
    for (size_t leader : leaders) {
      SmallVector<const AttentionAxes *> members;
      for (const AttentionAxes &axes : attentions)
        if (together.getLeaderValue(getLeader(axes.query)) == leader)
          members.push_back(&axes);
      groupHeadsOf(members);
    }
  }

  void groupHeadsOf(ArrayRef<const AttentionAxes *> members) {
    ChannelGroup group;
    group.kind = ChannelGroup::Kind::Heads;
    group.count = members.front()->units;
    llvm::SetVector<size_t> leaders;
    for (const AttentionAxes *axes : members) {
      if (axes->units != group.count)
        return report(axes->op, "attentions share heads and count them differently");
      group.attentions.push_back(axes->op);
      for (size_t axis : {axes->query, axes->key, axes->value, axes->result})
        leaders.insert(getLeader(axis));
    }
    for (size_t leader : leaders) {
      const AxisClass &axes = byLeader[leader];
      if (axes.isExcluded || axes.width / group.count % axes.mixed != 0)
        return;
      if (axes.isFixed || axes.isStream)
        return report(members.front()->op, axes.isStream
                                               ? "its heads are channels of the residual stream"
                                               : "its heads are what the program gives out");
      addMembers(group, axes);
    }
    for (AttentionOp attention : group.attentions)
      if (Value sinks = attention.getSinks()) {
        ParameterOp parameter = structure.getParameter(sinks);
        if (!parameter)
          return report(attention, "its sinks are no parameter");
        group.members.push_back(
            {parameter, 0, 0, static_cast<int64_t>(attention.getHeads()) / group.count});
      }
    if (!group.members.empty())
      structure.groups.push_back(std::move(group));
  }

  Structure &structure;
  Block &body;
  SmallVector<int64_t> widths; ///< of axes
  llvm::EquivalenceClasses<size_t> classes;
  llvm::DenseMap<Value, size_t> columns;
  std::map<std::pair<Operation *, std::pair<unsigned, std::pair<int64_t, int64_t>>>, size_t>
      parameterAxes;
  std::map<size_t, ParameterAxis> parts;
  llvm::DenseMap<Value, std::pair<size_t, size_t>> caches; ///< the axes of keys and values
  std::vector<AttentionAxes> attentions;
  std::vector<std::pair<size_t, Operation *>> norms, headed;
  std::vector<std::pair<size_t, int64_t>> mixtures; ///< of so many channels side by side
  SmallVector<size_t> fixed;
  llvm::DenseSet<size_t> exclusions;
  llvm::DenseSet<Operation *> reported;
  std::map<size_t, AxisClass> byLeader;
  SmallVector<size_t> order; ///< leaders, by their first axis
};

} // namespace llmc

void llmc::findChannels(Structure &structure) { ChannelFinder(structure).run(); }
