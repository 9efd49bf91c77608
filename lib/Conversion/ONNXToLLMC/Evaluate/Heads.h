//===- Heads.h - rows cut into heads, and turned by angles ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_HEADS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_HEADS_H

#include "Evaluate/Evaluate.h"

namespace llmc {

/// Queries, keys or values: heads × rows × size, where the heads of all sequences of a batch follow
/// each other.
struct Heads {
  int64_t count = 0, rows = 0, size = 0;
  std::vector<double> values;

  double *row(int64_t head, int64_t index) { return values.data() + (head * rows + index) * size; }
  const double *row(int64_t head, int64_t index) const {
    return values.data() + (head * rows + index) * size;
  }
  /// Of batch × rows × (heads · size); nothing where the heads don't divide the width.
  static std::optional<Heads> fromFlat(const HostTensor &tensor, const std::vector<double> &values,
                                       int64_t headsPerBatch);
  /// Of batch × heads × rows × size.
  static std::optional<Heads> fromHeads(const HostTensor &tensor,
                                        const std::vector<double> &values);
  /// The values as batch × rows × (heads · size).
  std::vector<double> toFlat(int64_t batch) const;
  /// The rows of `past` (first ones only), then these.
  void prepend(const Heads &past, int64_t pastRows);
};

/// Angles by which pairs of columns are turned: tables of places × pairs, and the place of each row
/// of each sequence.
struct Rotation {
  const std::vector<double> &cosine, &sine;
  int64_t pairs;
  bool isInterleaved;
  std::vector<int64_t> places; ///< batch × rows
  int64_t headsPerBatch = 1, rows = 0;

  int64_t getPlace(int64_t head, int64_t row) const {
    return places[head / headsPerBatch * rows + row];
  }
};

void rotate(Heads &heads, const Rotation &rotation);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_HEADS_H
