//===- PackedWeights.cpp - matrices as kernels read them, and their values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedWeights.h"
#include "MaskedTestSupport.h"
#include "NF4TestSupport.h"
#include "SparseTestSupport.h"
#include "TrellisTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/IR/Builders.h"

#include <cmath>

using namespace llmc;
using namespace llmc::test;

void Weights::pack(llvm::ArrayRef<uint8_t> canonical) {
  TiledLayout layout = TiledLayout::get(type);
  tiles = std::make_unique<Memory>(getPackedSize(layout, canonical));
  packTables(layout, canonical, tiles->data());
  for (int64_t tile = 0; tile < layout.tiles; ++tile)
    packTile(layout, canonical, tile, tiles->data() + layout.getTileOffset(tile));
  packKept(layout, canonical, tiles->data());
}

Weights llmc::test::makeGrouped(const EncodingCase &spec, uint64_t seed) {
  Weights weights;
  weights.type = mlir::RankedTensorType::get(
      {spec.rows, spec.columns}, mlir::Float32Type::get(spec.scale.getContext()), spec.getAttr());
  GroupedMatrix matrix = GroupedMatrix::random(spec, seed, /*moderate=*/true);
  weights.pack(matrix.getCanonicalForm());
  for (int64_t row = 0; row < spec.rows; ++row)
    for (int64_t column = 0; column < spec.columns; ++column) {
      weights.values.push_back(matrix.getValue(row, column));
      int64_t index = matrix.getScaleIndex(row, column);
      double magnitude = std::ldexp(1, spec.bits) * std::fabs(matrix.scaleValues[index]);
      if (spec.zero == ZeroPoint::Float)
        magnitude += std::fabs(matrix.minimumValues[index]);
      weights.magnitudes.push_back(magnitude);
    }
  return weights;
}

Weights llmc::test::makeNF4(int64_t group, mlir::Type scale, int64_t rows, int64_t columns,
                            uint64_t seed) {
  NF4Matrix matrix = NF4Matrix::random(group, scale, rows, columns, seed);
  Weights weights;
  weights.type = mlir::RankedTensorType::get(
      {rows, columns}, mlir::Float32Type::get(scale.getContext()), matrix.getAttr());
  weights.pack(matrix.getCanonicalForm());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      weights.values.push_back(matrix.getValue(row, column));
      weights.magnitudes.push_back(std::fabs(matrix.getScale(row, column)));
    }
  return weights;
}

Weights llmc::test::makeTrellis(unsigned halves, mlir::Type scale, int64_t rows, int64_t columns,
                                uint64_t seed) {
  TrellisMatrix matrix = TrellisMatrix::random(halves, scale, rows, columns, seed);
  Weights weights;
  weights.type = mlir::RankedTensorType::get(
      {rows, columns}, mlir::Float32Type::get(scale.getContext()), matrix.getAttr());
  weights.pack(matrix.getCanonicalForm());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      weights.values.push_back(matrix.getValue(row, column));
      weights.magnitudes.push_back(std::fabs(matrix.getScale(row)) * 128);
    }
  return weights;
}

Weights llmc::test::makeCodebook(const CodebookMatrix &matrix) {
  Weights weights;
  weights.type = mlir::RankedTensorType::get({matrix.rows, matrix.columns},
                                             mlir::Float32Type::get(matrix.scale.getContext()),
                                             matrix.getAttr());
  weights.pack(matrix.getCanonicalForm());
  for (int64_t row = 0; row < matrix.rows; ++row)
    for (int64_t column = 0; column < matrix.columns; ++column) {
      weights.values.push_back(matrix.getValue(row, column));
      weights.magnitudes.push_back(std::fabs(matrix.getScale(row)) * 128);
    }
  return weights;
}

Weights llmc::test::makeSparse(int64_t count, int64_t of, const EncodingCase &spec, uint64_t seed) {
  SparseMatrix matrix = SparseMatrix::random(count, of, spec, seed);
  Weights weights = makeGrouped(spec, seed);
  weights.type = mlir::RankedTensorType::get(
      {spec.rows, spec.columns}, mlir::Float32Type::get(spec.scale.getContext()), matrix.getAttr());
  weights.pack(matrix.getCanonicalForm());
  for (size_t i = 0; i < weights.values.size(); ++i)
    weights.values[i] = matrix.kept[i] ? weights.values[i] : 0;
  return weights;
}

