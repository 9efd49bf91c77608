//===- LLMCToLinalg.cpp - what models mean, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToLinalg/LLMCToLinalg.h"
#include "Patterns.h"
#include "llmc/Dialect/LLMC/IR/CacheLayout.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_CONVERTLLMCTOLINALG
#include "llmc/Conversion/LLMCToLinalg/Passes.h.inc"
} // namespace llmc

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

void llmc::populateLLMCToLinalgTypeConversions(TypeConverter &converter) {
  converter.addConversion([](Type type) { return type; });
  converter.addConversion([](RankedTensorType type) -> Type {
    // Encodings of others are none of ours.
    if (!isa_and_nonnull<EncodingInterface, DynamicAttr>(type.getEncoding()))
      return type;
    return RankedTensorType::get(type.getShape(), Float32Type::get(type.getContext()));
  });
  converter.addConversion([](RowsType type, SmallVectorImpl<Type> &types) {
    Type integers =
        RankedTensorType::get({ShapedType::kDynamic}, IntegerType::get(type.getContext(), 32));
    types.append(3, integers);
    return success();
  });
  converter.addConversion([](KVCacheType type, SmallVectorImpl<Type> &types) {
    for (const CacheVectors &vectors : {type.getKeyVectors(), type.getValueVectors()})
      for (const Plane &plane : type.getStoredPlanes(vectors))
        types.push_back(
            RankedTensorType::get({ShapedType::kDynamic, type.getCapacity(), vectors.heads,
                                   plane.getElementsPerRow(vectors.size)},
                                  getUnpackedType(plane)));
    for (Type element : type.getChoiceElements())
      types.push_back(RankedTensorType::get(
          {ShapedType::kDynamic, type.getCapacity(), type.getHeads(), 1}, element));
    return success();
  });
}

void llmc::populateLLMCToLinalgPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  populateAttentionPatterns(converter, patterns);
  populateColumnPatterns(converter, patterns);
  populateElementwisePatterns(converter, patterns);
  populateGroupDotPatterns(converter, patterns);
  populateHadamardPatterns(converter, patterns);
  populateLinearPatterns(converter, patterns);
  populateNormPatterns(converter, patterns);
  populateParameterPatterns(converter, patterns);
  populateRopePatterns(converter, patterns);
  populateRowPatterns(converter, patterns);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// What the patterns take for granted. Everything that is said about a module is said here.
static LogicalResult checkOperation(Operation *op, const TypeConverter &converter) {
  if (isa_and_nonnull<LLMCDialect>(op->getDialect())) {
    for (Value operand : op->getOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      if (type && type.getEncoding() && !isa<EncodingInterface, DynamicAttr>(type.getEncoding()))
        return op->emitOpError("expected tensors without encoding or with one of weights, found ")
               << type;
    }
    return success();
  }
  if (!isa<func::CallOp, func::ReturnOp>(op) && !converter.isLegal(op))
    return op->emitOpError("expected rows, caches and encoded tensors in operations of llmc, calls "
                           "and returns alone");
  return success();
}

static LogicalResult checkParameter(ParameterOp parameter) {
  Type element = parameter.getTensorType().getElementType();
  if (!isa<FloatType>(element) && !element.isSignlessInteger())
    return parameter.emitOpError("expected elements of floating point or signless integers, found ")
           << element;
  return getParameterBytes(parameter);
}

namespace {

struct ConvertLLMCToLinalgPass
    : public llmc::impl::ConvertLLMCToLinalgBase<ConvertLLMCToLinalgPass> {
  using ConvertLLMCToLinalgBase::ConvertLLMCToLinalgBase;

  void runOnOperation() override {
    TypeConverter converter;
    populateLLMCToLinalgTypeConversions(converter);
    if (failed(check(converter)) || failed(returnCaches(getOperation())) ||
        failed(convert(converter)))
      return signalPassFailure();
    for (auto parameter : llvm::make_early_inc_range(getOperation().getOps<ParameterOp>()))
      parameter.erase();
  }

private:
  LogicalResult check(const TypeConverter &converter) {
    WalkResult result = getOperation().walk([&](Operation *op) -> WalkResult {
      if (auto parameter = dyn_cast<ParameterOp>(op))
        return checkParameter(parameter);
      return isa<func::FuncOp, ModuleOp>(op) ? WalkResult::advance()
                                             : WalkResult(checkOperation(op, converter));
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult convert(const TypeConverter &converter) {
    ConversionTarget target(getContext());
    target.addIllegalDialect<LLMCDialect>();
    target.addLegalOp<ParameterOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp function) {
      return converter.isSignatureLegal(function.getFunctionType());
    });
    target.markUnknownOpDynamicallyLegal([&](Operation *op) { return converter.isLegal(op); });
    RewritePatternSet patterns(&getContext());
    populateLLMCToLinalgPatterns(converter, patterns);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }
};

} // namespace
