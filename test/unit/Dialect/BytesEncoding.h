//===- BytesEncoding.h - an encoding that the compiler does not know ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_DIALECT_BYTESENCODING_H
#define LLMC_TEST_UNIT_DIALECT_BYTESENCODING_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/Formula.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

namespace llmc::test {

/// An encoding of whole numbers, a byte each, that has tiles but no decode step.
class BytesAttr
    : public mlir::Attribute::AttrBase<BytesAttr, mlir::Attribute, mlir::AttributeStorage,
                                       EncodingInterface::Trait> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BytesAttr)
  using Base::Base;
  static constexpr llvm::StringLiteral name = "test.bytes";

  llvm::FailureOr<int64_t> getByteSize(llvm::ArrayRef<int64_t> shape,
                                       llvm::function_ref<mlir::InFlightDiagnostic()>) const {
    return shape[0] * shape[1];
  }
  void decodeRow(llvm::ArrayRef<uint8_t> bytes, llvm::ArrayRef<int64_t> shape, int64_t row,
                 llvm::MutableArrayRef<float> values) const {
    llvm::copy(bytes.slice(row * shape[1], shape[1]), values.begin());
  }
  mlir::Value buildValues(Formula &formula, llvm::ArrayRef<int64_t> shape,
                          mlir::Value bytes) const {
    mlir::AffineExpr r = formula.dim(0), c = formula.dim(1);
    mlir::Type f32 = formula.getBuilder().getF32Type();
    return formula.forEach({formula.size(shape[0]), formula.size(shape[1])}, f32,
                           {{bytes, {r * shape[1] + c}}},
                           [&](mlir::ImplicitLocOpBuilder &b, mlir::ValueRange v) -> mlir::Value {
                             return mlir::arith::UIToFPOp::create(b, f32, v[0]);
                           });
  }
  double getBitsPerWeight(llvm::ArrayRef<int64_t>) const { return 8; }
  int64_t getTileBytes(int64_t columns) const { return llvm::alignTo(16 * columns, 64); }
  void packTile(llvm::ArrayRef<uint8_t> bytes, llvm::ArrayRef<int64_t> shape, int64_t tile,
                uint8_t *out) const {
    std::memset(out, 0, getTileBytes(shape[1]));
    llvm::ArrayRef<uint8_t> rest = bytes.drop_front(tile * 16 * shape[1]);
    llvm::copy(rest.take_front(std::min<size_t>(rest.size(), 16 * shape[1])), out);
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
