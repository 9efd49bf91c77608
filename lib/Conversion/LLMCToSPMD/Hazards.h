//===- Hazards.h - which stages need a barrier between them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOSPMD_HAZARDS_H
#define LLMC_LIB_CONVERSION_LLMCTOSPMD_HAZARDS_H

#include "llmc/Dialect/SPMD/IR/SPMD.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace llmc {

/// A range of bytes that a stage reads or writes. Ranges of different spaces never overlap. With an
/// extent of Rows, worker w touches rows [rows · w / W, rows · (w + 1) / W) of the buffer alone,
/// OutputRows the same of the rows whose logits are wanted, Whole anything.
struct Access {
  int64_t space, begin, end;
  bool write;
  spmd::Extent extent;
};

/// The accesses since the last barrier.
class Hazards {
public:
  bool conflicts(llvm::ArrayRef<Access> accesses) const {
    return llvm::any_of(accesses, [&](const Access &later) {
      return llvm::any_of(pending, [&](const Access &earlier) { return conflict(earlier, later); });
    });
  }
  void add(llvm::ArrayRef<Access> accesses) { pending.append(accesses.begin(), accesses.end()); }
  void clear() { pending.clear(); }
  bool empty() const { return pending.empty(); }
  llvm::ArrayRef<Access> get() const { return pending; }

private:
  static bool conflict(const Access &a, const Access &b) {
    if (a.space != b.space || a.end <= b.begin || b.end <= a.begin || (!a.write && !b.write))
      return false;
    // The same worker touches the same rows, if both see the same buffer.
    bool sameShare = a.extent == b.extent && a.extent != spmd::Extent::Whole &&
                     a.begin == b.begin && a.end == b.end;
    return !sameShare;
  }

  llvm::SmallVector<Access> pending;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOSPMD_HAZARDS_H
