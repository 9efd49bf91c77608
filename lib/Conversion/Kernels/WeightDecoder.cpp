//===- WeightDecoder.cpp - reading tiled weights inside a kernel ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightDecoder.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

std::string llmc::getWeightName(RankedTensorType type) {
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << type.getDimSize(0) << "x" << type.getDimSize(1) << "_";
  auto grouped = dyn_cast_or_null<GroupedAttr>(type.getEncoding());
  if (!grouped) {
    stream << type.getElementType();
    return name;
  }
  stream << "b" << grouped.getBits() << "g";
  if (grouped.getGroup() == GroupedAttr::channelGroup)
    stream << "c";
  else if (grouped.getGroup() == GroupedAttr::tensorGroup)
    stream << "t";
  else
    stream << grouped.getGroup();
  stream << stringifyZeroPoint(grouped.getZero()) << grouped.getScale();
  return name;
}

WeightDecoder::BlockScales WeightDecoder::loadGroupScales(Value tile, Value group) {
  GroupedAttr encoding = layout.encoding;
  int64_t scaleBytes = encoding.getScale().getIntOrFloatBitWidth() / 8 * tileRows;
  BlockScales result;
  result.scales = k.loadAsFloats(
      encoding.getScale(), k.offset(tile, k.add(k.mul(group, scaleBytes), layout.scaleOffset)));
  if (encoding.getZero() == ZeroPoint::Integer) {
    Value bytes = k.load(k.vector(k.i8()),
                         k.offset(tile, k.add(k.mul(group, tileRows), layout.zeroOffset)), 1);
    result.zeros = k.extendUnsigned(bytes, k.vector(k.i32()));
  } else if (encoding.getZero() == ZeroPoint::Float) {
    result.zeros = k.loadAsFloats(
        encoding.getScale(), k.offset(tile, k.add(k.mul(group, scaleBytes), layout.zeroOffset)));
  }
  return result;
}

WeightDecoder::BlockScales WeightDecoder::loadFloatGroupScales(Value tile, Value group) {
  BlockScales result = loadGroupScales(tile, group);
  if (layout.encoding.getZero() == ZeroPoint::Integer)
    result.zeros = k.toFloat(result.zeros);
  return result;
}

WeightDecoder::Values WeightDecoder::loadCodes(Value tile, Value block) {
  VectorType bytes = k.vector(k.i8(), 64), halves = k.vector(k.i16(), 32);
  Value address = k.offset(tile, k.mul(block, layout.getBlockBytes()));
  Values codes(blockInputs / 4);
  int64_t planeOffset = 0;
  unsigned codeShift = 0;
  for (unsigned width : getPlanes(layout.encoding.getBits())) {
    int64_t stepsPerLine = 8 / width;
    for (unsigned line = 0; line < width; ++line) {
      Value packed = k.load(bytes, k.offset(address, planeOffset + line * 64), 1);
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

WeightDecoder::Values WeightDecoder::decodeBlock(Value tile, Value block) {
  GroupedAttr encoding = layout.encoding;
  VectorType words = k.vector(k.i32());
  int64_t perScale = std::min(layout.scaleGroup, blockInputs);
  Value firstGroup = layout.scaleGroup >= blockInputs
                         ? k.div(block, layout.scaleGroup / blockInputs)
                         : k.mul(block, blockInputs / layout.scaleGroup);
  Value address = k.offset(tile, k.mul(block, layout.getBlockBytes()));

  // The four inputs of a row stand in one 32-bit lane.
  Values codes(blockInputs);
  int64_t planeOffset = 0;
  unsigned codeShift = 0;
  for (unsigned width : getPlanes(encoding.getBits())) {
    int64_t inputsPerLine = blockInputs / width;
    for (unsigned line = 0; line < width; ++line) {
      Value packed = k.load(words, k.offset(address, planeOffset + line * 64), 1);
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
  BlockScales scales;
  for (int64_t input = 0; input < blockInputs; ++input) {
    if (input % perScale == 0) {
      // Beyond the last input there are no scales: the last group's stand in, times zero.
      Value group = k.add(firstGroup, input / perScale);
      if (layout.scaleGroup < blockInputs)
        group = k.min(group, k.integer(layout.scaleGroups - 1));
      scales = loadGroupScales(tile, group);
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
