//===- Rotation.h - orthogonal matrices that channels are multiplied with ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_REWRITES_ROTATION_H
#define LLMC_TRANSFORMS_REWRITES_ROTATION_H

#include "llmc/Transforms/Rewrites/ParameterRewrite.h"

#include <memory>
#include <optional>

namespace llmc {

/// An orthogonal matrix Q, in fp64.
class Rotation {
public:
  virtual ~Rotation() = default;
  virtual int64_t getWidth() const = 0;
  /// x ← x·Q. May be called by several threads at once.
  virtual void apply(llvm::MutableArrayRef<double> x) const = 0;
  /// Where Q = diag(signs) · diag(H, H, …): the order of H and the signs; else nothing.
  struct Signed {
    int64_t order;
    std::vector<double> signs;
  };
  virtual std::optional<Signed> getHadamard() const { return std::nullopt; }
};

using RotationRef = std::shared_ptr<const Rotation>;

/// Blocks of the largest Hadamard matrix whose order divides `width`; null where that is 1.
RotationRef makeHadamardRotation(int64_t width);
/// The same behind signs that `seed` chooses: diag(±1)·H.
RotationRef makeRandomizedRotation(int64_t width, uint64_t seed);
/// A matrix that is nearly orthogonal, row by row: the nearest one that is. Null where the largest
/// element of Q·Qᵀ − I is above 10^-5, which `deviation` is then.
RotationRef makeGivenRotation(int64_t width, std::vector<double> matrix, double &deviation);

/// What is asked of a rewrite that rotates.
struct RotationRequest {
  /// The rotation of so many channels, null where no Hadamard matrix fits; or fails with a report.
  std::function<mlir::FailureOr<RotationRef>(int64_t width)> make;
  /// A head that is the embedding becomes a parameter of its own, even where the two can stay one.
  bool untieHead = false;
};

/// W ← W·diag(Q, Q, …): the inputs of a linear, which Q has to divide.
ParameterRewrite::Step rotateColumns(RotationRef rotation);
/// The rows from `begin` on ← diag(Q, Q, …)ᵀ times them: so many outputs of a linear.
ParameterRewrite::Step rotateRows(RotationRef rotation, int64_t begin, int64_t count);
/// Takes from each column its mean: outputs then have a mean of zero.
ParameterRewrite::Step centerRows();
/// Takes from each row its mean.
ParameterRewrite::Step centerColumns();

} // namespace llmc

#endif // LLMC_TRANSFORMS_REWRITES_ROTATION_H
