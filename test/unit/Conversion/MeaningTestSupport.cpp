//===- MeaningTestSupport.cpp - models run as plain arithmetic and as they ship ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MeaningTestSupport.h"
#include "EncodingTestSupport.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Conversion/LLMCToLinalg/LLMCToLinalg.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Support/TargetSelect.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace llmc;
using namespace llmc::test;
using mlir::RankedTensorType;

std::unique_ptr<mlir::MLIRContext> llmc::test::makeMeaningContext() {
  static bool registered = [] {
    mlir::registerAllPasses();
    registerConvertLLMCToLinalg();
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return true;
  }();
  (void)registered;
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<LLMCDialect>();
  auto context =
      std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  context->loadDialect<LLMCDialect, mlir::func::FuncDialect, mlir::memref::MemRefDialect,
                       mlir::bufferization::BufferizationDialect>();
  return context;
}

static void check(bool condition, const char *what) {
  if (!condition)
    llvm::report_fatal_error(what);
}

template <typename T>
static T take(llvm::Expected<T> value) {
  if (!value)
    llvm::report_fatal_error(value.takeError());
  return std::move(*value);
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// Values that keep activations of moderate size moderate.
static std::vector<uint8_t> makeValues(ParameterOp parameter, uint64_t seed) {
  RankedTensorType type = parameter.getTensorType();
  if (auto grouped = llvm::dyn_cast_or_null<GroupedAttr>(type.getEncoding())) {
    EncodingCase spec{grouped.getBits(),  grouped.getGroup(), grouped.getZero(),
                      grouped.getScale(), type.getDimSize(0), type.getDimSize(1)};
    return GroupedMatrix::random(spec, seed, /*moderate=*/true).getCanonicalForm();
  }
  if (auto encoding = llvm::dyn_cast_or_null<EncodingInterface>(type.getEncoding())) {
    auto form = CanonicalForm::get(encoding, type.getShape());
    std::vector<uint8_t> bytes(form.size);
    std::mt19937_64 random(seed);
    for (const PlaneArray &plane : form.planes)
      for (int64_t i = 0; i < plane.arrayRows * plane.arrayColumns; ++i) {
        int64_t row = i / plane.arrayColumns, column = i % plane.arrayColumns;
        if (plane.isFloat())
          plane.write(bytes.data(), row, column, 0.5f + static_cast<float>(random() % 256) / 512);
        else
          // Columns of a list are of weights that there are.
          plane.write(bytes.data(), row, column,
                      static_cast<unsigned>(random() % (plane.listed != 0
                                                            ? type.getDimSize(1)
                                                            : int64_t(1) << plane.getBits())));
      }
    return bytes;
  }
  int64_t count = type.getNumElements();
  std::vector<uint8_t> bytes(count * type.getElementTypeBitWidth() / 8);
  std::mt19937_64 random(seed);
  std::normal_distribution<float> values(type.getRank() == 1 ? 1.0f : 0.0f, 0.3f);
  for (int64_t i = 0; i < count; ++i)
    writeFloat(bytes.data(), i, type.getElementType(), values(random));
  return bytes;
}

mlir::OwningOpRef<mlir::ModuleOp> llmc::test::parseModel(mlir::MLIRContext &context,
                                                         const std::string &text) {
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  check(static_cast<bool>(module), "cannot parse the model");
  uint64_t seed = 1;
  for (ParameterOp parameter : module->getOps<ParameterOp>())
    if (auto file = llvm::dyn_cast<FileAttr>(parameter.getData());
        file && file.getPath() == "random")
      parameter.setDataAttr(
          makeParameterData(&context, parameter.getSymName(), makeValues(parameter, seed++)));
  return module;
}

HostTensor HostTensor::zeros(RankedTensorType type, int64_t dynamicSize) {
  HostTensor tensor;
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  for (int64_t size : type.getShape()) {
    tensor.shape.push_back(mlir::ShapedType::isDynamic(size) ? dynamicSize : size);
    bytes *= tensor.shape.back();
  }
  tensor.bytes.resize(bytes);
  return tensor;
}

//===----------------------------------------------------------------------===//
// Plain arithmetic
//===----------------------------------------------------------------------===//

/// What generated code allocates lives until the end of the run.
static thread_local std::vector<std::unique_ptr<uint8_t[]>> *allocations = nullptr;

static void *allocate(uint64_t size) {
  return allocations->emplace_back(new uint8_t[size + 1]).get();
}

static void runPasses(mlir::ModuleOp module, llvm::StringRef pipeline) {
  mlir::PassManager manager(module.getContext());
  check(succeeded(mlir::parsePassPipeline(pipeline, manager)) && succeeded(manager.run(module)),
        "cannot lower a model to plain arithmetic");
}

/// From tensors to LLVM's dialect by upstream passes.
static void lowerToLLVM(mlir::ModuleOp module) {
  mlir::IRRewriter rewriter(module.getContext());
  module.walk([&](mlir::linalg::AggregatedOpInterface op) {
    rewriter.setInsertionPoint(op);
    rewriter.replaceOp(op, *op.decomposeOperation(rewriter));
  });
  runPasses(module, "convert-elementwise-to-linalg");
  mlir::bufferization::OneShotBufferizationOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.setFunctionBoundaryTypeConversion(
      mlir::bufferization::LayoutMapOption::IdentityLayoutMap);
  // Copies as loops: the other way would need a library at run time.
  options.memCpyFn = [](mlir::OpBuilder &builder, mlir::Location location, mlir::Value from,
                        mlir::Value to) {
    mlir::linalg::makeMemRefCopyOp(builder, location, from, to);
    return mlir::success();
  };
  mlir::bufferization::BufferizationState state;
  check(succeeded(mlir::bufferization::runOneShotModuleBufferize(module, options, state)),
        "cannot bufferize a model");
  runPasses(module, "convert-linalg-to-loops,"
                    "func.func(lower-vector-multi-reduction{lowering-strategy=inner-reduction}),"
                    // Rounding to bf16 would need a library at run time.
                    "arith-expand{include-bf16=true},"
                    "convert-vector-to-scf,expand-strided-metadata,lower-affine,convert-scf-to-cf,"
                    "convert-math-to-llvm,convert-math-to-libm,convert-vector-to-llvm,"
                    "convert-to-llvm,reconcile-unrealized-casts");
}

PlainProgram::PlainProgram(mlir::ModuleOp original) {
  mlir::OwningOpRef<mlir::ModuleOp> module = original.clone();
  runPasses(*module, "convert-llmc-to-linalg");
  auto step = module->lookupSymbol<mlir::func::FuncOp>("step");
  llvm::append_range(arguments, step.getArgumentTypes());
  llvm::append_range(results, step.getResultTypes());
  step->setAttr("llvm.emit_c_interface", mlir::UnitAttr::get(module->getContext()));
  lowerToLLVM(*module);
  mlir::ExecutionEngineOptions options;
  auto transformer = mlir::makeOptimizingTransformer(1, 0, nullptr);
  options.transformer = transformer;
  options.enableGDBNotificationListener = options.enablePerfNotificationListener = false;
  engine = take(mlir::ExecutionEngine::create(*module, options));
  engine->registerSymbols([](llvm::orc::MangleAndInterner interner) {
    llvm::orc::SymbolMap symbols;
    symbols[interner("malloc")] = {llvm::orc::ExecutorAddr::fromPtr(&allocate),
                                   llvm::JITSymbolFlags::Exported};
    return symbols;
  });
}

PlainProgram::~PlainProgram() = default;

/// A memref's descriptor: pointers, offset, sizes, strides.
static std::vector<int64_t> describe(HostTensor &tensor) {
  auto address = reinterpret_cast<int64_t>(tensor.bytes.data());
  std::vector<int64_t> words{address, address, 0};
  words.insert(words.end(), tensor.shape.begin(), tensor.shape.end());
  int64_t stride = 1;
  std::vector<int64_t> strides;
  for (int64_t size : llvm::reverse(tensor.shape)) {
    strides.push_back(stride);
    stride *= size;
  }
  words.insert(words.end(), strides.rbegin(), strides.rend());
  return words;
}

std::vector<HostTensor> PlainProgram::run(std::vector<HostTensor> &inputs) {
  std::vector<std::vector<int64_t>> descriptors;
  for (HostTensor &input : inputs)
    descriptors.push_back(describe(input));
  size_t words = 0;
  for (mlir::Type result : results)
    words += 3 + 2 * llvm::cast<RankedTensorType>(result).getRank();
  std::vector<int64_t> returned(words);
  // Arguments are pointers to descriptors; the first is to those of the results.
  std::vector<void *> pointers{returned.data()};
  for (std::vector<int64_t> &descriptor : descriptors)
    pointers.push_back(descriptor.data());
  llvm::SmallVector<void *> packed;
  for (void *&pointer : pointers)
    packed.push_back(&pointer);
  std::vector<std::unique_ptr<uint8_t[]>> memory;
  allocations = &memory;
  llvm::cantFail(engine->invokePacked("_mlir_ciface_step", packed));
  allocations = nullptr;

  std::vector<HostTensor> outputs;
  const int64_t *descriptor = returned.data();
  for (mlir::Type result : results) {
    auto type = llvm::cast<RankedTensorType>(result);
    HostTensor &output = outputs.emplace_back();
    output.shape.assign(descriptor + 3, descriptor + 3 + type.getRank());
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    auto *data = reinterpret_cast<const uint8_t *>(descriptor[1]) + descriptor[2] * bytes;
    for (int64_t size : output.shape)
      bytes *= size;
    output.bytes.assign(data, data + bytes);
    descriptor += 3 + 2 * type.getRank();
  }
  return outputs;
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

StepRows StepRows::sequence(std::vector<int32_t> tokens, int32_t position) {
  StepRows rows;
  for (auto [index, token] : llvm::enumerate(tokens)) {
    rows.sequences.push_back(0);
    rows.positions.push_back(position + static_cast<int32_t>(index));
    rows.outputs.push_back(static_cast<int32_t>(index));
  }
  rows.tokens = std::move(tokens);
  return rows;
}

static constexpr int64_t maxRows = 64;

static HostCode compileShipped(mlir::func::FuncOp step, const WeightTable &table,
                               const KernelChoice &kernels, const std::optional<Target> &target) {
  check(target.has_value(), "no variant for this machine");
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> program =
      lowerPartToCPU(step, table, *target, maxRows, kernels);
  check(succeeded(program), "cannot plan the model");
  return take(HostCode::compile(std::move(*program)));
}

Comparison::Comparison(mlir::ModuleOp module, int64_t sequences, llvm::StringRef kernels,
                       int64_t workerCount, std::optional<Target> target)
    : plain(module), workers(take(Workers::create(workerCount))) {
  auto step = module.lookupSymbol<mlir::func::FuncOp>("step");
  llvm::append_range(arguments, step.getArgumentTypes());
  llvm::append_range(results, step.getResultTypes());
  mlir::FailureOr<WeightTable> table = WeightTable::plan(module);
  check(succeeded(table), "cannot plan the weights");
  shipped = compileShipped(step, *table, take(KernelChoice::parse(kernels)), target);
  weights = Pages(table->getByteSize());
  check(succeeded(table->pack({weights.data(), weights.size()})), "cannot pack the weights");
  arena = Pages(shipped.arenaBytes);
  workerArena = Pages(shipped.workerArenaBytes * workerCount);
  for (int64_t i = 0; i < sequences; ++i)
    states.emplace_back(shipped.stateBytes);
  for (mlir::Type type : plain.getArgumentTypes())
    if (auto tensor = llvm::cast<RankedTensorType>(type); tensor.getRank() == 4)
      caches.push_back(HostTensor::zeros(tensor, sequences));
}

void Comparison::runShipped(const StepRows &rows, std::vector<Pages> &activations) {
  std::vector<float *> addresses;
  for (Pages &pages : activations)
    addresses.push_back(pages.floats());
  std::vector<uint8_t *> stateAddresses;
  for (Pages &state : states)
    stateAddresses.push_back(state.data());
  llmc_step step{};
  step.weights = weights.data();
  step.arena = arena.data();
  step.worker_arena = workerArena.data();
  step.states = stateAddresses.data();
  step.tokens = rows.tokens.data();
  step.positions = rows.positions.data();
  step.sequences = rows.sequences.data();
  step.outputs = rows.outputs.data();
  step.rows = static_cast<int64_t>(rows.positions.size());
  step.output_rows = static_cast<int64_t>(rows.outputs.size());
  step.activations = addresses.data();
  workers.runStep(shipped.step, step);
}

/// Expects `count` rows of both to agree.
static void expectClose(HostTensor &plain, const Pages &shipped, double tolerance,
                        const std::string &what) {
  int64_t width = plain.shape[1], stride = getRowStride(width);
  double largest = 0, difference = 0;
  for (int64_t row = 0; row < plain.shape[0]; ++row)
    for (int64_t column = 0; column < width; ++column) {
      double expected = plain.as<float>()[row * width + column];
      double found = shipped.floats()[row * stride + column];
      ASSERT_TRUE(std::isfinite(expected) && std::isfinite(found))
          << what << ", row " << row << ", column " << column;
      largest = std::max(largest, std::fabs(expected));
      difference = std::max(difference, std::fabs(expected - found));
    }
  EXPECT_GT(largest, 0) << what;
  EXPECT_LE(difference, tolerance * largest)
      << what << ": " << difference / largest << " of the largest element";
}

void Comparison::step(const StepRows &rows, double tolerance) {
  auto count = static_cast<int64_t>(rows.positions.size());
  std::mt19937_64 random(seed++);
  std::normal_distribution<float> normal;
  std::vector<HostTensor> inputs;
  std::vector<Pages> activations;
  auto cache = caches.begin();
  for (mlir::Type type : arguments) {
    if (llvm::isa<RowsType>(type)) {
      for (const std::vector<int32_t> *numbers : {&rows.sequences, &rows.positions, &rows.outputs})
        inputs.push_back(HostTensor::vector(*numbers));
    } else if (auto stored = llvm::dyn_cast<KVCacheType>(type)) {
      size_t count = stored.getChoiceElements().size();
      for (const CacheVectors &vectors : {stored.getKeyVectors(), stored.getValueVectors()})
        count += stored.getStoredPlanes(vectors).size();
      inputs.insert(inputs.end(), cache, cache + static_cast<ptrdiff_t>(count));
      cache += static_cast<ptrdiff_t>(count);
    } else if (auto tensor = llvm::cast<RankedTensorType>(type); tensor.getRank() == 1) {
      inputs.push_back(HostTensor::vector(rows.tokens));
    } else {
      HostTensor &input = inputs.emplace_back(HostTensor::zeros(tensor, count));
      int64_t width = input.shape[1], stride = getRowStride(width);
      Pages &pages = activations.emplace_back(maxRows * stride * sizeof(float));
      for (int64_t row = 0; row < count; ++row)
        for (int64_t column = 0; column < width; ++column)
          pages.floats()[row * stride + column] = input.as<float>()[row * width + column] =
              normal(random);
    }
  }
  std::vector<HostTensor> outputs = plain.run(inputs);
  std::move(outputs.begin() + results.size(), outputs.end(), caches.begin());
  size_t firstResult = activations.size();
  for (mlir::Type type : results)
    activations.emplace_back(maxRows * sizeof(float) *
                             getRowStride(llvm::cast<RankedTensorType>(type).getDimSize(1)));
  runShipped(rows, activations);
  for (size_t i = 0; i < results.size(); ++i)
    expectClose(outputs[i], activations[firstResult + i], tolerance, "result " + std::to_string(i));
}
