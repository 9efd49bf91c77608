//===- GroupedDecoder.cpp - the decode step of grouped integers ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles of `#llmc.grouped`, as TiledLayout.h describes them.
//
//===----------------------------------------------------------------------===//

#include "WeightDecoder.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;

namespace {

class GroupedDecoder final : public WeightDecoder, public CodeDecoder {
public:
  using Value = mlir::Value;
  using Values = KernelBuilder::Values;

  GroupedDecoder(GroupedAttr encoding, int64_t columns)
      : encoding(encoding), tile(GroupedTile::get(encoding, columns)),
        codeLayout{(int64_t(1) << encoding.getBits()) - 1,
                   encoding.getBits() == 8,
                   tile.scaleOffset,
                   tile.scaleGroup,
                   tile.scaleGroups,
                   encoding.getZero() != ZeroPoint::None} {}

  std::string getName() const override;
  Values decodeBlock(KernelBuilder &k, Value address, Value block) const override;
  const CodeDecoder *getCodes() const override { return this; }

  const Layout &getLayout() const override { return codeLayout; }
  std::string explainUnsupported() const override;
  Values loadCodes(KernelBuilder &k, Value address, Value block) const override;
  Scales loadScales(KernelBuilder &k, Value address, Value group) const override;
  Value addDot(KernelBuilder &k, Value dot, const Scales &weights, Value scale, Value codeSum,
               Value sum) const override;

private:
  /// Zero points as i32.
  Scales loadStoredScales(KernelBuilder &k, Value address, Value group) const;

  GroupedAttr encoding;
  GroupedTile tile;
  Layout codeLayout;
};

struct GroupedKernels : public KernelEncodingInterface::ExternalModel<GroupedKernels, GroupedAttr> {
  std::unique_ptr<WeightDecoder> getDecoder(Attribute encoding, int64_t columns) const {
    return std::make_unique<GroupedDecoder>(cast<GroupedAttr>(encoding), columns);
  }
};

} // namespace

void llmc::attachGroupedDecoder(MLIRContext *context) {
  GroupedAttr::attachInterface<GroupedKernels>(*context);
}

std::string GroupedDecoder::getName() const {
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << "b" << encoding.getBits() << "g";
  if (encoding.getGroup() == GroupedAttr::channelGroup)
    stream << "c";
  else if (encoding.getGroup() == GroupedAttr::tensorGroup)
    stream << "t";
  else
    stream << encoding.getGroup();
  stream << stringifyZeroPoint(encoding.getZero()) << encoding.getScale();
  return name;
}

std::string GroupedDecoder::explainUnsupported() const {
  if (tile.scaleGroup % blockInputs == 0)
    return "";
  return "rounded activations need groups of a multiple of 32 weights, found " +
         std::to_string(encoding.getGroup());
}

CodeDecoder::Scales GroupedDecoder::loadStoredScales(KernelBuilder &k, Value address,
                                                     Value group) const {
  int64_t scaleBytes = encoding.getScale().getIntOrFloatBitWidth() / 8 * tileRows;
  Scales result;
  result.scales = k.loadAsFloats(
      encoding.getScale(), k.offset(address, k.add(k.mul(group, scaleBytes), tile.scaleOffset)));
  if (encoding.getZero() == ZeroPoint::Integer) {
    Value bytes = k.load(k.vector(k.i8()),
                         k.offset(address, k.add(k.mul(group, tileRows), tile.zeroOffset)), 1);
    result.zeros = k.extendUnsigned(bytes, k.vector(k.i32()));
  } else if (encoding.getZero() == ZeroPoint::Float) {
    result.zeros = k.loadAsFloats(
        encoding.getScale(), k.offset(address, k.add(k.mul(group, scaleBytes), tile.zeroOffset)));
  }
  return result;
}

CodeDecoder::Scales GroupedDecoder::loadScales(KernelBuilder &k, Value address, Value group) const {
  Scales result = loadStoredScales(k, address, group);
  if (encoding.getZero() == ZeroPoint::Integer)
    result.zeros = k.toFloat(result.zeros);
  return result;
}

