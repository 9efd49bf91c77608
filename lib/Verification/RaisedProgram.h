//===- RaisedProgram.h - a raised model compiled and run on this machine ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_VERIFICATION_RAISEDPROGRAM_H
#define LLMC_LIB_VERIFICATION_RAISEDPROGRAM_H

#include "HostCode.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// The function @step of a module, which may give several matrices of rows.
class RaisedProgram {
public:
  static mlir::FailureOr<RaisedProgram> compile(mlir::ModuleOp module);

  void restart();
  /// Runs the next tokens of the text; gives each result's rows.
  std::vector<std::vector<float>> step(llvm::ArrayRef<int32_t> tokens);

  /// Rows of a step, at most.
  static constexpr int64_t maxRows = 64;

private:
  explicit RaisedProgram(Workers workers) : workers(std::move(workers)) {}

  Workers workers;
  HostCode code;
  llvm::SmallVector<int64_t> widths; ///< of the results
  Pages weights, arena, workerArena, state;
  int64_t position = 0;
};

} // namespace llmc

#endif // LLMC_LIB_VERIFICATION_RAISEDPROGRAM_H
