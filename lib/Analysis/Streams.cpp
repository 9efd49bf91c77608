//===- Streams.cpp - the residual stream, what reads it and what adds to it ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of the two values that a sum adds, the one that the other depends on is the stream. A sum of two
// branches of which neither depends on the other, but one depends on the stream that the other is
// of (attention and an MLP in parallel), continues that stream.
//
//===----------------------------------------------------------------------===//

#include "Finders.h"

#include "llmc/Support/ReadValues.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace llmc;

namespace llmc {

class StreamFinder {
public:
  explicit StreamFinder(Structure &structure)
      : structure(structure), body(structure.function.getBody().front()) {}

  void run() {
    for (auto sum : body.getOps<arith::AddFOp>())
      if (isRows(sum.getResult()))
        addSum(sum);
    for (ResidualStream &stream : structure.streams) {
      sortByPlace(stream.values);
      findReads(stream);
    }
  }

private:
  /// Whether `value` is computed from a value that `isSought` says it for, none of which stands
  /// before `first`.
  template <typename Predicate>
  static bool depends(Value value, Operation *first, Predicate isSought) {
    SmallVector<Value> stack{value};
    llvm::DenseSet<Operation *> visited;
    while (!stack.empty()) {
      Value at = stack.pop_back_val();
      if (isSought(at))
        return true;
      Operation *op = at.getDefiningOp();
      if (!op || (first && op->isBeforeInBlock(first)) || !visited.insert(op).second)
        continue;
      llvm::append_range(stack, getReadValues(op));
    }
    return false;
  }

  static bool dependsOn(Value value, Value on) {
    return depends(value, on.getDefiningOp(), [&](Value at) { return at == on; });
  }

  bool dependsOnStream(Value value, size_t stream) const {
    return depends(value, structure.streams[stream].values.front().getDefiningOp(), [&](Value at) {
      auto found = streamOf.find(at);
      return found != streamOf.end() && found->second == stream;
    });
  }

  /// The stream that a value is of, behind scales and choices of rows.
  std::optional<size_t> getStream(Value value) const {
    while (true) {
      if (auto found = streamOf.find(value); found != streamOf.end())
        return found->second;
      Operation *op = value.getDefiningOp();
      if (!isa_and_nonnull<ScaleOp, OutputRowsOp>(op))
        return std::nullopt;
      value = op->getOperand(0);
    }
  }

  void addSum(arith::AddFOp sum) {
    Value a = sum.getLhs(), b = sum.getRhs();
    std::optional<size_t> ofA = getStream(a), ofB = getStream(b);
    if (dependsOn(b, a) && a != b)
      return extend(sum, a, b);
    if (dependsOn(a, b) && a != b)
      return extend(sum, b, a);
    if (ofA && !ofB && dependsOnStream(b, *ofA))
      return extend(sum, a, b);
    if (ofB && !ofA && dependsOnStream(a, *ofB))
      return extend(sum, b, a);
    // A sum of branches, of which another sum may say what they are.
  }

  void extend(arith::AddFOp sum, Value onto, Value added) {
    std::optional<size_t> known = getStream(onto);
    if (!known) {
      known = structure.streams.size();
      structure.streams.emplace_back();
      addWrites(structure.streams.back(), onto);
      include(*known, onto);
    }
    addWrites(structure.streams[*known], added);
    include(*known, onto);
    include(*known, sum.getResult());
  }

  /// Makes a value part of a stream, and the scales and choices of rows on the way to it.
  void include(size_t stream, Value value) {
    while (streamOf.try_emplace(value, stream).second) {
      structure.streams[stream].values.push_back(value);
      Operation *op = value.getDefiningOp();
      if (!isa_and_nonnull<ScaleOp, OutputRowsOp>(op) || !getStream(op->getOperand(0)))
        return;
      value = op->getOperand(0);
    }
  }

  /// The terms that `value` is the sum of.
  void addWrites(ResidualStream &stream, Value value) {
    StreamWrite write;
    while (true) {
      if (streamOf.contains(value)) {
        write.from = value;
        break;
      }
      Operation *op = value.getDefiningOp();
      if (isa_and_nonnull<arith::AddFOp>(op) && write.through.empty()) {
        addWrites(stream, op->getOperand(0));
        addWrites(stream, op->getOperand(1));
        return;
      }
      if (!isNorm(op) && !isa_and_nonnull<ScaleOp, HadamardOp, OutputRowsOp>(op)) {
        write.source = op;
        break;
      }
      if (!isa<OutputRowsOp>(op))
        write.through.insert(write.through.begin(), op);
      value = op->getOperand(0);
    }
    if (!write.from && !isa_and_nonnull<LinearOp, EmbeddingOp>(write.source))
      structure.unknowns.push_back(
          {write.source ? write.source : structure.function.getOperation(),
           write.source ? "it writes to a residual stream" : "an argument is a residual stream"});
    stream.writes.push_back(std::move(write));
  }

  static void sortByPlace(SmallVectorImpl<Value> &values) {
    llvm::sort(values, [](Value a, Value b) {
      Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
      return second && (!first || (first != second && first->isBeforeInBlock(second)));
    });
  }

  void findReads(ResidualStream &stream) {
    for (size_t i = 0; i < stream.values.size(); ++i) {
      StreamRead plain;
      // By number of operands: uses of one value have no order of their own.
      SmallVector<Operation *> users(stream.values[i].getUsers());
      llvm::sort(users, [](Operation *a, Operation *b) { return a != b && a->isBeforeInBlock(b); });
      users.erase(llvm::unique(users), users.end());
      for (Operation *user : users) {
        bool continues = llvm::any_of(user->getResults(), [&](Value result) {
          return getStream(result) == streamOf.lookup(stream.values[i]);
        });
        if (isa<ScaleOp, OutputRowsOp>(user) && !streamOf.contains(user->getResult(0))) {
          // Behind the last block: the stream's rows whose logits are wanted.
          streamOf[user->getResult(0)] = streamOf.lookup(stream.values[i]);
          stream.values.push_back(user->getResult(0));
        } else if (isNorm(user)) {
          stream.reads.push_back({user, getReaders(user->getResult(0))});
        } else if (!continues) {
          plain.readers.push_back(user);
        }
      }
      if (!plain.readers.empty())
        stream.reads.push_back(std::move(plain));
    }
  }

  /// What reads a norm's result, in the order of the program.
  static SmallVector<Operation *> getReaders(Value value) {
    SmallVector<Operation *> readers;
    for (Operation *user : value.getUsers()) {
      if (isa<OutputRowsOp>(user))
        llvm::append_range(readers, getReaders(user->getResult(0)));
      else
        readers.push_back(user);
    }
    llvm::sort(readers, [](Operation *a, Operation *b) { return a != b && a->isBeforeInBlock(b); });
    readers.erase(llvm::unique(readers), readers.end());
    return readers;
  }

  Structure &structure;
  Block &body;
  llvm::DenseMap<Value, size_t> streamOf;
};

} // namespace llmc

void llmc::findStreams(Structure &structure) { StreamFinder(structure).run(); }
