//===- StructureOptions.h - what pruning passes let one choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_STRUCTUREOPTIONS_H
#define LLMC_TRANSFORMS_PRUNING_STRUCTUREOPTIONS_H

#include "llmc/Support/ChoiceParser.h"

namespace llmc {

enum class SharedWeights { First, Mean };
enum class UnitScore { FLAP, Wanda, Magnitude };
enum class UnitAllocation { Global, Uniform };
enum class SparsityAllocation { Uniform, Global, OWL };

} // namespace llmc

template <>
class llvm::cl::parser<llmc::SharedWeights> : public llmc::ChoiceParser<llmc::SharedWeights> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::UnitScore> : public llmc::ChoiceParser<llmc::UnitScore> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::UnitAllocation> : public llmc::ChoiceParser<llmc::UnitAllocation> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::SparsityAllocation>
    : public llmc::ChoiceParser<llmc::SparsityAllocation> {
public:
  using ChoiceParser::ChoiceParser;
};

#endif // LLMC_TRANSFORMS_PRUNING_STRUCTUREOPTIONS_H
