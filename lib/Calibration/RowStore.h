//===- RowStore.h - rows of activations, in memory or in a file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_ROWSTORE_H
#define LLMC_LIB_CALIBRATION_ROWSTORE_H

#include "HostCode.h"

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

#include <map>
#include <vector>

namespace llmc {

/// Holds the rows of values for batches of samples. As many bytes as allowed are in memory, the
/// rest in a temporary file, which has no name and so vanishes with the process.
class RowStore {
public:
  explicit RowStore(int64_t memory) : available(memory) {}
  RowStore(const RowStore &) = delete;
  RowStore &operator=(const RowStore &) = delete;
  ~RowStore();

  /// Memory to write `bytes` of rows to, valid until store(); `slot` tells what is written where.
  float *prepare(mlir::Value value, int64_t batch, int64_t bytes, Pages &spare);
  /// Keeps what was written to the memory that prepare() gave.
  llvm::Error store(mlir::Value value, int64_t batch, const float *rows);
  /// The rows, in place or read into `spare`.
  llvm::Expected<const float *> load(mlir::Value value, int64_t batch, Pages &spare);
  void release(mlir::Value value, int64_t batch);
  /// Releases all rows but those of `untouched` and of `kept`, which are `renamed`'s from now on.
  /// Each may be null.
  void keepOnly(mlir::Value kept, mlir::Value renamed, mlir::Value untouched);
  bool contains(mlir::Value value, int64_t batch) const { return entries.contains({value, batch}); }

private:
  struct Entry {
    int64_t bytes;
    Pages memory; ///< or, where it is empty, an offset in the file
    int64_t offset;
  };
  llvm::Error openFile();
  /// The entry of rows that were prepared and not released; an error where there are none.
  llvm::Expected<const Entry *> find(mlir::Value value, int64_t batch) const;

  int64_t available; ///< bytes that may still be taken
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, Entry> entries;
  /// What was released, by size.
  std::map<int64_t, std::vector<Pages>> freeMemory;
  std::map<int64_t, std::vector<int64_t>> freeFile;
  int64_t fileBytes = 0;
  int descriptor = -1;
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_ROWSTORE_H
