//===- EmitArtifact.h - a model in one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITARTIFACT_EMITARTIFACT_H
#define LLMC_CONVERSION_EMITARTIFACT_EMITARTIFACT_H

#include "llmc/Conversion/EmitPTX/EmitCUDAImages.h"

namespace llmc {

/// A file that goes along, such as tokenizer.json: a name of less than 96 bytes, and contents.
using ArtifactFile = std::pair<std::string, std::string>;

/// Compiles `planned`, programs of the same model, one for each architecture of CPUs and of GPUs,
/// and writes an artifact (runtime/include/llmc/artifact.h) to `path`. There is room for some 40
/// files.
llvm::Error emitArtifact(llvm::ArrayRef<mlir::ModuleOp> planned, llvm::ArrayRef<ArtifactFile> files,
                         llvm::StringRef path, const Assembler &assembler = {});

/// Whether targets can go in one artifact: the runtime takes the image of its architecture, so that
/// a second one would never run.
llvm::Error checkArtifactTargets(llvm::ArrayRef<Target> targets);

/// Links an object into a shared image.
llvm::Expected<llvm::SmallVector<char, 0>> linkImage(llvm::ArrayRef<char> object,
                                                     const llvm::Triple &triple);

} // namespace llmc

#endif // LLMC_CONVERSION_EMITARTIFACT_EMITARTIFACT_H
