//===- ContextLimit.cpp - how long a text the tables of a graph allow ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/ContextLimit.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

int64_t llmc::findContextLimit(const Probe &probe) {
  int64_t limit = INT64_MAX;
  ProbeSizes sizes = probe.getSizes();
  for (NodeOp op : probe.getNodes()) {
    auto get = [&](unsigned i) {
      return i < op.getInputs().size() ? probe.get(op.getInputs()[i]) : nullptr;
    };
    StringRef type = op.getOpType();
    if (type == "Gather" && get(0) && get(1) && get(1)->isKnown() &&
        get(1)->getNumElements() == sizes.rows && !get(0)->shape.empty() &&
        (get(0)->constant || get(0)->isWeights)) {
      double offset = (*get(1))[0] - sizes.past;
      bool counts = offset >= 0;
      for (int64_t i = 0; i < sizes.rows; ++i)
        counts &= (*get(1))[i] == sizes.past + i + offset;
      if (counts)
        limit = std::min(limit, get(0)->shape[0] - static_cast<int64_t>(offset));
    } else if (type == "GatherElements" && get(0) && get(1) && get(1)->isKnown() &&
               !get(0)->shape.empty() && !get(1)->data->empty()) {
      // Positions that are repeated for each column of a table.
      int64_t axis =
          normalizeAxis(Node(op).getInt("axis", 0), static_cast<int64_t>(get(0)->shape.size()));
      auto [least, most] = std::minmax_element(get(1)->data->begin(), get(1)->data->end());
      if (axis >= 0 && *least == static_cast<double>(sizes.past) &&
          *most == static_cast<double>(sizes.total() - 1))
        limit = std::min(limit, get(0)->shape[axis]);
    } else if (type == "GroupQueryAttention" || type == "RotaryEmbedding") {
      unsigned table = type == "GroupQueryAttention"       ? 7
                       : op.getDomain() == "com.microsoft" ? 2
                                                           : 1;
      if (get(table) && get(table)->constant && get(table)->shape.size() == 2)
        limit = std::min(limit, get(table)->shape[0]);
    } else if (type == "Slice" && get(0) && get(0)->constant && get(2) && get(2)->isKnown() &&
               get(2)->getNumElements() == 1 && (*get(2))[0] == sizes.total()) {
      // A stored mask that is cut to the lengths of the step.
      int64_t largest = 0;
      for (int64_t dim : get(0)->shape)
        largest = std::max(largest, dim);
      limit = std::min(limit, largest);
    }
  }
  return limit;
}
