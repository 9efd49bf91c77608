//===- PassOutputs.h - files that passes write beside the module ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_PASSOUTPUTS_H
#define LLMC_SUPPORT_PASSOUTPUTS_H

#include "llmc/Support/OutputPaths.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Refuses outputs of a pass, those that have a path, that lie where the module was read from, a
/// file of its tensors, its tokenizer, one of the other `inputs` that have a path, or another
/// output. Reports at the module.
mlir::LogicalResult checkPassOutputs(mlir::ModuleOp module, llvm::ArrayRef<NamedPath> outputs,
                                     llvm::ArrayRef<NamedPath> inputs);

} // namespace llmc

#endif // LLMC_SUPPORT_PASSOUTPUTS_H
