//===- ElementTypes.h - ONNX's types of elements and MLIR's ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_IMPORTONNX_ELEMENTTYPES_H
#define LLMC_CONVERSION_IMPORTONNX_ELEMENTTYPES_H

#include "mlir/IR/Types.h"

#include <cstdint>

namespace llmc {

/// The element type for a TensorProto::DataType, or null for those without one.
mlir::Type getElementType(int32_t dataType, mlir::MLIRContext *context);

/// The TensorProto::DataType for an element type, or 0 (undefined).
int32_t getDataType(mlir::Type element);

/// Bits that a number takes in a file.
int64_t getStorageBits(mlir::Type element);

} // namespace llmc

#endif // LLMC_CONVERSION_IMPORTONNX_ELEMENTTYPES_H
