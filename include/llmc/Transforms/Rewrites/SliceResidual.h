//===- SliceResidual.h - a residual stream of fewer channels ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every value of the stream that is read gets a basis of its own, of which the first vectors stay:
//
//   if (failed(prepareSlicing(step, rewrite))) …        // gains and means, for any bases
//   FailureOr<ResidualSlicer> slicer = ResidualSlicer::get(step, rewrite);
//   slicer->slice(width, bases)                         // for one basis at each of getPlaces()
//   rewrite.store(); inferRowWidths(step);              // parameters, and the widths that follow
//
// With all vectors the model computes the same, up to how its parameters are rounded.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_SLICERESIDUAL_H
#define LLMC_TRANSFORMS_REWRITES_SLICERESIDUAL_H

#include "llmc/Transforms/Rewrites/Rotation.h"
#include "llmc/Transforms/Rewrites/StreamRewrite.h"

namespace llmc {

/// Makes the norms of the residual stream RMS norms of equal gains, and puts a linear of its own
/// between it and embeddings that are heads too. What stands in the way is reported.
mlir::LogicalResult prepareSlicing(mlir::func::FuncOp step, ParameterRewrite &rewrite);

/// The places of a prepared step at which its stream is read. Valid until the step changes.
class ResidualSlicer : StreamRewrite {
public:
  /// Reports what stands in the way, such as weights that are read at several places.
  static mlir::FailureOr<ResidualSlicer> get(mlir::func::FuncOp step, ParameterRewrite &rewrite);

  int64_t getWidth() const { return width; }
  /// Names of the first weight that reads at each place, in the order of the program.
  llvm::ArrayRef<std::string> getPlaces() const { return places; }
  /// How many more parameters the model has with so many channels, or, below 0, how many fewer.
  int64_t getGrowth(int64_t kept) const;

  /// Leaves `kept` channels: x·Q, where Q is the basis of that number, without its last columns.
  void slice(int64_t kept, llvm::ArrayRef<RotationRef> bases);

private:
  ResidualSlicer(mlir::func::FuncOp step, ParameterRewrite &rewrite)
      : StreamRewrite(step, rewrite, "slice") {}

  /// What becomes of an axis of a parameter that runs over the channels of the stream.
  struct Axis {
    size_t place;
    bool isOfColumns;
  };
  /// A value of the stream that another one, with another basis, is computed from.
  struct Change {
    mlir::Operation *user;
    unsigned operand;
    size_t from, to; ///< places
  };

  mlir::LogicalResult findPlaces();
  mlir::LogicalResult findAxes();
  mlir::LogicalResult addAxis(mlir::Value value, Axis axis);
  void findChanges();
  void insert(const Change &change, int64_t kept, llvm::ArrayRef<RotationRef> bases);
  void scaleNorms(int64_t kept);

  std::vector<std::string> places;
  llvm::DenseMap<mlir::Value, size_t> placeOf;   ///< of every value of the stream
  llvm::MapVector<mlir::Operation *, Axis> axes; ///< of parameters
  std::vector<Change> changes;
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_SLICERESIDUAL_H
