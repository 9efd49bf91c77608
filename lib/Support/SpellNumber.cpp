//===- SpellNumber.cpp - numbers as people write them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/SpellNumber.h"

#include <array>
#include <charconv>

std::string llmc::spellNumber(double number) {
  std::array<char, 32> text; // no double takes more than 24
  return {text.data(), std::to_chars(text.begin(), text.end(), number).ptr};
}
