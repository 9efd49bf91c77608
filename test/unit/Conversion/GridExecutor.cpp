//===- GridExecutor.cpp - kernels for GPUs, run on this machine ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GridExecutor.h"
#include "GridScheduler.h"
#include "llmc/Conversion/EmitObject/EmitObject.h"
#include "llmc/Conversion/EmitPTX/EmitPTX.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <cstring>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

//===----------------------------------------------------------------------===//
// What operations do
//===----------------------------------------------------------------------===//

static uint32_t getThreadIndex() { return getGrid()->getThread(); }
static uint32_t getBlockIndex() { return getGrid()->getBlock(); }
static uint32_t getBlockCount() { return getGrid()->getBlockCount(); }
static void waitForBlock() { getGrid()->waitForBlock(); }
static void waitForWarp(uint32_t mask) { getGrid()->waitForWarp(mask); }
static void *getShared(uint64_t bytes) { return getGrid()->getShared(bytes); }
static uint32_t shuffle(uint32_t mask, uint32_t value, uint32_t index) {
  return getGrid()->exchange(mask, value, index);
}

/// dp4a.u32.s32: bytes of `a` are unsigned, those of `b` signed.
static uint32_t dotBytes(uint32_t a, uint32_t b, uint32_t sum) {
  for (int byte = 0; byte < 4; ++byte)
    sum += static_cast<uint32_t>(static_cast<int32_t>(a >> 8 * byte & 255) *
                                 static_cast<int8_t>(b >> 8 * byte & 255));
  return sum;
}

/// prmt without a sign: nibbles of `selector` choose among the bytes of `low` and `high`.
static uint32_t permute(uint32_t low, uint32_t high, uint32_t selector) {
  uint64_t bytes = static_cast<uint64_t>(high) << 32 | low;
  uint32_t result = 0;
  for (int byte = 0; byte < 4; ++byte)
    result |= static_cast<uint32_t>(bytes >> 8 * (selector >> 4 * byte & 7) & 255) << 8 * byte;
  return result;
}

/// What the thread that runs has of the last product, whose registers are asked for at once.
static std::array<uint32_t, 4> product;
static void multiply(uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1,
                     uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3) {
  product = getGrid()->multiply({a0, a1, a2, a3, b0, b1}, {c0, c1, c2, c3});
}
static uint32_t getProduct(uint32_t index) { return product[index]; }

/// A line, and many bytes, whose number and address are multiples of 16.
static void prefetchLine(const void *address) { getGrid()->prefetch(address, 1); }
static void prefetchBytes(const void *address, uint32_t bytes) {
  constexpr uintptr_t alignment = 16;
  if (bytes == 0 || bytes % alignment != 0 || reinterpret_cast<uintptr_t>(address) % alignment != 0)
    return getGrid()->fail("bytes that are asked for lie at no multiple of 16");
  getGrid()->prefetch(address, bytes);
}

static int64_t loadAcquire(const int64_t *address) {
  getGrid()->spin();
  return *address;
}
static void addRelease(int64_t *address, int64_t more) { *address += more; }

namespace {
struct Function {
  const char *name;
  void *address;
};
} // namespace

static const Function functions[] = {
    {"grid_thread_index", reinterpret_cast<void *>(getThreadIndex)},
    {"grid_block_index", reinterpret_cast<void *>(getBlockIndex)},
    {"grid_block_count", reinterpret_cast<void *>(getBlockCount)},
    {"grid_wait_for_block", reinterpret_cast<void *>(waitForBlock)},
    {"grid_wait_for_warp", reinterpret_cast<void *>(waitForWarp)},
    {"grid_shared", reinterpret_cast<void *>(getShared)},
    {"grid_shuffle", reinterpret_cast<void *>(shuffle)},
    {"grid_dot_bytes", reinterpret_cast<void *>(dotBytes)},
    {"grid_permute", reinterpret_cast<void *>(permute)},
    {"grid_multiply", reinterpret_cast<void *>(multiply)},
    {"grid_product", reinterpret_cast<void *>(getProduct)},
    {"grid_prefetch_line", reinterpret_cast<void *>(prefetchLine)},
    {"grid_prefetch_bytes", reinterpret_cast<void *>(prefetchBytes)},
    {"grid_load_acquire", reinterpret_cast<void *>(loadAcquire)},
    {"grid_add_release", reinterpret_cast<void *>(addRelease)},
};

//===----------------------------------------------------------------------===//
// From operations to calls
//===----------------------------------------------------------------------===//

namespace {

class CallBuilder {
public:
  explicit CallBuilder(ModuleOp code) : code(code), builder(code.getContext()) {}

