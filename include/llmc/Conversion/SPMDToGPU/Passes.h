//===- Passes.h - from plans to a kernel for GPUs, as a pass ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_SPMDTOGPU_PASSES_H
#define LLMC_CONVERSION_SPMDTOGPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace llmc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "llmc/Conversion/SPMDToGPU/Passes.h.inc"

} // namespace llmc

#endif // LLMC_CONVERSION_SPMDTOGPU_PASSES_H
