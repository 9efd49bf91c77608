//===- PruningOptions.td - what all pruning passes let one choose -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_PRUNINGOPTIONS_TD
#define LLMC_TRANSFORMS_PRUNING_PRUNINGOPTIONS_TD

include "mlir/Pass/PassBase.td"

/// How many weights are kept.
defvar sharesOptions = [
  Option<"pattern", "pattern", "std::string", /*default=*/"\"2:4\"",
         "N:M: how many weights are kept of how many: 2:4, 1:2, 1:4, 1:8, 2:8, 1:16 or 2:16">
];

/// The same for passes that have no other option about the head.
defvar patternOptions = !listconcat(sharesOptions, [
  Option<"includeHead", "include-head", "bool", /*default=*/"false",
         "Treat the head and the token embedding like all other weights">
]);

#endif // LLMC_TRANSFORMS_PRUNING_PRUNINGOPTIONS_TD
