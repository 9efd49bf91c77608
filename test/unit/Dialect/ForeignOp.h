//===- ForeignOp.h - an operation that the compiler does not know ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_FOREIGNOP_H
#define LLMC_TEST_UNIT_DIALECT_FOREIGNOP_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace llmc::test {

/// x / (1 + |x|) of every element: `"foreign.softsign"(%x)`. It says for plans that it keeps rows
/// apart, and by upstream's interface what it means.
class SoftsignOp
    : public mlir::Op<SoftsignOp, mlir::OpTrait::ZeroRegions, mlir::OpTrait::OneResult,
                      mlir::OpTrait::OneTypedResult<mlir::RankedTensorType>::Impl,
                      mlir::OpTrait::ZeroSuccessors, mlir::OpTrait::OneOperand,
                      StageOpInterface::Trait, mlir::linalg::AggregatedOpInterface::Trait> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SoftsignOp)
  using Op::Op;
  static llvm::StringRef getOperationName() { return "foreign.softsign"; }
  static llvm::ArrayRef<llvm::StringRef> getAttributeNames() { return {}; }

  llvm::SmallVector<mlir::Value> getRowOperands() { return {getOperand()}; }

  mlir::FailureOr<llvm::SmallVector<mlir::Value>> decomposeOperation(mlir::OpBuilder &builder) {
    mlir::Location location = getLoc();
    auto type = llvm::cast<mlir::RankedTensorType>(getType());
    mlir::Value empty = mlir::tensor::EmptyOp::create(
        builder, location, mlir::tensor::getMixedSizes(builder, location, getOperand()),
        type.getElementType());
    llvm::SmallVector<mlir::AffineMap> maps(2, builder.getMultiDimIdentityMap(type.getRank()));
    llvm::SmallVector<mlir::utils::IteratorType> loops(type.getRank(),
                                                       mlir::utils::IteratorType::parallel);
    auto body = [](mlir::OpBuilder &b, mlir::Location at, mlir::ValueRange v) {
      mlir::Value one = mlir::arith::ConstantOp::create(b, at, b.getF32FloatAttr(1));
      mlir::Value size = mlir::math::AbsFOp::create(b, at, v[0]);
      mlir::Value below = mlir::arith::AddFOp::create(b, at, one, size);
      mlir::Value result = mlir::arith::DivFOp::create(b, at, v[0], below);
      mlir::linalg::YieldOp::create(b, at, result);
    };
    return llvm::SmallVector<mlir::Value>(mlir::linalg::GenericOp::create(builder, location, type,
                                                                          getOperand(), empty, maps,
                                                                          loops, body)
                                              .getResults());
  }
};

/// Where it stands.
class ForeignDialect : public mlir::Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ForeignDialect)
  explicit ForeignDialect(mlir::MLIRContext *context)
      : Dialect(getDialectNamespace(), context, mlir::TypeID::get<ForeignDialect>()) {
    addOperations<SoftsignOp>();
  }
  static constexpr llvm::StringLiteral getDialectNamespace() { return "foreign"; }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_FOREIGNOP_H
