//===- Layers.h - where a layer of a model ends and the next begins ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A layer starts at the last place before its attention where a single activation is alive, which
// is all that it and what follows know of what came before. It ends where the next one starts.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_ANALYSIS_LAYERS_H
#define LLMC_ANALYSIS_LAYERS_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llmc {

/// Whether a value is rows of activations.
bool isActivations(mlir::Value value);

/// Operations that cost nothing, or only fill a cache: who needs their results can repeat them.
bool isRepeated(mlir::Operation *op);

/// A place in a list of operations where a single activation is alive.
struct NarrowPlace {
  mlir::Value value;
  int64_t position; ///< of the first operation that may come after
};

/// Where a layer starts.
struct LayerStart : NarrowPlace {
  int64_t attention; ///< the position of the layer's first attention
};

struct LayerStarts {
  llvm::SmallVector<LayerStart> starts;  ///< in the order of the program
  llvm::SmallVector<NarrowPlace> places; ///< all of them
  mlir::Value lastOutput; ///< the activation at the last of them before the last linear
};

/// Where layers start among operations of one function, in the order of the program.
LayerStarts findLayerStarts(llvm::ArrayRef<mlir::Operation *> operations);

/// A layer of a flat function.
struct Layer {
  mlir::Value input, output;                       ///< the activations at either end
  llvm::SmallVector<mlir::Operation *> operations; ///< between them, in the order of the program
};

/// The layers of a function without calls, of one block. The last ends where a single activation is
/// alive behind all that belongs to a block (Structure::getBlock).
std::vector<Layer> findLayers(mlir::func::FuncOp function);

} // namespace llmc

#endif // LLMC_ANALYSIS_LAYERS_H
