//===- MeaningFunction.cpp - from tensors to loops over memory ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MeaningFunction.h"
#include "llmc/Conversion/Kernels/Meaning.h"
#include "llmc/Conversion/LLMCToLinalg/LLMCToLinalg.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

void llmc::loadMeaningDialects(MLIRContext *context) {
  DialectRegistry registry;
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  context->appendDialectRegistry(registry);
  context->loadDialect<affine::AffineDialect, bufferization::BufferizationDialect,
                       linalg::LinalgDialect, math::MathDialect, memref::MemRefDialect,
                       tensor::TensorDialect>();
}

MeaningFunction::MeaningFunction(Location location)
    : module(ModuleOp::create(location)), builder(location.getContext()), location(location) {
  builder.setInsertionPointToEnd(module->getBody());
  function = func::FuncOp::create(builder, location, "meaning", builder.getFunctionType({}, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  builder.setInsertionPoint(func::ReturnOp::create(builder, location));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value MeaningFunction::addMemory(MemRefType type) {
  unsigned index = function.getNumArguments();
  (void)function.insertArgument(index, type, DictionaryAttr(), location);
  return function.getArgument(index);
}

Value MeaningFunction::read(MemRefType type) {
  auto tensor = RankedTensorType::get(type.getShape(), type.getElementType());
  return bufferization::ToTensorOp::create(builder, location, tensor, addMemory(type),
                                           /*restrict=*/true, /*writable=*/false);
}

void MeaningFunction::write(Value tensor, MemRefType type) {
  Value memory = addMemory(type);
  bufferization::MaterializeInDestinationOp::create(builder, location, Type(), tensor, memory,
                                                    /*restrict=*/true, /*writable=*/true);
}

uint64_t MeaningFunction::getHash() {
  std::string text;
  llvm::raw_string_ostream stream(text);
  function->print(stream, OpPrintingFlags().printGenericOpForm().useLocalScope());
  return llvm::xxh3_64bits(text);
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

LogicalResult MeaningFunction::convertToLinalg() {
  MLIRContext *context = builder.getContext();
  TypeConverter converter;
  populateLLMCToLinalgTypeConversions(converter);
  ConversionTarget target(*context);
  target.addIllegalDialect<LLMCDialect>();
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  RewritePatternSet patterns(context);
  populateLLMCToLinalgPatterns(converter, patterns);
  if (failed(applyPartialConversion(*module, target, std::move(patterns))))
    return failure();
  SmallVector<UnrealizedConversionCastOp> casts;
  function.walk([&](UnrealizedConversionCastOp cast) { casts.push_back(cast); });
  reconcileUnrealizedCasts(casts);
  SmallVector<linalg::AggregatedOpInterface> aggregated;
  function.walk([&](linalg::AggregatedOpInterface op) { aggregated.push_back(op); });
  IRRewriter rewriter(context);
  for (linalg::AggregatedOpInterface op : aggregated) {
    rewriter.setInsertionPoint(op);
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(rewriter);
    if (failed(values))
      return op->emitOpError("has no meaning as plain loops");
    rewriter.replaceOp(op, *values);
  }
  return success();
}

/// Makes the innermost loop one over results, which can be vectorized without another order of
/// sums.
static void moveSumsOutwards(func::FuncOp function) {
  SmallVector<linalg::GenericOp> sums;
  function.walk([&](linalg::GenericOp generic) {
    if (generic.getIteratorTypesArray().back() == utils::IteratorType::reduction)
      sums.push_back(generic);
  });
  IRRewriter rewriter(function.getContext());
  for (linalg::GenericOp generic : sums) {
    SmallVector<int64_t> sizes = generic.getStaticLoopRanges();
    SmallVector<unsigned> order;
    std::optional<unsigned> last;
    for (auto [loop, type] : llvm::enumerate(generic.getIteratorTypesArray())) {
      order.push_back(loop);
      if (type == utils::IteratorType::parallel && sizes[loop] > 1)
        last = loop;
    }
    if (!last)
      continue;
    llvm::erase(order, *last);
    order.push_back(*last);
    rewriter.setInsertionPoint(generic);
    (void)linalg::interchangeGenericOp(rewriter, generic, order);
  }
}

LogicalResult MeaningFunction::convertToLoops() {
  PassManager passes(builder.getContext());
  passes.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(bufferization::createEmptyTensorEliminationPass());
  passes.addPass(bufferization::createOneShotBufferizePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  if (failed(passes.run(*module)))
    return failure();
  SmallVector<memref::CopyOp> copies;
  function.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
  for (memref::CopyOp copy : copies) {
    OpBuilder at(copy);
    linalg::makeMemRefCopyOp(at, copy.getLoc(), copy.getSource(), copy.getTarget());
    copy.erase();
  }
  moveSumsOutwards(function);
  PassManager loops(builder.getContext());
  loops.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  loops.addPass(createLowerAffinePass());
  loops.addPass(createCanonicalizerPass());
  loops.addPass(createCSEPass());
  return loops.run(*module);
}

LogicalResult MeaningFunction::placeBuffers() {
  WalkResult result = function.walk([&](memref::AllocOp alloc) {
    MemRefType type = alloc.getType();
    // Far more than a row of any model takes.
    constexpr int64_t most = int64_t(1) << 28;
    if (!type.hasStaticShape() || !type.getLayout().isIdentity() ||
        !type.getElementType().isIntOrFloat()) {
      alloc.emitOpError("expected memory of a size that is known, found ") << type;
      return WalkResult::interrupt();
    }
    int64_t bytes = (type.getElementTypeBitWidth() + 7) / 8;
    for (int64_t size : type.getShape())
      bytes = bytes > most / std::max<int64_t>(size, 1) ? most + 1 : bytes * size;
    if (bytes > most - scratchBytes) {
      alloc.emitOpError("expected at most ") << most << " bytes for what an operation computes";
      return WalkResult::interrupt();
    }
    alloc->setAttr(scratchOffsetName, builder.getI64IntegerAttr(scratchBytes));
    scratchBytes += llvm::alignTo(bytes, 64);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult MeaningFunction::check() {
  SymbolTable symbols(*module);
  WalkResult result = function.walk([&](Operation *op) {
    if (isa<func::FuncOp>(op))
      return WalkResult::advance();
    std::string reason = explainNoCode(op);
    auto table = dyn_cast<memref::GetGlobalOp>(op);
    if (table && !isa_and_nonnull<DenseElementsAttr>(
                     symbols.lookup<memref::GlobalOp>(table.getName()).getInitialValueAttr()))
      reason = "has no code for CPUs in meanings on tables in files";
    if (reason.empty())
      return WalkResult::advance();
    op->emitOpError(reason);
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult MeaningFunction::lower() {
  if (failed(convertToLinalg()) || failed(convertToLoops()) || failed(placeBuffers()))
    return failure();
  return check();
}

void MeaningFunction::inlineAt(KernelBuilder &k, ArrayRef<Value> addresses, Value scratch) {
  Block &body = function.front();
  llvm::DenseMap<Value, Value> known;
  for (auto [argument, address] : llvm::zip(body.getArguments(), addresses))
    known[argument] = address;
  // Constant tables go where the kernel is.
  SymbolTable symbols(*module);
  SmallVector<memref::GetGlobalOp> globals;
  function.walk([&](memref::GetGlobalOp op) { globals.push_back(op); });
  for (memref::GetGlobalOp op : globals) {
    auto numbers = cast<DenseElementsAttr>(
        symbols.lookup<memref::GlobalOp>(op.getName()).getInitialValueAttr());
    known[op] = k.table(numbers);
  }
  SmallVector<Operation *> ops;
  body.getTerminator()->erase();
  for (Operation &op : body)
    op.walk<WalkOrder::PreOrder>([&](Operation *inner) { ops.push_back(inner); });
  k.builder.getInsertionBlock()->getOperations().splice(k.builder.getInsertionPoint(),
                                                        body.getOperations());
  rewriteMemory(k, ops, std::move(known), scratch);
}
