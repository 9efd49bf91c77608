//===- OutlineBlocks.cpp - identical blocks become one function ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// @step is cut wherever a single activation is alive, which is all that what follows knows of what
// came before. Pieces that are equal but for the values they take from outside have one kind, and
// runs of kinds that come back become functions.
//
//===----------------------------------------------------------------------===//

#include "RepeatedRuns.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/ReadValues.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

#include <map>

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_OUTLINEBLOCKS
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

/// A call of less than this is not shorter to read than what it stands for.
static constexpr int64_t minOperations = 4;

namespace {

/// The operations between two cuts.
struct Piece {
  SmallVector<Operation *> ops;
  Value input, output;          ///< the activation alive at either cut; null at the ends of @step
  SmallVector<Value> externals; ///< what it uses besides, in the order of first use
  unsigned kind = 0;
};

//===----------------------------------------------------------------------===//
// Cutting
//===----------------------------------------------------------------------===//

/// Gives every operation constants of its own, so that a block has those that it reads.
void spreadConstants(Block &body) {
  SmallVector<Operation *> constants;
  for (Operation &op : body)
    if (op.hasTrait<OpTrait::ConstantLike>())
      constants.push_back(&op);
  for (Operation *op : constants) {
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      OpBuilder builder(body.findAncestorOpInBlock(*use.getOwner()));
      use.set(builder.clone(*op)->getResult(0));
    }
    op->erase();
  }
}

/// Operations of @step that say the same in every block: they depend on nothing but rows and
/// parameters. They stay in @step.
llvm::DenseSet<Operation *> findInvariants(Block &body) {
  llvm::DenseSet<Operation *> invariants;
  for (Operation &op : body.without_terminator()) {
    bool invariant = !op.hasTrait<OpTrait::ConstantLike>() && isMemoryEffectFree(&op) &&
                     llvm::all_of(getReadValues(&op), [&](Value operand) {
                       if (Operation *producer = operand.getDefiningOp())
                         return invariants.contains(producer);
                       return isa<RowsType>(operand.getType());
                     });
    if (invariant)
      invariants.insert(&op);
  }
  return invariants;
}

/// Whether a function may give it: tensor algebra has tensors in between that no buffer is for.
bool isActivation(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor && tensor.getRank() == 2 && tensor.isDynamicDim(0) && !tensor.isDynamicDim(1) &&
         !value.getDefiningOp<tensor::EmptyOp>();
}

/// Cuts `ops` after each whose result is then the only one that is still to be used.
std::vector<Piece> cut(Block &body, ArrayRef<Operation *> ops) {
  llvm::DenseMap<Operation *, size_t> indices;
  for (auto [index, op] : llvm::enumerate(ops))
    indices[op] = index;
  indices[body.getTerminator()] = ops.size();
  // By operation: results of it that are used later, and results that are used last by it.
  std::vector<int64_t> born(ops.size()), dying(ops.size() + 1);
  for (auto [index, op] : llvm::enumerate(ops))
    for (Value result : op->getResults()) {
      size_t last = index;
      for (Operation *user : result.getUsers())
        last = std::max(last, indices.lookup(body.findAncestorOpInBlock(*user)));
      if (last == index)
        continue;
      ++born[index];
      ++dying[last];
    }
  std::vector<Piece> pieces(1);
  int64_t alive = 0;
  for (auto [index, op] : llvm::enumerate(ops)) {
    alive += born[index] - dying[index];
    pieces.back().ops.push_back(op);
    if (alive != 1 || born[index] != 1)
      continue;
    for (Value result : op->getResults())
      if (!result.use_empty() && isActivation(result))
        pieces.back().output = result;
    if (!pieces.back().output)
      continue;
    Value carried = pieces.back().output;
    pieces.push_back({});
    pieces.back().input = carried;
  }
  if (pieces.back().ops.empty())
    pieces.pop_back();
  return pieces;
}

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

SmallVector<Operation *> filterEffects(ArrayRef<Operation *> ops) {
  SmallVector<Operation *> effects;
  llvm::copy_if(ops, std::back_inserter(effects),
                [](Operation *op) { return !isMemoryEffectFree(op); });
  return effects;
}