  LogicalResult run() {
    WalkResult result = code.walk([&](Operation *op) {
      builder.setInsertionPoint(op);
      return WalkResult(replace(op));
    });
    return failure(result.wasInterrupted());
  }

private:
  LogicalResult replace(Operation *op) {
    Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](NVVM::ThreadIdXOp) { return call(op, "grid_thread_index", i32, {}); })
        .Case([&](NVVM::BlockIdXOp) { return call(op, "grid_block_index", i32, {}); })
        .Case([&](NVVM::GridDimXOp) { return call(op, "grid_block_count", i32, {}); })
        .Case([&](NVVM::Barrier0Op) { return call(op, "grid_wait_for_block", {}, {}); })
        .Case([&](NVVM::SyncWarpOp sync) {
          return call(op, "grid_wait_for_warp", {}, sync.getMask());
        })
        .Case([&](NVVM::ShflOp shuffle) {
          auto clamp = shuffle.getMaskAndClamp().getDefiningOp<LLVM::ConstantOp>();
          // Segments of 16 threads.
          if (shuffle.getKind() != NVVM::ShflKind::idx || !clamp ||
              cast<IntegerAttr>(clamp.getValue()).getInt() != 0x101f)
            return failure();
          return call(op, "grid_shuffle", i32,
                      {shuffle.getThreadMask(), as(i32, shuffle.getVal()), shuffle.getOffset()});
        })
        .Case([&](NVVM::DotAccumulate4WayOp dot) -> LogicalResult {
          if (dot.getAType() != NVVM::DotAccumulateType::UNSIGNED ||
              dot.getBType() != NVVM::DotAccumulateType::SIGNED)
            return failure();
          return call(op, "grid_dot_bytes", i32,
                      {as(i32, dot.getA()), as(i32, dot.getB()), dot.getC()});
        })
        .Case([&](NVVM::PermuteOp permute) -> LogicalResult {
          if (permute.getMode() != NVVM::PermuteMode::DEFAULT)
            return failure();
          return call(op, "grid_permute", i32,
                      {permute.getLo(), permute.getHi(), permute.getSelector()});
        })
        .Case([&](NVVM::MmaOp product) { return multiply(product); })
        .Case(
            [&](LLVM::Prefetch line) { return call(op, "grid_prefetch_line", {}, line.getAddr()); })
        .Case([&](NVVM::CpAsyncBulkPrefetchOp bulk) {
          return call(op, "grid_prefetch_bytes", {}, {bulk.getSrcMem(), bulk.getSize()});
        })
        .Case([&](LLVM::AddressOfOp address) { return replaceShared(address); })
        .Case([&](LLVM::LoadOp load) {
          if (load.getOrdering() != LLVM::AtomicOrdering::acquire)
            return success();
          return call(op, "grid_load_acquire", i64, load.getAddr());
        })
        .Case([&](LLVM::AtomicRMWOp add) {
          return call(op, "grid_add_release", {}, {add.getPtr(), add.getVal()});
        })
        .Default([](Operation *other) {
          return success(!isa_and_nonnull<NVVM::NVVMDialect>(other->getDialect()));
        });
  }

  /// Of memory that a block's threads share, each block has its own.
  LogicalResult replaceShared(LLVM::AddressOfOp op) {
    constexpr unsigned sharedMemory = 3;
    if (cast<LLVM::LLVMPointerType>(op.getType()).getAddressSpace() != sharedMemory)
      return success();
    auto type = cast<LLVM::LLVMArrayType>(
        code.lookupSymbol<LLVM::GlobalOp>(op.getGlobalName()).getGlobalType());
    Value bytes = LLVM::ConstantOp::create(builder, op.getLoc(), builder.getI64Type(),
                                           static_cast<int64_t>(type.getNumElements()));
    return call(op, "grid_shared", op.getType(), bytes);
  }

  /// A call that multiplies, and one for each register of the result.
  LogicalResult multiply(NVVM::MmaOp op) {
    NVVM::MMAShapeAttr shape = op.getShape();
    if (shape.getM() != 16 || shape.getN() != 8 || shape.getK() != 32 ||
        op.getLayoutA() != NVVM::MMALayout::row || op.getLayoutB() != NVVM::MMALayout::col ||
        op.getMultiplicandAPtxType() != NVVM::MMATypes::u8 ||
        op.getMultiplicandBPtxType() != NVVM::MMATypes::s8 ||
        op.getIntOverflowBehavior() != NVVM::MMAIntOverflow::wrapped)
      return failure();
    Location location = op.getLoc();
    Type i32 = builder.getI32Type();
    LLVM::CallOp::create(builder, location, declare("grid_multiply", {}, op.getOperandTypes()),
                         op.getOperands());
    Value result = LLVM::UndefOp::create(builder, location, op.getType());
    for (int64_t i = 0; i < 4; ++i) {
      Value index = LLVM::ConstantOp::create(builder, location, i32, i);
      Value sum = LLVM::CallOp::create(builder, location, declare("grid_product", i32, i32), index)
                      .getResult();
      result = LLVM::InsertValueOp::create(builder, location, result, sum, i);
    }
    op.getResult().replaceAllUsesWith(result);
    op.erase();
    return success();
  }

  Value as(Type type, Value value) {
    return value.getType() == type
               ? value
               : LLVM::BitcastOp::create(builder, value.getLoc(), type, value).getResult();
  }

  LLVM::LLVMFuncOp declare(StringRef name, Type result, TypeRange operands) {
    if (auto function = code.lookupSymbol<LLVM::LLVMFuncOp>(name))
      return function;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(code.getBody());
    Type type = result ? result : LLVM::LLVMVoidType::get(code.getContext());
    return LLVM::LLVMFuncOp::create(builder, code.getLoc(), name,
                                    LLVM::LLVMFunctionType::get(type, llvm::to_vector(operands)));
  }

  LogicalResult call(Operation *op, StringRef name, Type result, ValueRange operands) {
    auto made = LLVM::CallOp::create(builder, op->getLoc(),
                                     declare(name, result, operands.getTypes()), operands);
    if (result && op->getNumResults() == 1)
      op->getResult(0).replaceAllUsesWith(as(op->getResult(0).getType(), made.getResult()));
    op->erase();
    return success();
  }

  ModuleOp code;
  OpBuilder builder;
};

} // namespace

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

