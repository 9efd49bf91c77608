//===- NormalizeONNX.h - a graph brought to the operators that the raise knows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_NORMALIZEONNX_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_NORMALIZEONNX_H

#include "Evaluate/Probe.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// The lengths at which graphs are read: unlike each other and unlike usual widths.
inline constexpr ProbeSizes withPast{18, 11}, withoutPast{0, 29};

/// A graph that is ready to be raised.
struct NormalizedGraph {
  carrier::GraphOp graph;
  llvm::SmallVector<ModelInput> inputs;
  bool hasPast;
  std::vector<ProbeProblem> problems; ///< nodes that should have been expanded and can't be
};

/// Brings the module's graph to the operators that the raise knows, in place: calls of functions
/// are replaced by their nodes, inputs get their roles, and operators that fuse others are written
/// as those. Operators that nothing is known of are left to who runs the graph next.
mlir::FailureOr<NormalizedGraph> normalizeONNX(mlir::ModuleOp module);

/// Writes operators that are known by others alone as those, in place, and leaves all else as it
/// stands, the graph's inputs and outputs among it. Reports what can't be written so.
mlir::LogicalResult expandOperators(mlir::ModuleOp module, carrier::GraphOp graph,
                                    llvm::ArrayRef<ModelInput> inputs);

/// Reports nodes by operator: how many there are, one name, and why.
mlir::LogicalResult reportProblems(mlir::ModuleOp module, llvm::ArrayRef<ProbeProblem> problems);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_NORMALIZEONNX_H
