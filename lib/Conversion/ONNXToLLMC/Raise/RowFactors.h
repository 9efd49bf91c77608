//===- RowFactors.h - numbers by which rows are multiplied at their positions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWFACTORS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ROWFACTORS_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <map>
#include <vector>

namespace llmc {

/// A factor of rotations: a column of a known tensor that varies with the position.
struct RowFactor {
  /// Where it was read: `column` is a place in the last axis of `value`.
  struct Source {
    mlir::Value value;
    int64_t column;
    bool operator==(const Source &other) const = default;
  };
  llvm::SmallVector<Source, 1> sources; ///< none for a table that was read as a whole
  std::vector<double> values;           ///< at the probe's positions
  double roundoff = 0;                  ///< of the values, as in HostTensor
};

/// The factors of a raise. What is equal at the probe's positions is one factor with several
/// sources, each of which is looked at again at other lengths.
class RowFactors {
public:
  int32_t add(std::vector<double> values, double roundoff, RowFactor::Source source) {
    auto [entry, added] = ids.try_emplace(values, factors.size());
    if (added)
      factors.push_back({{}, std::move(values), roundoff});
    auto &sources = factors[entry->second].sources;
    if (source.value && !llvm::is_contained(sources, source))
      sources.push_back(source);
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
