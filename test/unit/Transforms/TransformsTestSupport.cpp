//===- TransformsTestSupport.cpp - a module to put weights into ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include <cstring>

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