/// Brings a piece's operations into an order that depends on the flow of values alone: operands
/// first, in their order, from the output backwards.
void sortByFlow(Piece &piece) {
  llvm::DenseSet<Operation *> inside(piece.ops.begin(), piece.ops.end());
  llvm::SetVector<Operation *> sorted;
  SmallVector<std::pair<Operation *, unsigned>> stack;
  auto visit = [&](Operation *root) {
    stack.push_back({root, 0});
    while (!stack.empty()) {
      auto &[op, next] = stack.back();
      if (next == op->getNumOperands()) {
        sorted.insert(op);
        stack.pop_back();
        continue;
      }
      Operation *producer = op->getOperand(next++).getDefiningOp();
      if (producer && inside.contains(producer) && !sorted.contains(producer))
        stack.push_back({producer, 0});
    }
  };
  visit(piece.output.getDefiningOp());
  for (Operation *op : piece.ops)
    if (!sorted.contains(op))
      visit(op);
  // What reads and writes caches keeps its order.
  if (filterEffects(sorted.getArrayRef()) == filterEffects(piece.ops))
    piece.ops.assign(sorted.begin(), sorted.end());
}

/// Whether an operation means the same wherever it stands.
bool isComparable(Operation *op) {
  return op->getNumRegions() == 0 && !isa<CallOpInterface>(op) &&
         (isMemoryEffectFree(op) || isa<MemoryEffectOpInterface>(op));
}

/// Everything about a piece but what it takes from outside; collects that.
std::vector<uintptr_t> describe(Piece &piece) {
  std::vector<uintptr_t> text;
  auto add = [&](const void *pointer) { text.push_back(reinterpret_cast<uintptr_t>(pointer)); };
  enum : uintptr_t { Internal, Carried, External };
  llvm::DenseMap<Value, uintptr_t> results, externals;
  for (Operation *op : piece.ops) {
    add(op->getName().getAsOpaquePointer());
    add(op->getAttrDictionary().getAsOpaquePointer());
    text.push_back(op->getNumOperands());
    for (Value operand : op->getOperands()) {
      add(operand.getType().getAsOpaquePointer());
      if (operand == piece.input) {
        text.push_back(Carried);
        continue;
      }
      if (auto known = results.find(operand); known != results.end()) {
        text.insert(text.end(), {Internal, known->second});
        continue;
      }
      auto [known, isNew] = externals.try_emplace(operand, externals.size());
      if (isNew)
        piece.externals.push_back(operand);
      text.insert(text.end(), {External, known->second});
    }
    text.push_back(op->getNumResults());
    for (Value result : op->getResults()) {
      add(result.getType().getAsOpaquePointer());
      results.try_emplace(result, results.size());
    }
  }
  text.push_back(results.lookup(piece.output));
  return text;
}

/// Gives equal pieces one kind, and pieces that can't be moved one of their own. Logits lie where
/// @step's caller says and in rows without padding: what computes them stays.
void classify(std::vector<Piece> &pieces, Operation *terminator) {
  std::map<std::vector<uintptr_t>, unsigned> kinds;
  unsigned next = 0;
  for (Piece &piece : pieces) {
    piece.kind = next++;
    if (!piece.output || llvm::is_contained(piece.output.getUsers(), terminator) ||
        !llvm::all_of(piece.ops, isComparable))
      continue;
    sortByFlow(piece);
    piece.kind = kinds.try_emplace(describe(piece), piece.kind).first->second;
  }
}

//===----------------------------------------------------------------------===//
// Outlining
//===----------------------------------------------------------------------===//

/// Where a value stands among a function's arguments.
enum class ArgumentRank { Carried, Rows, Other, Cache, Parameter };

ArgumentRank rankOf(Value value) {
  if (isa<RowsType>(value.getType()))
    return ArgumentRank::Rows;
  if (isa<KVCacheType>(value.getType()))
    return ArgumentRank::Cache;
  return value.getDefiningOp<ParameterValueOp>() ? ArgumentRank::Parameter : ArgumentRank::Other;
}

