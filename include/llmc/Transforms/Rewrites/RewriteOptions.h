//===- RewriteOptions.h - what rewrites let one choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_REWRITEOPTIONS_H
#define LLMC_TRANSFORMS_REWRITES_REWRITEOPTIONS_H

#include "llmc/Support/ChoiceParser.h"

namespace llmc {

enum class HeadRotation { Online, Untied };
enum class RotationKind { Hadamard, Randomized, Given };

} // namespace llmc

template <>
class llvm::cl::parser<llmc::HeadRotation> : public llmc::ChoiceParser<llmc::HeadRotation> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::RotationKind> : public llmc::ChoiceParser<llmc::RotationKind> {
public:
  using ChoiceParser::ChoiceParser;
};

#endif // LLMC_TRANSFORMS_REWRITES_REWRITEOPTIONS_H
