//===- WordStages.h - decoding tokens that are parts of words ------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the stages of decoding that put words together.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_WORDSTAGES_H
#define LLMC_RUNTIME_TOKENIZER_WORDSTAGES_H

#include "DecodeStage.h"

#include <memory>

namespace llmc::tokenizer {

/// Turns the suffix that ends a word into a space, but for the last token.
std::unique_ptr<DecodeStage> makeSuffixStage(DecodeStage &next, const std::string &suffix);

/// Takes the prefix off tokens that go on with a word, and puts a space before the others.
std::unique_ptr<DecodeStage> makeWordPieceStage(DecodeStage &next, const std::string &prefix,
                                                bool cleansUp);

/// Reads what connectionist temporal classification writes: of equal tokens in a row one counts,
/// `padding` is nothing, and `delimiter` stands between words.
std::unique_ptr<DecodeStage> makeCtcStage(DecodeStage &next, const std::string &padding,
                                          const std::string &delimiter, bool cleansUp);

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_WORDSTAGES_H
