//===- GroupedEncodingTest.cpp - sizes and values of #llmc.grouped ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EncodingTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace llmc;
using namespace llmc::test;

namespace {

class GroupedEncoding : public ::testing::Test {
protected:
  GroupedEncoding() { context.loadDialect<LLMCDialect>(); }

  mlir::InFlightDiagnostic emitError() { return mlir::emitError(mlir::UnknownLoc::get(&context)); }

  mlir::MLIRContext context;
};

} // namespace

TEST_F(GroupedEncoding, SizeIsThatOfTheCanonicalForm) {
  // A width that is a multiple of nothing, one below a group, one that is whole groups.
  for (int64_t columns : {int64_t(1), int64_t(77), int64_t(130), int64_t(256)})
    for (const EncodingCase &spec : getAllCases(&context, 3, columns)) {
      GroupedMatrix matrix = GroupedMatrix::random(spec, 1);
      const int64_t shape[] = {spec.rows, spec.columns};
      auto size = EncodingInterface(spec.getAttr()).getByteSize(shape, [&] { return emitError(); });
      ASSERT_TRUE(mlir::succeeded(size)) << spec.describe();
      EXPECT_EQ(*size, static_cast<int64_t>(matrix.getCanonicalForm().size())) << spec.describe();
    }
}

TEST_F(GroupedEncoding, DecodesRowsExactly) {
  for (int64_t columns : {int64_t(1), int64_t(77), int64_t(130), int64_t(256)})
    for (const EncodingCase &spec : getAllCases(&context, 3, columns)) {
      GroupedMatrix matrix = GroupedMatrix::random(spec, 2);
      std::vector<uint8_t> bytes = matrix.getCanonicalForm();
      const int64_t shape[] = {spec.rows, spec.columns};
      std::vector<float> values(spec.columns);
      for (int64_t row = 0; row < spec.rows; ++row) {
        EncodingInterface(spec.getAttr()).decodeRow(bytes, shape, row, values);
        for (int64_t column = 0; column < spec.columns; ++column)
          ASSERT_EQ(values[column], static_cast<float>(matrix.getValue(row, column)))
              << spec.describe() << " at " << row << ", " << column;
      }
    }
}

TEST_F(GroupedEncoding, BitsPerWeightCountsScalesAndZeroPoints) {
  mlir::Builder builder(&context);
  const int64_t shape[] = {4, 64};
  auto bits = [&](unsigned width, int64_t group, ZeroPoint zero) {
    return EncodingInterface(GroupedAttr::get(&context, width, group, zero, builder.getF16Type()))
        .getBitsPerWeight(shape);
  };
  EXPECT_EQ(bits(4, 32, ZeroPoint::None), 4.5);
  EXPECT_EQ(bits(4, 32, ZeroPoint::Integer), 4.75);
  EXPECT_EQ(bits(4, 32, ZeroPoint::Float), 5.0);
  EXPECT_EQ(bits(8, GroupedAttr::channelGroup, ZeroPoint::None), 8.25);
  EXPECT_EQ(bits(8, GroupedAttr::tensorGroup, ZeroPoint::None), 8 + 16.0 / 256);
  // A shorter last group costs a whole scale.
  EXPECT_EQ(bits(4, 48, ZeroPoint::None), 4.5);
}

TEST_F(GroupedEncoding, RefusesSizesBeyondSixtyThreeBits) {
  mlir::Builder builder(&context);
  EncodingInterface encoding =
      GroupedAttr::get(&context, 8, 1, ZeroPoint::Float, builder.getF32Type());
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  for (auto shape :
       {std::pair<int64_t, int64_t>(int64_t(1) << 40, int64_t(1) << 40),
        std::pair<int64_t, int64_t>(INT64_MAX, INT64_MAX),
        std::pair<int64_t, int64_t>(1, INT64_MAX), std::pair<int64_t, int64_t>(INT64_MAX, 1)}) {
    const int64_t dims[] = {shape.first, shape.second};
    message.clear();
    EXPECT_TRUE(mlir::failed(encoding.getByteSize(dims, [&] { return emitError(); })));
    EXPECT_NE(message.find("expected at most 2^56 weights"), std::string::npos) << message;
  }
}

TEST_F(GroupedEncoding, MatricesWithoutWeightsHaveNoBytesOfCodes) {
  mlir::Builder builder(&context);
  for (int64_t group : {int64_t(32), GroupedAttr::channelGroup, GroupedAttr::tensorGroup}) {
    EncodingInterface encoding =
        GroupedAttr::get(&context, 4, group, ZeroPoint::None, builder.getF16Type());
    for (auto shape : {std::pair<int64_t, int64_t>(0, 64), std::pair<int64_t, int64_t>(4, 0)}) {
      const int64_t dims[] = {shape.first, shape.second};
      auto size = encoding.getByteSize(dims, [&] { return emitError(); });
      ASSERT_TRUE(mlir::succeeded(size));
      EXPECT_EQ(*size, group == GroupedAttr::tensorGroup ? 2 : 0);
      EXPECT_EQ(encoding.getBitsPerWeight(dims), 0);
    }
  }
}
