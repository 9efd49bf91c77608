//===- MeaningTestSupport.h - models run as plain arithmetic and as they ship ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A module takes two ways: convert-llmc-to-linalg and then upstream passes alone, or the way that
// programs take, on this machine's best variant. Both are run on the same numbers.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CONVERSION_MEANINGTESTSUPPORT_H
#define LLMC_TEST_UNIT_CONVERSION_MEANINGTESTSUPPORT_H

#include "HostCode.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include "gtest/gtest.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace mlir {
class ExecutionEngine;
} // namespace mlir

namespace llmc::test {

/// A context with llmc and everything upstream that lowering takes.
std::unique_ptr<mlir::MLIRContext> makeMeaningContext();

/// Parses a module. Parameters whose file is "random" get random values.
mlir::OwningOpRef<mlir::ModuleOp> parseModel(mlir::MLIRContext &context, const std::string &text);

/// A tensor in row-major order.
struct HostTensor {
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;

  static HostTensor zeros(mlir::RankedTensorType type, int64_t dynamicSize);
  template <typename T>
  static HostTensor vector(const std::vector<T> &values) {
    auto *data = reinterpret_cast<const uint8_t *>(values.data());
    return {{static_cast<int64_t>(values.size())}, {data, data + values.size() * sizeof(T)}};
  }
  template <typename T>
  T *as() {
    return reinterpret_cast<T *>(bytes.data());
  }
};

/// The function @step of a module as plain arithmetic.
class PlainProgram {
public:
  explicit PlainProgram(mlir::ModuleOp module);
  ~PlainProgram();

  llvm::ArrayRef<mlir::Type> getArgumentTypes() const { return arguments; }
  std::vector<HostTensor> run(std::vector<HostTensor> &inputs);

private:
  std::unique_ptr<mlir::ExecutionEngine> engine;
  llvm::SmallVector<mlir::Type> arguments, results;
};

/// The rows of a step.
struct StepRows {
  std::vector<int32_t> tokens, sequences, positions, outputs;

  /// Tokens of one sequence from `position` on, with the logits of all.
  static StepRows sequence(std::vector<int32_t> tokens, int32_t position = 0);
};

/// Both ways of one module, with what they remember between steps.
class Comparison {
public:
  /// `kernels` as KernelChoice::parse reads it. The first variant of `target` is what ships.
  explicit Comparison(mlir::ModuleOp module, int64_t sequences = 1, llvm::StringRef kernels = "all",
                      int64_t workers = 1, std::optional<Target> target = getHostTarget());

  /// Runs a step on random activations. Every result is to agree within `tolerance` of its largest
  /// element.
  void step(const StepRows &rows, double tolerance);

private:
  void runShipped(const StepRows &rows, std::vector<Pages> &activations);

  llvm::SmallVector<mlir::Type> arguments, results; ///< of @step
  PlainProgram plain;
  HostCode shipped;
  Workers workers;
  Pages weights, arena, workerArena;
  std::vector<Pages> states;
  std::vector<HostTensor> caches;
  uint64_t seed = 1;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_MEANINGTESTSUPPORT_H
