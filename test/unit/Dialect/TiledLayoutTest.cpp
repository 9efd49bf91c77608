//===- TiledLayoutTest.cpp - packing weights into tiles ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/TiledLayout.h"
#include "EncodingTestSupport.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

#include <cstring>

using namespace llmc;
using namespace llmc::test;

namespace {

TiledLayout getLayout(const EncodingCase &spec) {
  return TiledLayout::get(mlir::RankedTensorType::get(
      {spec.rows, spec.columns}, mlir::Float32Type::get(spec.scale.getContext()), spec.getAttr()));
}

class Tiles : public ::testing::Test {
protected:
  Tiles() { context.loadDialect<LLMCDialect>(); }

  mlir::MLIRContext context;
};

/// Packs all tiles, between guards that must stay as they are.
std::vector<uint8_t> pack(const EncodingCase &spec, llvm::ArrayRef<uint8_t> canonical) {
  TiledLayout layout = getLayout(spec);
  std::vector<uint8_t> bytes(layout.getByteSize() + 64, 0xee);
  for (int64_t tile = 0; tile < layout.tiles; ++tile)
    packTile(layout, canonical, tile, bytes.data() + tile * layout.tileBytes);
  for (size_t i = layout.getByteSize(); i < bytes.size(); ++i)
    EXPECT_EQ(bytes[i], 0xee) << "wrote beyond the last tile";
  return bytes;
}

/// A code, found by the words of TiledLayout.h alone.
unsigned findCode(const uint8_t *tile, unsigned bits, int64_t row, int64_t column) {
  unsigned code = 0, shift = 0;
  const uint8_t *plane = tile + column / 32 * bits * 64;
  for (unsigned width : {8u, 4u, 2u, 1u}) {
    if (!(bits & width))
      continue;
    int64_t input = column % 32, perLine = 32 / width;
    int64_t line = input / perLine, j = input % perLine / 4, i = input % 4;
    unsigned byte = plane[64 * line + 4 * row + i];
    code |= (byte >> (width * j) & ((1u << width) - 1)) << shift;
    shift += width;
    plane += 64 * width;
  }
  return code;
}

} // namespace

TEST_F(Tiles, PackingLosesNothing) {
  for (auto [rows, columns] :
       {std::pair<int64_t, int64_t>(19, 77), std::pair<int64_t, int64_t>(16, 256),
        std::pair<int64_t, int64_t>(1, 130)})
    for (const EncodingCase &spec : getAllCases(&context, rows, columns)) {
      GroupedMatrix matrix = GroupedMatrix::random(spec, 3);
      TiledLayout layout = getLayout(spec);
      const TiledPlane &codes = layout.planes[0], &scales = layout.planes[1];
      std::vector<uint8_t> bytes = pack(spec, matrix.getCanonicalForm());
      unsigned scaleBytes = spec.scale.getIntOrFloatBitWidth() / 8;
      for (int64_t row = 0; row < rows; ++row) {
        const uint8_t *tile = bytes.data() + row / tileRows * layout.tileBytes;
        int64_t lane = row % tileRows;
        for (int64_t column = 0; column < columns; ++column) {
          unsigned code = matrix.codes[row * columns + column];
          ASSERT_EQ(codes.readInteger(tile, lane, column), code) << spec.describe();
          ASSERT_EQ(findCode(tile, spec.bits, lane, column), code) << spec.describe();
          int64_t from = matrix.getScaleIndex(row, column);
          int64_t to = column / scales.inputs * tileRows + lane;
          uint32_t scale = 0, minimum = 0;
          std::memcpy(&scale, tile + scales.offset + to * scaleBytes, scaleBytes);
          ASSERT_EQ(scale, matrix.scales[from]) << spec.describe() << " column " << column;
          if (spec.zero == ZeroPoint::Integer)
            ASSERT_EQ(tile[layout.planes[2].offset + to], matrix.zeros[from]) << spec.describe();
          if (spec.zero != ZeroPoint::Float)
            continue;
          std::memcpy(&minimum, tile + layout.planes[2].offset + to * scaleBytes, scaleBytes);
          ASSERT_EQ(minimum, matrix.minima[from]) << spec.describe();
        }
      }
    }
}

TEST_F(Tiles, RowsBeyondTheMatrixAreZero) {
  for (const EncodingCase &spec : getAllCases(&context, 19, 40)) {
    TiledLayout layout = getLayout(spec);
    const TiledPlane &codes = layout.planes[0], &scales = layout.planes[1];
    std::vector<uint8_t> bytes = pack(spec, GroupedMatrix::random(spec, 4).getCanonicalForm());
    const uint8_t *tile = bytes.data() + layout.tileBytes;
    unsigned scaleBytes = spec.scale.getIntOrFloatBitWidth() / 8;
    for (int64_t lane = 3; lane < tileRows; ++lane) {
      for (int64_t column = 0; column < 64; ++column)
        ASSERT_EQ(codes.readInteger(tile, lane, column), 0u) << spec.describe();
      for (int64_t group = 0; group < scales.elements; ++group)
        for (unsigned byte = 0; byte < scaleBytes; ++byte)
          ASSERT_EQ(tile[scales.offset + (group * tileRows + lane) * scaleBytes + byte], 0)
              << spec.describe();
    }
  }
}

