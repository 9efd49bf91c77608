//===- Hazards.h - which stages need a barrier between them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOSPMD_HAZARDS_H
#define LLMC_LIB_CONVERSION_LLMCTOSPMD_HAZARDS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace llmc {

/// How the pieces of a stage relate to memory.
enum class Partition {
  Rows,       ///< worker w touches rows [rows · w / W, rows · (w + 1) / W) of a buffer
  OutputRows, ///< the same for the rows whose logits are wanted
  Other       ///< anything else
};

/// A range of bytes that a stage reads or writes. Ranges of different spaces never overlap.
struct Access {
  int64_t space, begin, end;
  bool write;
  Partition partition;
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
    bool sameShare = a.partition == b.partition && a.partition != Partition::Other &&
                     a.begin == b.begin && a.end == b.end;
    return !sameShare;
  }

  llvm::SmallVector<Access> pending;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOSPMD_HAZARDS_H
