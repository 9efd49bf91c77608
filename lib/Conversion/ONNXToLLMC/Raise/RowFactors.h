//===- RowFactors.h - numbers by which rows are multiplied at their positions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWFACTORS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWFACTORS_H

#include "mlir/IR/Value.h"

#include <map>
#include <vector>

namespace llmc {

/// A factor of rotations: column `column` of a known tensor that varies with the position.
struct RowFactor {
  mlir::Value value;
  int64_t column;             ///< in its last axis
  std::vector<double> values; ///< at the probe's positions
  double roundoff = 0;        ///< of the values, as in HostTensor
};

/// The factors of a raise, of which equal ones are one.
class RowFactors {
public:
  int32_t add(RowFactor factor) {
    auto [entry, added] = ids.try_emplace(factor.values, factors.size());
    if (added)
      factors.push_back(std::move(factor));
    return entry->second;
  }
  const RowFactor &operator[](int32_t id) const { return factors[id]; }
  auto begin() const { return factors.begin(); }
  auto end() const { return factors.end(); }

private:
  std::vector<RowFactor> factors;
  std::map<std::vector<double>, int32_t> ids;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWFACTORS_H
