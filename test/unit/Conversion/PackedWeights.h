//===- PackedWeights.h - matrices as kernels read them, and their values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CONVERSION_PACKEDWEIGHTS_H
#define LLMC_TEST_UNIT_CONVERSION_PACKEDWEIGHTS_H

#include "BilevelTestSupport.h"
#include "CodebookTestSupport.h"
#include "EncodingTestSupport.h"
#include "KernelTestSupport.h"
#include "OutliersTestSupport.h"
#include "SmallFloatTestSupport.h"

namespace llmc::test {

/// Weights in tiles, and their values.
struct Weights {
  mlir::RankedTensorType type;
  std::unique_ptr<Memory> tiles;
  std::vector<double> values, magnitudes; ///< [rows, columns]; magnitudes bound what is summed

  int64_t rows() const { return type.getDimSize(0); }
  int64_t columns() const { return type.getDimSize(1); }

  /// Makes tiles of the canonical form of `type`.
  void pack(llvm::ArrayRef<uint8_t> canonical);
};

Weights makeGrouped(const EncodingCase &spec, uint64_t seed);
Weights makeNF4(int64_t group, mlir::Type scale, int64_t rows, int64_t columns, uint64_t seed);
Weights makeTrellis(unsigned halves, mlir::Type scale, int64_t rows, int64_t columns,
                    uint64_t seed);
Weights makeCodebook(const CodebookMatrix &matrix);
Weights makeSparse(int64_t count, int64_t of, const EncodingCase &spec, uint64_t seed);
/// Some of the weights of `dense`, which are its floats or its codes.
Weights makeSparse(int64_t count, int64_t of, mlir::Attribute inner, int64_t rows, int64_t columns,
                   llvm::ArrayRef<uint8_t> dense);
Weights makeSmallFloats(SmallFloatAttr encoding, int64_t rows, int64_t columns, uint64_t seed);
Weights makeMasked(double share, const EncodingCase &spec, uint64_t seed);
/// The same of `dense`, which are floats or codes.
Weights makeMasked(mlir::Attribute inner, int64_t rows, int64_t columns,
                   llvm::ArrayRef<uint8_t> dense);
Weights makeBilevel(BilevelAttr encoding, int64_t rows, int64_t columns, uint64_t seed);
Weights makePlain(mlir::Type element, int64_t rows, int64_t columns, uint64_t seed);

/// What is listed beside `whole`, of which `weights` are made.
template <typename Matrix>
Weights addOutliers(Weights weights, const Matrix &whole, int64_t count, mlir::Type element) {
  auto matrix = OutliersMatrix<Matrix>::random(whole, count, element, 5);
  weights.type = mlir::RankedTensorType::get(weights.type.getShape(), weights.type.getElementType(),
                                             OutliersAttr(matrix.getAttr()));
  weights.pack(matrix.getCanonicalForm());
  for (int64_t row = 0; row < weights.rows(); ++row)
    for (int64_t column = 0; column < weights.columns(); ++column) {
      int64_t index = row * weights.columns() + column;
      weights.values[index] += matrix.getListed(row, column);
      // Of numbers below 1 there may be several.
      weights.magnitudes[index] += 1;
    }
  return weights;
}

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_PACKEDWEIGHTS_H
