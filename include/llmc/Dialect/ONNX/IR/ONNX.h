//===- ONNX.h - declarations of the onnx dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_ONNX_IR_ONNX_H
#define LLMC_DIALECT_ONNX_IR_ONNX_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llmc/Dialect/ONNX/IR/ONNXDialect.h.inc"

namespace llmc::carrier {

/// Nodes that a model may have, those in subgraphs and in its functions' calls included: many times
/// what the largest models have, and no more than can be handled in seconds.
inline constexpr int64_t maxNodes = int64_t(1) << 18;

/// Operator set versions of the default domain that are understood.
inline constexpr int64_t minOpset = 13, maxOpset = 25;

/// The attribute of a node or function that says which of a function's overloads it is.
inline constexpr llvm::StringLiteral overloadName = "overload";

/// The attribute of a node that says in which version of its operator set it is written, where that
/// is another than the model's.
inline constexpr llvm::StringLiteral opsetName = "opset";

/// The symbol of a function that a model defines.
std::string getFunctionSymbol(llvm::StringRef domain, llvm::StringRef name,
                              llvm::StringRef overload);

} // namespace llmc::carrier

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/ONNX/IR/ONNXAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "llmc/Dialect/ONNX/IR/ONNXTypes.h.inc"

#define GET_OP_CLASSES
#include "llmc/Dialect/ONNX/IR/ONNXOps.h.inc"

#endif // LLMC_DIALECT_ONNX_IR_ONNX_H
