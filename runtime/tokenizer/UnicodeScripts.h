//===- UnicodeScripts.h - runs of one script -----------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the regular expression that finds runs of one script in a text.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_UNICODESCRIPTS_H
#define LLMC_RUNTIME_TOKENIZER_UNICODESCRIPTS_H

#include <string>

namespace llmc::tokenizer {

/// Makes an expression in PCRE2's syntax that matches a run of characters of one script, and of
/// characters without one, and spaces, after the first. The scripts are those of Unicode 9, in
/// which SentencePiece takes Hiragana and Katakana for Han.
std::string makeScriptRuns();

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_UNICODESCRIPTS_H
