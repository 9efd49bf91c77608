//===- SPMD.h - declarations of the spmd dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_SPMD_IR_SPMD_H
#define LLMC_DIALECT_SPMD_IR_SPMD_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "llmc/Dialect/SPMD/IR/SPMDEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/SPMD/IR/SPMDAttrs.h.inc"

#include "llmc/Dialect/SPMD/IR/SPMDDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "llmc/Dialect/SPMD/IR/SPMDTypes.h.inc"

#define GET_OP_CLASSES
#include "llmc/Dialect/SPMD/IR/SPMDOps.h.inc"

#endif // LLMC_DIALECT_SPMD_IR_SPMD_H
