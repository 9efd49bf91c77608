//===- UnitRemoval.h - channels and heads that leave a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_PRUNING_UNITREMOVAL_H
#define LLMC_TRANSFORMS_PRUNING_UNITREMOVAL_H

#include "llmc/Analysis/Structure.h"

namespace llmc {

/// Which units of a group stay, at least one.
struct KeptUnits {
  const ChannelGroup *group;
  llvm::SmallVector<bool, 0> kept;
};

/// Takes the units that do not stay from a flat function: their rows and columns from all
/// parameters, which have to be floats, and gives operations, caches and the function the types
/// that follow. The analysis that the groups are of has to be made anew.
mlir::LogicalResult keepUnits(mlir::func::FuncOp step, llvm::ArrayRef<KeptUnits> groups);

} // namespace llmc

#endif // LLMC_TRANSFORMS_PRUNING_UNITREMOVAL_H