/// What a function takes, as values at each place where its body stands.
struct Arguments {
  SmallVector<SmallVector<Value>> values;   ///< by argument, then by place
  SmallVector<SmallVector<unsigned>> slots; ///< by piece: the argument that each external is
};

/// The activation that a run continues, then rows, whatever else is no weight, caches and weights.
/// What is the same value at every place is one argument.
Arguments collectArguments(ArrayRef<Piece> pieces, const RepeatedRun &run) {
  struct Entry {
    ArgumentRank rank;
    SmallVector<Value> values;
  };
  SmallVector<Entry> entries;
  std::map<std::vector<void *>, unsigned> known;
  auto add = [&](ArgumentRank rank, function_ref<Value(unsigned start)> get) {
    Entry entry{rank, {}};
    std::vector<void *> key;
    for (unsigned start : run.starts) {
      entry.values.push_back(get(start));
      key.push_back(entry.values.back().getAsOpaquePointer());
    }
    auto [found, isNew] = known.try_emplace(std::move(key), entries.size());
    if (isNew)
      entries.push_back(std::move(entry));
    return found->second;
  };
  unsigned first = run.starts.front();
  if (pieces[first].input)
    add(ArgumentRank::Carried, [&](unsigned start) { return pieces[start].input; });
  Arguments arguments;
  for (unsigned i = 0; i < run.length; ++i) {
    arguments.slots.emplace_back();
    for (auto [k, external] : llvm::enumerate(pieces[first + i].externals))
      arguments.slots.back().push_back(add(rankOf(external), [&, i, k = k](unsigned start) {
        return pieces[start + i].externals[k];
      }));
  }
  auto order = llvm::to_vector(llvm::seq<unsigned>(0, entries.size()));
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::pair(entries[a].rank, a) < std::pair(entries[b].rank, b);
  });
  SmallVector<unsigned> position(entries.size());
  for (auto [to, from] : llvm::enumerate(order)) {
    position[from] = to;
    arguments.values.push_back(std::move(entries[from].values));
  }
  for (SmallVector<unsigned> &slots : arguments.slots)
    for (unsigned &slot : slots)
      slot = position[slot];
  return arguments;
}

class Outliner {
public:
  Outliner(ModuleOp module, func::FuncOp step)
      : module(module), step(step), body(step.front()), invariants(findInvariants(body)) {}

  void run() {
    SmallVector<Operation *> ops;
    for (Operation &op : body.without_terminator())
      if (!invariants.contains(&op))
        ops.push_back(&op);
    pieces = cut(body, ops);
    classify(pieces, body.getTerminator());
    SmallVector<RunPiece> sequence;
    for (const Piece &piece : pieces)
      sequence.push_back({piece.kind, static_cast<int64_t>(piece.ops.size())});
    std::vector<RepeatedRun> runs = findRepeatedRuns(sequence, minOperations);
    if (runs.empty())
      return;
    llvm::sort(runs, [](const RepeatedRun &a, const RepeatedRun &b) {
      return a.starts.front() < b.starts.front();
    });
    SymbolTable symbols(module);
    for (const RepeatedRun &run : runs)
      outline(run, symbols);
    rebuild();
  }

private:
  struct Call {
    func::FuncOp callee;
    unsigned length;
    SmallVector<Value> operands;
  };

