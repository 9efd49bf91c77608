//===- Factors.h - linears of two factors, in the IR ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two factors are two linears: y = B·(A·x). They stand in the place of a linear, or beside it as a
// branch whose outputs are added to its own. The parameters are named after the weight's, so that
// passes that round find them:
//
//   NAME.factors.A, NAME.factors.B      in its place
//   NAME.repair.A, NAME.repair.B        beside it
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_FACTORS_H
#define LLMC_TRANSFORMS_LOWRANK_FACTORS_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Transforms/LowRank/Decomposition.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

enum class FactorsPlace { Instead, Beside };

/// The factors as they are stored: rounded to a type of floats.
struct StoredFactors {
  StoredFactors(const LowRankFactors &factors, mlir::Type type);

  int64_t rank;
  mlir::Type type;
  std::vector<double> aValues, bValues; ///< the numbers that are stored
  std::vector<uint8_t> a, b;            ///< their bytes
};

/// Makes parameters of the factors of `weight`, and linears with them in the place of, or beside,
/// all that read it. In its place, the weight goes if nothing else reads it. Reports at the weight
/// a name that is taken.
mlir::LogicalResult insertFactors(mlir::ModuleOp module, ParameterOp weight, StoredFactors factors,
                                  FactorsPlace place);

} // namespace llmc

#endif // LLMC_TRANSFORMS_LOWRANK_FACTORS_H
