//===- CPUToLLVM.cpp - from stages to the LLVM dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"
#include "llmc/Conversion/CPUToLLVM/Passes.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/program.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <cstddef>

namespace llmc {
#define GEN_PASS_DEF_CONVERTCPUTOLLVM
#include "llmc/Conversion/CPUToLLVM/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

/// Marks functions that the runtime calls, on the way.
constexpr StringLiteral entryAttrName = "spmd.entry";

/// Rewrites the spmd operations of a module. A !spmd.step becomes a structure of the llmc_step's
/// address, the worker's index and the number of workers.
class StepLowering {
public:
  StepLowering(ModuleOp module)
      : module(module), builder(module.getContext()),
        pointer(LLVM::LLVMPointerType::get(module.getContext())) {
    Type i64 = builder.getI64Type();
    stepType = LLVM::LLVMStructType::getLiteral(module.getContext(), {pointer, i64, i64});
  }

  void run() {
    module.walk([&](Operation *op) {
      builder.setInsertionPoint(op);
      if (auto field = dyn_cast<cpu::FieldOp>(op))
        lower(field);
      else if (auto count = dyn_cast<cpu::CountOp>(op))
        lower(count);
      else if (auto address = dyn_cast<cpu::AddressOp>(op))
        lower(address);
      else if (auto barrier = dyn_cast<spmd::BarrierOp>(op))
        lower(barrier);
      else if (auto stage = dyn_cast<cpu::StageOp>(op))
        lower(stage);
    });
    for (auto function : module.getOps<func::FuncOp>())
      lowerSignature(function);
    for (auto entry : llvm::make_early_inc_range(module.getOps<spmd::EntryOp>()))
      lower(entry);
  }

private:
  /// Gives a step, on its first use, the type that it becomes.
  Value asStructure(OpOperand &step) {
    step.get().setType(stepType);
    return step.get();
  }
  Value part(Value step, int64_t index) {
    return LLVM::ExtractValueOp::create(builder, step.getLoc(), step, index);
  }
  Value constant(Location location, int64_t value) {
    return arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(value));
  }
  /// Loads the member of an llmc_step at `offset`.
  Value loadMember(Location location, Type type, Value step, size_t offset) {
    Value address = LLVM::GEPOp::create(builder, location, pointer, builder.getI8Type(), step,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    return LLVM::LoadOp::create(builder, location, type, address);
  }

  static size_t getOffset(cpu::Field field) {
    switch (field) {
    case cpu::Field::Weights:
      return offsetof(llmc_step, weights);
    case cpu::Field::Arena:
      return offsetof(llmc_step, arena);
    case cpu::Field::WorkerArena:
      return offsetof(llmc_step, worker_arena);
    case cpu::Field::States:
      return offsetof(llmc_step, states);
    case cpu::Field::Tokens:
      return offsetof(llmc_step, tokens);
    case cpu::Field::Positions:
      return offsetof(llmc_step, positions);
    case cpu::Field::Sequences:
      return offsetof(llmc_step, sequences);
    case cpu::Field::Outputs:
      return offsetof(llmc_step, outputs);
    case cpu::Field::Logits:
      return offsetof(llmc_step, logits);
    case cpu::Field::Activations:
      return offsetof(llmc_step, activations);
    }
    return 0;
  }

  void replace(Operation *op, Value value) {
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
  }

  void lower(cpu::FieldOp op) {
    Location location = op.getLoc();
    Value handle = asStructure(op.getStepMutable());
    Value value = loadMember(location, pointer, part(handle, 0), getOffset(op.getField()));
    if (op.getField() == cpu::Field::WorkerArena) {
      Value offset = arith::MulIOp::create(builder, location, part(handle, 1),
                                           constant(location, op.getStride()));
      value = LLVM::GEPOp::create(builder, location, pointer, builder.getI8Type(), value,
                                  ArrayRef<LLVM::GEPArg>{offset});
    }
    replace(op, value);
  }

  void lower(cpu::CountOp op) {
    Value handle = asStructure(op.getStepMutable());
    replace(op, loadMember(op.getLoc(), builder.getI64Type(), part(handle, 0),
                           op.getCount() == cpu::Count::Rows ? offsetof(llmc_step, rows)
                                                             : offsetof(llmc_step, output_rows)));
  }

  void lower(cpu::AddressOp op) {
    Value offset = constant(op.getLoc(), op.getOffset());
    replace(op, LLVM::GEPOp::create(builder, op.getLoc(), pointer, builder.getI8Type(),
                                    op.getBase(), ArrayRef<LLVM::GEPArg>{offset}));
  }

  void lower(spmd::BarrierOp op) {
    Location location = op.getLoc();
    Value handle = asStructure(op.getStepMutable());
    Value step = part(handle, 0);
    Value worker =
        arith::TruncIOp::create(builder, location, builder.getI32Type(), part(handle, 1));
    Value pool = loadMember(location, pointer, step, offsetof(llmc_step, pool));
    Value function = loadMember(location, pointer, step, offsetof(llmc_step, barrier));
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(op.getContext()),
                                            {pointer, builder.getI32Type()});
    LLVM::CallOp::create(builder, location, type, ValueRange{function, pool, worker});
    op.erase();
  }

