//===- Families.h - small decoders of several families ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two layers of width 64 with a vocabulary of 48, their blocks one function that is called twice.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_COMPOSITION_FAMILIES_H
#define LLMC_TEST_UNIT_COMPOSITION_FAMILIES_H

#include <string>

namespace llmc::test {

enum class Family {
  Llama, ///< RMS norms, shared key/value heads, rotation, a gated MLP, a head of its own
  GPT2,  ///< layer norms and biases, one matrix for q, k and v, an MLP without gate, a tied head
  Gemma, ///< a scaled embedding, norms before and behind, of queries and keys, a tied head
  NeoX   ///< attention and MLP side by side, biases, a part of each head rotated
};

/// The module, whose parameters lie in "random".
std::string writeModel(Family family);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_COMPOSITION_FAMILIES_H
