//===- RawDataOffsets.h - where tensors' bytes lie in an ONNX file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_IMPORTONNX_RAWDATAOFFSETS_H
#define LLMC_LIB_CONVERSION_IMPORTONNX_RAWDATAOFFSETS_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <map>
#include <vector>

namespace llmc {

/// Offsets of `raw_data` in a serialized model: protobuf hands out copies, the importer refers to
/// the file itself.
struct RawDataOffsets {
  /// Of the main graph's initializers, in order; -1 without raw_data.
  std::vector<int64_t> initializers;
  /// Of tensor attributes of the main graph's nodes: by node and by attribute, both counted from 0.
  std::map<std::pair<int64_t, int64_t>, int64_t> attributes;
};

/// Walks the wire format; what it can't follow is missing from the result.
RawDataOffsets findRawData(llvm::ArrayRef<uint8_t> file);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_IMPORTONNX_RAWDATAOFFSETS_H
