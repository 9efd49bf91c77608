//===- ReferenceModel.h - an ONNX decoder run step by step ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_VERIFICATION_REFERENCEMODEL_H
#define LLMC_LIB_VERIFICATION_REFERENCEMODEL_H

#include "Evaluate/GraphRun.h"
#include "Graph/Inputs.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// What a step of the graph gives: logits of its last rows, or of all of them.
struct ReferenceLogits {
  int64_t rows = 0;
  std::vector<double> values; ///< rows × vocabulary
};

/// A graph of the carrier as it stands, and the text that it was run on so far.
class ReferenceModel {
public:
  /// Takes a module of the carrier, which is changed only where functions are inlined, and the
  /// width of the logits. Reports why a graph can't be run as a decoder.
  static mlir::FailureOr<ReferenceModel> create(mlir::ModuleOp module, int64_t vocabulary);

  /// Heads × size of each pair's cache, where inputs leave them open.
  void setCacheShape(int64_t heads, int64_t size) { openHeads = heads, openSize = size; }

  /// Whether the graph is given its past; others are run on the whole text.
  bool hasPast() const { return !presents.empty(); }
  void restart();
  /// Runs the next tokens of the text. `observe` sees every node's results.
  mlir::FailureOr<ReferenceLogits>
  step(llvm::ArrayRef<int32_t> tokens,
       llvm::function_ref<void(carrier::NodeOp, llvm::ArrayRef<HostTensor>)> observe = {});

private:
  explicit ReferenceModel(carrier::GraphOp graph) : graph(graph) {}
  mlir::LogicalResult findPresents();
  HostTensor makeInput(unsigned index, llvm::ArrayRef<int32_t> tokens, int64_t past) const;
  mlir::FailureOr<ReferenceLogits> takeLogits(GraphRun &run, int64_t rows);

  carrier::GraphOp graph;
  int64_t vocabulary = 0, openHeads = 1, openSize = 1;
  llvm::SmallVector<ModelInput> inputs;
  llvm::DenseMap<unsigned, unsigned> presents; ///< past input → the output that continues it
  llvm::DenseMap<unsigned, HostTensor> caches; ///< by past input
  std::vector<int32_t> text;
};

} // namespace llmc

#endif // LLMC_LIB_VERIFICATION_REFERENCEMODEL_H
