//===- WeightFormat.cpp - what quantization passes know of an encoding ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/WeightFormat.h"
#include "Formats.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

ArrayRef<const WeightFormat *> llmc::getWeightFormats() {
  static const WeightFormat *const formats[] = {
#define LLMC_WEIGHT_FORMAT(name) get##name##Format(),
#include "Formats.def"
  };
  return formats;
}

const WeightFormat *llmc::findWeightFormat(StringRef name) {
  for (const WeightFormat *format : getWeightFormats())
    if (format->getName() == name)
      return format;
  return nullptr;
}

const WeightFormat *llmc::findWeightFormat(EncodingInterface encoding) {
  for (const WeightFormat *format : getWeightFormats())
    if (format->has(encoding))
      return format;
  return nullptr;
}

/// What is shared by the weights that are fitted together. A matrix may have more that all of it
/// shares, which no group decides.
static Plane getScales(EncodingInterface encoding, int64_t columns) {
  Plane largest;
  for (const Plane &plane : encoding.getPlanes({1, columns})) {
    if (plane.name == "scales")
      return plane;
    if (plane.columns == Plane::all || plane.columns > largest.columns)
      largest = plane;
  }
  return largest;
}

int64_t llmc::getGroupSize(EncodingInterface encoding, int64_t columns) {
  if (auto sparsity = dyn_cast<SparsityInterface>(encoding)) {
    auto ofKept = dyn_cast<EncodingInterface>(sparsity.getWeights());
    return ofKept ? getGroupSize(ofKept, columns) : columns;
  }
  int64_t size = getScales(encoding, columns).columns;
  return size == Plane::all ? columns : size;
}

bool llmc::hasGroups(EncodingInterface encoding) {
  constexpr int64_t many = int64_t(1) << 40;
  return getGroupSize(encoding, many) < many;
}

bool llmc::isSequential(EncodingInterface encoding) {
  return llvm::any_of(encoding.getPlanes({1, 1}),
                      [](const Plane &plane) { return plane.isStream(); });
}

bool llmc::isOneGroup(EncodingInterface encoding) {
  return getScales(encoding, 1).rows == Plane::all;
}

float llmc::getLargestMagnitude(ArrayRef<float> weights) {
  float largest = 0;
  for (float weight : weights)
    largest = std::max(largest, std::fabs(weight));
  return largest;
}

float llmc::roundToType(Type type, float value) {
  uint8_t bytes[4];
  writeFloat(bytes, 0, type, value);
  return readFloat(bytes, 0, type);
}
