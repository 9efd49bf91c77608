//===- Elementwise.h - arithmetic on each element ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ELEMENTWISE_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ELEMENTWISE_H

#include "Graph/Node.h"

namespace llmc {

/// Whether a node computes each element from those in the same place.
bool isElementwise(const Node &node);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ELEMENTWISE_H
