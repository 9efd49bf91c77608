//===- BlockEvaluator.h - what a block would give with other weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For methods that search: while a walk stands at a site, the block that the site is in can be run
// on the calibration rows with other values of its parameters than the module has, as often as one
// likes. The module stays as it is. Code is compiled once for all candidates of the same types;
// rows are handed out some at a time, so that memory does not grow with the samples.
//
//   site.block->keepReference({});
//   for (…) { best = std::min(best, *site.block->getError({{norm, type, scaled}, …})); }
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CALIBRATION_BLOCKEVALUATOR_H
#define LLMC_CALIBRATION_BLOCKEVALUATOR_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <optional>

namespace llmc {

/// Another value for a parameter that the block reads.
struct Candidate {
  ParameterOp parameter;
  mlir::RankedTensorType type;   ///< of the parameter's shape
  llvm::ArrayRef<uint8_t> bytes; ///< as a parameter of the type has them; read during the call
  /// How inputs of the linears that read it are rounded (null: not at all); nothing: as they are.
  std::optional<DynamicAttr> activation;
};

/// What is computed of a block.
struct BlockOutput {
  /// A value of @step that is computed in the block; null: what the next block reads, or after the
  /// last block the head.
  mlir::Value value;
  int64_t samples = 0; ///< of the first so many samples; 0: of all
};

/// The block in hand. Errors are reported in the module's context.
class BlockEvaluator {
public:
  virtual ~BlockEvaluator() = default;

  /// Computes `output`, and calls `take` with some rows of it after the other, each side by side.
  virtual mlir::LogicalResult
  evaluateBlock(llvm::ArrayRef<Candidate> candidates, const BlockOutput &output,
                llvm::function_ref<void(llvm::ArrayRef<float> rows)> take) = 0;

  /// Keeps `output` as it is with the module's own values, under the walk's bound of memory, until
  /// another is kept or the block is done.
  virtual mlir::LogicalResult keepReference(const BlockOutput &output) = 0;
  /// Σ‖y' − y‖² / Σ‖y‖² over the rows y that keepReference() kept and y' of the candidates.
  virtual mlir::FailureOr<double> getError(llvm::ArrayRef<Candidate> candidates) = 0;

  /// What the block does to the direction of what enters it: the mean over all rows of 1 − cos(x,
  /// y), x entering it and y leaving it (Men et al. 2024, "ShortGPT", section 3.1).
  virtual mlir::FailureOr<double> getInfluence() = 0;
};

} // namespace llmc

#endif // LLMC_CALIBRATION_BLOCKEVALUATOR_H