  /// begin = count · worker / workers, end = count · (worker + 1) / workers; the body unless empty.
  void lower(cpu::StageOp op) {
    Location location = op.getLoc();
    Value handle = asStructure(op.getStepMutable());
    Value worker = part(handle, 1), workers = part(handle, 2);
    auto bound = [&](Value index) -> Value {
      Value product = arith::MulIOp::create(builder, location, op.getCount(), index);
      return arith::DivUIOp::create(builder, location, product, workers);
    };
    Value next = arith::AddIOp::create(builder, location, worker, constant(location, 1));
    Value begin = bound(worker), end = bound(next);
    Value any = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::ult, begin, end);
    auto condition = scf::IfOp::create(builder, location, any, /*withElseRegion=*/false);
    Block &from = op.getBody().front();
    from.getArgument(0).replaceAllUsesWith(begin);
    from.getArgument(1).replaceAllUsesWith(end);
    Block *to = condition.thenBlock();
    to->getOperations().splice(to->begin(), from.getOperations());
    op.erase();
  }

  void lowerSignature(func::FuncOp function) {
    if (function.isExternal())
      return;
    SmallVector<Type> types;
    for (BlockArgument argument : function.getArguments()) {
      if (isa<spmd::StepType>(argument.getType()))
        argument.setType(stepType);
      types.push_back(argument.getType());
    }
    function.setFunctionType(builder.getFunctionType(types, function.getResultTypes()));
  }

  void lower(spmd::EntryOp op) {
    Location location = op.getLoc();
    Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
    builder.setInsertionPoint(op);
    auto function = func::FuncOp::create(builder, location, op.getSymName(),
                                         builder.getFunctionType({pointer, i32, i32}, TypeRange()));
    function->setAttr(cpu::CPUDialect::targetAttrName, op.getTargetAttr());
    function->setAttr(entryAttrName, builder.getUnitAttr());
    builder.setInsertionPointToStart(function.addEntryBlock());
    Value step = LLVM::UndefOp::create(builder, location, stepType);
    Value address = function.getArgument(0);
    step = LLVM::InsertValueOp::create(builder, location, step, address, ArrayRef<int64_t>{0});
    for (int64_t index : {1, 2}) {
      Value wide = arith::ExtUIOp::create(builder, location, i64, function.getArgument(index));
      step = LLVM::InsertValueOp::create(builder, location, step, wide, ArrayRef<int64_t>{index});
    }
    Value rows = loadMember(location, i64, address, offsetof(llmc_step, rows));
    Value one = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::eq, rows,
                                      constant(location, 1));
    scf::IfOp::create(
        builder, location, one,
        [&](OpBuilder &nested, Location) {
          func::CallOp::create(nested, location, op.getRow(), TypeRange(), step);
          scf::YieldOp::create(nested, location);
        },
        [&](OpBuilder &nested, Location) {
          func::CallOp::create(nested, location, op.getRows(), TypeRange(), step);
          scf::YieldOp::create(nested, location);
        });
    func::ReturnOp::create(builder, location);
    op.erase();
  }

  ModuleOp module;
  OpBuilder builder;
  Type pointer;
  LLVM::LLVMStructType stepType;
};

