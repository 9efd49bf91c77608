//===- Dialects.h - all dialects that a model passes through ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_DIALECTS_H
#define LLMC_PIPELINES_DIALECTS_H

#include "mlir/IR/DialectRegistry.h"

namespace llmc {

/// Adds llmc's dialects and all others that its passes and conversions make, so that whatever a
/// pass has written can be read again.
void insertAllDialects(mlir::DialectRegistry &registry);

} // namespace llmc

#endif // LLMC_PIPELINES_DIALECTS_H
