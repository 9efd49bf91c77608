//===- TakenBytes.h - bytes of an integer in another order, in plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_DIALECT_LLMC_IR_TAKENBYTES_H
#define LLMC_LIB_DIALECT_LLMC_IR_TAKENBYTES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace llmc {

/// The meaning of DecodeBuilder::takeBytes, of two i32.
inline mlir::Value buildTakenBytes(mlir::ImplicitLocOpBuilder &b, mlir::Value bytes,
                                   mlir::Value places) {
  using namespace mlir::arith;
  auto integer = [&](int64_t value) -> mlir::Value {
    return ConstantIntOp::create(b, value, 32).getResult();
  };
  mlir::Value result = integer(0), three = integer(3), all = integer(255);
  for (int64_t byte = 0; byte < 4; ++byte) {
    mlir::Value at = integer(8 * byte);
    mlir::Value place = AndIOp::create(b, ShRUIOp::create(b, places, at), three);
    mlir::Value bits = ShLIOp::create(b, place, three);
    mlir::Value taken = AndIOp::create(b, ShRUIOp::create(b, bytes, bits), all);
    result = AddIOp::create(b, result, ShLIOp::create(b, taken, at));
  }
  return result;
}

} // namespace llmc

#endif // LLMC_LIB_DIALECT_LLMC_IR_TAKENBYTES_H
