//===- StaticRounding.h - activations that a graph rounds by fixed scales ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_STATICROUNDING_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_STATICROUNDING_H

#include "Graph/Node.h"
#include "Raise/Weight.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

namespace llmc {

class Raise;

/// How a linear rounds rows that its graph rounds to 8 bits. The graph has one scale for all rows,
/// which makes results depend on what else is computed at the time, or cuts off what calibration
/// did not see; here every 32 inputs of a row share one.
DynamicAttr getRoundingOfRows(mlir::MLIRContext *context);

/// The rounding that a product of rows (the node's first operand) with integer weights takes over
/// from QuantizeLinear and DequantizeLinear before it; null where there is none.
DynamicAttr takeStaticRounding(Raise &raise, const Node &node, const Weight &weight);

/// Says in a remark how many roundings by fixed scales were taken over, and how many left out.
void reportStaticRounding(Raise &raise);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_STATICROUNDING_H
