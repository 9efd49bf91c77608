//===- FirstDifference.h - where a raised model first differs from its graph ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_VERIFICATION_FIRSTDIFFERENCE_H
#define LLMC_LIB_VERIFICATION_FIRSTDIFFERENCE_H

#include "ReferenceModel.h"

namespace llmc {

/// The largest difference of two rows, in parts of the largest element that is expected.
double getRowDifference(llvm::ArrayRef<double> expected, llvm::ArrayRef<float> found);

/// Names of nodes: the last whose value the program has as the graph has it, and the first whose
/// value it has otherwise. Empty where there is none, or it can't be told.
struct FirstDifference {
  std::string agrees, differs;
};

/// Runs all steps of a text by both, and compares what layers give in the last step.
FirstDifference findFirstDifference(ReferenceModel &reference, mlir::ModuleOp raised,
                                    llvm::ArrayRef<std::vector<int32_t>> steps, double tolerance);

} // namespace llmc

#endif // LLMC_LIB_VERIFICATION_FIRSTDIFFERENCE_H
