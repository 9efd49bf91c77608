//===- Codebook.h - numbers that are learned from weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_CODEBOOK_H
#define LLMC_TRANSFORMS_QUANTIZATION_CODEBOOK_H

#include "llmc/Transforms/Quantization/WeightFormat.h"

#include <memory>
#include <vector>

namespace llmc {

/// A number, and how much its squared error counts: not below zero.
struct WeighedNumber {
  float value, importance;
};

/// The `count` numbers, in ascending order, that lose least: Σ h·(x − x')² over all x with
/// importance h, where x' is the nearest of them (Wang and Song 2011, "Ckmeans.1d.dp: optimal
/// k-means clustering in one dimension by dynamic programming"). Of fewer different numbers the
/// last is repeated. Time is O(count · n · log n), memory O(count · n).
std::vector<float> clusterNumbers(std::vector<WeighedNumber> numbers, unsigned count);

/// What rounds to an encoding, whose tables are learned from `weights`, those of the whole matrix,
/// where several rows share one; else from those of a row as it is fitted. `importance` says how
/// much the errors in each column count where several rows share a table; empty: all alike.
std::unique_ptr<WeightQuantizer> makeCodebookQuantizer(CodebookAttr encoding,
                                                       llvm::ArrayRef<int64_t> shape,
                                                       llvm::ArrayRef<float> weights,
                                                       llvm::ArrayRef<float> importance);

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_CODEBOOK_H
