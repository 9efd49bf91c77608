//===- PrefetchWeights.h - weights that are asked for before a wait ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_SPMDTOCPU_PREFETCHWEIGHTS_H
#define LLMC_LIB_CONVERSION_SPMDTOCPU_PREFETCHWEIGHTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// Lets workers ask for the first bytes of their shares of the next linears' weights, into the
/// second level of the cache, before they wait at a barrier (NextWeights.h).
void prefetchNextWeights(mlir::ModuleOp code, mlir::func::FuncOp function);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_SPMDTOCPU_PREFETCHWEIGHTS_H
