//===- Roles.cpp - what each weight does, and in which block ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A linear is for what its outputs reach first: queries, keys, values, a gate, logits. Where they
// reach none of these it is for what its inputs come from: attention or the middle of an MLP.
//
//===----------------------------------------------------------------------===//

#include "Finders.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"
#include "llmc/Support/ReadValues.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace llmc;

namespace {

/// What a value reaches on ways without sums and products.
struct Destinations {
  bool query = false, key = false, value = false;
  bool gate = false, up = false;
  bool logits = false;
  bool added = false;            ///< to other rows
  SmallVector<LinearOp> readers; ///< linears that read it
  SmallVector<LinearOp> behind;  ///< linears that read a nonlinear function of it
};

/// How a value has changed on its way.
struct Way {
  bool nonlinear = false; ///< a function of every element
  bool bounded = true;    ///< none but those that end at a bound, as for logits
  unsigned norms = 0;
  LinearOp factor; ///< where it may be the first of two factors: nothing but sums is behind it
};

} // namespace

/// Whether a sum is of what linears compute, as where a matrix has a correction beside it.
static bool isSumOfLinears(Operation *sum) {
  return llvm::all_of(sum->getOperands(), [](Value value) {
    return isa_and_nonnull<LinearOp>(traceBack(value).getDefiningOp());
  });
}

static RankedTensorType getWeightType(LinearOp linear) {
  return cast<RankedTensorType>(linear.getWeight().getType());
}

/// Whether a linear makes fewer channels than it reads, as the first of two factors does.
static bool isNarrowing(LinearOp linear) {
  return getWeightType(linear).getDimSize(0) < getWeightType(linear).getDimSize(1);
}

/// Whether two linears, the second of which reads what the first makes, are factors of one.
static bool areFactors(LinearOp first, LinearOp second) {
  return isNarrowing(first) &&
         getWeightType(first).getDimSize(0) < getWeightType(second).getDimSize(0);
}

static void follow(Value value, Way way, unsigned maxNorms, Destinations &found) {
  Way changed = way;
  changed.factor = {};
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    unsigned number = use.getOperandNumber();
    if (isNorm(user) && number == 0 && way.norms < maxNorms) {
      Way behind = changed;
      ++behind.norms;
      follow(user->getResult(0), behind, maxNorms, found);
    } else if (isa<RopeOp, ScaleOp, HadamardOp, TakeColumnsOp, ClearColumnsOp, OutputRowsOp>(
                   user)) {
      follow(user->getResult(0), changed, maxNorms, found);
    } else if (getFunctionInput(user) == value) {
      Way behind = changed;
      behind.nonlinear = true;
      auto activation = dyn_cast<ActivationOp>(user);
      behind.bounded &=
          activation && llvm::is_contained({Nonlinearity::Tanh, Nonlinearity::HardTanh},
                                           activation.getFunction());
      follow(user->getResult(0), behind, maxNorms, found);
    } else if (auto append = dyn_cast<CacheAppendOp>(user)) {
      found.key |= value == append.getKeys();
      found.value |= value == append.getValues();
    } else if (isa<AttentionOp>(user)) {
      found.query |= number == 0;
    } else if (isa<GateOp>(user)) {
      (number == 0 ? found.gate : found.up) = true;
    } else if (auto linear = dyn_cast<LinearOp>(user);
               linear && way.factor && areFactors(way.factor, linear)) {
      for (auto [output, begin] : getOutputs(linear))
        follow(output, changed, maxNorms, found);
    } else if (linear) {
      (way.nonlinear ? found.behind : found.readers).push_back(linear);
    } else if (isa<arith::AddFOp>(user) && isSumOfLinears(user)) {
      follow(user->getResult(0), way, maxNorms, found);
    } else if (isa<arith::AddFOp>(user)) {
      found.added = true;
    } else if (isa<func::ReturnOp>(user)) {
      found.logits |= number == 0 && way.bounded;
    }
  }
}

/// A linear's outputs may pass a norm of heads and one of a part that is split off before.
static constexpr unsigned maxLinearNorms = 2;

