//===- CompressionOptions.td - what all compression passes let one choose -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_COMPRESSIONOPTIONS_TD
#define LLMC_TRANSFORMS_COMPRESSIONOPTIONS_TD

include "mlir/Pass/PassBase.td"

/// Which weights a compression pass takes in, and where it reports.
defvar compressionOptions = [
  ListOption<"ignore", "ignore", "std::string",
             "Regular expressions: parameters whose name one of them matches are left alone">,
  ListOption<"only", "only", "std::string",
             "Regular expressions: parameters whose name none of them matches are left alone">,
  Option<"table", "table", "bool", /*default=*/"true",
         "Print a table of the layers to the standard error stream">,
  Option<"report", "report", "std::string", /*default=*/"\"\"",
         "Write the same as JSON to this file">
];

/// Where a pass reports that leaves out parts of a model.
defvar structureReportOptions = [
  Option<"table", "table", "bool", /*default=*/"true",
         "Print what was done, and the model's size before and after, to the standard error stream">,
  Option<"report", "report", "std::string", /*default=*/"\"\"",
         "Write the same as JSON to this file">
];

#endif // LLMC_TRANSFORMS_COMPRESSIONOPTIONS_TD