  /// Makes the function of a run and notes its calls.
  void outline(const RepeatedRun &run, SymbolTable &symbols) {
    Arguments arguments = collectArguments(pieces, run);
    ArrayRef<Piece> model = ArrayRef(pieces).slice(run.starts.front(), run.length);
    SmallVector<Type> types;
    SmallVector<Location> locations;
    for (ArrayRef<Value> values : arguments.values) {
      types.push_back(values.front().getType());
      locations.push_back(values.front().getLoc());
    }
    Location location = model.front().ops.front()->getLoc();
    OpBuilder builder(module.getContext());
    auto function = func::FuncOp::create(
        location, "block", builder.getFunctionType(types, model.back().output.getType()));
    function.setPrivate();
    symbols.insert(function, step->getIterator());
    Block &block = function.getBody().emplaceBlock();
    block.addArguments(types, locations);
    builder.setInsertionPointToStart(&block);
    IRMapping mapping;
    if (model.front().input)
      mapping.map(model.front().input, block.getArgument(0));
    for (auto [piece, slots] : llvm::zip(model, arguments.slots)) {
      for (auto [external, slot] : llvm::zip(piece.externals, slots))
        mapping.map(external, block.getArgument(slot));
      for (Operation *op : piece.ops)
        builder.clone(*op, mapping);
    }
    func::ReturnOp::create(builder, location, mapping.lookup(model.back().output));
    for (auto [place, start] : llvm::enumerate(run.starts)) {
      Call &call = calls[start];
      call.callee = function;
      call.length = run.length;
      for (ArrayRef<Value> values : arguments.values)
        call.operands.push_back(values[place]);
    }
  }

  /// By piece: the invariant operations that it is the first to use, through others perhaps.
  std::vector<SmallVector<Operation *>> placeInvariants() {
    llvm::DenseMap<Operation *, size_t> first;
    for (size_t i = 0; i < pieces.size();) {
      auto call = calls.find(i);
      size_t end = i + (call == calls.end() ? 1 : call->second.length);
      for (size_t k = i; k < end; ++k)
        for (Operation *op : pieces[k].ops)
          first[op] = i;
      i = end;
    }
    std::vector<SmallVector<Operation *>> placed(pieces.size());
    for (Operation &op : llvm::reverse(body.without_terminator())) {
      if (!invariants.contains(&op))
        continue;
      size_t piece = pieces.size();
      for (Operation *user : op.getUsers())
        if (auto found = first.find(body.findAncestorOpInBlock(*user)); found != first.end())
          piece = std::min(piece, found->second);
      first[&op] = piece;
      if (piece < pieces.size())
        placed[piece].push_back(&op);
    }
    return placed;
  }

  /// Writes @step anew: pieces in their order, or the calls that stand for them.
  void rebuild() {
    std::vector<SmallVector<Operation *>> placed = placeInvariants();
    Operation *terminator = body.getTerminator();
    OpBuilder builder(terminator);
    IRMapping results;
    SmallVector<Operation *> replaced;
    for (size_t i = 0; i < pieces.size();) {
      for (Operation *invariant : llvm::reverse(placed[i]))
        invariant->moveBefore(terminator);
      auto found = calls.find(i);
      if (found == calls.end()) {
        for (Operation *op : pieces[i].ops)
          op->moveBefore(terminator);
        ++i;
        continue;
      }
      Call &call = found->second;
      SmallVector<Value> operands = llvm::map_to_vector(
          call.operands, [&](Value operand) { return results.lookupOrDefault(operand); });
      auto created =
          func::CallOp::create(builder, pieces[i].ops.front()->getLoc(), call.callee, operands);
      for (size_t end = i + call.length; i < end; ++i)
        llvm::append_range(replaced, pieces[i].ops);
      results.map(pieces[i - 1].output, created.getResult(0));
      pieces[i - 1].output.replaceAllUsesWith(created.getResult(0));
    }
    for (Operation *op : llvm::reverse(replaced))
      op->erase();
  }

  ModuleOp module;
  func::FuncOp step;
  Block &body;
  llvm::DenseSet<Operation *> invariants;
  std::vector<Piece> pieces;
  std::map<size_t, Call> calls; ///< by the first piece that they stand for
};

} // namespace

void llmc::outlineBlocks(ModuleOp module) {
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || !step.getBody().hasOneBlock())
    return;
  spreadConstants(step.front());
  Outliner(module, step).run();
}

namespace {

struct OutlineBlocksPass : public llmc::impl::OutlineBlocksBase<OutlineBlocksPass> {
  using OutlineBlocksBase::OutlineBlocksBase;

  void runOnOperation() override { outlineBlocks(getOperation()); }
};

} // namespace
