//===- BytesEncoding.h - an encoding that the compiler does not know ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_BYTESENCODING_H
#define LLMC_TEST_UNIT_DIALECT_BYTESENCODING_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/DialectImplementation.h"

namespace llmc::test {

/// An encoding of whole numbers, a byte each.
class BytesAttr
    : public mlir::Attribute::AttrBase<BytesAttr, mlir::Attribute, mlir::AttributeStorage,
                                       EncodingInterface::Trait> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BytesAttr)
  using Base::Base;
  static constexpr llvm::StringLiteral name = "test.bytes";

  llvm::SmallVector<Plane> getPlanes(llvm::ArrayRef<int64_t>) const {
    return {{"numbers", mlir::IntegerType::get(getContext(), 8)}};
  }
  DecodeBuilder::Operands decode(DecodeBuilder &builder,
                                 llvm::ArrayRef<DecodeBuilder::Operands> elements) const {
    return {builder.toReal(elements[0][0])};
  }
};

/// Where it is `#test.bytes`.
class BytesDialect : public mlir::Dialect {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BytesDialect)
  explicit BytesDialect(mlir::MLIRContext *context)
      : Dialect(getDialectNamespace(), context, mlir::TypeID::get<BytesDialect>()) {
    addAttributes<BytesAttr>();
  }
  static constexpr llvm::StringLiteral getDialectNamespace() { return "test"; }

  mlir::Attribute parseAttribute(mlir::DialectAsmParser &parser, mlir::Type) const override {
    return failed(parser.parseKeyword("bytes")) ? BytesAttr() : BytesAttr::get(getContext());
  }
  void printAttribute(mlir::Attribute, mlir::DialectAsmPrinter &printer) const override {
    printer << "bytes";
  }
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_DIALECT_BYTESENCODING_H
