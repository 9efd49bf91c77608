//===- CodebookAttr.td - weights as places in tables of their own -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_CODEBOOKATTR_TD
#define LLMC_DIALECT_LLMC_IR_CODEBOOKATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_CodebookAttr : LLMC_Attr<"Codebook", "codebook", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface, ["getLinearCodes"]>]> {
  let summary = "Weights that are found in tables which were learned from them";
  let description = [{
    Non-uniform quantization as in Kim et al. 2023 ("SqueezeLLM: dense-and-sparse quantization"): a
    weight is one of the 2^bits numbers of a table, times the scale of its row. `rows` rows side by
    side share a table: one, a multiple of 16, or `all` of the matrix.

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element      | of                                          |
    |----------|--------------|---------------------------------------------|
    | `codes`  | `bits` bits  | one weight                                  |
    | `table`  | 8 bits       | 2^bits for `rows` rows                      |
    | `scales` | `scale`      | a row                                       |

    An element t of the table stands for t − 128: a weight's value is (table[code] − 128) · scale, so
    that products with rounded inputs are integers.

    Constraints:
    - C1. bits is from 2 to 8.
    - C2. rows is 1, a positive multiple of 16, or `all`.
    - C3. scale is f32, f16 or bf16.
    - C4. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.codebook<bits = 4, rows = 1, scale = f16>>`
  }];
  let parameters = (ins "unsigned":$bits, "int64_t":$rows, "::mlir::Type":$scale);
  let assemblyFormat = [{
    `<` `bits` `=` $bits `,` `rows` `=` custom<SharingRows>($rows) `,` `scale` `=` $scale `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The value of `rows` that is no number.
    static constexpr int64_t allRows = 0;
    /// Rows that may share a table are a multiple of this.
    static constexpr int64_t rowUnit = 16;
    /// The planes in their order.
    enum PlaneIndex { codes, table, scales };
    /// What an element of the table is more than what it stands for.
    static constexpr int32_t tableZero = 128;

    unsigned getTableSize() const { return 1u << getBits(); }
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_CODEBOOKATTR_TD
