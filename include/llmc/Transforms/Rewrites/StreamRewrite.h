//===- StreamRewrite.h - the residual stream in another basis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What rewrites have in common that multiply the residual stream with orthogonal matrices Q. All
// that writes to it writes x·Q instead of x, and all that reads it multiplies its inputs with Qᵀ
// first. RMS norms of equal gains lie between: ‖x·Q‖ = ‖x‖. Other gains are folded into what reads
// them, and a norm that takes the mean off needs a stream without one, which what writes to it can
// see to (Ashkboos et al. 2024, "SliceGPT", section 3.2).
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_STREAMREWRITE_H
#define LLMC_TRANSFORMS_REWRITES_STREAMREWRITE_H

#include "llmc/Analysis/Structure.h"
#include "llmc/Transforms/Rewrites/ParameterRewrite.h"

#include "llvm/ADT/SetVector.h"

#include <optional>
#include <string>

namespace llmc {

class StreamRewrite {
public:
  /// `who` stands before every message.
  StreamRewrite(mlir::func::FuncOp step, ParameterRewrite &rewrite, std::string who)
      : step(step), rewrite(rewrite), who(std::move(who)) {}

protected:
  const ResidualStream &getStream() const { return structure->getStreams().front(); }
  mlir::InFlightDiagnostic refuse(mlir::Operation *op) const { return op->emitError(who + ": "); }

  static llvm::SmallVector<LinearOp> getLinears(const StreamRead &read);

  /// Analyzes the step as it is now.
  void analyze() { structure.emplace(step); }
  /// Whether there is one stream that can be rotated; else says why not.
  mlir::LogicalResult checkStream();
  /// The value of the stream that a write becomes a part of, behind operations that do the same to
  /// all channels.
  mlir::Value getTarget(const StreamWrite &write) const;

  /// Whether a norm does the same to all channels.
  mlir::FailureOr<bool> isUniform(mlir::Operation *norm);
  /// Makes norms uniform, but for `tiedNorms`.
  mlir::LogicalResult foldGains();
  /// Makes the stream one without a mean, and its norms RMS norms.
  void removeMean();

  bool isReadByEmbedding(ParameterOp parameter);
  /// Fills `readers`, `writers` and `embeddings`.
  mlir::LogicalResult collect();
  /// How many operands read each parameter.
  llvm::DenseMap<mlir::Operation *, int64_t> countUses();

  mlir::func::FuncOp step;
  ParameterRewrite &rewrite;
  std::optional<Structure> structure;
  int64_t width = 0;
  bool takesMean = false; ///< norms take the mean off
  /// Parameters whose columns are the stream's channels, and those whose rows are.
  llvm::SetVector<mlir::Operation *> readers, writers;
  llvm::SetVector<mlir::Operation *> embeddings; ///< of the readers
  /// Norms whose gains stay, since an embedding reads the weights behind them too.
  llvm::SetVector<mlir::Operation *> tiedNorms;

private:
  mlir::LogicalResult checkWrite(const StreamWrite &write) const;
  mlir::LogicalResult checkRead(const StreamRead &read) const;
  mlir::LogicalResult foldGain(const StreamRead &read);

  std::string who;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_STREAMREWRITE_H
