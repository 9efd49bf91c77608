//===- TokenizerFiles.h - the tokenizer that an artifact carries ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_PIPELINES_TOKENIZERFILES_H
#define LLMC_LIB_PIPELINES_TOKENIZERFILES_H

#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"

#include "llvm/Support/Error.h"

#include <string>

namespace llmc {

/// The path of tokenizer.json: `named`, which is the file or its folder, or else one beside `model`
/// or beside one of the parameters' files. Empty where there is none.
std::string findTokenizer(llvm::StringRef model, llvm::ArrayRef<std::string> parameterFiles,
                          llvm::StringRef named);

/// Adds the tokenizer.json at `path` and what else beside it says how the model's texts are
/// written: tokenizer_config.json, generation_config.json, config.json and the chat template, which
/// is `chatTemplate` where that names a file. What the runtime could not read is left out, with its
/// reason in `warnings`: a model is of use without it. Fails where a file that is named isn't
/// there.
llvm::Error addTokenizer(llvm::StringRef path, llvm::StringRef chatTemplate,
                         std::vector<ArtifactFile> &files, std::vector<std::string> &warnings);

} // namespace llmc

#endif // LLMC_LIB_PIPELINES_TOKENIZERFILES_H
