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
    a weight; where it alternates, every second weight of a row, the second one first, has one more: half
    a bit more on the mean. The value of a weight is the number of a table at the last 8 bits of the
    stream, its own and those before them, times the scale of its row: the choices of neighbours depend
    on each other, and 2^bits of them a weight reach numbers of a table of 256. Before the first weight of
    a row the stream is zero.

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element       | of                                          |
    |----------|---------------|---------------------------------------------|
    | `codes`  | `bits` bits   | one weight; windows of 8 bits are decoded   |
    | `table`  | 8 bits        | 256 for the whole matrix                    |
    | `scales` | `scale`       | a row                                       |

    An element t of the table stands for t − 128. With s the 8 bits that end with those of a weight, the
    weight's own the highest and each one's first the lowest, its value is (table[s] − 128) · scale.

    Constraints:
    - C1. bits is from 2 to 5, and below 5 where it alternates.
    - C2. scale is f32, f16 or bf16.
    - C3. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.trellis<bits = 3, scale = f16>>`, or of 3.5 bits
    `#llmc.trellis<bits = 3, alternates = true, scale = f16>`
  }];
  let parameters = (ins "unsigned":$bits, DefaultValuedParameter<"bool", "false">:$alternates,
                    "::mlir::Type":$scale);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The planes in their order.
    enum PlaneIndex { codes, table, scales };
    /// Half bits of a weight, on the mean of two, and what they are from and to.
    unsigned getHalves() const { return 2 * getBits() + (getAlternates() ? 1 : 0); }
    static constexpr unsigned leastHalves = 4, mostHalves = 10;
    /// One of so many half bits a weight.
    static TrellisAttr ofHalves(::mlir::MLIRContext *context, unsigned halves, ::mlir::Type scale) {
      return get(context, halves / 2, halves % 2 != 0, scale);
    }
    /// Bits that choose a number of the table.
    static constexpr unsigned windowBits = 8;
    /// Numbers of the table.
    static constexpr unsigned tableSize = 1u << windowBits;
    /// What an element of the table is more than what it stands for.
    static constexpr int32_t tableZero = 128;
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_TRELLISATTR_TD
