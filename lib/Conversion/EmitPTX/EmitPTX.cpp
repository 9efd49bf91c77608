//===- EmitPTX.cpp - PTX of a program for GPUs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitPTX/EmitPTX.h"
#include "llmc/Conversion/EmitObject/EmitObject.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace llmc;

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
makeMachine(mlir::NVVM::NVVMTargetAttr target) {
  static const bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  const llvm::Triple triple(target.getTriple());
  std::string error;
  const llvm::Target *known = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!known)
    return llvm::createStringError("%s", error.c_str());
  llvm::TargetOptions options;
  // As on CPUs: a product and a sum are fused where kernels say so.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(
      known->createTargetMachine(triple, target.getChip(), target.getFeatures(), options,
                                 std::nullopt, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

/// Whether an operation is the product of fragments that kernels have: for others there may be no
/// instruction.
static bool isProduct(mlir::Operation *op) {
  namespace NVVM = mlir::NVVM;
  auto product = llvm::dyn_cast<NVVM::MmaOp>(op);
  if (!product)
    return false;
  NVVM::MMAShapeAttr shape = product.getShape();
  return shape.getM() == 16 && shape.getN() == 8 && shape.getK() == 32 &&
         product.getLayoutA() == NVVM::MMALayout::row &&
         product.getLayoutB() == NVVM::MMALayout::col &&
         product.getMultiplicandAPtxType() == NVVM::MMATypes::u8 &&
         product.getMultiplicandBPtxType() == NVVM::MMATypes::s8 &&
         product.getIntOverflowBehavior() == NVVM::MMAIntOverflow::wrapped;
}

/// Whether it asks for what kernels will read: a line of global memory, or many bytes.
static bool isPrefetch(mlir::Operation *op) {
  if (auto bulk = llvm::dyn_cast<mlir::NVVM::CpAsyncBulkPrefetchOp>(op))
    return !bulk.getL2CacheHint();
  auto line = llvm::dyn_cast<mlir::LLVM::Prefetch>(op);
  return line && line.getCache() == 1 &&
         llvm::cast<mlir::LLVM::LLVMPointerType>(line.getAddr().getType()).getAddressSpace() ==
             globalMemory;
}

/// LLVM's back end leaves prefetches out.
static void keepPrefetches(llvm::Module &module) {
  for (llvm::Function &function : module) {
    if (function.getIntrinsicID() != llvm::Intrinsic::prefetch)
      continue;
    for (llvm::User *user : llvm::make_early_inc_range(function.users())) {
      auto *call = llvm::cast<llvm::CallInst>(user);
      llvm::Value *address = call->getArgOperand(0);
      auto *type = llvm::FunctionType::get(call->getType(), {address->getType()}, false);
      auto *assembly = llvm::InlineAsm::get(type, "prefetch.global.L2 [$0];", "l",
                                            /*hasSideEffects=*/true);
      llvm::IRBuilder<>(call).CreateCall(assembly, {address});
      call->eraseFromParent();
    }
  }
}

/// What the threads of a warp do together stays where it is, as `bar.warp.sync` does: LLVM takes
/// products for functions of a thread's own operands.
static void keepTogether(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (function.getName().starts_with("llvm.nvvm.mma."))
      function.setConvergent();
}

/// Code generators abort at much that the dialects can say: kernels are made of a few of their
/// operations.
static mlir::LogicalResult checkOperations(mlir::ModuleOp program) {
  namespace LLVM = mlir::LLVM;
  namespace NVVM = mlir::NVVM;
  for (mlir::NamedAttribute attribute : program->getAttrs())
    if (attribute.getName().strref().starts_with("llvm.") ||
        attribute.getName().strref().starts_with("nvvm."))
      return program.emitOpError("expected no attribute ") << attribute.getName();
  mlir::WalkResult result = program.walk([](mlir::Operation *op) {
    if (!llvm::isa<LLVM::LLVMDialect, NVVM::NVVMDialect>(op->getDialect()) ||
        llvm::isa<LLVM::AddressOfOp, LLVM::AtomicRMWOp, LLVM::BitcastOp, LLVM::ExtractValueOp,
                  LLVM::CtPopOp, LLVM::FAbsOp, LLVM::FenceOp, LLVM::FMAOp, LLVM::GEPOp,
                  LLVM::GlobalOp, LLVM::InsertValueOp, LLVM::LoadOp, LLVM::SqrtOp, LLVM::StoreOp,
                  LLVM::UndefOp, NVVM::Barrier0Op, NVVM::BlockIdXOp, NVVM::DotAccumulate4WayOp,
                  NVVM::GridDimXOp, NVVM::PermuteOp, NVVM::ShflOp, NVVM::SyncWarpOp,
                  NVVM::ThreadIdXOp>(op) ||
        isProduct(op) || isPrefetch(op))
      return mlir::WalkResult::advance();
    op->emitOpError("is not one that kernels are made of");
    return mlir::WalkResult::interrupt();
  });
  return mlir::failure(result.wasInterrupted());
}

llvm::Expected<llvm::SmallVector<char, 0>> llmc::emitPTX(mlir::ModuleOp program) {
  mlir::Operation *kernel = getKernel(program);
  auto target = kernel ? kernel->getAttrOfType<mlir::NVVM::NVVMTargetAttr>(gpuTargetAttrName)
                       : mlir::NVVM::NVVMTargetAttr();
  if (!target || GPUTarget::getPTXFeature(target.getChip()) != target.getFeatures())
    return llvm::createStringError(
        "expected a program for a GPU, which convert-spmd-to-gpu makes of a plan");
  if (mlir::failed(checkOperations(program)))
    return llvm::createStringError("cannot generate code for %s", target.getChip().str().c_str());
  mlir::registerBuiltinDialectTranslation(*program.getContext());
  mlir::registerLLVMDialectTranslation(*program.getContext());
  mlir::registerNVVMDialectTranslation(*program.getContext());
  mlir::OwningOpRef<mlir::ModuleOp> code = program.clone();
  llvm::LLVMContext context;
  if (mlir::failed(lowerGPUToLLVM(*code)))
    return llvm::createStringError("cannot generate code for %s", target.getChip().str().c_str());
  std::unique_ptr<llvm::Module> module = mlir::translateModuleToLLVMIR(*code, context, "program");
  if (!module)
    return llvm::createStringError("cannot translate the program to LLVM IR");
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = makeMachine(target);
  if (!machine)
    return machine.takeError();
  keepTogether(*module);
  keepPrefetches(*module);
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  optimize(*module, **machine);
  return emitMachineCode(*module, **machine, /*assembly=*/true);
}
