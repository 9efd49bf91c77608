//===- SparseAttr.td - N weights of each M side by side -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_SPARSEATTR_TD
#define LLMC_DIALECT_LLMC_IR_SPARSEATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_SparseAttr : LLMC_Attr<"Sparse", "sparse", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface,
                                ["getUnit", "getLinearCodes", "decodeCodes"]>,
    DeclareAttrInterfaceMethods<LLMC_SparsityInterface>]> {
  let summary = "N weights of each M that stand side by side in a row; the others are zero";
  let description = [{
    Of each `of` weights side by side in a row, `count` are kept. They are stored as `inner` says: an
    encoding of one weight at a time, whose groups count all columns, those of zeros too, or as f32,
    f16 or bf16. Which ones they are is said by their positions among the `of`, in ascending order, the
    first in the lowest bits.

    The planes (CanonicalForm.h says how they become bytes):

    | plane        | element                   | of                          |
    |--------------|---------------------------|-----------------------------|
    | `positions`  | count · log2(of) bits     | `of` weights                |
    | `codes` …    | as `inner` has them     | a kept weight, or a group   |
    | `values`     | f32, f16 or bf16          | a kept weight of floats     |

    So 2:4 takes half of the codes and 4 bits for every 4 weights: `#llmc.sparse<2:4, …>` of 4-bit
    integers in groups of 32 takes 3.5 bits a weight where the whole matrix takes 4.5.

    Where weights of `inner` are linear functions of integer codes without floating-point minima and
    `of` is 4, so are these: what is not kept has the code of zero.

    Constraints:
    - C1. `of` is 2, 4, 8 or 16; `count` is a power of two below it; positions take at most 8 bits.
    - C2. `inner` is f32, f16 or bf16, or an encoding that decodes weights one by one, has no other
      sparsity, and whose groups are multiples of `of`, and of 4.
    - C3. The tensor has rank 2, a static shape, element type f32, and a number of columns that is a
      multiple of `of`, and of 4.

    Example: `tensor<1536x576xf32, #llmc.sparse<2:4, #llmc.nf4<group = 64, scale = f16>>>`
  }];
  let parameters = (ins "int64_t":$count, "int64_t":$of, "::mlir::Attribute":$inner);
  let assemblyFormat = "`<` $count `` `:` `` $of `,` $inner `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// How many weights share one that is kept.
    int64_t getRatio() const { return getOf() / getCount(); }
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_SPARSEATTR_TD
