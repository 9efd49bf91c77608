//===- NF4Attr.td - 4-bit numbers for normally distributed weights -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_NF4ATTR_TD
#define LLMC_DIALECT_LLMC_IR_NF4ATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_NF4Attr : LLMC_Attr<"NF4", "nf4", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface>]> {
  let summary = "4-bit numbers that lie as normally distributed weights do";
  let description = [{
    NormalFloat 4 (Dettmers et al. 2023, "QLoRA: efficient finetuning of quantized LLMs", appendix E):
    a weight is one of 16 numbers from −1 to 1, 0 among them, which are quantiles of the normal
    distribution, times the scale of its group. The weights of a row are cut along the input axis into
    groups of `group` (the last may be shorter); `group = channel` is one group per row.

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element  | of          |
    |----------|----------|-------------|
    | `codes`  | 4 bits   | one weight  |
    | `scales` | `scale`  | a group     |

    Constraints:
    - C1. group is a positive number or `channel`.
    - C2. scale is f32, f16 or bf16.
    - C3. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.nf4<group = 64, scale = f16>>`
  }];
  let parameters = (ins "int64_t":$group, "::mlir::Type":$scale);
  let assemblyFormat = "`<` `group` `=` custom<GroupSize>($group) `,` `scale` `=` $scale `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The planes in their order.
    enum PlaneIndex { codes, scales };

    /// The number that each code stands for, in ascending order.
    static ::llvm::ArrayRef<float> getNumbers();
    /// The number of inputs that share a scale, for rows of this width.
    int64_t getGroupSize(int64_t columns) const;
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_NF4ATTR_TD
