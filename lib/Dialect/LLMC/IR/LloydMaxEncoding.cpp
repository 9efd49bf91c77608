//===- LloydMaxEncoding.cpp - Gaussian numbers rounded with least error ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `#llmc.lloyd_max`, which is described in LloydMaxAttr.td.
//
//===----------------------------------------------------------------------===//

#include "CacheEncodings.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace llmc;

/// Levels for the normal distribution, the fixed points of Lloyd's iteration, rounded to fp32 (Max
/// 1960, table I has them to four digits).
static constexpr float levels1[] = {-0.79788456f, 0.79788456f};
static constexpr float levels2[] = {-1.51041761f, -0.45278003f, 0.45278003f, 1.51041761f};
static constexpr float levels3[] = {-2.15194570f, -1.34390928f, -0.75600528f, -0.24509418f,
                                    0.24509418f,  0.75600528f,  1.34390928f,  2.15194570f};
static constexpr float levels4[] = {-2.73258957f, -2.06901723f, -1.61804639f, -1.25623120f,
                                    -0.94234046f, -0.65675912f, -0.38804830f, -0.12839503f,
                                    0.12839503f,  0.38804830f,  0.65675912f,  0.94234046f,
                                    1.25623120f,  1.61804639f,  2.06901723f,  2.73258957f};

/// What is added to products, so that none is zero: nothing, but to those of numbers below 2^-70.
static constexpr float leastProduct = 0x1p-100f;

ArrayRef<float> LloydMaxAttr::getLevels() const {
  static constexpr ArrayRef<float> levels[] = {levels1, levels2, levels3, levels4};
  return levels[getBits() - 1];
}

LogicalResult LloydMaxAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits,
                                   int64_t group, Type scale) {
  constexpr unsigned most = 4;
  if (bits < 1 || bits > most)
    return emitError() << "expected 1 to " << most << " bits for levels, found " << bits;
  constexpr int64_t unit = 16;
  if (group < GroupedAttr::channelGroup || group % unit != 0)
    return emitError() << "expected a positive multiple of " << unit
                       << " or 'channel' as a group of levels, found "
                       << (group == GroupedAttr::tensorGroup ? "'tensor'" : std::to_string(group));
  if (!scale.isF32() && !scale.isF16() && !scale.isBF16())
    return emitError() << "expected scales of f32, f16 or bf16, found " << scale;
  return success();
}

LogicalResult LloydMaxAttr::verifyEncoding(ArrayRef<int64_t>, Type,
                                           function_ref<InFlightDiagnostic()> emitError) const {
  return emitError() << "expected an encoding of weights, found " << *this
                     << ", which is one of caches";
}

SmallVector<Plane> LloydMaxAttr::getPlanes(ArrayRef<int64_t> shape) const {
  int64_t size = std::max<int64_t>(shape[1], 1);
  int64_t columns = getGroup() == GroupedAttr::channelGroup ? size : std::min(getGroup(), size);
  return {{"codes", Builder(getContext()).getIntegerType(getBits())},
          {"scales", getScale(), 1, columns}};
}

DecodeBuilder::Operands LloydMaxAttr::decode(DecodeBuilder &b,
                                             ArrayRef<DecodeBuilder::Operands> elements) const {
  return {b.multiply(b.lookUp(getLevels(), elements[codes][0]), elements[scales][0])};
}

DecodeBuilder::Operands LloydMaxAttr::encode(EncodeBuilder &b,
                                             DecodeBuilder::Operand number) const {
  DecodeBuilder::Operand count = b.sum(b.real(1));
  DecodeBuilder::Operand squares = b.sum(b.multiply(number, number));
  DecodeBuilder::Operand mean = b.divide(squares, count);
  DecodeBuilder::Operand code =
      b.countBelow(getMiddles(getLevels()), b.divide(number, b.squareRoot(mean)));
  DecodeBuilder::Operand level = b.lookUp(getLevels(), code);
  // Zeros have the scale zero.
  DecodeBuilder::Operand product =
      b.multiplyAdd(b.sum(b.multiply(number, level)), b.real(1), b.real(leastProduct));
  return {code, b.roundTo(b.divide(squares, product), getScale())};
}
