//===- EmitObject.cpp - native code for a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitObject/EmitObject.h"
#include "llmc/Conversion/CPUToLLVM/CPUToLLVM.h"
#include "llmc/Conversion/EmitObject/ProgramValues.h"
#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"
#include "llmc/Support/ProgressLine.h"
#include "llmc/program.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Vectorize/LoopVectorize.h"

using namespace llmc;

llvm::Error llmc::checkCodeOptions(const CodeOptions &options) {
  llvm::StringRef symbol = options.programSymbol;
  auto belongs = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  if (symbol.empty() || llvm::isDigit(symbol.front()) || !llvm::all_of(symbol, belongs))
    return llvm::createStringError("expected a C identifier as the program's symbol, found '%s'",
                                   options.programSymbol.c_str());
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
llmc::makeTargetMachine(const llvm::Triple &triple) {
  static const bool initialized = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    return true;
  }();
  (void)initialized;
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return llvm::createStringError("%s", error.c_str());
  llvm::TargetOptions options;
  // A product and a sum are fused where kernels say so and nowhere else: results are the same bits
  // in every variant.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, triple.getArch() == llvm::Triple::x86_64 ? "x86-64" : "generic", "", options,
      llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

namespace {

/// Adds the constant llmc_program of program.h to a module.
class ProgramBuilder {
public:
  ProgramBuilder(llvm::Module &module) : module(module), context(module.getContext()) {}

  void build(spmd::ProgramOp program, const Target &target, const ProgramValues &values,
             llvm::json::Object description, const CodeOptions &options) {
    llvm::SmallVector<llvm::Constant *> variants, regions, inputs, outputs;
    for (const ProgramValue &value : values.inputs)
      inputs.push_back(makeValue(value));
    for (const ProgramValue &value : values.outputs)
      outputs.push_back(makeValue(value));
    for (const CUDAImage &image : options.images)
      variants.push_back(
          structure({text("cuda " + image.name), number(64, LLMC_VARIANT_CUDA), makeImage(image)}));
    for (const KernelTarget *variant : target.variants)
      variants.push_back(structure({text(variant->name), number(64, variant->features),
                                    module.getFunction(getEntryName(*variant))}));
    for (auto region : program.getState().getAsRange<spmd::RegionAttr>())
      regions.push_back(structure({number(64, region.getOffset()), number(64, region.getStride()),
                                   number(64, region.getBlock()), number(64, region.getKept()),
                                   number(64, region.getRecent())}));
    spmd::SizesAttr sizes = program.getSizes();
    llvm::Constant *constant = structure({
        number(32, LLMC_PROGRAM_ABI_VERSION),
        number(32, sizes.getVocabulary()),
        number(32, sizes.getPositions()),
        number(32, sizes.getMaxRows()),
        number(64, sizes.getWeightBytes()),
        number(64, sizes.getArenaBytes()),
        number(64, sizes.getWorkerArenaBytes()),
        number(64, sizes.getStateBytes()),
        number(64, options.weightsHash),
        number(32, regions.size()),
        number(32, variants.size()),
        number(32, inputs.size()),
        number(32, outputs.size()),
        array(regions),
        array(variants),
        array(inputs),
        array(outputs),
        describe(std::move(description)),
    });
    auto *global = new llvm::GlobalVariable(module, constant->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::ExternalLinkage, constant,
                                            options.programSymbol);
    global->setAlignment(llvm::Align(8));
  }

private:
  llvm::Constant *number(unsigned bits, uint64_t value) {
    return llvm::ConstantInt::get(llvm::IntegerType::get(context, bits), value);
  }
  llvm::Constant *structure(llvm::ArrayRef<llvm::Constant *> members) {
    return llvm::ConstantStruct::getAnon(context, members);
  }
  llvm::GlobalVariable *makePrivate(llvm::Constant *value) {
    auto *global = new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::PrivateLinkage, value);
    global->setAlignment(llvm::Align(8));
    return global;
  }
  llvm::Constant *text(llvm::StringRef value) {
    return makePrivate(llvm::ConstantDataArray::getString(context, value));
  }
  llvm::Constant *makeValue(const ProgramValue &value) {
    llvm::SmallVector<llvm::Constant *> shape;
    for (int64_t size : value.shape)
      shape.push_back(number(64, static_cast<uint64_t>(size)));
    return structure({text(value.name), number(32, value.kind), number(32, value.type),
                      number(32, value.shape.size()), array(shape)});
  }
  llvm::Constant *makeImage(const CUDAImage &image) {
    llvm::GlobalVariable *global = makePrivate(llvm::ConstantDataArray::getString(
        context, llvm::StringRef(image.bytes.data(), image.bytes.size()), /*AddNull=*/false));
    global->setAlignment(llvm::Align(LLMC_ALIGNMENT));
    return global;
  }
  /// In a section of its own, where it is found without running or linking anything.
  llvm::Constant *describe(llvm::json::Object description) {
    llvm::GlobalVariable *global = makePrivate(
        llvm::ConstantDataArray::getString(context, spellDescription(std::move(description))));
    global->setSection(LLMC_DESCRIPTION_SECTION);
    return global;
  }
  llvm::Constant *array(llvm::ArrayRef<llvm::Constant *> elements) {
    auto *type = llvm::ArrayType::get(elements.front()->getType(), elements.size());
    return makePrivate(llvm::ConstantArray::get(type, elements));
  }

  llvm::Module &module;
  llvm::LLVMContext &context;
};

} // namespace

