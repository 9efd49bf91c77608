//===- StringLiteral.h - the escapes of string literals -------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_STRINGLITERAL_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_STRINGLITERAL_H

#include <string>
#include <string_view>

namespace llmc::tokenizer::jinja {

/// Gives the value of what stands between a literal's quotes, which is valid UTF-8. Throws Error
/// at `line`.
std::string unescape(std::string_view literal, int line);

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_STRINGLITERAL_H