KernelBuilder::Values GroupedDecoder::loadCodes(KernelBuilder &k, Value address,
                                                Value block) const {
  VectorType bytes = k.vector(k.i8(), 64), halves = k.vector(k.i16(), 32);
  Value lines = k.offset(address, k.mul(block, tile.getBlockBytes()));
  Values codes(blockInputs / 4);
  int64_t planeOffset = 0;
  unsigned codeShift = 0;
  for (unsigned width : getPlanes(encoding.getBits())) {
    int64_t stepsPerLine = 8 / width;
    for (unsigned line = 0; line < width; ++line) {
      Value packed = k.load(bytes, k.offset(lines, planeOffset + line * 64), 1);
      for (int64_t j = 0; j < stepsPerLine; ++j) {
        // There are no shifts of bytes: 16-bit ones, and the mask removes what comes across.
        Value part = width == 8
                         ? packed
                         : k.bitAnd(k.bitcast(k.shr(k.bitcast(packed, halves), width * j), bytes),
                                    k.integer(bytes, (1 << width) - 1));
        Value &code = codes[line * stepsPerLine + j];
        if (codeShift == 0)
          code = part;
        else
          // The part fits above the bits that are there, inside its byte.
          code = k.bitOr(code, k.bitcast(k.shl(k.bitcast(part, halves), codeShift), bytes));
      }
    }
    planeOffset += width * 64;
    codeShift += width;
  }
  return codes;
}

KernelBuilder::Values GroupedDecoder::decodeBlock(KernelBuilder &k, Value address,
                                                  Value block) const {
  VectorType words = k.vector(k.i32());
  // Inside of a block groups end at multiples of this many inputs alone.
  int64_t perScale = std::gcd(tile.scaleGroup, blockInputs);
  Value firstInput = k.mul(block, blockInputs);
  Value lines = k.offset(address, k.mul(block, tile.getBlockBytes()));

  // The four inputs of a row stand in one 32-bit lane.
  Values codes(blockInputs);
  int64_t planeOffset = 0;
  unsigned codeShift = 0;
  for (unsigned width : getPlanes(encoding.getBits())) {
    int64_t inputsPerLine = blockInputs / width;
    for (unsigned line = 0; line < width; ++line) {
      Value packed = k.load(words, k.offset(lines, planeOffset + line * 64), 1);
      for (int64_t input = 0; input < inputsPerLine; ++input) {
        unsigned shift = 8 * (input % 4) + width * (input / 4);
        Value part = k.bitAnd(k.shr(packed, shift), k.integer(words, (1 << width) - 1));
        Value &code = codes[line * inputsPerLine + input];
        code = codeShift == 0 ? part : k.bitOr(code, k.shl(part, codeShift));
      }
    }
    planeOffset += width * 64;
    codeShift += width;
  }

  Values decoded(blockInputs);
  Scales scales;
  for (int64_t input = 0; input < blockInputs; ++input) {
    if (input % perScale == 0) {
      // Beyond the last input there are no scales: the last group's stand in, times zero.
      Value group = k.div(k.add(firstInput, input), tile.scaleGroup);
      if (tile.scaleGroup % blockInputs != 0)
        group = k.min(group, k.integer(tile.scaleGroups - 1));
      scales = loadStoredScales(k, address, group);
    }
    Value code = codes[input];
    if (encoding.getZero() == ZeroPoint::None)
      code = k.sub(code, k.integer(words, 1 << (encoding.getBits() - 1)));
    else if (encoding.getZero() == ZeroPoint::Integer)
      code = k.sub(code, scales.zeros);
    decoded[input] = encoding.getZero() == ZeroPoint::Float
                         ? k.fma(k.toFloat(code), scales.scales, scales.zeros)
                         : k.fmul(k.toFloat(code), scales.scales);
  }
  return decoded;
}

Value GroupedDecoder::addDot(KernelBuilder &k, Value dot, const Scales &weights, Value scale,
                             Value codeSum, Value sum) const {
  // Codes are unsigned; what zero stands for is taken off. All numbers are integers below 2^24
  // (32 · 255 · 127), so floats hold them exactly.
  Value exact = k.toFloat(dot);
  if (encoding.getZero() == ZeroPoint::None)
    exact =
        k.fma(k.real(k.vector(k.f32()), -std::ldexp(1.0, encoding.getBits() - 1)), codeSum, exact);
  else if (encoding.getZero() == ZeroPoint::Integer)
    exact = k.fma(k.fneg(weights.zeros), codeSum, exact);
  sum = k.fma(exact, k.fmul(weights.scales, scale), sum);
  if (encoding.getZero() == ZeroPoint::Float)
    sum = k.fma(weights.zeros, k.fmul(scale, codeSum), sum);
  return sum;
}
