//===- Description.h - what a compiled program says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITOBJECT_DESCRIPTION_H
#define LLMC_CONVERSION_EMITOBJECT_DESCRIPTION_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace llmc {

/// JSON: the model's file name, the passes, and for each parameter that is read its name, shape,
/// encoding, bytes in canonical form and bits per weight, and how inputs are rounded that it is
/// multiplied with.
std::string describe(mlir::ModuleOp module, llvm::StringRef input, llvm::StringRef passes);

} // namespace llmc

#endif // LLMC_CONVERSION_EMITOBJECT_DESCRIPTION_H
