//===- WorkFolder.h - what a walk has done so far, on disk ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A folder that holds
//
//   job                  JSON: what is being done; work of another job is refused
//   tokens               the text that the model wrote itself, where it did: int32, little-endian
//   block-N.safetensors  the parameters that the pass changed at the sites of block N, and its
//   notes rows                 the number of finished blocks, and the rows that enter the next one
//
// Files appear whole or not at all, `rows` last: killed at any moment, the next walk goes on after
// the last block that `rows` counts. What is read is what was written: `tokens` ends with its
// checksum, and `rows` has its own and those of all finished blocks.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_WORKFOLDER_H
#define LLMC_LIB_CALIBRATION_WORKFOLDER_H

#include "llmc/Calibration/Calibration.h"
#include "llmc/Support/Safetensors.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <map>

namespace llmc {

class WorkFolder {
public:
  /// Opens or makes the folder at `path` for a job, and keeps it from other processes.
  static llvm::Expected<std::unique_ptr<WorkFolder>> open(llvm::StringRef path,
                                                          const llvm::json::Object &job);
  WorkFolder(const WorkFolder &) = delete;
  WorkFolder &operator=(const WorkFolder &) = delete;
  ~WorkFolder();

  /// How many blocks are finished.
  int64_t getFinished() const { return finished; }

  /// Saves the sites of a finished block: parameters whose data is not what it was at the last call
  /// (or the constructor's), activations of linears, records.
  llvm::Error saveBlock(mlir::ModuleOp module, int64_t block,
                        llvm::ArrayRef<CalibrationSite> sites);
  /// Puts back what saveBlock() saved.
  llvm::Error restoreBlock(mlir::ModuleOp module, int64_t block,
                           llvm::MutableArrayRef<CalibrationSite> sites);

  /// A site where operations change, of which only names last.
  struct NamedSite {
    std::string record;
    std::vector<std::string> parameters;
  };
  /// Saves a finished block where operations change: what saveBlock() saves, but @step itself in
  /// the place of activations.
  llvm::Error saveStructure(mlir::ModuleOp module, int64_t block, llvm::ArrayRef<NamedSite> sites);
  /// Puts back the parameters and @step as they were after the last finished block, and gives the
  /// sites of all finished blocks.
  llvm::Expected<std::vector<NamedSite>> restoreStructure(mlir::ModuleOp module);
  /// What parameters are now is no news to saveBlock().
  void noteParameters(mlir::ModuleOp module);

  /// Saves `bytes` of rows and counts `finished` blocks as done. `next` gives them piece by piece.
  llvm::Error
  saveRows(int64_t finished, int64_t bytes,
           llvm::function_ref<llvm::Expected<llvm::ArrayRef<uint8_t>>(int64_t piece)> next);
  /// Reads the rows at `offset`.
  llvm::Error readRows(int64_t offset, llvm::MutableArrayRef<uint8_t> bytes);

  /// Tokens that were saved, or nothing.
  llvm::Expected<std::optional<std::vector<int32_t>>> readTokens() const;
  llvm::Error saveTokens(llvm::ArrayRef<int32_t> tokens) const;

  /// Removes all that is in the folder, and the folder itself if nothing else is.
  void remove();

private:
  explicit WorkFolder(llvm::StringRef path) : path(path) {}
  std::string getPath(const llvm::Twine &name) const;
  std::string getBlockPath(int64_t block) const;
  llvm::Error openRows();
  llvm::Error failDamaged(const llvm::Twine &file) const;
  llvm::Error writeBlock(mlir::ModuleOp module, int64_t block, llvm::json::Object left);
  llvm::Expected<SafetensorsFile> openBlock(int64_t block) const;
  void removeUnfinished() const;

  std::string path;
  int lock = -1, rows = -1;
  int64_t finished = 0, rowsOffset = 0;
  std::vector<uint64_t> blockChecksums; ///< of the files of blocks that are done
  /// Type and data of parameters by name, as last noted.
  llvm::StringMap<std::pair<mlir::Type, mlir::Attribute>> noted;
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_WORKFOLDER_H
