//===- ConvertParameters.cpp - parameters as constants ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace llmc;

/// The bytes of a parameter as a constant of `type`, which takes as many. Those of a mapped file
/// are not copied.
static FailureOr<Value> makeConstant(ImplicitLocOpBuilder &builder, ParameterOp parameter,
                                     RankedTensorType type) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(parameter.getData()))
    return arith::ConstantOp::create(builder,
                                     DenseResourceElementsAttr::get(type, resource.getRawHandle()))
        .getResult();
  FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
  if (failed(bytes))
    return failure();
  AsmResourceBlob blob = UnmanagedAsmResourceBlob::allocateWithAlign(
      ArrayRef<char>(reinterpret_cast<const char *>(bytes->data()), bytes->size()), /*align=*/1);
  return arith::ConstantOp::create(
             builder, DenseResourceElementsAttr::get(type, parameter.getSymName(), std::move(blob)))
      .getResult();
}

/// A tensor of `type` whose elements stand `strides` apart in `flat`.
static Value readStrided(Formula &formula, Value flat, RankedTensorType type,
                         ArrayRef<int64_t> strides) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : type.getShape())
    sizes.push_back(formula.size(size));
  return formula.forEach(
      sizes, type.getElementType(), {}, [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        Value place = arith::ConstantIndexOp::create(b, 0);
        for (auto [dim, stride] : llvm::enumerate(strides)) {
          Value index = linalg::IndexOp::create(b, dim);
          Value step = arith::ConstantIndexOp::create(b, stride);
          place = arith::AddIOp::create(b, place, arith::MulIOp::create(b, index, step));
        }
        return tensor::ExtractOp::create(b, flat, place);
      });
}

namespace {

struct ConvertParameterValue : OpConversionPattern<ParameterValueOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ParameterValueOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto parameter = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(op, op.getParameterAttr());
    if (!parameter)
      return failure();
    FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
    if (failed(bytes))
      return failure();
    Formula formula(rewriter, op.getLoc());
    RankedTensorType type = parameter.getTensorType();
    auto encoding = dyn_cast_or_null<EncodingInterface>(type.getEncoding());
    ArrayRef<int64_t> strides;
    if (auto file = dyn_cast<FileAttr>(parameter.getData()))
      strides = file.getStrides();
    // What the constant is of: the tensor itself, or what it is read from.
    RankedTensorType stored = type;
    int64_t size = bytes->size();
    if (encoding)
      stored = RankedTensorType::get({size}, rewriter.getI8Type());
    else if (!strides.empty())
      stored = RankedTensorType::get({size / (type.getElementTypeBitWidth() / 8)},
                                     type.getElementType());
    FailureOr<Value> constant = makeConstant(formula.getBuilder(), parameter, stored);
    if (failed(constant))
      return failure();
    Value result = *constant;
    if (encoding)
      result = encoding.buildValues(formula, type.getShape(), result);
    else if (!strides.empty())
      result = readStrided(formula, result, type, strides);
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

void llmc::populateParameterPatterns(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<ConvertParameterValue>(converter, patterns.getContext());
}
