//===- LowerSteps.cpp - what a block of threads does of a plan ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GridProgram.h"
#include "llmc/Dialect/CPU/IR/CPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

Type ThreadBuilder::pointer() {
  return LLVM::LLVMPointerType::get(builder.getContext(), globalMemory);
}
Value ThreadBuilder::integer(Type type, int64_t value) {
  return arith::ConstantOp::create(builder, location, builder.getIntegerAttr(type, value));
}
Value ThreadBuilder::threadIndex() { return NVVM::ThreadIdXOp::create(builder, location, i32()); }
Value ThreadBuilder::blockIndex() {
  Value index = NVVM::BlockIdXOp::create(builder, location, i32());
  return arith::ExtUIOp::create(builder, location, i64(), index);
}
Value ThreadBuilder::blockCount() {
  Value count = NVVM::GridDimXOp::create(builder, location, i32());
  return arith::ExtUIOp::create(builder, location, i64(), count);
}
Value ThreadBuilder::offset(Value base, Value bytes) {
  return LLVM::GEPOp::create(builder, location, pointer(), builder.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value ThreadBuilder::groupIndex(int64_t threads) {
  Value index = arith::ShRUIOp::create(builder, location, threadIndex(),
                                       integer(i32(), llvm::Log2_64(threads)));
  return arith::ExtUIOp::create(builder, location, i64(), index);
}

/// The share `index` of `count` pieces that `shares` have each: [count · index / shares, count ·
/// (index + 1) / shares).
std::pair<Value, Value> ThreadBuilder::share(Value count, Value index, Value shares) {
  auto bound = [&](Value at) -> Value {
    Value product = arith::MulIOp::create(builder, location, count, at);
    return arith::DivUIOp::create(builder, location, product, shares);
  };
  Value next = arith::AddIOp::create(builder, location, index, integer(i64(), 1));
  return {bound(index), bound(next)};
}

std::pair<Value, Value> ThreadBuilder::groupShare(Value count, int64_t threads, int64_t ofBlock) {
  auto [first, last] = share(count, blockIndex(), blockCount());
  if (threads == ofBlock)
    return {first, last};
  Value ofThis = arith::SubIOp::create(builder, location, last, first);
  auto [begin, end] = share(ofThis, groupIndex(threads), integer(i64(), ofBlock / threads));
  return {arith::AddIOp::create(builder, location, first, begin),
          arith::AddIOp::create(builder, location, first, end)};
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {

/// What a !spmd.step becomes, member by member: addresses as cpu::Field numbers them, then these.
constexpr int64_t addressCount = static_cast<int64_t>(cpu::Field::Logits) + 1;
constexpr int64_t rowsMember = addressCount, outputRowsMember = rowsMember + 1,
                  arrivedMember = outputRowsMember + 1, passedMember = arrivedMember + 1;

constexpr StringLiteral barrierName = "grid_barrier";

class StepLowering {
public:
  StepLowering(ModuleOp code, spmd::EntryOp entry, const GPUTarget &target)
      : code(code), entry(entry), target(target), builder(code.getContext()),
        b(builder, code.getLoc()) {
    SmallVector<Type> members(addressCount, b.pointer());
    members.append({b.i64(), b.i64(), b.pointer(), b.i64()});
    stepType = LLVM::LLVMStructType::getLiteral(code.getContext(), members);
  }

  LogicalResult run() {
    for (auto function : llvm::to_vector(code.getOps<func::FuncOp>())) {
      if (isOfBlock(function))
        ofBlocks.insert(function.getName());
      bool takesStep = false;
      for (BlockArgument argument : function.getArguments())
        if (isa<spmd::StepType>(argument.getType())) {
          argument.setType(stepType);
          takesStep = true;
        }
      if (!takesStep)
        continue;
      function.setFunctionType(builder.getFunctionType(function.front().getArgumentTypes(), {}));
      functions.insert({function.getName(), function});
    }
    for (auto &[name, function] : functions)
      if (failed(countBarriers(function)))
        return failure();
    for (auto &[name, function] : functions) {
      prefetchWeights(code, function, target);
      lower(function);
    }
    createBarrier();
    createKernel();
    return success();
  }

private:
  /// Barriers that a call of the function passes; reports one that calls itself.
  FailureOr<int64_t> countBarriers(func::FuncOp function) {
    auto [known, isNew] = barriers.insert({function.getName(), -1});
    if (!isNew) {
      if (known->second < 0)
        return function.emitOpError("expected a plan whose functions do not call themselves");
      return known->second;
    }
    int64_t count = 0;
    for (Operation &op : function.front()) {
      count += isa<spmd::BarrierOp>(op);
      auto call = dyn_cast<func::CallOp>(op);
      auto callee = call ? functions.find(call.getCallee()) : functions.end();
      if (callee == functions.end())
        continue;
      FailureOr<int64_t> inside = countBarriers(callee->second);
      if (failed(inside))
        return failure();
      count += *inside;
    }
    barriers[function.getName()] = count;
    return count;
  }

  void lower(func::FuncOp function) {
    int64_t passed = 0;
    for (Operation &op : llvm::make_early_inc_range(function.front())) {
      builder.setInsertionPoint(&op);
      llvm::TypeSwitch<Operation *>(&op)
          .Case([&](cpu::FieldOp field) { replace(field, getField(field)); })
          .Case([&](cpu::CountOp count) {
            replace(count,
                    member(stepOf(count),
                           count.getCount() == cpu::Count::Rows ? rowsMember : outputRowsMember));
          })
          .Case([&](cpu::AddressOp address) {
            replace(address, b.offset(address.getBase(), b.integer(b.i64(), address.getOffset())));
          })
          .Case([&](cpu::StageOp stage) { lower(stage); })
          .Case([&](spmd::BarrierOp barrier) {
            Value step = stepOf(barrier);
            func::CallOp::create(
                builder, op.getLoc(), barrierName, TypeRange(),
                ValueRange{member(step, arrivedMember), add(member(step, passedMember), ++passed)});
            op.erase();
          })
          .Case([&](func::CallOp call) {
            if (!functions.contains(call.getCallee()))
              return;
            Value step = call.getOperand(0);
            Value before = add(member(step, passedMember), passed);
            call.setOperand(0, LLVM::InsertValueOp::create(builder, op.getLoc(), step, before,
                                                           ArrayRef<int64_t>{passedMember}));
            passed += barriers.lookup(call.getCallee());
          });
    }
  }

  void replace(Operation *op, Value value) {
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }
  /// The step that an operation reads: a struct by now, not what its own accessor promises.
  static Value stepOf(Operation *op) { return op->getOperand(0); }
  Value member(Value step, int64_t index) {
    return LLVM::ExtractValueOp::create(builder, b.location, step, index);
  }
  Value add(Value value, int64_t more) {
    return arith::AddIOp::create(builder, b.location, value, b.integer(b.i64(), more));
  }
  Value getField(cpu::FieldOp op) {
    Value address = member(stepOf(op), static_cast<int64_t>(op.getField()));
    if (op.getField() != cpu::Field::WorkerArena)
      return address;
    Value ofBlock = arith::MulIOp::create(builder, b.location, b.blockIndex(),
                                          b.integer(b.i64(), target.threads / groupThreads));
    Value index = arith::AddIOp::create(builder, b.location, ofBlock, b.groupIndex(groupThreads));
    Value bytes = b.integer(b.i64(), op.getStride());
    return b.offset(address, arith::MulIOp::create(builder, b.location, index, bytes));
  }

  /// Threads that have a share of a stage's pieces together.
  int64_t getThreads(cpu::StageOp op) {
    WalkResult result = op.walk([&](func::CallOp call) {
      return ofBlocks.contains(call.getCallee()) ? WalkResult::interrupt() : WalkResult::advance();
    });
    return result.wasInterrupted() ? target.threads : groupThreads;
  }

  /// The block's share of the pieces, and of that the group's.
  void lower(cpu::StageOp op) {
    int64_t threads = getThreads(op);
    auto [begin, end] = b.groupShare(op.getCount(), threads, target.threads);
    Value any = arith::CmpIOp::create(builder, b.location, arith::CmpIPredicate::ult, begin, end);
    auto condition = scf::IfOp::create(builder, op.getLoc(), any, /*withElseRegion=*/false);
    Block &from = op.getBody().front();
    from.getArgument(0).replaceAllUsesWith(begin);
    from.getArgument(1).replaceAllUsesWith(end);
    Block *to = condition.thenBlock();
    to->getOperations().splice(to->begin(), from.getOperations());
    op.erase();
  }

  /// (counter p, often i): waits until all blocks have been at as many barriers.
  void createBarrier() {
    builder.setInsertionPointToEnd(code.getBody());
    auto function = func::FuncOp::create(builder, b.location, barrierName,
                                         builder.getFunctionType({b.pointer(), b.i64()}, {}));
    function.setPrivate();
    builder.setInsertionPointToStart(function.addEntryBlock());
    Value counter = function.getArgument(0);
    Value enough =
        arith::MulIOp::create(builder, b.location, function.getArgument(1), b.blockCount());
    NVVM::Barrier0Op::create(builder, b.location);
    Value first = arith::CmpIOp::create(builder, b.location, arith::CmpIPredicate::eq,
                                        b.threadIndex(), b.integer(b.i32(), 0));
    auto alone = scf::IfOp::create(builder, b.location, first, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(alone.thenBlock());
    // LLVM's back end makes a relaxed addition of one that releases: a fence does that.
    LLVM::FenceOp::create(builder, b.location, LLVM::AtomicOrdering::release, "device");
    LLVM::AtomicRMWOp::create(builder, b.location, LLVM::AtomicBinOp::add, counter,
                              b.integer(b.i64(), 1), LLVM::AtomicOrdering::monotonic, "device");
    scf::WhileOp::create(
        builder, b.location, TypeRange(), ValueRange(),
        [&](OpBuilder &nested, Location location, ValueRange) {
          Value arrived = LLVM::LoadOp::create(
              nested, location, b.i64(), counter, /*alignment=*/8, /*isVolatile=*/false,
              /*isNonTemporal=*/false, /*isInvariant=*/false, /*isInvariantGroup=*/false,
              LLVM::AtomicOrdering::acquire, "device");
          Value missing =
              arith::CmpIOp::create(nested, location, arith::CmpIPredicate::ult, arrived, enough);
          scf::ConditionOp::create(nested, location, missing, ValueRange());
        },
        [&](OpBuilder &nested, Location location, ValueRange) {
          scf::YieldOp::create(nested, location);
        });
    builder.setInsertionPointAfter(alone);
    NVVM::Barrier0Op::create(builder, b.location);
    func::ReturnOp::create(builder, b.location);
  }

  /// Calls the entry's function for one row or for many.
  void createKernel() {
    builder.setInsertionPoint(entry);
    SmallVector<Type> types(stepType.getBody().drop_back());
    auto kernel = func::FuncOp::create(builder, b.location, entry.getSymName(),
                                       builder.getFunctionType(types, {}));
    kernel->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                    builder.getDenseI32ArrayAttr({static_cast<int32_t>(target.threads)}));
    kernel->setAttr(gpuTargetAttrName,
                    NVVM::NVVMTargetAttr::get(code.getContext(), /*optLevel=*/2,
                                              "nvptx64-nvidia-cuda", target.architecture,
                                              GPUTarget::getPTXFeature(target.architecture)));
    builder.setInsertionPointToStart(kernel.addEntryBlock());
    Value step = LLVM::UndefOp::create(builder, b.location, stepType);
    auto set = [&](int64_t index, Value value) {
      step =
          LLVM::InsertValueOp::create(builder, b.location, step, value, ArrayRef<int64_t>{index});
    };
    for (auto [index, argument] : llvm::enumerate(kernel.getArguments()))
      set(static_cast<int64_t>(index), argument);
    set(passedMember, b.integer(b.i64(), 0));
    Value one = arith::CmpIOp::create(builder, b.location, arith::CmpIPredicate::eq,
                                      kernel.getArgument(rowsMember), b.integer(b.i64(), 1));
    auto branch = scf::IfOp::create(builder, b.location, one, /*withElseRegion=*/true);
    auto call = [&](Block *block, StringRef name) {
      builder.setInsertionPointToStart(block);
      func::CallOp::create(builder, b.location, name, TypeRange(), step);
    };
    call(branch.thenBlock(), entry.getRow());
    call(branch.elseBlock(), entry.getRows());
    builder.setInsertionPointAfter(branch);
    func::ReturnOp::create(builder, b.location);
    entry.erase();
  }

  ModuleOp code;
  spmd::EntryOp entry;
  const GPUTarget &target;
  OpBuilder builder;
  ThreadBuilder b;
  LLVM::LLVMStructType stepType;
  llvm::MapVector<StringRef, func::FuncOp> functions; ///< that take a step
  llvm::DenseMap<StringRef, int64_t> barriers;        ///< that each passes
  llvm::DenseSet<StringRef> ofBlocks;                 ///< kernels
};

} // namespace

LogicalResult llmc::lowerSteps(ModuleOp code, spmd::EntryOp entry, const GPUTarget &target) {
  return StepLowering(code, entry, target).run();
}
