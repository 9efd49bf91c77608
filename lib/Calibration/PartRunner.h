//===- PartRunner.h - runs parts of a model over all samples ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_PARTRUNNER_H
#define LLMC_LIB_CALIBRATION_PARTRUNNER_H

#include "FlatModel.h"
#include "HostCode.h"
#include "RowStore.h"
#include "Tokens.h"

#include "llvm/ADT/StringMap.h"

namespace llmc {

/// Compiles parts, those of equal structure once, and runs them batch by batch of samples.
class PartRunner {
public:
  PartRunner(const CalibrationTokens &tokens, Workers &workers, RowStore &rows,
             CalibrationTimes &times);

  int64_t getBatches() const { return batches; }
  /// Rows of a batch; the last may have fewer.
  int64_t getRows(int64_t batch) const;

  /// Computes the part's results of the first `samples` samples, or all where that is 0, batch by
  /// batch. Calls `finish` after each with how many rows it has of them.
  mlir::LogicalResult
  run(Part &part, int64_t samples,
      llvm::function_ref<mlir::LogicalResult(int64_t batch, int64_t rows)> finish);

private:
  mlir::FailureOr<const HostCode *> compile(Part &part, const WeightTable &weights);
  mlir::LogicalResult prepare(Part &part);
  mlir::LogicalResult runBatch(Part &part, int64_t batch);
  void runSamples(int64_t batch);

  const CalibrationTokens &tokens;
  Workers &workers;
  RowStore &rows;
  CalibrationTimes &times;
  int64_t samplesPerBatch, stepRows, batches;
  llvm::StringMap<HostCode> codes; ///< by structure
  const HostCode *code = nullptr;  ///< of the part being run

  Pages weights, arena, workerArena, state;
  std::vector<Pages> spares;             ///< of inputs and results that lie in the file
  std::vector<float *> activations;      ///< inputs, then results
  std::vector<int64_t> strides;          ///< of them
  std::vector<int32_t> positions, zeros; ///< of a step's rows
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_PARTRUNNER_H