namespace {

/// Says that a function has come this far, to passes of either kind.
struct AdvancePass : llvm::PassInfoMixin<AdvancePass> {
  explicit AdvancePass(llvm::function_ref<void()> advance) : advance(advance) {}
  llvm::PreservedAnalyses run(llvm::Function &, llvm::FunctionAnalysisManager &) {
    advance();
    return llvm::PreservedAnalyses::all();
  }
  static bool isRequired() { return true; }
  llvm::function_ref<void()> advance;
};

struct LegacyAdvancePass : llvm::FunctionPass {
  explicit LegacyAdvancePass(llvm::function_ref<void()> advance)
      : FunctionPass(id), advance(advance) {}
  bool runOnFunction(llvm::Function &) override {
    advance();
    return false;
  }
  void getAnalysisUsage(llvm::AnalysisUsage &usage) const override { usage.setPreservesAll(); }
  static char id;
  llvm::function_ref<void()> advance;
};
char LegacyAdvancePass::id = 0;

/// Vectorizes loops of functions that ask for it.
struct VectorizePass : llvm::PassInfoMixin<VectorizePass> {
  llvm::PreservedAnalyses run(llvm::Function &function, llvm::FunctionAnalysisManager &analyses) {
    if (!function.hasFnAttribute(vectorizedAttrName))
      return llvm::PreservedAnalyses::all();
    return llvm::LoopVectorizePass().run(function, analyses);
  }
};

} // namespace

void llmc::optimize(llvm::Module &module, llvm::TargetMachine &machine,
                    llvm::function_ref<void()> advance) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  // Kernels are vectorized as they are to be; more would only cost time.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerVectorizerStartEPCallback(
      [](llvm::FunctionPassManager &passes, llvm::OptimizationLevel) {
        passes.addPass(VectorizePass());
      });
  if (advance) {
    auto add = [&](llvm::FunctionPassManager &passes, llvm::OptimizationLevel) {
      passes.addPass(AdvancePass(advance));
    };
    builder.registerScalarOptimizerLateEPCallback(add);
    builder.registerVectorizerEndEPCallback(add);
  }
  // Programs are linked with no library: loops that fill memory must not become calls of one.
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

/// The line of a program's code: `prepare` tells it how many functions there are.
class CodeProgress {
public:
  explicit CodeProgress(const llvm::Triple &triple)
      : name(("code for " + triple.getArchName()).str()) {}

