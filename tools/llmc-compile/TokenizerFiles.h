//===- TokenizerFiles.h - the tokenizer that an artifact carries ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_COMPILE_TOKENIZERFILES_H
#define LLMC_TOOLS_LLMC_COMPILE_TOKENIZERFILES_H

#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"

#include "llvm/Support/Error.h"

#include <string>

namespace llmc {

/// Adds tokenizer.json, which must be one that the runtime can read, and tokenizer_config.json
/// beside it. `named` is the file or its folder; where it is empty, the tokenizer is looked for
/// beside `model`, then beside the first of the parameters' files, and a warning says so where
/// there is none. Gives the path of tokenizer.json, or an empty one.
llvm::Expected<std::string> addTokenizer(llvm::StringRef model,
                                         llvm::ArrayRef<std::string> parameterFiles,
                                         llvm::StringRef named, std::vector<ArtifactFile> &files);

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_COMPILE_TOKENIZERFILES_H
