//===- TrellisAttr.td - weights as places of a window in a stream -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_TRELLISATTR_TD
#define LLMC_DIALECT_LLMC_IR_TRELLISATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_TrellisAttr : LLMC_Attr<"Trellis", "trellis", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface, ["getLinearCodes"]>]> {
  let summary = "Weights that a window of 8 bits finds in a table, as it moves along a stream";
  let description = [{
    Trellis-coded quantization (Marcellin and Fischer 1990, "Trellis coded quantization of memoryless
    and Gauss-Markov sources") with a code that shifts bits into its state, as in Tseng et al. 2024
    ("QTIP: quantization with trellises and incoherence processing"). A row is a stream of `bits` bits
    a weight. The value of a weight is the number of a table at the last 8 bits of the stream, its own
    and those before them, times the scale of its row: the choices of neighbours depend on each other,
    and 2^bits of them a weight reach numbers of a table of 256. Before the first weight of a row the
    stream is zero.

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element       | of                                          |
    |----------|---------------|---------------------------------------------|
    | `codes`  | `bits` bits   | one weight; windows of 8 bits are decoded   |
    | `table`  | 8 bits        | 256 for the whole matrix                    |
    | `scales` | `scale`       | a row                                       |

    An element t of the table stands for t − 128. With s the 8 bits that end with those of a weight, the
    weight's own the highest and each one's first the lowest, its value is (table[s] − 128) · scale.

    Constraints:
    - C1. bits is from 2 to 5.
    - C2. scale is f32, f16 or bf16.
    - C3. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.trellis<bits = 3, scale = f16>>`
  }];
  let parameters = (ins "unsigned":$bits, "::mlir::Type":$scale);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The planes in their order.
    enum PlaneIndex { codes, table, scales };
    /// Bits that choose a number of the table.
    static constexpr unsigned windowBits = 8;
    /// Numbers of the table.
    static constexpr unsigned tableSize = 1u << windowBits;
    /// What an element of the table is more than what it stands for.
    static constexpr int32_t tableZero = 128;
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_TRELLISATTR_TD
