//===- TileMask.h - the mask of a tile ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_DIALECT_LLMC_IR_TILEMASK_H
#define LLMC_LIB_DIALECT_LLMC_IR_TILEMASK_H

#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

namespace llmc {

/// Writes the mask of tile `tile` to `out`, as much as the first plane takes in a tile. `bytes` is
/// the whole canonical form of a masked matrix.
void packMask(const TiledLayout &layout, const CanonicalForm &form, const uint8_t *bytes,
              int64_t tile, uint8_t *out);

} // namespace llmc

#endif // LLMC_LIB_DIALECT_LLMC_IR_TILEMASK_H