/// What outputs of a linear are for; several where they are queries, keys and values at once.
static SmallVector<Role> getRolesOfUse(LinearOp linear, Value output) {
  Destinations found;
  Way way;
  way.factor = linear;
  follow(output, way, maxLinearNorms, found);
  SmallVector<Role> roles;
  if (found.query)
    roles.push_back(Role::Query);
  if (found.key)
    roles.push_back(Role::Key);
  if (found.value)
    roles.push_back(Role::Value);
  if (!roles.empty())
    return roles;
  if (found.logits)
    return {Role::Head};
  // A gate of a function of what it gates is a plain MLP's function.
  if (found.gate && !found.up)
    return {Role::Gate};
  if (found.up || !found.behind.empty())
    return {Role::Up};
  return {Role::Unknown};
}

/// The input of the first factor where a value is the input of the second, or what columns are
/// taken of, else the value.
static Value traceFactors(Value input) {
  if (auto taken = input.getDefiningOp<TakeColumnsOp>())
    return taken.getInput();
  auto first = input.getDefiningOp<LinearOp>();
  return first && isNarrowing(first) ? first.getInput() : input;
}

static Role getRoleOfInput(Value read) {
  Operation *source = traceBack(traceFactors(read)).getDefiningOp();
  if (isa_and_nonnull<AttentionOp>(source))
    return Role::Output;
  if (!source)
    return Role::Unknown;
  Value input = getFunctionInput(source);
  bool isMiddle =
      isa<GateOp>(source) || (input && isa_and_nonnull<LinearOp>(traceBack(input).getDefiningOp()));
  return isMiddle ? Role::Down : Role::Unknown;
}

namespace llmc {

class RoleFinder {
public:
  explicit RoleFinder(Structure &structure)
      : structure(structure), body(structure.function.getBody().front()) {}

  void run() {
    findOutputRows();
    findDepths();
    for (auto embedding : body.getOps<EmbeddingOp>())
      set(embedding, getRole(embedding));
    for (auto linear : body.getOps<LinearOp>())
      addLinear(linear);
    for (Operation &op : body)
      if (isNorm(&op))
        set(&op, getNormRole(&op));
    findBlocks();
  }

private:
  static constexpr const char *unknownRole = "what it is for is not known";

  void set(Operation *op, Role role) {
    structure.roles[op] = role;
    if (role == Role::Unknown)
      structure.unknowns.push_back({op, unknownRole});
  }

  void findOutputRows() {
    llvm::SetVector<Operation *> reached;
    for (auto rows : body.getOps<OutputRowsOp>())
      reached.insert(rows);
    for (size_t i = 0; i < reached.size(); ++i)
      for (Operation *user : reached[i]->getUsers())
        reached.insert(user);
    structure.ofOutputRows.insert(reached.begin(), reached.end());
  }

  /// The number of attentions that a value depends on in a chain.
  void findDepths() {
    for (Operation &op : body) {
      int64_t depth = 0;
      for (Value operand : getReadValues(&op))
        depth = std::max(depth, depths.lookup(operand));
      depth += isa<AttentionOp>(op);
      for (Value result : op.getResults())
        depths[result] = depth;
      structure.numBlocks = std::max(structure.numBlocks, depth);
    }
  }

  static Role getRole(EmbeddingOp embedding) {
    Value indices = embedding.getIndices();
    if (isa<BlockArgument>(indices))
      return Role::Embedding;
    return indices.getDefiningOp<PositionsOp>() ? Role::PositionEmbedding : Role::Unknown;
  }

  void addLinear(LinearOp linear) {
    SmallVector<LinearPart, 1> parts;
    Role ofInput = getRoleOfInput(linear.getInput());
    for (auto [output, begin] : getOutputs(linear)) {
      int64_t size = cast<RankedTensorType>(output.getType()).getDimSize(1);
      for (Role role : getRolesOfUse(linear, output))
        parts.push_back({role == Role::Unknown ? ofInput : role, begin, size});
    }
    if (parts.size() == 1)
      structure.roles[linear] = parts.front().role;
    if (llvm::any_of(parts, [](const LinearPart &part) { return part.role == Role::Unknown; }))
      structure.unknowns.push_back({linear, unknownRole});
    structure.parts[linear] = std::move(parts);
  }

