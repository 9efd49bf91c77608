//===- LayerPruning.h - whole layers that go or share their weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_LAYERPRUNING_H
#define LLMC_TRANSFORMS_PRUNING_LAYERPRUNING_H

#include "llmc/Analysis/Layers.h"

namespace llmc {

/// The function @step of a flat module and its layers; reports at the module where there is none.
mlir::FailureOr<std::vector<Layer>> findStepLayers(mlir::ModuleOp module);

/// Reports at the layer's first operation why a layer can't be left out, if so.
mlir::LogicalResult checkDroppable(const Layer &layer);

/// Lets what reads a layer's output read its input, and erases its operations, and the caches and
/// parameters that nothing else reads. The layer's values are gone afterwards; the output of the
/// layer before stands for its own, also in `layers`, where those behind read it.
void dropLayer(mlir::func::FuncOp step, llvm::MutableArrayRef<Layer> layers, size_t index);

/// What a layer reads of parameters: an operand of one of its operations.
struct ParameterRead {
  mlir::Operation *op;
  unsigned operand;
  ParameterOp parameter;
};

/// In the order of the operations.
llvm::SmallVector<ParameterRead> findParameterReads(const Layer &layer);

/// The name of the first parameter that a layer reads, by which people know it.
llvm::StringRef getFirstParameter(const Layer &layer);

/// Lets layers read the parameters of the first of them, whose values are the means of all where
/// `mean` is asked for, and erases those that nothing reads then. Reports at the layer that differs
/// where they don't read the same in the same places.
mlir::LogicalResult shareParameters(llvm::ArrayRef<Layer> layers, bool mean);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_LAYERPRUNING_H
