//===- Inputs.h - what a model's inputs are for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_INPUTS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_INPUTS_H

#include "llmc/Dialect/ONNX/IR/ONNX.h"

namespace llmc {

/// What an input of a decoder is for.
enum class InputRole { Tokens, Mask, Positions, CachePositions, UseCache, Past };

/// One input. A past tensor is batch × heads × past × size; a size of -1 is not stated.
struct ModelInput {
  InputRole role;
  int64_t heads = -1, headSize = -1;
};

/// The roles of all inputs, in order. Inputs whose role can't be told are reported all at once.
mlir::FailureOr<llvm::SmallVector<ModelInput>> classifyInputs(carrier::GraphOp graph);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_INPUTS_H
