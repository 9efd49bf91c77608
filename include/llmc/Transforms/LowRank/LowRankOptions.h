//===- LowRankOptions.h - what the options of low-rank passes ask for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_LOWRANKOPTIONS_H
#define LLMC_TRANSFORMS_LOWRANK_LOWRANKOPTIONS_H

#include "llmc/Support/ChoiceParser.h"

namespace llmc {

enum class FactorType { Auto, F32, F16, BF16 };
enum class RankAllocation { Uniform, Loss };
enum class ResidualScaling { Mean, None };

} // namespace llmc

template <>
class llvm::cl::parser<llmc::FactorType> : public llmc::ChoiceParser<llmc::FactorType> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::RankAllocation> : public llmc::ChoiceParser<llmc::RankAllocation> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::ResidualScaling> : public llmc::ChoiceParser<llmc::ResidualScaling> {
public:
  using ChoiceParser::ChoiceParser;
};

#endif // LLMC_TRANSFORMS_LOWRANK_LOWRANKOPTIONS_H
