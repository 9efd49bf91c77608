//===- KernelTestSupport.cpp - kernels compiled in memory and run ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTestSupport.h"

#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"
#include "llmc/Conversion/EmitObject/EmitObject.h"
#include "llmc/Dialect/CPU/IR/CPU.h"
#include "llmc/llmc.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <cmath>
#include <cstring>

using namespace llmc;
using namespace llmc::test;

static llvm::Triple getHostTriple() { return llvm::Triple(llvm::sys::getDefaultTargetTriple()); }

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LLMC_TEST_SANITIZED 1
#endif
#endif

std::vector<TestTarget> llmc::test::getTestTargets(bool integerProducts) {
  std::vector<TestTarget> result;
  uint64_t available = llmc_cpu_features();
  auto runsHere = [&](const KernelTarget &target) { return (target.features & ~available) == 0; };
  llvm::ArrayRef<KernelTarget> all = getKernelTargets(getHostTriple());
  // What plain lowerings run with: the least of the variants with fma that this CPU runs.
  const KernelTarget *base = nullptr;
  for (const KernelTarget &target : all)
    if (target.fma && runsHere(target))
      base = &target;
  bool allRunHere = llvm::all_of(all, runsHere);
  for (const KernelTarget &target : all) {
    if (!integerProducts && !target.without.empty())
      continue;
    if (runsHere(target))
      result.push_back({target.name.str(), target, /*plain=*/!integerProducts && !target.fma});
    bool needed =
        runsHere(target) ? integerProducts && allRunHere && &target == base : base != nullptr;
    if (!needed || target.dot == cpu::DotLowering::Plain)
      continue;
    TestTarget plain{"plain:" + target.name.str(), target, /*plain=*/true};
    plain.target.dot = cpu::DotLowering::Plain;
    plain.target.cpu = base->cpu;
    plain.target.llvmFeatures = base->llvmFeatures;
    result.push_back(plain);
  }
#ifdef LLMC_TEST_SANITIZED
  // Sanitizers watch what emits kernels, for which one target is as good as all.
  result.erase(result.begin() + 1, result.end());
#endif
  return result;
}

std::unique_ptr<mlir::MLIRContext> llmc::test::makeContext() {
  auto context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
  context->loadDialect<cpu::CPUDialect>();
  loadKernelDialects(context.get());
  mlir::registerBuiltinDialectTranslation(*context);
  mlir::registerLLVMDialectTranslation(*context);
  return context;
}

/// The value of an Expected that must not be an error.
template <typename T>
static T take(llvm::Expected<T> value) {
  if (!value)
    llvm::report_fatal_error(value.takeError());
  return std::move(*value);
}

static llvm::SmallVector<char, 0> compile(mlir::MLIRContext &context, const TestTarget &testTarget,
                                          llvm::ArrayRef<Emitter> emitters,
                                          std::vector<std::string> &names) {
  const KernelTarget &target = testTarget.target;
  mlir::OwningOpRef<mlir::ModuleOp> code = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  for (const Emitter &emit : emitters)
    names.push_back(emit(*code, target).getName().str());
  setTarget(*code, target);
  if (mlir::failed(mlir::verify(*code)) || mlir::failed(lowerCPUToLLVM(*code)))
    llvm::report_fatal_error("cannot lower the kernels");
  code->walk([&](mlir::LLVM::LLVMFuncOp function) {
    if (llvm::is_contained(names, function.getName()))
      function.setLinkage(mlir::LLVM::Linkage::External);
  });
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> module =
      mlir::translateModuleToLLVMIR(*code, llvmContext, "kernels");
  std::unique_ptr<llvm::TargetMachine> machine = take(makeTargetMachine(getHostTriple()));
  module->setDataLayout(machine->createDataLayout());
  module->setTargetTriple(machine->getTargetTriple());
  if (testTarget.plain)
    machine->setOptLevel(llvm::CodeGenOptLevel::None);
  else
    optimize(*module, *machine);
  return take(emitMachineCode(*module, *machine));
}

CompiledKernels::CompiledKernels(mlir::MLIRContext &context, const TestTarget &target,
                                 llvm::ArrayRef<Emitter> emitters) {
  std::vector<std::string> names;
  llvm::SmallVector<char, 0> object = compile(context, target, emitters, names);
  jit = take(llvm::orc::LLJITBuilder().create());
  llvm::cantFail(jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(
      llvm::StringRef(object.data(), object.size()), "kernels.o")));
  for (const std::string &name : names)
    addresses.push_back(take(jit->lookup(name)).getValue());
}

CompiledKernels::~CompiledKernels() = default;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Memory::Memory(size_t size, uint8_t fill) : bytes(size + 2 * guard + 64, 0xa5), count(size) {
  begin = guard;
  while (reinterpret_cast<uintptr_t>(bytes.data() + begin) % 64)
    ++begin;
  std::memset(data(), fill, count);
}

Memory::~Memory() {
  for (size_t i = 0; i < bytes.size(); ++i)
    if ((i < begin || i >= begin + count) && bytes[i] != 0xa5) {
      ADD_FAILURE() << "wrote outside a buffer of " << count << " bytes, at "
                    << static_cast<int64_t>(i - begin);
      return;
    }
}

Rows::Rows(int64_t count, int64_t width)
    : count(count), width(width), stride(getRowStride(width)), memory(count * stride * 4, 0xff) {}

std::unique_ptr<Rows> Rows::random(int64_t count, int64_t width, uint64_t seed, float range) {
  auto rows = std::make_unique<Rows>(count, width);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> values(-range, range);
  std::memset(rows->data(), 0, count * rows->stride * 4);
  for (int64_t row = 0; row < count; ++row)
    for (int64_t column = 0; column < width; ++column)
      rows->at(row, column) = values(random);
  return rows;
}

void Rows::expectPadding(const std::string &what) {
  for (int64_t row = 0; row < count; ++row)
    for (int64_t column = width; column < stride; ++column)
      ASSERT_EQ(at(row, column), 0.0f) << what << ": padding of row " << row;
}

void Rows::append(std::vector<uint8_t> &bytes) {
  bytes.insert(bytes.end(), memory.data(), memory.data() + memory.size());
}

void llmc::test::forEachTarget(
    mlir::MLIRContext &context, llvm::ArrayRef<Emitter> emitters,
    llvm::function_ref<void(const TestTarget &, CompiledKernels &, std::vector<uint8_t> &bytes)>
        body,
    bool integerProducts) {
  std::vector<uint8_t> first;
  std::string firstLabel;
  for (const TestTarget &target : getTestTargets(integerProducts)) {
    SCOPED_TRACE(target.label);
    CompiledKernels kernels(context, target, emitters);
    std::vector<uint8_t> found;
    body(target, kernels, found);
    if (::testing::Test::HasFatalFailure())
      return;
    if (!target.target.fma)
      continue;
    if (firstLabel.empty()) {
      first = std::move(found);
      firstLabel = target.label;
      continue;
    }
    ASSERT_EQ(found.size(), first.size());
    for (size_t i = 0; i < found.size(); ++i)
      ASSERT_EQ(found[i], first[i]) << "bits differ from " << firstLabel << " at byte " << i;
  }
}

float llmc::test::roundTo(float value, mlir::Type type) {
  llvm::APFloat number(value);
  bool inexact;
  number.convert(llvm::cast<mlir::FloatType>(type).getFloatSemantics(),
                 llvm::APFloat::rmNearestTiesToEven, &inexact);
  number.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return number.convertToFloat();
}
