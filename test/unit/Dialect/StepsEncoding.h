//===- StepsEncoding.h - an encoding of caches that the compiler does not know ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_STEPSENCODING_H
#define LLMC_TEST_UNIT_DIALECT_STEPSENCODING_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

namespace llmc::test {

/// Four numbers share a step, a hundredth of the largest of them: (code − 100) · step.
class StepsAttr
    : public mlir::Attribute::AttrBase<StepsAttr, mlir::Attribute, mlir::AttributeStorage,
                                       EncodingInterface::Trait, CacheEncodingInterface::Trait> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(StepsAttr)
  using Base::Base;
  static constexpr llvm::StringLiteral name = "steps.hundred";
  static constexpr int64_t group = 4;

  llvm::SmallVector<Plane> getPlanes(llvm::ArrayRef<int64_t>) const {
    mlir::Builder builder(getContext());
    return {{"steps", builder.getF32Type(), 1, group}, {"codes", builder.getI8Type()}};
  }
  DecodeBuilder::Operands decode(DecodeBuilder &b,
                                 llvm::ArrayRef<DecodeBuilder::Operands> elements) const {
    return {b.multiply(b.toReal(b.subtract(elements[1][0], b.integer(100))), elements[0][0])};
  }
  DecodeBuilder::Operands encode(EncodeBuilder &b, DecodeBuilder::Operand number) const {
    DecodeBuilder::Operand step = b.divide(b.largest(b.absolute(number)), b.real(100));
    DecodeBuilder::Operand code = b.roundToInteger(b.divide(number, step), -100, 100);
    return {step, b.subtract(code, b.integer(-100))};
  }
};

/// Where it is `#steps.hundred`.
class StepsDialect : public mlir::Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(StepsDialect)
  explicit StepsDialect(mlir::MLIRContext *context)
      : Dialect(getDialectNamespace(), context, mlir::TypeID::get<StepsDialect>()) {
    addAttributes<StepsAttr>();
  }
  static constexpr llvm::StringLiteral getDialectNamespace() { return "steps"; }

  mlir::Attribute parseAttribute(mlir::DialectAsmParser &parser, mlir::Type) const override {
    return failed(parser.parseKeyword("hundred")) ? StepsAttr() : StepsAttr::get(getContext());
  }
  void printAttribute(mlir::Attribute, mlir::DialectAsmPrinter &printer) const override {
    printer << "hundred";
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_STEPSENCODING_H
