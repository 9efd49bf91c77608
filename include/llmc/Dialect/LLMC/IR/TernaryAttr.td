//===- TernaryAttr.td - weights of which each is -1, 0 or 1 times a scale -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_TERNARYATTR_TD
#define LLMC_DIALECT_LLMC_IR_TERNARYATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_TernaryAttr : LLMC_Attr<"Ternary", "ternary", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface, ["getLinearCodes"]>]> {
  let summary = "Weights of which each is −1, 0 or 1 times the scale of its group";
  let description = [{
    The numbers of Ma et al. 2024 ("The era of 1-bit LLMs: all large language models are in 1.58
    bits"): a weight is (code − 1) · scale. The weights of a row are cut along the input axis into
    groups of `group` (the last may be shorter); `group = channel` is one group per row. A code takes 2
    bits, of which the last value, 3, stands for 2 · scale and is not written.

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element  | of          |
    |----------|----------|-------------|
    | `codes`  | 2 bits   | one weight  |
    | `scales` | `scale`  | a group     |

    Constraints:
    - C1. group is a positive number or `channel`.
    - C2. scale is f32, f16 or bf16.
    - C3. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.ternary<group = channel, scale = f16>>`
  }];
  let parameters = (ins "int64_t":$group, "::mlir::Type":$scale);
  let assemblyFormat = "`<` `group` `=` custom<GroupSize>($group) `,` `scale` `=` $scale `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The planes in their order.
    enum PlaneIndex { codes, scales };
    /// The code that stands for zero.
    static constexpr int32_t zeroCode = 1;

    /// The number of inputs that share a scale, for rows of this width.
    int64_t getGroupSize(int64_t columns) const;
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_TERNARYATTR_TD
