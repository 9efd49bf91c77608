//===- Lengths.h - what a graph has to keep to at other lengths ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_LENGTHS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_LENGTHS_H

#include "Raise/Masks.h"
#include "Raise/RowFactors.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

/// What a raise took for granted at the lengths of its probe.
struct LengthRecord {
  struct Angle { ///< scaling · cos(frequency · position) and scaling · sin(…)
    int32_t cosine, sine;
    double frequency, scaling;
  };
  struct MaskUse {
    llvm::SmallVector<Mask> masks;
    MaskMeaning meaning;
    AttentionOp attention;
  };
  struct Condition {
    mlir::Value value;
    bool taken;
    mlir::Location location;
  };
  struct Number {
    mlir::Value value;
    double number;
    mlir::Location location;
  };
  std::vector<Angle> angles;
  std::vector<Number> numbers;
  std::vector<Condition> conditions;
  std::vector<MaskUse> masks;
};

/// What a check looks at: the graph, how it was raised, and for which context.
struct LengthCheck {
  mutable carrier::GraphOp graph;
  llvm::ArrayRef<ModelInput> inputs;
  const LengthRecord &record;
  const RowFactors &factors;
  ProbeSizes raised; ///< the lengths at which it was raised
  int64_t context;
  bool hasPast;
};

/// Runs the graph again at other lengths, up to the full context, and looks whether what was taken
/// for granted holds there. Windows that show at full length alone become part of the program.
mlir::LogicalResult checkLengths(const LengthCheck &check);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_LENGTHS_H
