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
    `headSize` elements, stored as the encodings `keys` and `values` say: attributes that implement
    CacheEncodingInterface, or a floating-point type alone, which stands for `#llmc.plain`. It is
    updated in place.

    Constraints:
    - C1. heads, headSize and capacity are positive, and their product is at most 2^48.
    - C2. keys and values can store heads of headSize elements: planes belong to one position; their
      elements are floats or integers of 1, 2, 4 or 8 bits, each of one number, or floats or bytes of
      a group, all groups of one size. Where integers share bytes, heads and groups are multiples of
      16 times as many numbers as a byte holds.

    Example: `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16>`
  }];
  let parameters = (ins "int64_t":$heads, "int64_t":$headSize, "int64_t":$capacity,
                        "::llmc::CacheEncodingInterface":$keys,
                        "::llmc::CacheEncodingInterface":$values);
  let builders = [
    // Keys and values as floating-point numbers.
    TypeBuilder<(ins "int64_t":$heads, "int64_t":$headSize, "int64_t":$capacity,
                     "::mlir::Type":$keys, "::mlir::Type":$values), [{
      return $_get($_ctxt, heads, headSize, capacity, ::llmc::PlainAttr::get($_ctxt, keys),
                   ::llmc::PlainAttr::get($_ctxt, values));
    }]>
  ];
  let assemblyFormat = [{
    `<` custom<HeadShape>($heads, $headSize) `,` `capacity` `=` $capacity `,`
    `keys` `=` custom<CacheEncoding>($keys) `,` `values` `=` custom<CacheEncoding>($values) `>`
  }];
  let genVerifyDecl = 1;
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCTYPES_TD
