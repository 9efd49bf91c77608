//===- HostTensor.h - tensors as the raise sees them: shapes, and values where they are known
//---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_HOSTTENSOR_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_HOSTTENSOR_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <optional>
#include <vector>

namespace llmc {

/// A constant of the file seen through strides: what transposing, cutting and reshaping a weight
/// leaves of it. Counts are in elements.
struct ConstantView {
  mlir::Attribute source; ///< #llmc.file, a resource of bytes, or elements
  mlir::Type element;
  int64_t offset = 0;
  llvm::SmallVector<int64_t> shape, strides;

  int64_t getNumElements() const;
  bool isContiguous() const;

  static ConstantView get(mlir::Attribute source, mlir::RankedTensorType type);
  ConstantView transpose(llvm::ArrayRef<int64_t> permutation) const;
  /// `size` elements of `axis` from `start` on, each `step` apart.
  ConstantView slice(int64_t axis, int64_t start, int64_t size, int64_t step = 1) const;
  /// Null where the new shape can't be had by strides.
  std::optional<ConstantView> reshape(llvm::ArrayRef<int64_t> newShape) const;

  /// The values in row-major order, widened to fp64; empty where the bytes can't be read.
  std::optional<std::vector<double>> load() const;
  /// The same of 8-bit integers, as bytes.
  std::optional<std::vector<uint8_t>> loadBytes() const;
};

/// A tensor at one choice of sizes. Values are fp64 whatever the element type; integers beyond
/// 2^53 lose bits, which no shape, position or mask comes near.
struct HostTensor {
  llvm::SmallVector<int64_t> shape;
  bool isInteger = false;
  /// Whether it follows from constants of the file alone; its values may be too many to compute.
  bool isWeights = false;
  /// Whether it was computed from constants of the file alone.
  bool isFixed = false;
  /// How far values may have been rounded on their way from fp32, relative to each: 0 or what a
  /// narrower type of the constants that they were moved from has.
  float roundoff = 0;
  /// Known values in row-major order; null where they depend on tokens or weights are large.
  std::shared_ptr<const std::vector<double>> data;
  /// Set where the tensor is a constant of the file.
  std::optional<ConstantView> constant;

  bool isKnown() const { return data != nullptr; }
  int64_t getNumElements() const;
  double operator[](int64_t index) const { return (*data)[index]; }

  static HostTensor known(llvm::ArrayRef<int64_t> shape, std::vector<double> values,
                          bool isInteger);
  static HostTensor unknown(llvm::ArrayRef<int64_t> shape, bool isInteger = false);
};

/// The largest relative error of rounding to a type of numbers narrower than fp32; 0 for others.
float getRoundoff(mlir::Type element);

/// Row-major strides.
llvm::SmallVector<int64_t> getRowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// The product of dimensions, or -1 where it does not fit or a dimension is negative.
int64_t getProduct(llvm::ArrayRef<int64_t> shape);

/// The shape that two shapes broadcast to, or nothing.
std::optional<llvm::SmallVector<int64_t>> broadcastShapes(llvm::ArrayRef<int64_t> a,
                                                          llvm::ArrayRef<int64_t> b);

/// For every element of `shape` in row-major order, the index of the element of a tensor of shape
/// `from` that broadcasting puts there.
std::vector<int64_t> getBroadcastIndices(llvm::ArrayRef<int64_t> from,
                                         llvm::ArrayRef<int64_t> shape);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_HOSTTENSOR_H
