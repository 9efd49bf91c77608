//===- WeightBits.cpp - bits of a weight, in halves ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/WeightBits.h"

using namespace llmc;

std::optional<WeightBits> WeightBits::parse(llvm::StringRef text) {
  auto [whole, rest] = text.split('.');
  uint16_t number;
  bool hasPoint = whole.size() != text.size();
  if (whole.getAsInteger(10, number) || (hasPoint && rest != "0" && rest != "5"))
    return std::nullopt;
  return WeightBits::ofHalves(2 * number + (rest == "5" ? 1 : 0));
}
