//===- Strings.h - operations on text -------------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares what filters and methods of strings share. All of it keeps the marks of text that came
// from messages, and works on characters as Python does.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_STRINGS_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_STRINGS_H

#include "Characters.h"
#include "Value.h"

namespace llmc::tokenizer::jinja {

enum class Side { Both, Left, Right };

/// Without the characters of `set` at its ends; a null set stands for spaces.
Text strip(const Text &text, const Text *set, Side side, Heap &heap);
/// In another case, all characters alike.
Text changeCase(const Text &text, Case to, Heap &heap);
/// The first character of each word in one case and the rest in lower case. Where a word begins is
/// said by `beginsAfter`, which sees the character before (0 at the beginning of the text).
Text changeWords(const Text &text, Case first, bool (*beginsAfter)(char32_t before), Heap &heap);
/// The first character in title case, the rest in lower case.
Text capitalize(const Text &text, Heap &heap);
/// With `count` of the places where `from` stands replaced at most; negative stands for all.
Text replace(const Text &text, const Text &from, const Text &to, int64_t count, Heap &heap);
/// The pieces between `separator`, at most `limit` splits if it isn't negative, from the left.
std::vector<Value> split(const Text &text, const Text &separator, int64_t limit, Heap &heap);
std::vector<Value> splitFromRight(const Text &text, const Text &separator, int64_t limit,
                                  Heap &heap);
/// The pieces between runs of spaces.
std::vector<Value> splitAtSpaces(const Text &text, int64_t limit, Heap &heap);
std::vector<Value> splitAtSpacesFromRight(const Text &text, int64_t limit, Heap &heap);
std::vector<Value> splitLines(const Text &text, bool keepsEnds, Heap &heap);
/// The texts of `parts`, which are made texts if `converts` and must be texts otherwise.
Text join(const Text &separator, const std::vector<Value> &parts, bool converts, Heap &heap);

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_STRINGS_H
