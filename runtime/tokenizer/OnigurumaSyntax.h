//===- OnigurumaSyntax.h - regular expressions as tokenizer.json has them -===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the translation of Oniguruma's Ruby syntax, in which tokenizer.json writes regular
// expressions, to PCRE2's.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_ONIGURUMASYNTAX_H
#define LLMC_RUNTIME_TOKENIZER_ONIGURUMASYNTAX_H

#include "llmc/status.h"

#include <string>
#include <string_view>

namespace llmc::tokenizer {

/// Translates `pattern`, valid UTF-8. The result is to be compiled with PCRE2_UTF and without
/// PCRE2_UCP; it uses no escape whose meaning differs between the two engines: classes are spelled
/// out as Oniguruma defines them, nested classes and intersections become groups. What has no exact
/// counterpart is LLMC_UNSUPPORTED, what neither engine would take LLMC_CORRUPT.
llmc_status translateOniguruma(std::string_view pattern, std::string &translated);

/// The members of a PCRE2 class that are the words of Rust's `regex` package, in which the
/// Whitespace pre-tokenizer and the single_word option are defined.
inline constexpr const char *rustWordItems =
    "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}";

/// The members of a PCRE2 class that are the White_Space property.
inline constexpr const char *whitespaceItems =
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
    "\\x{205f}\\x{3000}";

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_ONIGURUMASYNTAX_H
