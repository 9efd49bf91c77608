//===- Npy.cpp - arrays in NumPy's .npy files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Npy.h"

#include <cstring>
#include <limits>
#include <regex>
#include <stdexcept>

namespace llmc::driver {

static std::runtime_error failure(const std::string &path, const std::string &what) {
  return std::runtime_error("'" + path + "': " + what);
}

/// The entry of the header's dictionary that follows `'key':`.
static std::string findEntry(const std::string &header, const std::string &pattern,
                             const std::string &path, const char *name) {
  std::smatch match;
  if (!std::regex_search(header, match, std::regex(pattern)))
    throw failure(path, std::string("expected a .npy header with '") + name + "'");
  return match[1];
}

static size_t parseCount(const std::string &shape, const std::string &path) {
  std::smatch match;
  if (!std::regex_match(shape, match, std::regex(R"(\s*(?:1\s*,\s*)?(\d{1,12})\s*,?\s*)")))
    throw failure(path, "expected shape (n,) or (1, n), found (" + shape + ")");
  return std::stoull(match[1]);
}

template <typename T>
static std::vector<int32_t> readIntegers(std::ifstream &file, size_t count,
                                         const std::string &path) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < count; ++i) {
    T value;
    if (!file.read(reinterpret_cast<char *>(&value), sizeof value))
      throw failure(path,
                    "expected " + std::to_string(count) + " tokens, found " + std::to_string(i));
    if (value < 0 || value > std::numeric_limits<int32_t>::max())
      throw failure(path, "expected token ids, found " + std::to_string(value) + " at " +
                              std::to_string(i));
    tokens.push_back(static_cast<int32_t>(value));
  }
  return tokens;
}

std::vector<int32_t> readTokens(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw failure(path, std::strerror(errno));
  unsigned char start[8];
  if (!file.read(reinterpret_cast<char *>(start), 8) || std::memcmp(start, "\x93NUMPY", 6) != 0)
    throw failure(path, "expected a .npy file, found another");
  // Version 1 has a header length of two bytes, later ones of four.
  unsigned char lengthBytes[4] = {};
  if (!file.read(reinterpret_cast<char *>(lengthBytes), start[6] == 1 ? 2 : 4))
    throw failure(path, "the .npy header is cut short");
  size_t length = lengthBytes[0] | lengthBytes[1] << 8 | lengthBytes[2] << 16 |
                  static_cast<size_t>(lengthBytes[3]) << 24;
  if (length > 1 << 16)
    throw failure(path,
                  "expected a .npy header of at most 65536 bytes, found " + std::to_string(length));
  std::string header(length, '\0');
  if (!file.read(header.data(), static_cast<std::streamsize>(length)))
    throw failure(path, "the .npy header is cut short");
  std::string type = findEntry(header, R"('descr'\s*:\s*'([^']*)')", path, "descr");
  size_t count = parseCount(findEntry(header, R"('shape'\s*:\s*\(([^)]*)\))", path, "shape"), path);
  if (type == "<i4")
    return readIntegers<int32_t>(file, count, path);
  if (type == "<i8")
    return readIntegers<int64_t>(file, count, path);
  throw failure(path, "expected token ids of type <i4 or <i8, found " + type);
}

NpyWriter::NpyWriter(std::string path, size_t rows, size_t columns)
    : path(std::move(path)), missing(rows * columns) {
  if (std::string problem = replacement.create(this->path); !problem.empty())
    throw failure(this->path, problem);
  // The replacement stays the owner of the file: the stream writes it under its name.
  file.open(replacement.getTemporary(), std::ios::binary);
  if (!file)
    throw failure(this->path, std::strerror(errno));
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  // The data starts at a multiple of 64 bytes; the header ends in a line break.
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  const char start[] = {'\x93',
                        'N',
                        'U',
                        'M',
                        'P',
                        'Y',
                        1,
                        0,
                        static_cast<char>(header.size() & 0xff),
                        static_cast<char>(header.size() >> 8)};
  file.write(start, sizeof start);
  file << header;
}

void NpyWriter::write(const float *values, size_t count) {
  missing -= count;
  if (!file.write(reinterpret_cast<const char *>(values),
                  static_cast<std::streamsize>(count * sizeof *values)))
    throw failure(this->path, std::strerror(errno));
}

void NpyWriter::finish() {
  file.close();
  if (!file)
    throw failure(this->path, std::strerror(errno));
  if (missing != 0)
    throw failure(path, std::to_string(missing) + " values were not written");
  if (std::string problem = replacement.commit(); !problem.empty())
    throw failure(path, problem);
}

} // namespace llmc::driver
