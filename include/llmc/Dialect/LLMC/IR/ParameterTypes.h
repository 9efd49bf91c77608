//===- ParameterTypes.h - which types the value of a parameter may have ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_PARAMETERTYPES_H
#define LLMC_DIALECT_LLMC_IR_PARAMETERTYPES_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// Whether the value of a parameter may have this type: the parameter's own, or the same of which
/// more weights may be kept, where it is masked.
bool hasValueOfType(ParameterOp parameter, mlir::Type type);

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_PARAMETERTYPES_H
