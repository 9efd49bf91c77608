//===- ClipByInputs.h - clipping groups so that outputs change least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_CLIPBYINPUTS_H
#define LLMC_TRANSFORMS_QUANTIZATION_CLIPBYINPUTS_H

#include "llmc/Transforms/Quantization/QuantizedWeight.h"

namespace llmc {

/// Whether groups of an encoding, which has a format, can be clipped: each is of a row and fitted
/// by itself.
bool canClip(EncodingInterface encoding);

/// Rounds to nearest as roundToNearest() does, but that groups are fitted to weights clipped at 1,
/// 0.95, … 0.55 of the largest, so that the row's outputs change less: Lin et al. 2023, "AWQ:
/// activation-aware weight quantization for LLM compression and acceleration", whose code searches
/// so behind the scales. No row of outputs loses more, in squares, than without clips.
/// `secondMoment` is that of the inputs, columns × columns, up to any positive factor; `clipped`
/// says of each row whether it may be clipped. Reports at `parameter` scales that the encoding's
/// type can't hold.
mlir::FailureOr<QuantizedWeight> roundClipped(ParameterOp parameter, const WeightValues &values,
                                              EncodingInterface encoding,
                                              llvm::ArrayRef<double> secondMoment,
                                              llvm::ArrayRef<char> clipped);

} // namespace llmc

#endif // LLMC_TRANSFORMS_QUANTIZATION_CLIPBYINPUTS_H
