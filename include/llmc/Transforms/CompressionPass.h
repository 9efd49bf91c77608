//===- CompressionPass.h - what all compression passes do around their methods ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between the base class that TableGen makes of a pass and the pass itself, where its
// options have those of CompressionOptions.td:
//
//   struct PruneMagnitude : CompressionPass<impl::PruneMagnitudeBase<PruneMagnitude>> { …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_COMPRESSIONPASS_H
#define LLMC_TRANSFORMS_COMPRESSIONPASS_H

#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/CompressionReport.h"
#include "llmc/Transforms/WeightSelection.h"

namespace llmc {

/// A pass with `compressionOptions`: selects the weights, has them compressed in the flat module,
/// and reports.
template <typename PassBase>
struct CompressionPass : PassBase {
  using PassBase::PassBase;

  void runOnOperation() final {
    mlir::ModuleOp module = this->getOperation();
    if (failed(changeFlat(module, [&] { return compressModule(module); })))
      this->signalPassFailure();
  }

protected:
  /// Reads the options of the method, reports what can't be done, and says whether the head is
  /// taken in. Comes first.
  virtual mlir::FailureOr<bool> takesHead(mlir::ModuleOp module) = 0;

  /// Compresses `weights`, which it may use up, and adds each to `result`.
  virtual mlir::LogicalResult compress(mlir::ModuleOp module,
                                       llvm::SmallVectorImpl<SelectedWeight> &weights,
                                       CompressionReport &result) = 0;

  /// Whether weights are taken in that are rounded already.
  virtual bool takesRounded() const = 0;

  /// The options that decide which weights are taken in.
  void spellSelection(llvm::raw_ostream &stream) const {
    stream << "requantize=" << takesRounded() << " only=";
    llvm::interleaveComma(this->only, stream);
    stream << " ignore=";
    llvm::interleaveComma(this->ignore, stream);
  }

private:
  mlir::LogicalResult compressModule(mlir::ModuleOp module) {
    mlir::FailureOr<bool> head = takesHead(module);
    if (failed(head) || failed(CompressionReport::checkPath(module, this->report)))
      return mlir::failure();
    WeightFilter filter;
    filter.only.assign(this->only.begin(), this->only.end());
    filter.ignore.assign(this->ignore.begin(), this->ignore.end());
    filter.head = *head;
    filter.requantize = takesRounded();
    mlir::FailureOr<llvm::SmallVector<SelectedWeight>> weights = selectWeights(module, filter);
    if (failed(weights))
      return mlir::failure();
    if (weights->empty())
      module.emitWarning() << this->getArgument()
                           << ": expected weights that `only`, `ignore` and earlier passes leave, "
                              "found none";
    CompressionReport result(this->getArgument());
    if (failed(compress(module, *weights, result)))
      return mlir::failure();
    return result.finish(module, this->table, this->report);
  }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_COMPRESSIONPASS_H