Weights llmc::test::makeSparse(int64_t count, int64_t of, mlir::Attribute inner, int64_t rows,
                               int64_t columns, llvm::ArrayRef<uint8_t> dense) {
  auto sparse = SparseAttr::get(inner.getContext(), count, of, inner);
  auto f32 = mlir::Float32Type::get(inner.getContext());
  EncodingCase any{4, GroupedAttr::channelGroup, ZeroPoint::None, f32, rows, columns};
  SparseMatrix matrix = SparseMatrix::random(count, of, any, 4);
  const int64_t shape[] = {rows, columns};
  std::vector<uint8_t> bytes = sparse.pack(dense, shape, matrix.kept);
  Weights weights;
  weights.type = mlir::RankedTensorType::get(shape, f32, sparse);
  weights.pack(bytes);
  std::vector<float> values(columns);
  for (int64_t row = 0; row < rows; ++row) {
    EncodingInterface(sparse).decodeRow(bytes, shape, row, values);
    for (float value : values) {
      weights.values.push_back(value);
      weights.magnitudes.push_back(std::fabs(value));
    }
  }
  return weights;
}

Weights llmc::test::makeSmallFloats(SmallFloatAttr encoding, int64_t rows, int64_t columns,
                                    uint64_t seed) {
  SmallFloatMatrix matrix = SmallFloatMatrix::random(encoding, rows, columns, seed);
  Weights weights;
  weights.type = mlir::RankedTensorType::get(
      {rows, columns}, mlir::Float32Type::get(encoding.getContext()), encoding);
  weights.pack(matrix.getCanonicalForm());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      weights.values.push_back(matrix.getValue(row, column));
      weights.magnitudes.push_back(std::fabs(weights.values.back()));
    }
  return weights;
}

Weights llmc::test::makeMasked(double share, const EncodingCase &spec, uint64_t seed) {
  MaskedMatrix matrix = MaskedMatrix::random(share, spec, seed);
  Weights weights = makeGrouped(spec, seed);
  weights.type = mlir::RankedTensorType::get(
      {spec.rows, spec.columns}, mlir::Float32Type::get(spec.scale.getContext()), matrix.getAttr());
  weights.pack(matrix.getCanonicalForm());
  for (size_t i = 0; i < weights.values.size(); ++i)
    weights.values[i] = matrix.kept[i] ? weights.values[i] : 0;
  return weights;
}

Weights llmc::test::makeMasked(mlir::Attribute inner, int64_t rows, int64_t columns,
                               llvm::ArrayRef<uint8_t> dense) {
  auto kept = makeMask(rows, columns, 0.5, 4);
  auto masked = MaskedAttr::get(inner.getContext(), llvm::count(kept, true), inner);
  const int64_t shape[] = {rows, columns};
  std::vector<uint8_t> bytes = masked.pack(dense, shape, kept);
  Weights weights;
  weights.type =
      mlir::RankedTensorType::get(shape, mlir::Float32Type::get(inner.getContext()), masked);
  weights.pack(bytes);
  std::vector<float> values(columns);
  for (int64_t row = 0; row < rows; ++row) {
    EncodingInterface(masked).decodeRow(bytes, shape, row, values);
    for (float value : values) {
      weights.values.push_back(value);
      weights.magnitudes.push_back(std::fabs(value));
    }
  }
  return weights;
}

Weights llmc::test::makeBilevel(BilevelAttr encoding, int64_t rows, int64_t columns,
                                uint64_t seed) {
  BilevelMatrix matrix = BilevelMatrix::random(encoding, rows, columns, seed);
  Weights weights;
  weights.type = mlir::RankedTensorType::get(
      {rows, columns}, mlir::Float32Type::get(encoding.getContext()), encoding);
  weights.pack(matrix.getCanonicalForm());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      weights.values.push_back(matrix.getValue(row, column));
      weights.magnitudes.push_back(matrix.getMagnitude(row, column));
    }
  return weights;
}

Weights llmc::test::makePlain(mlir::Type element, int64_t rows, int64_t columns, uint64_t seed) {
  Weights weights;
  weights.type = mlir::RankedTensorType::get({rows, columns}, element);
  TiledLayout layout = TiledLayout::get(weights.type);
  weights.tiles = std::make_unique<Memory>(layout.getByteSize());
  auto values = Rows::random(rows, columns, seed);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column) {
      float value = values->at(row, column) = roundTo(values->at(row, column), element);
      weights.values.push_back(value);
      weights.magnitudes.push_back(std::fabs(value));
    }
  for (int64_t tile = 0; tile < layout.tiles; ++tile)
    packPlainTile(
        layout,
        [&](int64_t row, llvm::MutableArrayRef<float> out) {
          std::copy_n(&values->at(row, 0), columns, out.begin());
        },
        tile, weights.tiles->data() + tile * layout.tileBytes);
  return weights;
}
