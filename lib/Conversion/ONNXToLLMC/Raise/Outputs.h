//===- Outputs.h - the end of the function that a raise builds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_OUTPUTS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_OUTPUTS_H

#include "mlir/Support/LLVM.h"

namespace llmc {

class Raise;

/// Ends the function with the model's logits.
mlir::LogicalResult emitOutputs(Raise &raise);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_OUTPUTS_H
