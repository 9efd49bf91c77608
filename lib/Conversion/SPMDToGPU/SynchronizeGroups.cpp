//===- SynchronizeGroups.cpp - waits between the threads of a group ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What one thread of a group stores, another may load, and the other way round: a kernel is written
// for one worker, which does all of that in order. Loads and stores are therefore parted by waits:
// one before each run of stores, for those who still read, and one after it, before the first load.
// Loops and branches without lanes are one such run as a whole: the first thread alone goes through
// them.
//
//===----------------------------------------------------------------------===//

#include "GridProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace llmc;

namespace {

class GroupSynchronizer {
public:
  GroupSynchronizer(func::FuncOp kernel, const GroupWork &work)
      : kernel(kernel), builder(kernel.getContext()), b(builder, kernel.getLoc()), work(work) {}

  void run() {
    builder.setInsertionPointToStart(&kernel.front());
    Value thread = b.threadIndex();
    auto bits = [&](int64_t mask) -> Value {
      return arith::AndIOp::create(builder, b.location, thread, b.integer(b.i32(), mask));
    };
    isFirst = arith::CmpIOp::create(builder, b.location, arith::CmpIPredicate::eq,
                                    bits(groupThreads - 1), b.integer(b.i32(), 0));
    // The threads of a warp are two groups.
    members = arith::ShLIOp::create(
        builder, b.location, b.integer(b.i32(), (1 << groupThreads) - 1), bits(groupThreads));
    SmallVector<Block *> blocks;
    kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op->getNumRegions() > 0 && isOfAll(op))
        return WalkResult::skip();
      for (Region &region : op->getRegions())
        for (Block &block : region)
          blocks.push_back(&block);
      return WalkResult::advance();
    });
    for (Block *block : blocks)
      synchronize(*block);
  }

private:
  enum class Run { None, OfLanes, OfAll };

  /// Whether an operation stores what all threads of the group have, and gives nothing else.
  bool isOfAll(Operation *op) {
    if (op->getNumRegions() == 0)
      return work.stores.contains(op);
    if (isa<func::FuncOp>(op) || op->getNumResults() > 0 || work.withLanes.contains(op))
      return false;
    bool stores = false, calls = false;
    op->walk([&](Operation *inner) {
      stores |= isa<LLVM::StoreOp>(inner);
      calls |= isa<func::CallOp>(inner);
    });
    return stores && !calls;
  }

  void wait() { NVVM::SyncWarpOp::create(builder, b.location, members); }

  /// Ends the run of stores before `op`: the first thread does those that all have.
  void finish(Operation *op) {
    builder.setInsertionPoint(op);
    if (!pending.empty()) {
      auto alone = scf::IfOp::create(builder, b.location, isFirst, /*withElseRegion=*/false);
      for (Operation *store : pending)
        store->moveBefore(alone.thenBlock()->getTerminator());
      pending.clear();
    }
    wait();
    current = Run::None;
  }

  void synchronize(Block &block) {
    current = Run::None;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      bool ofAll = isOfAll(&op);
      if (ofAll || isa<LLVM::StoreOp>(op)) {
        Run run = ofAll ? Run::OfAll : Run::OfLanes;
        if (current != run) {
          builder.setInsertionPoint(&op);
          if (current == Run::None)
            wait();
          else
            finish(&op);
          current = run;
        }
        if (run == Run::OfAll)
          pending.push_back(&op);
        continue;
      }
      bool mayRead = isa<LLVM::LoadOp, func::CallOp>(op) || op.getNumRegions() > 0 ||
                     op.hasTrait<OpTrait::IsTerminator>();
      if (mayRead && current != Run::None)
        finish(&op);
    }
  }

  func::FuncOp kernel;
  OpBuilder builder;
  ThreadBuilder b;
  const GroupWork &work;
  Value isFirst, members;
  Run current = Run::None;
  SmallVector<Operation *> pending; ///< of the run in hand
};

} // namespace

void llmc::synchronizeGroups(func::FuncOp kernel, const GroupWork &work) {
  GroupSynchronizer(kernel, work).run();
}