  Role getNormRole(Operation *norm) {
    Destinations found;
    follow(norm->getResult(0), {}, 0, found);
    if (int kinds = found.query + found.key + found.value; kinds > 0)
      return kinds > 1
                 ? Role::Unknown
                 : (found.query ? Role::QueryNorm : (found.key ? Role::KeyNorm : Role::ValueNorm));
    llvm::SmallDenseSet<Role> readers;
    for (LinearOp reader : found.readers)
      for (const LinearPart &part : structure.getParts(reader))
        readers.insert(part.role);
    auto isRead = [&](std::initializer_list<Role> by) {
      return llvm::any_of(by, [&](Role role) { return readers.contains(role); });
    };
    // A norm that a whole block reads is its attention's.
    if (isRead({Role::Query, Role::Key, Role::Value}))
      return Role::AttentionNorm;
    if (isRead({Role::Gate, Role::Up}))
      return Role::MLPNorm;
    if (isRead({Role::Head}) || found.logits)
      return Role::FinalNorm;
    if (isRead({Role::Output}))
      return Role::AttentionInnerNorm;
    if (isRead({Role::Down}))
      return Role::MLPInnerNorm;
    Operation *source = traceBack(norm->getOperand(0)).getDefiningOp();
    if (isa_and_nonnull<EmbeddingOp>(source))
      return Role::EmbeddingNorm;
    Role of = structure.roles.lookup(source);
    if (!found.added || (of != Role::Output && of != Role::Down))
      return Role::Unknown;
    return of == Role::Output ? Role::AttentionPostNorm : Role::MLPPostNorm;
  }

  //===--------------------------------------------------------------------===//
  // Blocks
  //===--------------------------------------------------------------------===//

  int64_t getDepth(Operation *op) const { return depths.lookup(op->getOperand(0)); }

  void findBlocks() {
    // Values that a block's attention reads: an MLP that reads the same is of the same block.
    llvm::DenseSet<Value> ofAttention;
    for (auto linear : body.getOps<LinearOp>())
      if (llvm::any_of(structure.getParts(linear), [](const LinearPart &part) {
            return llvm::is_contained({Role::Query, Role::Key, Role::Value}, part.role);
          }))
        ofAttention.insert(traceBack(traceFactors(linear.getInput())));
    for (Operation &op : body) {
      if (auto attention = dyn_cast<AttentionOp>(op))
        structure.blocks[&op] = depths.lookup(attention.getResult()) - 1;
      if (!isa<LinearOp>(op) && !isNorm(&op))
        continue;
      Value input = isa<LinearOp>(op) ? traceFactors(op.getOperand(0)) : op.getOperand(0);
      bool parallel = ofAttention.contains(traceBack(input));
      if (std::optional<int64_t> block = getBlockOf(&op, parallel))
        structure.blocks[&op] = *block;
    }
  }

  std::optional<int64_t> getBlockOf(Operation *op, bool parallel) const {
    Role role = structure.roles.lookup(op);
    auto linear = dyn_cast<LinearOp>(op);
    if (linear && role == Role::Unknown && !structure.getParts(linear).empty())
      role = structure.getParts(linear).front().role;
    int64_t depth = getDepth(op), before = std::max<int64_t>(depth - 1, 0);
    switch (role) {
    case Role::AttentionNorm:
    case Role::Query:
    case Role::Key:
    case Role::Value:
    case Role::QueryNorm:
    case Role::KeyNorm:
    case Role::ValueNorm:
      return depth;
    case Role::AttentionInnerNorm:
    case Role::Output:
    case Role::AttentionPostNorm:
      return before;
    case Role::MLPNorm:
    case Role::Gate:
    case Role::Up:
      return parallel ? depth : before;
    case Role::MLPInnerNorm:
    case Role::Down:
    case Role::MLPPostNorm:
      return getBlockBefore(op);
    default:
      return std::nullopt;
    }
  }

  /// That of the linear from whose outputs an MLP's later part is computed.
  std::optional<int64_t> getBlockBefore(Operation *op) const {
    while ((op = traceBack(op->getOperand(0)).getDefiningOp())) {
      if (std::optional<int64_t> block = structure.getBlock(op))
        return block;
      if (!isa<GateOp>(op) && !getFunctionInput(op))
        break;
    }
    return std::nullopt;
  }

  Structure &structure;
  Block &body;
  llvm::DenseMap<Value, int64_t> depths;
};

} // namespace llmc

void llmc::findRoles(Structure &structure) { RoleFinder(structure).run(); }
