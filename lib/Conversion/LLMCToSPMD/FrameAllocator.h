//===- FrameAllocator.h - offsets of buffers in a frame ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_LLMCTOSPMD_FRAMEALLOCATOR_H
#define LLMC_LIB_CONVERSION_LLMCTOSPMD_FRAMEALLOCATOR_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

#include <cstdint>

namespace llmc {

/// A piece of a function's frame.
struct FrameBuffer {
  int64_t offset = 0, bytes = 0;
};

/// First fit: buffers that live at the same time do not overlap, and the frame stays small.
class FrameAllocator {
public:
  FrameBuffer allocate(int64_t bytes) {
    bytes = llvm::alignTo(bytes, 64);
    int64_t offset = 0;
    auto position = live.begin();
    for (; position != live.end() && position->offset - offset < bytes; ++position)
      offset = position->offset + position->bytes;
    FrameBuffer buffer{offset, bytes};
    live.insert(position, buffer);
    size = std::max(size, offset + bytes);
    return buffer;
  }

  void release(const FrameBuffer &buffer) {
    llvm::erase_if(live, [&](const FrameBuffer &other) { return other.offset == buffer.offset; });
  }

  /// Bytes of the frame.
  int64_t getSize() const { return size; }

private:
  llvm::SmallVector<FrameBuffer> live; ///< by offset
  int64_t size = 0;
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_LLMCTOSPMD_FRAMEALLOCATOR_H
