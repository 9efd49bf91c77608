//===- Scales.h - scales, zero points and codes of the standard's quantized tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_SCALES_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_SCALES_H

#include "Graph/Node.h"

#include "mlir/IR/BuiltinTypes.h"

#include <optional>
#include <utility>

namespace llmc {

/// Which scale of QuantizeLinear or DequantizeLinear belongs to an element: one for all, one for
/// each place of an axis, or one for each block of places.
class ScaleIndex {
public:
  /// Nothing where the shape of the scales is none of these.
  static std::optional<ScaleIndex> get(llvm::ArrayRef<int64_t> shape,
                                       llvm::ArrayRef<int64_t> scales, int64_t axis, int64_t block);

  int64_t operator()(int64_t element) const {
    if (isOne)
      return 0;
    int64_t place = element / inner % size;
    return block > 0 ? (element / inner / size * blocks + place / block) * inner + element % inner
                     : place;
  }

private:
  int64_t inner = 1, size = 1, block = 0, blocks = 1;
  bool isOne = true;
};

/// The type that a QuantizeLinear rounds to: that of its zero points, where there are some. Null
/// where it is not one of integers of 2, 4, 8 or 16 bits.
mlir::IntegerType getCodeType(const Node &node, mlir::Type zeroType);

/// The least and the largest integer of such a type.
std::pair<double, double> getCodeRange(mlir::IntegerType type);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_SCALES_H