  void prepare(const llvm::Module &module) {
    int64_t functions =
        llvm::count_if(module, [](auto &function) { return !function.isDeclaration(); });
    line.emplace(name, functions * (optimizationSteps + 1));
  }
  void advance(llvm::StringRef step) { line->advance(step); }

private:
  std::string name;
  std::optional<ProgressLine> line;
};

/// Whether a type is a mask of `bits` elements.
static bool isMask(mlir::Type type, int64_t bits) {
  return type == mlir::VectorType::get({bits}, mlir::IntegerType::get(type.getContext(), 1));
}

/// Whether it is what kernels do with masks, of words of up to 64 bits: one as a vector, how many
/// of its bits are set, and the elements of memory that go to the places which it has set.
static bool isOfMasks(mlir::Operation *op) {
  constexpr int64_t word = 64;
  if (auto load = llvm::dyn_cast<mlir::LLVM::masked_expandload>(op)) {
    auto type = llvm::dyn_cast<mlir::VectorType>(load.getRes().getType());
    return type && type.getRank() == 1 && !type.isScalable() && type.getNumElements() <= word &&
           type.getElementType().isIntOrFloat() && load.getPassthru().getType() == type &&
           isMask(load.getMask().getType(), type.getNumElements());
  }
  if (!llvm::isa<mlir::LLVM::BitcastOp, mlir::LLVM::CtPopOp>(op))
    return false;
  auto bits = llvm::dyn_cast<mlir::IntegerType>(op->getOperand(0).getType());
  return bits && bits.getWidth() <= word &&
         (llvm::isa<mlir::LLVM::CtPopOp>(op) ||
          isMask(op->getResult(0).getType(), static_cast<int64_t>(bits.getWidth())));
}

/// Code generators abort at much that the LLVM dialect can say: kernels are made of a few of its
/// operations.
static mlir::LogicalResult checkOperations(mlir::ModuleOp planned) {
  namespace LLVM = mlir::LLVM;
  for (mlir::NamedAttribute attribute : planned->getAttrs())
    if (attribute.getName().strref().starts_with("llvm."))
      return planned.emitOpError("expected no attribute ") << attribute.getName();
  mlir::WalkResult result = planned.walk([](mlir::Operation *op) {
    if (!llvm::isa<LLVM::LLVMDialect>(op->getDialect()) ||
        llvm::isa<LLVM::AddressOfOp, LLVM::FAbsOp, LLVM::FMAOp, LLVM::GEPOp, LLVM::GlobalOp,
                  LLVM::LoadOp, LLVM::Prefetch, LLVM::SqrtOp, LLVM::StoreOp>(op) ||
        isOfMasks(op))
      return mlir::WalkResult::advance();
    op->emitOpError("is not one that kernels are made of");
    return mlir::WalkResult::interrupt();
  });
  return mlir::failure(result.wasInterrupted());
}

llvm::Error llmc::checkSizes(spmd::SizesAttr sizes, size_t regions) {
  if (sizes.getVocabulary() < 1 || sizes.getPositions() < 1 || sizes.getMaxRows() < 1 ||
      regions == 0 || sizes.getWorkerArenaBytes() % LLMC_ALIGNMENT != 0)
    return llvm::createStringError(
        "expected a program with logits, positions, rows and a state, and memory of workers in "
        "multiples of %d bytes",
        LLMC_ALIGNMENT);
  return llvm::Error::success();
}

/// What a planned module is for; an error where it is none of a whole model.
static llvm::Expected<Target> checkPlanned(mlir::ModuleOp planned) {
  spmd::ProgramOp program = getProgram(planned);
  if (!program)
    return llvm::createStringError("expected a planned module, which has a spmd.program");
  if (llvm::Error error = checkSizes(program.getSizes(), program.getState().size()))
    return std::move(error);
  mlir::FailureOr<Target> target = getTarget(planned);
  if (mlir::failed(target) || mlir::failed(mlir::verify(program)) ||
      mlir::failed(checkOperations(planned)))
    return llvm::createStringError("cannot generate code");
  return std::move(*target);
}

