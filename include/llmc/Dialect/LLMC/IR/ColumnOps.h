//===- ColumnOps.h - operations that choose columns ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_COLUMNOPS_H
#define LLMC_DIALECT_LLMC_IR_COLUMNOPS_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#define GET_OP_CLASSES
#include "llmc/Dialect/LLMC/IR/ColumnOps.h.inc"

#endif // LLMC_DIALECT_LLMC_IR_COLUMNOPS_H
