//===- OutliersAttr.td - some weights of each row beside all of them -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_OUTLIERSATTR_TD
#define LLMC_DIALECT_LLMC_IR_OUTLIERSATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_OutliersAttr : LLMC_Attr<"Outliers", "outliers", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface, ["getLinearCodes"]>]> {
  let summary = "A list of some weights of each row, which are added to what is stored of all";
  let description = [{
    All weights are stored as `inner` says. Beside them each row has a list of `count` columns and
    numbers of type `element`: a weight is what `inner` has for it, plus what is listed for its column
    (all of that, where it is more than one number; what is listed for a column that there is none of
    is nowhere). Where `inner` has zero for the weights listed, these are the numbers themselves: so few
    outliers neither lose anything nor widen the grids of the others.

    The planes (CanonicalForm.h says how they become bytes):

    | plane       | element     | of                                    |
    |-------------|-------------|---------------------------------------|
    | `codes` …   | as `inner` has them | a weight, or a group            |
    | `positions` | 16 bits     | a number that is listed: its column   |
    | `outliers`  | `element`   | a number that is listed               |

    A row of 4096 with 41 outliers of f16, a hundredth, takes 0.32 bits a weight beside `inner`.

    Kernels sum products with `inner` first and then those with the list, in its order; products of
    integers are those of `inner`.

    Constraints:
    - C1. `count` is at least 1, and at most the number of columns, which is at most 65536.
    - C2. `element` is f32, f16 or bf16.
    - C3. `inner` is an encoding of weights that decodes them one by one, keeps all, and has no list.
    - C4. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.outliers<6 x f16, #llmc.nf4<group = 64, scale = f16>>>`
  }];
  let parameters = (ins "int64_t":$count, "::mlir::Type":$element, "::mlir::Attribute":$inner);
  let assemblyFormat = "`<` $count `x` $element `,` $inner `>`";
  let genVerifyDecl = 1;
}

#endif // LLMC_DIALECT_LLMC_IR_OUTLIERSATTR_TD
