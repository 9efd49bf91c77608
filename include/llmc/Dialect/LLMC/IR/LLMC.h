//===- LLMC.h - declarations of the llmc dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMC_H
#define LLMC_DIALECT_LLMC_IR_LLMC_H

#include "llmc/Dialect/LLMC/IR/Plane.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <memory>

namespace mlir {
class ImplicitLocOpBuilder;
} // namespace mlir

namespace llmc {
class Formula;
class MappedFiles;
} // namespace llmc

#include "llmc/Dialect/LLMC/IR/LLMCDialect.h.inc"
#include "llmc/Dialect/LLMC/IR/LLMCEnums.h.inc"
#include "llmc/Dialect/LLMC/IR/LLMCInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/LLMC/IR/LLMCAttrs.h.inc"

namespace llmc {

/// The key vectors, or the value vectors, that a cache has of a position.
struct CacheVectors {
  int64_t heads, size;
  CacheEncodingInterface encoding;
};

} // namespace llmc

#define GET_TYPEDEF_CLASSES
#include "llmc/Dialect/LLMC/IR/LLMCTypes.h.inc"

#include "llmc/Dialect/LLMC/IR/LLMCOpInterfaces.h.inc"

#define GET_OP_CLASSES
#include "llmc/Dialect/LLMC/IR/LLMCOps.h.inc"

#endif // LLMC_DIALECT_LLMC_IR_LLMC_H
