//===- StatisticsAccumulator.cpp - statistics of rows as they come ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StatisticsAccumulator.h"
#include "llmc/Support/LinearAlgebra.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace llmc;

/// Rows whose products are summed in fp32.
static constexpr int64_t chunkRows = 1024;
/// Columns of a tile of the second moment: its inputs stay in a second-level cache.
static constexpr int64_t tileColumns = 192;
/// Columns that a worker sums at a time.
static constexpr int64_t columnBlock = 64;

StatisticsAccumulator::StatisticsAccumulator(unsigned kinds, int64_t width, Workers &workers)
    : kinds(kinds), workers(workers) {
  result.width = width;
  if (kinds & SecondMoment) {
    result.secondMoment.resize(width * width);
    scratch.resize(workers.size());
    for (int64_t column = 0; column < width; column += tileColumns)
      for (int64_t row = column; row < width; row += tileColumns)
        tiles.push_back({row, column});
  }
  sums.resize(kinds & (Mean | Variance) ? width : 0);
  squares.resize(kinds & Variance ? width : 0);
  magnitudes.resize(kinds & MeanMagnitude ? width : 0);
  result.maxMagnitude.resize(kinds & MaxMagnitude ? width : 0);
}

void StatisticsAccumulator::addSecondMoment(const float *rows, int64_t count, int64_t stride,
                                            double times) {
  int64_t width = result.width;
  MatrixView<const float> x(rows, count, width, stride);
  workers.run(tiles.size(), [&](int64_t index, unsigned worker) {
    auto [row, column] = tiles[index];
    int64_t height = std::min(tileColumns, width - row);
    int64_t breadth = std::min(tileColumns, width - column);
    scratch[worker].resize(tileColumns * tileColumns);
    MatrixView<float> product(scratch[worker].data(), breadth, height);
    multiplyTransposed(product, x.block(0, column, count, breadth), x.block(0, row, count, height));
    for (int64_t i = 0; i < breadth; ++i) {
      double *out = result.secondMoment.data() + (column + i) * width + row;
      for (int64_t j = 0; j < height; ++j)
        out[j] += times * product.row(i)[j];
    }
  });
}

void StatisticsAccumulator::addColumns(const float *rows, int64_t count, int64_t stride) {
  int64_t width = result.width;
  workers.run((width + columnBlock - 1) / columnBlock, [&](int64_t block, unsigned) {
    int64_t begin = block * columnBlock, end = std::min(begin + columnBlock, width);
    for (int64_t row = 0; row < count; ++row) {
      const float *x = rows + row * stride;
      if (!sums.empty())
        for (int64_t column = begin; column < end; ++column)
          sums[column] += x[column];
      if (!squares.empty())
        for (int64_t column = begin; column < end; ++column)
          squares[column] += static_cast<double>(x[column]) * x[column];
      if (!magnitudes.empty())
        for (int64_t column = begin; column < end; ++column)
          magnitudes[column] += std::abs(x[column]);
      if (!result.maxMagnitude.empty())
        for (int64_t column = begin; column < end; ++column)
          result.maxMagnitude[column] = std::max(result.maxMagnitude[column], std::abs(x[column]));
    }
  });
}

void StatisticsAccumulator::add(const float *rows, int64_t count, int64_t stride) {
  for (int64_t done = 0; done < count; done += chunkRows) {
    int64_t chunk = std::min(chunkRows, count - done);
    if (kinds & SecondMoment)
      addSecondMoment(rows + done * stride, chunk, stride, 1);
    if (kinds & ~SecondMoment)
      addColumns(rows + done * stride, chunk, stride);
  }
  result.rows += count;
}

void StatisticsAccumulator::repeat(const float *rows, int64_t count, int64_t stride, double times) {
  for (int64_t done = 0; done < count && (kinds & SecondMoment) && times > 0; done += chunkRows)
    addSecondMoment(rows + done * stride, std::min(chunkRows, count - done), stride, times);
}

InputStatistics StatisticsAccumulator::finish() {
  // Tiles on the diagonal are whole; the others are mirrored.
  int64_t width = result.width;
  if (kinds & SecondMoment)
    for (int64_t column = 0; column < width; ++column)
      for (int64_t row = column + 1; row < width; ++row)
        result.secondMoment[row * width + column] = result.secondMoment[column * width + row];
  const auto rows = static_cast<double>(result.rows);
  for (double sum : sums)
    if (kinds & Mean)
      result.mean.push_back(static_cast<float>(sum / rows));
  for (auto [sum, square] : llvm::zip(sums, squares))
    result.variance.push_back(
        static_cast<float>(std::max(square / rows - sum / rows * (sum / rows), 0.0)));
  for (double sum : magnitudes)
    result.meanMagnitude.push_back(static_cast<float>(sum / rows));
  return std::move(result);
}