GridExecutor::GridExecutor() = default;
GridExecutor::GridExecutor(GridExecutor &&) = default;
GridExecutor::~GridExecutor() = default;

llvm::Expected<GridExecutor> GridExecutor::compile(ModuleOp program, llvm::CodeGenOptLevel level) {
  GridExecutor executor;
  OwningOpRef<ModuleOp> code = program.clone();
  Operation *kernel = getKernel(*code);
  executor.threads =
      cast<DenseI32ArrayAttr>(kernel->getAttr(NVVM::NVVMDialect::getMaxntidAttrName()))[0];
  std::string name = SymbolTable::getSymbolName(kernel).str();
  if (failed(lowerGPUToLLVM(*code)) || failed(CallBuilder(*code).run()))
    return llvm::createStringError("the kernel has operations that are not known here");
  kernel = getKernel(*code);
  kernel->removeAttr(NVVM::NVVMDialect::getKernelFuncAttrName());
  kernel->removeAttr(NVVM::NVVMDialect::getMaxntidAttrName());
  for (auto function : code->getOps<LLVM::LLVMFuncOp>())
    function.setTargetCpu(llvm::sys::getHostCPUName());
  registerBuiltinDialectTranslation(*code->getContext());
  registerLLVMDialectTranslation(*code->getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(*code, context, "grid");
  if (!module)
    return llvm::createStringError("cannot translate the kernel to LLVM IR");
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      makeTargetMachine(llvm::Triple(llvm::sys::getDefaultTargetTriple()));
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
  executor.jit = std::move(*jit);
  llvm::orc::SymbolMap symbols;
  for (const Function &function : functions)
    symbols[executor.jit->mangleAndIntern(function.name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function.address), llvm::JITSymbolFlags::Exported};
  if (llvm::Error error =
          executor.jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return std::move(error);
  if (llvm::Error error = executor.jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(
          llvm::StringRef(object->data(), object->size()), "grid.o")))
    return std::move(error);
  llvm::Expected<llvm::orc::ExecutorAddr> address = executor.jit->lookup(name);
  if (!address)
    return address.takeError();
  executor.kernel = address->toPtr<Kernel>();
  return executor;
}

llvm::Error GridExecutor::run(const llmc_step &step, unsigned blocks, uint64_t seed,
                              int64_t *arrived) {
  GridScheduler scheduler(blocks, threads, seed);
  llvm::Error error = scheduler.run([&] {
    kernel(step.weights, step.arena, step.worker_arena, const_cast<uint8_t **>(step.states),
           step.tokens, step.positions, step.sequences, step.outputs, step.logits, step.rows,
           step.output_rows, arrived);
  });
  llvm::append_range(prefetched, scheduler.getPrefetched());
  return error;
}
