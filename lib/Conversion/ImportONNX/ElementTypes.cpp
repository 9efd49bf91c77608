//===- ElementTypes.cpp - ONNX's types of elements and MLIR's ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/ImportONNX/ElementTypes.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

/// The last TensorProto::DataType that has elements: INT2.
static constexpr int32_t lastDataType = 26;

Type llmc::getElementType(int32_t dataType, MLIRContext *context) {
  Builder builder(context);
  switch (dataType) {
  case 1: // FLOAT
    return builder.getF32Type();
  case 2: // UINT8
    return builder.getIntegerType(8, /*isSigned=*/false);
  case 3: // INT8
    return builder.getI8Type();
  case 4: // UINT16
    return builder.getIntegerType(16, /*isSigned=*/false);
  case 5: // INT16
    return builder.getI16Type();
  case 6: // INT32
    return builder.getI32Type();
  case 7: // INT64
    return builder.getI64Type();
  case 8: // STRING
    return carrier::StringType::get(context);
  case 9: // BOOL
    return builder.getI1Type();
  case 10: // FLOAT16
    return builder.getF16Type();
  case 11: // DOUBLE
    return builder.getF64Type();
  case 12: // UINT32
    return builder.getIntegerType(32, /*isSigned=*/false);
  case 13: // UINT64
    return builder.getIntegerType(64, /*isSigned=*/false);
  case 14: // COMPLEX64
    return ComplexType::get(builder.getF32Type());
  case 15: // COMPLEX128
    return ComplexType::get(builder.getF64Type());
  case 16: // BFLOAT16
    return builder.getBF16Type();
  case 17: // FLOAT8E4M3FN
    return builder.getType<Float8E4M3FNType>();
  case 18: // FLOAT8E4M3FNUZ
    return builder.getType<Float8E4M3FNUZType>();
  case 19: // FLOAT8E5M2
    return builder.getType<Float8E5M2Type>();
  case 20: // FLOAT8E5M2FNUZ
    return builder.getType<Float8E5M2FNUZType>();
  case 21: // UINT4
    return builder.getIntegerType(4, /*isSigned=*/false);
  case 22: // INT4
    return builder.getIntegerType(4);
  case 23: // FLOAT4E2M1
    return builder.getType<Float4E2M1FNType>();
  case 24: // FLOAT8E8M0
    return builder.getType<Float8E8M0FNUType>();
  case 25: // UINT2
    return builder.getIntegerType(2, /*isSigned=*/false);
  case 26: // INT2
    return builder.getIntegerType(2);
  default:
    return {};
  }
}

int32_t llmc::getDataType(Type element) {
  for (int32_t dataType = 1; dataType <= lastDataType; ++dataType)
    if (getElementType(dataType, element.getContext()) == element)
      return dataType;
  return 0;
}

int64_t llmc::getStorageBits(Type element) {
  if (element.isInteger(1))
    return 8;
  if (auto complex = dyn_cast<ComplexType>(element))
    return 2 * complex.getElementType().getIntOrFloatBitWidth();
  return element.getIntOrFloatBitWidth();
}
