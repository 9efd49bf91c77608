//===- BilevelAttr.td - integers whose scales are integers too -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_BILEVELATTR_TD
#define LLMC_DIALECT_LLMC_IR_BILEVELATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_BilevelAttr : LLMC_Attr<"Bilevel", "bilevel", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface>]> {
  let summary = "Integers in groups whose scales and zero points are integers of few bits too";
  let description = [{
    The bilevel quantization of Dettmers et al. 2023 ("SpQR: a sparse-quantized representation for
    near-lossless LLM weight compression", section 4): groups can be small where what each of them
    stores is rounded itself. The weights of a row are cut along the input axis into groups of `group`,
    and these into groups of `scale_group` (the last of either may be shorter). A weight is

      (code − z) · (c + o) · s

    with z, of `bits` bits, and c, of `scale_bits`, those of its group; with o, a byte, and s, of type
    `scale`, those of the group of groups. So zero is always among the numbers. (The paper stores zero
    points as fractions of a step, and has o in floating point.)

    The planes (CanonicalForm.h says how they become bytes):

    | plane     | element                   | of                                            |
    |-----------|---------------------------|-----------------------------------------------|
    | `codes`   | `bits` bits               | one weight                                    |
    | `scales`  | `bits + scale_bits` bits  | a group: c in the low bits, z in the high     |
    | `steps`   | `scale`                   | a group of groups: s                          |
    | `offsets` | a byte                    | a group of groups: o                          |

    With 3 bits for both, groups of 16 and 16 groups in each other, a weight takes
    3 + 6 / 16 + 24 / 256 = 3.47 bits.

    Constraints:
    - C1. bits and scale_bits are at least 1, and their sum is at most 8.
    - C2. group and scale_group are positive.
    - C3. scale is f32, f16 or bf16.
    - C4. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>`
  }];
  let parameters = (ins "unsigned":$bits, "int64_t":$group, "unsigned":$scale_bits,
                        "int64_t":$scale_group, "::mlir::Type":$scale);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The planes in their order.
    enum PlaneIndex { codes, scales, steps, offsets };
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_BILEVELATTR_TD
