//===- SmallFloatAttr.td - floats of a byte or less that share scales -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_SMALLFLOATATTR_TD
#define LLMC_DIALECT_LLMC_IR_SMALLFLOATATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_SmallFloatAttr : LLMC_Attr<"SmallFloat", "float", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface>]> {
  let summary = "Floats of 4, 6 or 8 bits that share a scale in groups along the input axis";
  let description = [{
    A weight is a float of type `element` times the scale of its group, and times the scale of the
    matrix where there is one. The weights of a row are cut along the input axis into groups of
    `group` (the last may be shorter); `group = channel` is one group per row, `group = tensor` one
    for the whole matrix.

    The formats of the field are some of these:

    | format | element | group | scale |
    |--------|---------|-------|-------|
    | FP8 (Micikevicius et al. 2022, "FP8 formats for deep learning") | `f8E4M3FN`, `f8E5M2` | any | f32, f16, bf16 |
    | MXFP8, MXFP6, MXFP4 (OCP Microscaling Formats v1.0, section 5) | `f8E4M3FN`, `f8E5M2`, `f6E2M3FN`, `f6E3M2FN`, `f4E2M1FN` | 32 | `f8E8M0FNU` |
    | NVFP4 | `f4E2M1FN` | 16 | `f8E4M3FN`, with `matrix = f32` |

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element   | of                                |
    |----------|-----------|-----------------------------------|
    | `codes`  | `element` | one weight                        |
    | `scales` | `scale`   | a group                           |
    | `matrix` | `matrix`  | the whole matrix, where it is one |

    Constraints:
    - C1. element is f4E2M1FN, f6E2M3FN, f6E3M2FN, f8E4M3FN or f8E5M2.
    - C2. group is a positive number, `channel` or `tensor`.
    - C3. scale is f32, f16, bf16, f8E8M0FNU or f8E4M3FN. Powers of two hold the range of fp32;
      f8E4M3FN needs a scale of the matrix, which others must not have.
    - C4. matrix is f32.
    - C5. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.float<f4E2M1FN, group = 32, scale = f8E8M0FNU>>`
  }];
  let parameters = (ins
    "::mlir::Type":$element,
    "int64_t":$group,
    "::mlir::Type":$scale,
    OptionalParameter<"::mlir::Type">:$matrix);
  let assemblyFormat = [{
    `<` $element `,` `group` `=` custom<GroupSize>($group) `,` `scale` `=` $scale
    (`,` `matrix` `=` $matrix^)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The planes in their order; the last is not always there.
    enum PlaneIndex { codes, scales, matrix };

    /// The number of inputs that share a scale, for rows of this width.
    int64_t getGroupSize(int64_t columns) const;
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_SMALLFLOATATTR_TD
