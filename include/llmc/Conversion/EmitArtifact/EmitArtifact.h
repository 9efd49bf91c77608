//===- EmitArtifact.h - a model in one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITARTIFACT_EMITARTIFACT_H
#define LLMC_CONVERSION_EMITARTIFACT_EMITARTIFACT_H

#include "llmc/Conversion/EmitObject/EmitObject.h"

namespace llmc {

struct ArtifactOptions {
  llvm::SmallVector<Target> targets; ///< one image each; of different architectures
  int64_t maxRows = 128;
  llvm::json::Object description;
  /// Files that go along, such as tokenizer.json: names, of less than 96 bytes, and contents. There
  /// is room for some 60.
  llvm::SmallVector<std::pair<std::string, std::string>> files;
};

/// Compiles `module` and writes an artifact (runtime/include/llmc/artifact.h) to `path`.
llvm::Error emitArtifact(mlir::ModuleOp module, const ArtifactOptions &options,
                         llvm::StringRef path);

/// Links an object into a shared image.
llvm::Expected<llvm::SmallVector<char, 0>> linkImage(llvm::ArrayRef<char> object,
                                                     const llvm::Triple &triple);

} // namespace llmc

#endif // LLMC_CONVERSION_EMITARTIFACT_EMITARTIFACT_H
