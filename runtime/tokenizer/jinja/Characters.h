//===- Characters.h - characters as Python's strings see them -------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the classes and cases of characters that Python's string methods go by.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_CHARACTERS_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_CHARACTERS_H

#include "Unicode.h"

#include <string>
#include <string_view>

namespace llmc::tokenizer::jinja {

/// As str.isspace.
bool isSpace(char32_t character);
/// Where str.splitlines splits ("\r\n" counts as one).
bool isLineBreak(char32_t character);
bool isAlphabetic(char32_t character);
bool isDecimal(char32_t character);
bool isDigitCharacter(char32_t character);
bool isPrintable(char32_t character);
bool isUpper(char32_t character);
bool isLower(char32_t character);
bool isTitle(char32_t character);

enum class Case { Upper, Lower, Title };

/// Appends a character in another case, which may be several characters.
void appendCase(std::string &text, char32_t character, Case to);
/// Appends what a capital sigma becomes: at the end of a word it has a form of its own.
/// `before` and `after` are the text around it.
void appendLowerSigma(std::string &text, std::string_view before, std::string_view after);

/// The number of characters.
size_t countCharacters(std::string_view text);
/// The place of the character with this index, or the size if there are fewer.
size_t findCharacter(std::string_view text, size_t index);
/// The size of `text` without the spaces at its end.
size_t stripEnd(std::string_view text);

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_CHARACTERS_H
