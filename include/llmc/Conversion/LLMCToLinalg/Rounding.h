//===- Rounding.h - what rounded activations are, as plain arithmetic ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOLINALG_ROUNDING_H
#define LLMC_CONVERSION_LLMCTOLINALG_ROUNDING_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/Formula.h"

namespace llmc {

/// What the scale of each group of a row follows from, [rows, groups]: its largest magnitude, or
/// the range that all have.
mlir::Value buildGroupMaxima(Formula &formula, mlir::Value input, DynamicAttr rounding);

/// The scale of a group with this largest magnitude.
Number getScale(Number maximum, DynamicAttr rounding);

/// q, as a number of fp32, that `x` is rounded to.
Number roundToCode(Number x, Number scale, DynamicAttr rounding);

} // namespace llmc

#endif // LLMC_CONVERSION_LLMCTOLINALG_ROUNDING_H