TEST_F(Tiles, PartsStandAtMultiplesOfALineAndDoNotOverlap) {
  for (const EncodingCase &spec : getAllCases(&context, 19, 77)) {
    TiledLayout layout = getLayout(spec);
    const TiledPlane &scales = layout.planes[1];
    EXPECT_EQ(layout.planes.size(), spec.zero == ZeroPoint::None ? 2u : 3u);
    EXPECT_EQ(scales.offset, 3 * 64 * static_cast<int64_t>(spec.bits));
    EXPECT_GE(scales.inputs * scales.elements, spec.columns) << spec.describe();
    int64_t end = 0;
    for (const TiledPlane &plane : layout.planes) {
      EXPECT_EQ(plane.offset % 64, 0);
      EXPECT_GE(plane.offset, end);
      unsigned bytes = spec.zero == ZeroPoint::Integer && &plane != &scales
                           ? 1
                           : spec.scale.getIntOrFloatBitWidth() / 8;
      end =
          plane.offset + (plane.inParts ? 3 * 64 * static_cast<int64_t>(spec.bits)
                                        : scales.elements * tileRows * static_cast<int64_t>(bytes));
    }
    EXPECT_EQ(layout.tileBytes % 64, 0);
    EXPECT_GE(layout.tileBytes, end);
  }
}

TEST_F(Tiles, OddGroupsHaveOneScaleEach) {
  mlir::Builder builder(&context);
  for (int64_t group : {99, 48, 33, 24, 20, 7, 1}) {
    EncodingCase spec{4, group, ZeroPoint::None, builder.getF16Type(), 5, 100};
    GroupedMatrix matrix = GroupedMatrix::random(spec, 5);
    TiledPlane scales = getLayout(spec).planes[1];
    EXPECT_EQ(scales.inputs, group);
    EXPECT_EQ(scales.elements, spec.getGroups());
    std::vector<uint8_t> bytes = pack(spec, matrix.getCanonicalForm());
    for (int64_t row = 0; row < spec.rows; ++row)
      for (int64_t column = 0; column < spec.columns; ++column) {
        uint16_t scale;
        std::memcpy(&scale,
                    bytes.data() + scales.offset +
                        (column / scales.inputs * tileRows + row) * sizeof scale,
                    sizeof scale);
        ASSERT_EQ(scale, matrix.scales[matrix.getScaleIndex(row, column)])
            << spec.describe() << " column " << column;
      }
  }
}

TEST_F(Tiles, MatricesWithoutInputsHaveEmptyTiles) {
  for (const EncodingCase &spec : getAllCases(&context, 5, 0)) {
    TiledLayout layout = getLayout(spec);
    EXPECT_EQ(layout.tileBytes, 0) << spec.describe();
    EXPECT_EQ(layout.planes[1].elements, 0) << spec.describe();
  }
}

TEST_F(Tiles, PlainWeightsStandInputByInput) {
  mlir::Builder builder(&context);
  constexpr int64_t rows = 19, columns = 5;
  for (mlir::Type element : {mlir::Type(builder.getF32Type()), mlir::Type(builder.getF16Type()),
                             mlir::Type(builder.getBF16Type())}) {
    TiledLayout layout = TiledLayout::get(mlir::RankedTensorType::get({rows, columns}, element));
    unsigned bytes = element.getIntOrFloatBitWidth() / 8;
    EXPECT_EQ(layout.tiles, 2);
    EXPECT_EQ(layout.tileBytes, element.isF32() ? 320 : 192);
    // Integers below 256 are exact in every type.
    auto read = [&](int64_t row, llvm::MutableArrayRef<float> values) {
      for (int64_t column = 0; column < columns; ++column)
        values[column] = static_cast<float>(row * columns + column + 1);
    };
    std::vector<uint8_t> out(layout.getByteSize(), 0xee);
    for (int64_t tile = 0; tile < layout.tiles; ++tile)
      packPlainTile(layout, read, tile, out.data() + tile * layout.tileBytes);
    for (int64_t row = 0; row < layout.tiles * tileRows; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        uint32_t bits = 0;
        std::memcpy(&bits,
                    out.data() + row / tileRows * layout.tileBytes +
                        (column * tileRows + row % tileRows) * bytes,
                    bytes);
        EXPECT_EQ(decodeFloat(bits, element), row < rows ? row * columns + column + 1 : 0);
      }
  }
}
