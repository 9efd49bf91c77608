//===- LLMCTypes.td - types of the llmc dialect -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCTYPES_TD
#define LLMC_DIALECT_LLMC_IR_LLMCTYPES_TD

include "llmc/Dialect/LLMC/IR/LLMCDialect.td"
include "mlir/IR/AttrTypeBase.td"

class LLMC_Type<string name, string typeMnemonic> : TypeDef<LLMC_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def LLMC_Rows : LLMC_Type<"Rows", "rows"> {
  let summary = "To which sequence and position each row of a step belongs";
  let description = [{
    Row r of a step is a token of some sequence at some position. Rows of one sequence stand side
    by side in ascending position. It also says which rows' logits are wanted.
  }];
}

def LLMC_KVCache : LLMC_Type<"KVCache", "kv_cache"> {
  let summary = "The keys and values of one attention layer, for every sequence";
  let description = [{
    For each sequence and each position below `capacity`, `heads` key vectors and value vectors of
    `headSize` elements, stored as `keys` and `values` say. It is updated in place.

    Constraints:
    - C1. heads, headSize and capacity are positive, and their product is at most 2^48.
    - C2. keys and values are f32 or f16.

    Example: `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16>`
  }];
  let parameters = (ins "int64_t":$heads, "int64_t":$headSize, "int64_t":$capacity,
                        "::mlir::Type":$keys, "::mlir::Type":$values);
  let assemblyFormat = [{
    `<` custom<HeadShape>($heads, $headSize) `,` `capacity` `=` $capacity `,` `keys` `=` $keys `,`
    `values` `=` $values `>`
  }];
  let genVerifyDecl = 1;
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCTYPES_TD
