//===- Compress.h - the phase compress: passes that the user chooses ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_COMPRESS_H
#define LLMC_PIPELINES_COMPRESS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <string>

namespace llmc {

/// What is done about the roundings of activations that a model and its passes state.
enum class Activation { Keep, None };

/// How caches of a model are stored whose weights the passes round, where none of them says it:
/// keys and values in f16, or as they are.
enum class Caches { Auto, Keep };

struct CompressOptions {
  std::string recipe; ///< as readRecipe() takes it; its passes come first
  std::string passes; ///< a pipeline as text; its passes have to be registered
  Activation activation = Activation::Keep;
  Caches caches = Caches::Auto;
};

/// Adds the passes of the phase, or says what is wrong with their text, by the option's name.
llvm::Error buildCompressPipeline(mlir::OpPassManager &manager, const CompressOptions &options);

/// Runs the phase on a module in the language of models, which keeps the text of the passes
/// (passesAttributeName), with `quantize-kv-cache` at the end where `caches` asks for it. Errors
/// are reported in the context.
mlir::LogicalResult compressModel(mlir::ModuleOp module, const CompressOptions &options);

} // namespace llmc

#endif // LLMC_PIPELINES_COMPRESS_H
