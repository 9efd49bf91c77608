//===- CPU.h - declarations of the cpu dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_CPU_IR_CPU_H
#define LLMC_DIALECT_CPU_IR_CPU_H

#include "llmc/Dialect/CPU/IR/CPUEnums.h"
#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#define GET_ATTRDEF_CLASSES
#include "llmc/Dialect/CPU/IR/CPUAttrs.h.inc"

#include "llmc/Dialect/CPU/IR/CPUDialect.h.inc"

#define GET_OP_CLASSES
#include "llmc/Dialect/CPU/IR/CPUOps.h.inc"

#endif // LLMC_DIALECT_CPU_IR_CPU_H
