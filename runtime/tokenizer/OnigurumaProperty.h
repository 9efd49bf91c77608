//===- OnigurumaProperty.h - the named character classes of Oniguruma -----===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the look-up of \p{…} and [:…:] names.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_ONIGURUMAPROPERTY_H
#define LLMC_RUNTIME_TOKENIZER_ONIGURUMAPROPERTY_H

#include <optional>
#include <string>
#include <string_view>

namespace llmc::tokenizer {

/// A set of characters as members of a PCRE2 class.
struct PropertyItems {
  std::string items;
  /// Whether the set tells upper from lower case.
  bool isCased = false;
};

/// Finds the property of `\p{name}`: a general category, a script, a class of POSIX or one of a few
/// binary properties; case, spaces, '-' and '_' don't matter.
std::optional<PropertyItems> findProperty(std::string_view name);

/// Finds the class of `[:name:]`.
std::optional<PropertyItems> findPosixClass(std::string_view name);

/// The members of a PCRE2 class that are \w.
extern const char *const onigurumaWordItems;

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_ONIGURUMAPROPERTY_H