void llmc::describeValues(spmd::SizesAttr sizes, llvm::json::Object &description) {
  auto spell = [](llvm::ArrayRef<ProgramValue> values) {
    llvm::json::Array spelled;
    for (const ProgramValue &value : values)
      spelled.push_back(spellForPeople(value));
    return spelled;
  };
  const ProgramValues values = getProgramValues(sizes);
  description["inputs"] = spell(values.inputs);
  description["outputs"] = spell(values.outputs);
}

static llvm::Expected<std::unique_ptr<llvm::Module>>
emitModule(mlir::ModuleOp planned, const Target &target, const CodeOptions &options,
           llvm::LLVMContext &context, llvm::TargetMachine &machine, CodeProgress &progress) {
  if (llvm::Error error = checkCodeOptions(options))
    return std::move(error);
  mlir::registerBuiltinDialectTranslation(*planned.getContext());
  mlir::registerLLVMDialectTranslation(*planned.getContext());
  spmd::ProgramOp program = getProgram(planned);
  mlir::FailureOr<llvm::json::Object> description = describeProgram(program, target);
  mlir::OwningOpRef<mlir::ModuleOp> code = planned.clone();
  if (mlir::failed(description) || mlir::failed(lowerCPUToLLVM(*code)))
    return llvm::createStringError("cannot generate code for %s", target.triple.str().c_str());
  std::unique_ptr<llvm::Module> result =
      mlir::translateModuleToLLVMIR(*code, context, options.programSymbol);
  if (!result)
    return llvm::createStringError("cannot translate the program to LLVM IR");
  if (result->getNamedValue(options.programSymbol))
    return llvm::createStringError("expected a symbol other than those of the program's functions, "
                                   "found '%s'",
                                   options.programSymbol.c_str());
  result->setDataLayout(machine.createDataLayout());
  result->setTargetTriple(machine.getTargetTriple());
  const ProgramValues values = getProgramValues(program.getSizes());
  describeValues(program.getSizes(), *description);
  if (!options.images.empty()) {
    llvm::json::Array images;
    for (const CUDAImage &image : options.images)
      images.push_back(llvm::json::Object(image.facts));
    (*description)["images"] = std::move(images);
  }
  ProgramBuilder(*result).build(program, target, values, std::move(*description), options);
  progress.prepare(*result);
  optimize(*result, machine, [&] { progress.advance("optimizing"); });
  return result;
}

llvm::Expected<std::unique_ptr<llvm::Module>>
llmc::emitLLVMIR(mlir::ModuleOp planned, const CodeOptions &options, llvm::LLVMContext &context) {
  llvm::Expected<Target> target = checkPlanned(planned);
  if (!target)
    return target.takeError();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = makeTargetMachine(target->triple);
  if (!machine)
    return machine.takeError();
  CodeProgress progress(target->triple);
  return emitModule(planned, *target, options, context, **machine, progress);
}

llvm::Expected<llvm::SmallVector<char, 0>>
llmc::emitObject(mlir::ModuleOp planned, const CodeOptions &options, bool assembly) {
  llvm::Expected<Target> target = checkPlanned(planned);
  if (!target)
    return target.takeError();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = makeTargetMachine(target->triple);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  CodeProgress progress(target->triple);
  llvm::Expected<std::unique_ptr<llvm::Module>> ir =
      emitModule(planned, *target, options, context, **machine, progress);
  if (!ir)
    return ir.takeError();
  return emitMachineCode(**ir, **machine, assembly, [&] { progress.advance("generating"); });
}

llvm::Expected<llvm::SmallVector<char, 0>>
llmc::emitMachineCode(llvm::Module &module, llvm::TargetMachine &machine, bool assembly,
                      llvm::function_ref<void()> advance) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (advance)
    passes.add(new LegacyAdvancePass(advance));
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  assembly ? llvm::CodeGenFileType::AssemblyFile
                                           : llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("LLVM emits no object files for %s",
                                   machine.getTargetTriple().str().c_str());
  passes.run(module);
  return object;
}
