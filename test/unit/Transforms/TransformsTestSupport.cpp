//===- TransformsTestSupport.cpp - a module to put weights into ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace llmc;
using namespace llmc::test;

WeightsTest::WeightsTest() : builder(&context) {
  context.loadDialect<LLMCDialect>();
  module = mlir::ModuleOp::create(builder.getUnknownLoc());
}

ParameterOp WeightsTest::makeParameter(llvm::ArrayRef<float> weights, int64_t rows) {
  std::vector<uint8_t> bytes(weights.size() * 4);
  std::memcpy(bytes.data(), weights.data(), bytes.size());
  auto type =
      mlir::RankedTensorType::get({rows, int64_t(weights.size()) / rows}, builder.getF32Type());
  mlir::OpBuilder ops(&context);
  ops.setInsertionPointToEnd(module->getBody());
  return ParameterOp::create(ops, builder.getUnknownLoc(), "w", type,
                             makeParameterData(&context, "w", std::move(bytes)));
}

std::vector<float> WeightsTest::decode(EncodingInterface encoding, int64_t rows, int64_t columns,
                                       llvm::ArrayRef<uint8_t> bytes) {
  std::vector<float> decoded(rows * columns);
  const int64_t shape[] = {rows, columns};
  for (int64_t row = 0; row < rows; ++row)
    encoding.decodeRow(bytes, shape, row,
                       llvm::MutableArrayRef(decoded).slice(row * columns, columns));
  return decoded;
}

std::vector<float> WeightsTest::normal(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> values(count);
  for (float &value : values)
    value = distribution(random);
  return values;
}

QuantizedWeight WeightsTest::round(llvm::ArrayRef<float> weights, int64_t rows,
                                   EncodingInterface encoding, const FitOptions &fit) {
  ParameterOp parameter = makeParameter(weights, rows);
  QuantizedWeight rounded =
      *roundToNearest(parameter, *WeightValues::read(parameter), encoding, fit);
  parameter.erase();
  return rounded;
}

std::vector<float> WeightsTest::roundTrip(llvm::ArrayRef<float> weights, int64_t rows,
                                          EncodingInterface encoding, const FitOptions &fit) {
  QuantizedWeight rounded = round(weights, rows, encoding, fit);
  std::vector<float> decoded =
      decode(encoding, rows, static_cast<int64_t>(weights.size()) / rows, rounded.bytes);
  double whole = getSquares(weights);
  EXPECT_NEAR(rounded.weightError, whole > 0 ? std::sqrt(getSquares(weights, decoded) / whole) : 0,
              1e-9);
  return decoded;
}

double WeightsTest::getSquares(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> decoded) {
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i)
    sum += std::pow(static_cast<double>(weights[i]) - (decoded.empty() ? 0 : decoded[i]), 2);
  return sum;
}
