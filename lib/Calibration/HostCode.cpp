//===- HostCode.cpp - planned programs compiled and run on this machine ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostCode.h"
#include "llmc/Calibration/Calibration.h"
#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"
#include "llmc/Conversion/CPUToLLVM/Passes.h"
#include "llmc/Conversion/EmitObject/EmitObject.h"
#include "llmc/Conversion/LLMCToSPMD/Passes.h"
#include "llmc/Conversion/SPMDToCPU/Passes.h"
#include "llmc/llmc.h"
extern "C" {
#include "pool.h"
}

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <atomic>
#include <sys/mman.h>

using namespace llmc;

static llvm::Triple getHostTriple() { return llvm::Triple(llvm::sys::getDefaultTargetTriple()); }

std::optional<Target> llmc::getHostTarget() {
  uint64_t available = llmc_cpu_features();
  for (const KernelTarget &variant : getKernelTargets(getHostTriple()))
    if ((variant.features & ~available) == 0)
      return Target{getHostTriple(), {&variant}};
  return std::nullopt;
}

Pages::Pages(size_t size) : bytes(size) {
  if (size == 0)
    return;
  void *mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    llvm::report_bad_alloc_error("no memory for calibration");
  memory = {static_cast<uint8_t *>(mapped), Unmap{size}};
}

void Pages::Unmap::operator()(uint8_t *memory) const { munmap(memory, bytes); }

//===----------------------------------------------------------------------===//
// Workers
//===----------------------------------------------------------------------===//

void Workers::Destroy::operator()(llmc_pool *pool) const { llmc_pool_destroy(pool); }

llvm::Expected<Workers> Workers::create(unsigned threads) {
  Workers workers;
  workers.threads = threads ? threads : llmc_pool_default_threads();
  llmc_pool *pool = nullptr;
  const llmc_allocator allocator = llmc_default_allocator();
  llmc_status status = llmc_pool_create(&allocator, workers.threads, /*pin=*/0, &pool);
  if (!llmc_status_ok(&status))
    return llvm::createStringError("%s", status.message);
  workers.pool.reset(pool);
  return workers;
}

void Workers::runStep(llmc_step_function function, llmc_step &step) {
  llmc_pool_run(pool.get(), function, &step);
}

void Workers::run(int64_t count, llvm::function_ref<void(int64_t index, unsigned worker)> work) {
  // The pool hands its workers the address of a step; this one stands at the start of more.
  struct Task {
    llmc_step step;
    llvm::function_ref<void(int64_t, unsigned)> work;
    int64_t count;
    std::atomic<int64_t> next;
  } task{{}, work, count, {0}};
  auto drain = [](const llmc_step *step, int32_t worker, int32_t) {
    auto *task = reinterpret_cast<Task *>(const_cast<llmc_step *>(step));
    for (int64_t index = task->next++; index < task->count; index = task->next++)
      task->work(index, worker);
  };
  llmc_pool_run(pool.get(), drain, &task.step);
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

void llmc::insertCalibrationDialects(mlir::DialectRegistry &registry) {
  // Parts go the way that programs go.
  createConvertLLMCToSPMD()->getDependentDialects(registry);
  createConvertSPMDToCPU()->getDependentDialects(registry);
  createConvertCPUToLLVM()->getDependentDialects(registry);
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
}

llvm::CodeGenOptLevel llmc::chooseOptLevel(int64_t weightBytes, int64_t rows) {
  // So few that compiling takes longer, even where code is slow by an order of magnitude.
  constexpr double fewBytes = 1e9;
  bool runsBriefly = static_cast<double>(weightBytes) * static_cast<double>(rows) < fewBytes;
  return runsBriefly ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Aggressive;
}

HostCode::HostCode() = default;
HostCode::HostCode(HostCode &&) = default;
HostCode &HostCode::operator=(HostCode &&) = default;
HostCode::~HostCode() = default;

llvm::Expected<HostCode> HostCode::compile(mlir::OwningOpRef<mlir::ModuleOp> planned,
                                           llvm::CodeGenOptLevel level) {
  HostCode code;
  spmd::SizesAttr sizes = getProgram(*planned).getSizes();
  code.arenaBytes = sizes.getArenaBytes();
  code.workerArenaBytes = sizes.getWorkerArenaBytes();
  code.stateBytes = sizes.getStateBytes();
  std::string name = (*planned->getOps<spmd::EntryOp>().begin()).getSymName().str();
  mlir::DialectRegistry dialects;
  insertCalibrationDialects(dialects);
  planned->getContext()->appendDialectRegistry(dialects);
  if (mlir::failed(lowerCPUToLLVM(*planned)))
    return llvm::createStringError("cannot generate code to calibrate with");
  auto function = planned->lookupSymbol<mlir::LLVM::LLVMFuncOp>(name);
  function.setLinkage(mlir::LLVM::Linkage::External);

  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      mlir::translateModuleToLLVMIR(*planned, context, "calibration");
  if (!module)
    return llvm::createStringError("cannot translate the code to calibrate with to LLVM IR");
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = makeTargetMachine(getHostTriple());
  if (!machine)
    return machine.takeError();
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  (*machine)->setOptLevel(level);
  if (level != llvm::CodeGenOptLevel::None)
    optimize(*module, **machine);
  llvm::Expected<llvm::SmallVector<char, 0>> object = emitMachineCode(*module, **machine);
  if (!object)
    return object.takeError();
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  code.jit = std::move(*jit);
  if (llvm::Error error = code.jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(
          llvm::StringRef(object->data(), object->size()), "calibration.o")))
    return std::move(error);
  llvm::Expected<llvm::orc::ExecutorAddr> address = code.jit->lookup(name);
  if (!address)
    return address.takeError();
  code.step = address->toPtr<llmc_step_function>();
  return code;
}
