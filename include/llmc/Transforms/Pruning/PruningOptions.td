//===- PruningOptions.td - what all pruning passes let one choose -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_PRUNINGOPTIONS_TD
#define LLMC_TRANSFORMS_PRUNING_PRUNINGOPTIONS_TD

include "mlir/Pass/PassBase.td"

/// How many weights are kept, and whether those of the head are. PruningPass.h reads it.
defvar patternOptions = [
  Option<"pattern", "pattern", "std::string", /*default=*/"\"\"",
         "N:M: how many weights are kept of each M side by side in a row, 2, 4, 8, 16 or 32; default: "
         "2:4">,
  Option<"sparsity", "sparsity", "std::string", /*default=*/"\"\"",
         "In place of a pattern: the share of the weights that are left out, wherever they are">,
  Option<"allocation", "allocation", "::llmc::SparsityAllocation",
         /*default=*/"::llmc::SparsityAllocation::Uniform", "How sparsity is spread over matrices",
         [{::llvm::cl::values(
             clEnumValN(::llmc::SparsityAllocation::Uniform, "uniform", "the same share of each"),
             clEnumValN(::llmc::SparsityAllocation::Global, "global",
                        "the weights of least score of all matrices together"),
             clEnumValN(::llmc::SparsityAllocation::OWL, "owl",
                        "less of layers in which more weights stand out"))}]>,
  Option<"includeHead", "include-head", "bool", /*default=*/"false",
         "Treat the head and the token embedding like all other weights">
];

#endif // LLMC_TRANSFORMS_PRUNING_PRUNINGOPTIONS_TD
