//===- MaskedAttr.td - any weights of a matrix -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_MASKEDATTR_TD
#define LLMC_DIALECT_LLMC_IR_MASKEDATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_MaskedAttr : LLMC_Attr<"Masked", "masked", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface, ["getLinearCodes"]>,
    DeclareAttrInterfaceMethods<LLMC_SparsityInterface>]> {
  let summary = "Any weights of a matrix; the others are zero";
  let description = [{
    Of a matrix `kept` weights are kept, in any pattern. A bit for each weight says which. Kept ones
    are stored as `inner` says: an encoding of one weight at a time, whose groups count all columns,
    those of zeros too, or as f32, f16 or bf16.

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element               | of                               |
    |----------|-----------------------|----------------------------------|
    | `mask`   | 1 bit                 | a weight                         |
    | `codes` … | as `inner` has them  | a kept weight, or a group        |
    | `values` | f32, f16 or bf16      | a kept weight of floats          |

    So half of the weights in 4-bit integers of groups of 128 take 3.125 bits a weight where the whole
    matrix takes 4.125.

    Where weights of `inner` are linear functions of integer codes without floating-point minima, so
    are these: what is not kept has the code of zero.

    Constraints:
    - C1. `kept` is at least 1, and at most the number of weights.
    - C2. `inner` is f32, f16 or bf16, or an encoding that decodes weights one by one, of one element
      each, and has no other sparsity.
    - C3. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.masked<442368, #llmc.nf4<group = 64, scale = f16>>>`
  }];
  let parameters = (ins "int64_t":$kept, "::mlir::Attribute":$inner);
  let assemblyFormat = "`<` $kept `,` $inner `>`";
  let genVerifyDecl = 1;
}

#endif // LLMC_DIALECT_LLMC_IR_MASKEDATTR_TD
