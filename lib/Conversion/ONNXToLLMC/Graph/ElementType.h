//===- ElementType.h - types of values that the file does not state ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_ELEMENTTYPE_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_ELEMENTTYPE_H

#include "Evaluate/Probe.h"

namespace llmc {

/// The type of a value's elements as a number of TensorProto::DataType, from what the file states
/// of it or else from the nodes that compute it; 0 where neither tells.
int64_t findDataType(mlir::Value value, const Probe &probe);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_ELEMENTTYPE_H
