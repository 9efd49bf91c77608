//===- LLMCEnums.td - enumerations of the llmc dialect -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCENUMS_TD
#define LLMC_DIALECT_LLMC_IR_LLMCENUMS_TD

include "mlir/IR/EnumAttr.td"
include "llmc/Dialect/LLMC/IR/LLMCDialect.td"

/// What a code of zero stands for.
def LLMC_ZeroPoint : I32Enum<"ZeroPoint", "zero point of a grouped encoding", [
    I32EnumCase<"None", 0, "none">,       // symmetric: the codes are offset by 2^(bits-1)
    I32EnumCase<"Integer", 1, "integer">, // value = (code - zero) * scale
    I32EnumCase<"Float", 2, "float">      // value = code * scale + minimum
  ]> {
  let cppNamespace = "::llmc";
}

/// Elementwise nonlinear functions.
def LLMC_Nonlinearity : I32Enum<"Nonlinearity", "elementwise nonlinear function", [
    I32EnumCase<"Relu", 0, "relu">,             // max(x, 0)
    I32EnumCase<"Silu", 1, "silu">,             // x * sigmoid(x)
    I32EnumCase<"Gelu", 2, "gelu">,             // x * (1 + erf(x / sqrt 2)) / 2
    I32EnumCase<"GeluTanh", 3, "gelu_tanh">,    // x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2
    I32EnumCase<"GeluQuick", 4, "gelu_quick">,  // x * sigmoid(1.702 x)
    I32EnumCase<"Tanh", 5, "tanh">,             // tanh(x)
    I32EnumCase<"Sigmoid", 6, "sigmoid">,       // 1 / (1 + exp(-x))
    I32EnumCase<"HardTanh", 7, "hardtanh">,     // min(max(x, -1), 1)
    I32EnumCase<"HardSwish", 8, "hardswish">    // x * min(max(x + 3, 0), 6) / 6
  ]> {
  let cppNamespace = "::llmc";
}

def LLMC_NonlinearityAttr : EnumAttr<LLMC_Dialect, LLMC_Nonlinearity, "nonlinearity"> {
  let assemblyFormat = "`<` $value `>`";
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCENUMS_TD
