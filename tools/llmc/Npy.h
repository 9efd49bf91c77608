//===- Npy.h - arrays in NumPy's .npy files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_NPY_H
#define LLMC_TOOLS_NPY_H

#include "llmc/Host/FileReplacement.h"

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace llmc::driver {

/// Reads token ids: a .npy file of int32 or int64, of rank 1 or of shape [1, n], version 1.0 to
/// 3.0, in C order and little-endian. Throws std::runtime_error that says what is wrong where.
std::vector<int32_t> readTokens(const std::string &path);

/// Writes a float32 array of shape [rows, columns] row by row: beside `path` first, and renamed by
/// `finish`. What is not finished is removed. Throws std::runtime_error.
class NpyWriter {
public:
  NpyWriter(std::string path, size_t rows, size_t columns);
  NpyWriter(const NpyWriter &) = delete;
  NpyWriter &operator=(const NpyWriter &) = delete;

  void write(const float *values, size_t count);
  void finish();

private:
  std::string path;
  FileReplacement replacement;
  std::ofstream file;
  size_t missing;
};

} // namespace llmc::driver

#endif // LLMC_TOOLS_NPY_H
