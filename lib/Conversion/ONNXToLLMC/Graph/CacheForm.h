//===- CacheForm.h - caches followed through what moves them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_CACHEFORM_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_CACHEFORM_H

#include "Evaluate/Probe.h"
#include "Graph/NodeMaker.h"

namespace llmc {

/// A tensor that holds caches: which ones, each batch × heads × length × size, and what its axes
/// are. An axis of size one that is none of a cache's is `extra`.
struct CacheForm {
  static constexpr int extra = -1;

  llvm::SmallVector<mlir::Value> parts;
  llvm::SmallVector<int> axes;

  bool isPlain() const;
  int64_t find(int axis) const;
  /// The tensor, computed from its parts.
  mlir::Value materialize(NodeMaker &maker) const;
  /// A part of a tensor of this form: all of it where there is one part.
  mlir::Value cut(NodeMaker &maker, mlir::Value tensor, int64_t part, int64_t size) const;
  /// What was cut out, as a plain cache. `size` is a head's.
  mlir::Value makePlain(NodeMaker &maker, mlir::Value part) const;
};

/// Follows caches of other layouts through a graph, so that operators that take them apart or join
/// them with new rows do so with plain ones.
class CacheForms {
public:
  CacheForms(carrier::GraphOp graph, llvm::ArrayRef<ModelInput> inputs);

  /// Looks at a node before it runs.
  Probe::Rewriting rewrite(carrier::NodeOp op, const Probe &probe);

  /// Removes nodes that computed other layouts for nobody any more.
  void removeUnused();

  /// Sizes of heads that new rows told of inputs that do not state them, by input.
  const llvm::DenseMap<unsigned, std::pair<int64_t, int64_t>> &getSizes() const { return sizes; }

private:
  const CacheForm *get(mlir::Value value) const;
  std::optional<CacheForm> move(carrier::NodeOp op, const CacheForm &form, const Probe &probe);
  std::optional<llvm::SmallVector<CacheForm>> split(carrier::NodeOp op, const CacheForm &form,
                                                    const Probe &probe);
  std::optional<CacheForm> join(carrier::NodeOp op, const CacheForm &form);
  std::optional<CacheForm> grow(carrier::NodeOp op, const CacheForm &form, const Probe &probe);
  mlir::Value makeShape(carrier::NodeOp op, const CacheForm &form, const Probe &probe);
  void learnSizes(const CacheForm &form, const HostTensor &rows);

  carrier::GraphOp graph;
  llvm::ArrayRef<ModelInput> inputs;
  llvm::DenseMap<mlir::Value, CacheForm> forms;
  llvm::SmallVector<mlir::Value> order;        ///< of values in `forms`, as they were met
  llvm::SmallVector<mlir::Operation *> passed; ///< nodes whose parts are read directly
  llvm::DenseMap<unsigned, std::pair<int64_t, int64_t>> sizes;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_CACHEFORM_H