/// A step is what a function is given: nothing else has one.
LogicalResult checkSteps(ModuleOp module) {
  auto isStep = [](Type type) { return isa<spmd::StepType>(type); };
  WalkResult result = module.walk([&](Operation *op) {
    auto function = dyn_cast<func::FuncOp>(op);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if ((!function || &block != &region.front()) &&
            llvm::any_of(block.getArgumentTypes(), isStep)) {
          op->emitOpError("expected a step to be an argument of a function");
          return WalkResult::interrupt();
        }
    bool gives = function ? llvm::any_of(function.getResultTypes(), isStep)
                          : llvm::any_of(op->getResultTypes(), isStep);
    bool declares =
        function && function.isExternal() && llvm::any_of(function.getArgumentTypes(), isStep);
    if (!gives && !declares)
      return WalkResult::advance();
    op->emitOpError(gives ? "expected a step to be an argument of a function"
                          : "expected the body of a function that takes a step");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// A plan has an entry for no target: kernels are chosen before.
LogicalResult checkEntries(ModuleOp module) {
  for (auto entry : module.getOps<spmd::EntryOp>())
    if (!isa_and_nonnull<cpu::TargetAttr>(entry.getTargetAttr()))
      return entry.emitOpError(
          "expected a target #cpu.target, which convert-spmd-to-cpu gives a plan");
  return success();
}

/// What instruction sets have their own ways with.
LogicalResult lowerSeams(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    auto target = function->getAttrOfType<cpu::TargetAttr>(cpu::CPUDialect::targetAttrName);
    if (target) {
      lowerGroupDots(function, target.getDot());
      lowerLookups(function, target.getDot());
      lowerExpansions(function, target);
      lowerExpandLoads(function, target);
      lowerShuffles(function, target);
      lowerByteLookups(function, target.getFeatures());
      continue;
    }
    Operation *found = nullptr;
    function.walk([&](Operation *op) {
      if (!isa<GroupDotOp, cpu::TableLookupOp, cpu::TakeBytesOp, cpu::ExpandBytesOp,
               cpu::LookUpBytesOp, cpu::ShuffleBytesOp, cpu::WindowsOp>(op))
        return WalkResult::advance();
      found = op;
      return WalkResult::interrupt();
    });
    if (found)
      return function.emitOpError("expected an attribute ")
             << cpu::CPUDialect::targetAttrName << ", which says what "
             << (isa<GroupDotOp>(found) ? "a dot product" : "a look-up") << " becomes";
  }
  return success();
}

/// Upstream's conversions leave alone what they don't know.
LogicalResult checkConverted(ModuleOp module) {
  WalkResult result = module.walk([](Operation *op) {
    if (isa_and_nonnull<LLVM::LLVMDialect, BuiltinDialect>(op->getDialect()))
      return WalkResult::advance();
    op->emitOpError("has no conversion to the LLVM dialect");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Gives every function the CPU of its target.
void setTargets(ModuleOp module) {
  MLIRContext *context = module.getContext();
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto target = function->getAttrOfType<cpu::TargetAttr>(cpu::CPUDialect::targetAttrName);
    if (!target)
      continue;
    function.setTargetCpu(target.getCpu());
    // A kernel is called from many stages, and one copy of it is enough.
    function.setNoInline(!function->hasAttr(entryAttrName));
    if (!target.getFeatures().empty())
      function.setTargetFeaturesAttr(LLVM::TargetFeaturesAttr::get(context, target.getFeatures()));
    SmallVector<Attribute> passed;
    if (target.getDot() == cpu::DotLowering::Vnni)
      passed.push_back(ArrayAttr::get(context, {StringAttr::get(context, "prefer-vector-width"),
                                                StringAttr::get(context, "512")}));
    if (function->removeAttr(vectorizedAttrName))
      passed.push_back(StringAttr::get(context, vectorizedAttrName));
    if (!passed.empty())
      function.setPassthroughAttr(ArrayAttr::get(context, passed));
    function.setLinkage(LLVM::Linkage::Internal);
    function->removeAttr(cpu::CPUDialect::targetAttrName);
    function->removeAttr(entryAttrName);
  }
}

struct ConvertCPUToLLVMPass : llmc::impl::ConvertCPUToLLVMBase<ConvertCPUToLLVMPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkSteps(module)) || failed(checkEntries(module)) || failed(lowerSeams(module)))
      return signalPassFailure();
    // What is known of the program is told where an object is made of it.
    for (auto program : llvm::make_early_inc_range(module.getOps<spmd::ProgramOp>()))
      program.erase();
    StepLowering(module).run();
    OpPassManager passes(ModuleOp::getOperationName());
    passes.addPass(createCSEPass());
    passes.addPass(createSCFToControlFlowPass());
    passes.addPass(createConvertVectorToLLVMPass());
    passes.addPass(createArithToLLVMConversionPass());
    passes.addPass(createConvertIndexToLLVMPass());
    passes.addPass(createConvertControlFlowToLLVMPass());
    passes.addPass(createConvertFuncToLLVMPass());
    passes.addPass(createReconcileUnrealizedCastsPass());
    if (failed(runPipeline(passes, module)) || failed(checkConverted(module)))
      return signalPassFailure();
    setTargets(module);
  }
};

} // namespace

LogicalResult llmc::lowerCPUToLLVM(ModuleOp code) {
  PassManager passes(code.getContext());
  passes.addPass(createConvertCPUToLLVM());
  return passes.run(code);
}
