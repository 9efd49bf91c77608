//===- ByteTokens.h - the tokens that stand for one byte -----------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the tokens <0x00> to <0xFF>, which models write unknown characters with.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_BYTETOKENS_H
#define LLMC_RUNTIME_TOKENIZER_BYTETOKENS_H

#include "Vocabulary.h"

#include <array>
#include <cstdio>

namespace llmc::tokenizer {

/// Gives the id of each byte's token; -1 where there is none.
inline std::array<int32_t, 256> findByteTokens(const Vocabulary &vocabulary) {
  std::array<int32_t, 256> ids;
  for (unsigned byte = 0; byte < ids.size(); ++byte) {
    char name[8];
    std::snprintf(name, sizeof(name), "<0x%02X>", byte);
    ids[byte] = vocabulary.find(name);
  }
  return ids;
}

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_BYTETOKENS_H
