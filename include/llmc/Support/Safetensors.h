//===- Safetensors.h - files of named tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format: the header's length in 8 bytes, the header as JSON, then the tensors without gaps.
// The header is padded so that they start at a multiple of 64 bytes. All numbers are little-endian.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_SAFETENSORS_H
#define LLMC_SUPPORT_SAFETENSORS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace llmc {

/// Where tensors of a file to be written lie.
class SafetensorsLayout {
public:
  /// Adds a tensor behind those there are. `type` is "F64", "F32" or "U8".
  void add(llvm::StringRef name, llvm::StringRef type, llvm::ArrayRef<int64_t> shape);
  void setMetadata(llvm::StringRef key, llvm::StringRef value) { metadata[key] = value.str(); }

  /// What the file begins with.
  std::string getHeader() const;
  /// Where a tensor starts, counted from the end of the header, or nothing if it was not added.
  std::optional<int64_t> find(llvm::StringRef name) const;
  /// Bytes of all tensors.
  int64_t getByteSize() const { return size; }

private:
  llvm::json::Object tensors, metadata;
  llvm::StringMap<int64_t> offsets;
  int64_t size = 0;
};

/// A file that is read. Nothing of it is trusted.
class SafetensorsFile {
public:
  static llvm::Expected<SafetensorsFile> open(llvm::StringRef path);

  /// A string of the metadata; empty where there is none.
  llvm::StringRef getMetadata(llvm::StringRef key) const;
  /// The same, read as a JSON object.
  llvm::Expected<llvm::json::Object> getMetadataObject(llvm::StringRef key) const;
  /// The bytes of a tensor that must be there, with this type and shape.
  llvm::Expected<llvm::ArrayRef<uint8_t>> getTensor(llvm::StringRef name, llvm::StringRef type,
                                                    llvm::ArrayRef<int64_t> shape) const;
  /// An error about this file.
  llvm::Error fail(const llvm::Twine &what) const;

private:
  std::string path;
  std::unique_ptr<llvm::MemoryBuffer> file;
  llvm::json::Object header;
  llvm::ArrayRef<uint8_t> data;
};

} // namespace llmc

#endif // LLMC_SUPPORT_SAFETENSORS_H
