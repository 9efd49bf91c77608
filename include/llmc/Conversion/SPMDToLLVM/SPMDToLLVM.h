//===- SPMDToLLVM.h - from stages to the LLVM dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_SPMDTOLLVM_SPMDTOLLVM_H
#define LLMC_CONVERSION_SPMDTOLLVM_SPMDTOLLVM_H

#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"

namespace llmc {

/// Turns the program's code into the LLVM dialect. For every variant it gets one function
/// `void @step_VARIANT(ptr, i32, i32)`, an llmc_step_function of program.h; functions carry the CPU
/// and features of their variant.
mlir::LogicalResult lowerSPMDToLLVM(SPMDProgram &program);

/// The name of a variant's step function.
std::string getStepFunctionName(const KernelTarget &target);

} // namespace llmc

#endif // LLMC_CONVERSION_SPMDTOLLVM_SPMDTOLLVM_H
