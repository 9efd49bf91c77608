//===- Lengths.h - what a graph has to keep to at other lengths ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A graph is raised as it is at one length. What that took for granted (that a condition is true,
// that a mask is causal, that an angle grows with the position) is written down here, and looked at
// again in the graph's other regimes.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_LENGTHS_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_LENGTHS_H

#include "Raise/Masks.h"
#include "Raise/RowFactors.h"
#include "Raise/View.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <map>
#include <set>

namespace llmc {

/// What a raise took for granted at the lengths of its probe.
struct LengthRecord {
  /// A factor of rows is amplitude · cos(frequency · position), or the same of sin.
  struct Angle {
    int32_t factor;
    bool isSine;
    double frequency, amplitude;
    auto operator<=>(const Angle &other) const = default;
  };
  /// All elements of a condition are true, or none is.
  struct Condition {
    mlir::Value value;
    bool taken;
    mlir::Location location;
  };
  /// Numbers that the program holds.
  struct Fixed {
    mlir::Value value;
    std::shared_ptr<const std::vector<double>> numbers;
    mlir::Location location;
  };
  /// The same of columns, whose other columns may vary with the row.
  struct FixedColumns {
    std::map<int64_t, double> numbers; ///< by the place in the last axis
    mlir::Location location;
  };
  /// Integers that count.
  struct Count {
    enum class Kind { Positions, Past, Last, Total } kind;
    mlir::Value value;
    int64_t offset; ///< added to each
    mlir::Location location;
  };
  /// Masks of one attention.
  struct MaskUse {
    llvm::SmallVector<Mask> masks;
    bool causal; ///< beside them
    MaskMeaning meaning;
    AttentionOp attention;
  };
  /// Where a movement put rows and columns. Views' columns are places in the operand's. Without a
  /// view, elements stay in their order.
  struct Movement {
    carrier::NodeOp node;
    std::optional<View> from;
    std::vector<std::optional<View>> results; ///< nothing where there are no elements
  };

  std::set<Angle> angles; ///< the same ones in all layers
  std::vector<Condition> conditions;
  std::vector<Fixed> fixed;
  llvm::MapVector<mlir::Value, FixedColumns> columns;
  std::vector<Count> counts;
  std::vector<MaskUse> masks;
  std::vector<Movement> movements;

  /// What is computed has to be the same at all lengths; a constant of the file is.
  void addFixed(mlir::Value value, const HostTensor &tensor, mlir::Location location);
  void addFixedColumn(mlir::Value value, const HostTensor &tensor, int64_t column, double number,
                      mlir::Location location);
};

/// What a check looks at: the graph, how it was raised, and for which context.
struct LengthCheck {
  mutable carrier::GraphOp graph;
  llvm::ArrayRef<ModelInput> inputs;
  const Probe &raised; ///< the run that it was raised from
  const LengthRecord &record;
  const RowFactors &factors;
  int64_t context;
  bool hasPast;
};

/// Runs the graph in its other regimes, up to the full context, and looks whether what was taken
/// for granted holds there. Windows that show there alone become part of the program.
mlir::LogicalResult checkLengths(const LengthCheck &check);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_LENGTHS_H
