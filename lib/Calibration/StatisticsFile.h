//===- StatisticsFile.h - statistics of all sites in one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A safetensors file. A site is named after the first of its weights, and gives the tensors
// NAME.second_moment (f64, width × width), NAME.mean, NAME.mean_magnitude and NAME.max_magnitude
// (f32, width). `__metadata__` has
//
//   format   llmc-statistics
//   model    the fingerprint of the model that was calibrated
//   tokens   that of the tokens
//   rows     how many rows were seen
//   weights  JSON: the site of each weight
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_STATISTICSFILE_H
#define LLMC_LIB_CALIBRATION_STATISTICSFILE_H

#include "FlatModel.h"
#include "llmc/Host/FileReplacement.h"
#include "llmc/Support/Safetensors.h"

namespace llmc {

/// Writes statistics as they come, to a file that takes its place when all are there: one that is
/// resumed is called PATH.partial until then.
class StatisticsWriter {
public:
  /// How a file relates to earlier runs.
  enum class Mode {
    New,    ///< to none: it is removed if this one fails
    Resumed ///< it goes on with what they wrote, if it is the same file, and is kept for the next
  };

  /// With `expectPartial` an earlier run must have written some of it. Gives null where one
  /// finished it.
  static llvm::Expected<std::unique_ptr<StatisticsWriter>>
  create(llvm::StringRef path, llvm::ArrayRef<Cut> cuts, unsigned kinds, llvm::StringRef model,
         llvm::StringRef tokens, int64_t rows, Mode mode, bool expectPartial);
  StatisticsWriter(const StatisticsWriter &) = delete;
  StatisticsWriter &operator=(const StatisticsWriter &) = delete;
  ~StatisticsWriter();

  llvm::Error write(const Cut &cut, const InputStatistics &statistics);
  llvm::Error finish();

private:
  StatisticsWriter() = default;
  llvm::Error writeBytes(int64_t offset, llvm::ArrayRef<uint8_t> bytes);
  llvm::Error fail(llvm::StringRef what) const;

  std::string path, partial;
  SafetensorsLayout layout;
  int64_t dataOffset = 0;      ///< of tensors in the file
  FileReplacement replacement; ///< where the file is new
  int descriptor = -1;
  bool keep = false;
};

/// Reads such a file.
class StatisticsReader {
public:
  /// Refuses a file that does not belong to `model`, or to `tokens` unless that is empty.
  static llvm::Expected<StatisticsReader> open(llvm::StringRef path, llvm::StringRef model,
                                               llvm::StringRef tokens);

  llvm::Expected<InputStatistics> read(const Cut &cut, unsigned kinds) const;

private:
  explicit StatisticsReader(SafetensorsFile file) : file(std::move(file)) {}

  SafetensorsFile file;
  llvm::json::Object sites;
  int64_t rows = 0;
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_STATISTICSFILE_H
