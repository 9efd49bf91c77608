//===- LowRankOptions.td - what all low-rank passes let one choose -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_LOWRANKOPTIONS_TD
#define LLMC_TRANSFORMS_LOWRANK_LOWRANKOPTIONS_TD

include "mlir/Pass/PassBase.td"

class FactorTypeOption<string byDefault>
    : Option<"type", "type", "::llmc::FactorType", /*default=*/"::llmc::FactorType::Auto",
             "Type of the factors; later passes can round them",
             [{::llvm::cl::values(
                 clEnumValN(::llmc::FactorType::Auto, "auto", "}] # byDefault # [{"),
                 clEnumValN(::llmc::FactorType::F32, "f32", "32 bits"),
                 clEnumValN(::llmc::FactorType::F16, "f16", "16 bits, IEEE half"),
                 clEnumValN(::llmc::FactorType::BF16, "bf16", "16 bits, bfloat16"))}]>;

/// How much is kept of matrices that are replaced by two.
defvar factorizeOptions = [
  Option<"rank", "rank", "int64_t", /*default=*/"0",
         "Rank that every matrix is left with; 0: as `keep` says">,
  Option<"keep", "keep", "std::string", /*default=*/"\"\"",
         "In place of a rank: the share of the parameters that is kept, between 0 and 1; default: 0.8">,
  Option<"allocation", "allocation", "::llmc::RankAllocation",
         /*default=*/"::llmc::RankAllocation::Uniform", "With `keep`: what each matrix is left with",
         [{::llvm::cl::values(
             clEnumValN(::llmc::RankAllocation::Uniform, "uniform", "the same share"),
             clEnumValN(::llmc::RankAllocation::Loss, "loss",
                        "what makes the sum of the layers' relative losses least; a second run of the "
                        "model where inputs count"))}]>,
  Option<"multiple", "multiple", "int64_t", /*default=*/"16",
         "With `keep`: what ranks are multiples of, but for those that would be less">,
  FactorTypeOption<"the type of the weights">
];

/// What stands beside matrices that were rounded or pruned.
defvar repairOptions = [
  Option<"rank", "rank", "int64_t", /*default=*/"32", "Rank of what is added">,
  Option<"original", "original", "std::string", /*default=*/"\"\"",
         "A module that has the weights before they were rounded, under the same names, for those that "
         "do not say it themselves">,
  FactorTypeOption<"f16">
];

defvar dampOption = [
  Option<"damp", "damp", "double", /*default=*/"0.01",
         "What is added to the second moment's diagonal, as a part of its mean">
];

#endif // LLMC_TRANSFORMS_LOWRANK_LOWRANKOPTIONS_TD
