//===- BlockRunner.h - runs a block with candidates for its weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_BLOCKRUNNER_H
#define LLMC_LIB_CALIBRATION_BLOCKRUNNER_H

#include "PartRunner.h"
#include "llmc/Calibration/BlockEvaluator.h"

#include "mlir/IR/DialectResourceBlobManager.h"

namespace llmc {

class BlockRunner : public BlockEvaluator {
public:
  BlockRunner(mlir::ModuleOp module, PartRunner &runner, RowStore &rows)
      : module(module), runner(runner), rows(rows) {}

  /// The block that computes `end` of `start`, whose rows are kept (null: of tokens), both values
  /// of `model`.
  void enterBlock(FlatModel &model, mlir::Value start, mlir::Value end);
  /// Forgets the reference.
  void leaveBlock();
  /// What the reference's rows are kept under, or null.
  mlir::Value getReference() const {
    return reference ? reference->results.front() : mlir::Value();
  }

  mlir::LogicalResult
  evaluateBlock(llvm::ArrayRef<Candidate> candidates, const BlockOutput &output,
                llvm::function_ref<void(llvm::ArrayRef<float> rows)> take) override;
  mlir::LogicalResult keepReference(const BlockOutput &output) override;
  mlir::FailureOr<double> getError(llvm::ArrayRef<Candidate> candidates) override;
  mlir::FailureOr<double> getInfluence() override;

private:
  /// Takes the bytes of one candidate after the other.
  using Resource = mlir::DialectResourceBlobHandle<mlir::BuiltinDialect>;

  mlir::FailureOr<Part> build(llvm::ArrayRef<Candidate> candidates, const BlockOutput &output);
  mlir::LogicalResult check(const Candidate &candidate) const;
  /// Puts the candidates' bytes where the part reads them.
  PartChanges lend(llvm::ArrayRef<Candidate> candidates);
  void takeBack();
  /// Runs a part; calls `take` with the number of a batch, its rows and how many they are.
  mlir::LogicalResult
  run(Part &part, int64_t samples,
      llvm::function_ref<llvm::Error(int64_t batch, const float *rows, int64_t count)> take);

  mlir::ModuleOp module;
  PartRunner &runner;
  RowStore &rows;
  FlatModel *model = nullptr;
  mlir::Value start, end;
  llvm::SmallVector<Resource> resources;
  std::optional<Part> reference; ///< its result is what its rows are kept under
  BlockOutput referenceOutput;
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_BLOCKRUNNER_H
