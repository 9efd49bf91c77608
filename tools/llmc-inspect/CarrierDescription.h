//===- CarrierDescription.h - what an ONNX model says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_INSPECT_CARRIERDESCRIPTION_H
#define LLMC_TOOLS_LLMC_INSPECT_CARRIERDESCRIPTION_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace llmc {

/// Versions, who made it, inputs and outputs, how many nodes of which operator, bytes of its
/// initializers, and as `parameters` each of these.
llvm::json::Object describeCarrier(mlir::ModuleOp module);

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_INSPECT_CARRIERDESCRIPTION_H
