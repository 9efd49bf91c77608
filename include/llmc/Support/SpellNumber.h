//===- SpellNumber.h - numbers as people write them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_SPELLNUMBER_H
#define LLMC_SUPPORT_SPELLNUMBER_H

#include <string>

namespace llmc {

/// The shortest text that reads as this number: "2", "0.01", "1e-06". Diagnostics print all digits
/// of a float.
std::string spellNumber(double number);

} // namespace llmc

#endif // LLMC_SUPPORT_SPELLNUMBER_H
