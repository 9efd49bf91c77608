//===- KeptGroup.h - some weights of a group ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_KEPTGROUP_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_KEPTGROUP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

#include <vector>

namespace llmc {

/// The weights of a group that are kept; where none are, a single zero, which any numbers hold.
struct KeptGroup {
  KeptGroup(llvm::ArrayRef<float> from, llvm::ArrayRef<float> fromImportance,
            llvm::ArrayRef<bool> kept) {
    for (auto [index, weight] : llvm::enumerate(from)) {
      if (!kept[index])
        continue;
      weights.push_back(weight);
      if (!fromImportance.empty())
        importance.push_back(fromImportance[index]);
    }
    if (weights.empty()) {
      weights.push_back(0);
      if (!fromImportance.empty())
        importance.push_back(1);
    }
  }
  std::vector<float> weights, importance;
};

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_KEPTGROUP_H
