//===- SPMDEnums.h - enumerations of the spmd dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_SPMD_IR_SPMDENUMS_H
#define LLMC_DIALECT_SPMD_IR_SPMDENUMS_H

#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/StringRef.h"

#include <optional>

#include "llmc/Dialect/SPMD/IR/SPMDEnums.h.inc"

#endif // LLMC_DIALECT_SPMD_IR_SPMDENUMS_H
