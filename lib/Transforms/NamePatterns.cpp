//===- NamePatterns.cpp - regular expressions over the names of parameters ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/NamePatterns.h"

using namespace mlir;
using namespace llmc;

FailureOr<NamePatterns> NamePatterns::get(Location location, StringRef option,
                                          ArrayRef<std::string> texts, bool whole) {
  NamePatterns result;
  result.option = option;
  for (const std::string &text : texts) {
    std::string message;
    if (!result.expressions.emplace_back(whole ? "^(" + text + ")$" : text).isValid(message))
      return emitError(location) << option << ": expected a regular expression, found '" << text
                                 << "': " << message;
    result.texts.push_back(text);
    result.used.push_back(false);
  }
  return result;
}

std::optional<size_t> NamePatterns::match(StringRef name) {
  std::optional<size_t> first;
  for (size_t index = 0; index < expressions.size(); ++index) {
    if (!expressions[index].match(name))
      continue;
    used[index] = true;
    if (!first)
      first = index;
  }
  return first;
}

void NamePatterns::warnOfUnused(ModuleOp module, StringRef what) const {
  for (auto [text, matched] : llvm::zip(texts, used))
    if (!matched)
      module.emitWarning() << option << ": no " << what << " matches '" << text << "'";
}
