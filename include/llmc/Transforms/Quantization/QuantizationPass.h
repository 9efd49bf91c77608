//===- QuantizationPass.h - what all quantization passes do around their methods ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between the base class that TableGen makes of a pass and the pass itself, where its
// options are those of QuantizationOptions.td:
//
//   struct QuantizeRTN : QuantizationPass<impl::QuantizeRTNBase<QuantizeRTN>> { …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONPASS_H
#define LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONPASS_H

#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/CompressionReport.h"
#include "llmc/Transforms/Quantization/QuantizationOptions.h"
#include "llmc/Transforms/WeightSelection.h"

namespace llmc {

/// A pass with `quantizationOptions` and `compressionOptions`: makes its plan, selects the weights,
/// has them quantized in the flat module, and reports.
template <typename PassBase>
struct QuantizationPass : PassBase {
  using PassBase::PassBase;

  void runOnOperation() final {
    mlir::ModuleOp module = this->getOperation();
    if (failed(changeFlat(module, [&] { return quantizeModule(module); })))
      this->signalPassFailure();
  }

protected:
  /// Quantizes `weights`, which it may use up, and adds each to `result`.
  virtual mlir::LogicalResult quantize(mlir::ModuleOp module, const QuantizationPlan &plan,
                                       llvm::SmallVectorImpl<SelectedWeight> &weights,
                                       CompressionReport &result) = 0;

  /// The options that decide which bytes come out of which weight.
  void spellOptions(const QuantizationPlan &plan, llvm::raw_ostream &stream) const {
    stream << plan << " requantize=" << this->requantize << " only=";
    llvm::interleaveComma(this->only, stream);
    stream << " ignore=";
    llvm::interleaveComma(this->ignore, stream);
  }

private:
  mlir::LogicalResult quantizeModule(mlir::ModuleOp module) {
    if (this->includeHead && this->headBits.hasValue())
      return module.emitError(
          "head-bits: expected include-head=false with it: the head is like all other weights");
    mlir::FailureOr<QuantizationPlan> plan = QuantizationPlan::get(
        module.getLoc(), this->bits, this->includeHead ? this->bits : this->headBits,
        this->groupSize, this->symmetric, this->zero, this->scale, this->mse, this->activation,
        this->activationGroup);
    if (failed(plan) || failed(CompressionReport::checkPath(module, this->report)))
      return mlir::failure();
    WeightFilter filter;
    filter.only.assign(this->only.begin(), this->only.end());
    filter.ignore.assign(this->ignore.begin(), this->ignore.end());
    filter.head = plan->headEncoding != nullptr;
    filter.requantize = this->requantize;
    mlir::FailureOr<llvm::SmallVector<SelectedWeight>> weights = selectWeights(module, filter);
    if (failed(weights))
      return mlir::failure();
    CompressionReport result(this->getArgument());
    if (failed(quantize(module, *plan, *weights, result)))
      return mlir::failure();
    return result.finish(module, this->table, this->report);
  }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONPASS_H
