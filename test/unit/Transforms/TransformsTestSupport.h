//===- TransformsTestSupport.h - a module to put weights into ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_TRANSFORMS_TRANSFORMSTESTSUPPORT_H
#define LLMC_TEST_UNIT_TRANSFORMS_TRANSFORMSTESTSUPPORT_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Transforms/Quantization/QuantizedWeight.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "gtest/gtest.h"

#include <vector>

namespace llmc::test {

class WeightsTest : public ::testing::Test {
protected:
  WeightsTest();

  /// An fp32 parameter of these weights, in `module`.
  ParameterOp makeParameter(llvm::ArrayRef<float> weights, int64_t rows);

  /// The weights that the canonical bytes of a matrix stand for, by the dialect's own interface.
  static std::vector<float> decode(EncodingInterface encoding, int64_t rows, int64_t columns,
                                   llvm::ArrayRef<uint8_t> bytes);

  /// Normally distributed weights of variance 1, the same for the same seed.
  static std::vector<float> normal(size_t count, uint64_t seed = 7);

  /// Rounds a matrix to nearest.
  QuantizedWeight round(llvm::ArrayRef<float> weights, int64_t rows, EncodingInterface encoding,
                        const FitOptions &fit = false);

  /// The same, decoded again through the dialect's own interface. Expects of the relative error
  /// that is reported that it is so.
  std::vector<float> roundTrip(llvm::ArrayRef<float> weights, int64_t rows,
                               EncodingInterface encoding, const FitOptions &fit = false);

  /// Σ (w − w')², or Σ w² against nothing.
  static double getSquares(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> decoded = {});

  mlir::MLIRContext context;
  mlir::Builder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_TRANSFORMS_TRANSFORMSTESTSUPPORT_H
