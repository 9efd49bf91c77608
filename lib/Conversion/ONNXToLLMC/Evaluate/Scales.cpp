//===- Scales.cpp - scales, zero points and codes of the standard's quantized tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/Scales.h"
#include "Evaluate/Evaluate.h"

#include "mlir/IR/Builders.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

std::optional<ScaleIndex> ScaleIndex::get(ArrayRef<int64_t> shape, ArrayRef<int64_t> scales,
                                          int64_t axis, int64_t block) {
  ScaleIndex index;
  if (block < 0)
    return std::nullopt;
  if (block == 0 && getProduct(scales) == 1)
    return index;
  axis = normalizeAxis(axis, shape.size());
  if (axis < 0)
    return std::nullopt;
  index.isOne = false;
  index.size = shape[axis];
  index.inner = getProduct(shape.drop_front(axis + 1));
  index.block = block;
  SmallVector<int64_t> wanted{shape[axis]};
  if (block > 0) {
    index.blocks = llvm::divideCeil(shape[axis], block);
    wanted.assign(shape.begin(), shape.end());
    wanted[axis] = index.blocks;
  }
  return scales == ArrayRef(wanted) ? std::optional(index) : std::nullopt;
}

IntegerType llmc::getCodeType(const Node &node, Type zeroType) {
  Builder builder(zeroType ? zeroType.getContext() : carrier::NodeOp(node.op).getContext());
  Type type = zeroType ? zeroType : builder.getIntegerType(8, /*isSigned=*/false);
  // TensorProto::DataType of the integers that a rounding can give.
  struct Known {
    int64_t dataType;
    unsigned bits;
    bool isUnsigned;
  };
  static constexpr Known known[] = {{2, 8, true},  {3, 8, false},  {4, 16, true}, {5, 16, false},
                                    {21, 4, true}, {22, 4, false}, {25, 2, true}, {26, 2, false}};
  if (int64_t given = node.getInt("output_dtype", 0); given != 0 && !zeroType) {
    const Known *found =
        llvm::find_if(known, [&](const Known &entry) { return entry.dataType == given; });
    if (found == std::end(known))
      return {};
    type = found->isUnsigned ? builder.getIntegerType(found->bits, /*isSigned=*/false)
                             : builder.getIntegerType(found->bits);
  }
  auto integer = dyn_cast<IntegerType>(type);
  return integer && llvm::is_contained({2u, 4u, 8u, 16u}, integer.getWidth()) ? integer
                                                                              : IntegerType();
}

std::pair<double, double> llmc::getCodeRange(IntegerType type) {
  int bits = static_cast<int>(type.getWidth());
  double low = type.isUnsigned() ? 0 : -std::ldexp(1.0, bits - 1);
  return {low, low + std::ldexp(1.0, bits) - 1};
}
