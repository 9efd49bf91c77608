//===- PositionGroupedAttr.td - integers that share a scale along positions -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_POSITIONGROUPEDATTR_TD
#define LLMC_DIALECT_LLMC_IR_POSITIONGROUPEDATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_PositionGroupedAttr : LLMC_Attr<"PositionGrouped", "position_grouped", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface>,
    DeclareAttrInterfaceMethods<LLMC_CacheEncodingInterface>]> {
  let summary = "Keys of a cache as integers that share a scale and a minimum along positions";
  let description = [{
    An element of a head, at `group` positions that follow each other, has a scale s and a minimum m:
    keys of some channels are large at all positions, and do not spoil the others (Liu et al. 2024,
    "KIVI: a tuning-free asymmetric 2bit quantization for KV cache", section 3.2). Each is an
    unsigned code of `bits` bits, code · s + m. In fp32, m is the least of the group and
    s = (max − m) / (2^bits − 1), both rounded to `scale`, and a code is round((x − m) / s), half to
    even, cut to [0, 2^bits − 1].

    | plane    | element      | of                     |
    |----------|--------------|------------------------|
    | `codes`  | `bits` bits  | one number             |
    | `scales` | `scale`      | a number of a head at `group` positions |
    | `minima` | `scale`      | the same               |

    Constraints:
    - C1. bits is 2, 3, 4 or 8.
    - C2. group is a positive multiple of 16, at most 1024.
    - C3. scale is f32, f16 or bf16.
    - C4. It is an encoding of the keys of caches.

    Example: `#llmc.position_grouped<bits = 4, group = 32, scale = f16>`
  }];
  let parameters = (ins "unsigned":$bits, "int64_t":$group, "::mlir::Type":$scale);
  let assemblyFormat = "`<` `bits` `=` $bits `,` `group` `=` $group `,` `scale` `=` $scale `>`";
  let genVerifyDecl = 1;
}

#endif // LLMC_DIALECT_LLMC_IR_POSITIONGROUPEDATTR_TD
