//===- Formats.h - the formats that there are ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_TRANSFORMS_QUANTIZATION_FORMATS_H
#define LLMC_LIB_TRANSFORMS_QUANTIZATION_FORMATS_H

#include "llmc/Transforms/Quantization/WeightFormat.h"

namespace llmc {

#define LLMC_WEIGHT_FORMAT(name) const WeightFormat *get##name##Format();
#include "Formats.def"

} // namespace llmc

#endif // LLMC_LIB_TRANSFORMS_QUANTIZATION_FORMATS_H
