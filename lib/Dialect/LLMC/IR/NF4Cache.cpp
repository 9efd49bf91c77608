//===- NF4Cache.cpp - NormalFloat 4 as an encoding of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `#llmc.nf4` as what is stored of a head while a model runs: s = max|x| of a group, rounded to the
// type of scales, and the code of x is that of the number nearest to x / s, halfway the lower one.
//
//===----------------------------------------------------------------------===//

#include "CacheEncodings.h"

using namespace mlir;
using namespace llmc;

SmallVector<float> llmc::getMiddles(ArrayRef<float> numbers) {
  SmallVector<float> middles;
  for (auto [low, high] : llvm::zip(numbers, numbers.drop_front()))
    middles.push_back((low + high) / 2);
  return middles;
}

namespace {

struct NF4Cache : CacheEncodingInterface::ExternalModel<NF4Cache, NF4Attr> {
  DecodeBuilder::Operands encode(Attribute attribute, EncodeBuilder &b,
                                 DecodeBuilder::Operand number) const {
    DecodeBuilder::Operand scale =
        b.roundTo(b.largest(b.absolute(number)), cast<NF4Attr>(attribute).getScale());
    return {b.countBelow(getMiddles(NF4Attr::getNumbers()), b.divide(number, scale)), scale};
  }
};

} // namespace

void llmc::attachNF4Cache(MLIRContext *context) { NF4Attr::attachInterface<NF4Cache>(*context); }
