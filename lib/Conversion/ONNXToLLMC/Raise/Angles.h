//===- Angles.h - the frequencies behind cosines and sines ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ANGLES_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ANGLES_H

#include "mlir/Support/LLVM.h"

#include <optional>

namespace llmc {

/// One pair of elements: at position p, scaling · cos(frequency · p) and the same of sin.
struct Angle {
  double frequency, scaling;
  double uncertainty; ///< of the frequency, as far as rounding can have moved it
};

/// The angle that grows as cosines and sines at consecutive positions from `first` on say.
/// `roundoff` is how far the values were rounded, relative to each; 0 where they are as computed
/// in fp32 or better.
std::optional<Angle> fitAngle(mlir::ArrayRef<double> cosine, mlir::ArrayRef<double> sine,
                              int64_t first, double roundoff);

/// How far a cosine or sine may be from its angle's, relative to the scaling.
inline double getAngleTolerance(double roundoff) { return 1e-4 + 2 * roundoff; }
/// The same far from where the angle was fitted.
inline double getFarTolerance(double roundoff) { return 5e-3 + 2 * roundoff; }

/// Frequencies that are powers of a whole number, as nearly all models have them, get the values
/// that follow from it: graphs give them rounded in different ways, in tables of angles most.
void snapToPowers(mlir::MutableArrayRef<float> frequencies);

/// The same for frequencies that are known less exactly: what can be powers of one number from the
/// first pair on is, over a factor where the first is not 1; and what can be those powers over
/// another factor from the last pair back is, as scalings for longer contexts leave them. No
/// frequency moves further than its uncertainty.
void snapToSeries(mlir::MutableArrayRef<double> frequencies, mlir::ArrayRef<double> uncertainties);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ANGLES_H
