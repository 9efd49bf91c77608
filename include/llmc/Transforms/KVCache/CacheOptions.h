//===- CacheOptions.h - what passes over caches let one choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_CACHEOPTIONS_H
#define LLMC_TRANSFORMS_KVCACHE_CACHEOPTIONS_H

#include "llmc/Support/ChoiceParser.h"

namespace llmc {

/// How keys or values are stored.
enum class CacheFormat { F32, F16 };

} // namespace llmc

template <>
class llvm::cl::parser<llmc::CacheFormat> : public llmc::ChoiceParser<llmc::CacheFormat> {
public:
  using ChoiceParser::ChoiceParser;
};

#endif // LLMC_TRANSFORMS_KVCACHE_CACHEOPTIONS_H
