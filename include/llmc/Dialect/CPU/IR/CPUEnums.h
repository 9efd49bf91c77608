//===- CPUEnums.h - enumerations of the cpu dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_CPU_IR_CPUENUMS_H
#define LLMC_DIALECT_CPU_IR_CPUENUMS_H

#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/StringRef.h"

#include <optional>

#include "llmc/Dialect/CPU/IR/CPUEnums.h.inc"

#endif // LLMC_DIALECT_CPU_IR_CPUENUMS_H
