//===- CacheInputs.h - inputs that hold a cache, whatever their layout ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Exporters give the keys and values of a layer as two tensors of batch × heads × past × size, and
// also as batch × past × heads × size, as one tensor of two halves, or without a batch.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_CACHEINPUTS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_CACHEINPUTS_H

#include "Graph/Inputs.h"

#include "mlir/IR/BuiltinTypes.h"

namespace llmc {

/// What each axis of a float input is, if the input is a cache by its name or by its uses.
std::optional<llvm::SmallVector<int>> findCacheAxes(llvm::StringRef name,
                                                    mlir::BlockArgument argument,
                                                    mlir::RankedTensorType type,
                                                    mlir::ArrayAttr dims);

/// The input that such axes make.
ModelInput makeCacheInput(mlir::RankedTensorType type, mlir::ArrayAttr dims,
                          llvm::ArrayRef<int> axes);

/// Reports caches of a fixed length.
mlir::LogicalResult checkCacheLengths(carrier::GraphOp graph, llvm::ArrayRef<ModelInput> inputs);

/// Gives the graph one plain input for every cache: those of another layout are computed from
/// them, and their inputs go away. `inputs` then has the new ones in the same places.
void splitCacheInputs(carrier::GraphOp graph, llvm::SmallVectorImpl<ModelInput> &inputs);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_CACHEINPUTS_H
