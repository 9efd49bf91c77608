//===- CharacterAge.h - characters that older tables do not have ---------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares which characters came to Unicode after versions that the reference's tables are of.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_CHARACTERAGE_H
#define LLMC_RUNTIME_TOKENIZER_CHARACTERAGE_H

#include <string>

namespace llmc::tokenizer {

/// Whether a mark, punctuation or control character came after Unicode 8, of which the reference's
/// BERT and Punctuation steps are.
bool isNewerThanUnicode8(char32_t character);
/// Whether an assigned character came after Unicode 9, of which the reference's scripts and its
/// StripAccents are.
bool isNewerThanUnicode9(char32_t character);
/// Whether a character that has a decomposition came after Unicode 12, of which the reference's
/// normal forms are.
bool isNewerThanUnicode12(char32_t character);

/// The members of a PCRE2 class that came after Unicode 9.
std::string makeNewerThanUnicode9Items();

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_CHARACTERAGE_H
