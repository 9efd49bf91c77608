//===- ControlTokens.h - tokens that text must never become --------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares which tokens direct a model and are no part of a text.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_CONTROLTOKENS_H
#define LLMC_RUNTIME_TOKENIZER_CONTROLTOKENS_H

#include "AddedTokens.h"
#include "Model.h"
#include "PostProcessor.h"
#include "TokenizerConfig.h"

namespace llmc::tokenizer {

/// Names to `model` the control tokens that stand in its vocabulary, so that it never makes them of
/// plain text: added tokens, those of the post-processor, those that tokenizer_config.json names,
/// the marks of the chat template, and whatever is written <|like this|>.
void withholdControlTokens(const AddedTokens &addedTokens, const PostProcessor &postProcessor,
                           const TokenizerConfig &config, Model &model);

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_CONTROLTOKENS_H
