//===- LloydMaxAttr.td - Gaussian numbers rounded with least error -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLOYDMAXATTR_TD
#define LLMC_DIALECT_LLMC_IR_LLOYDMAXATTR_TD

include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"

def LLMC_LloydMaxAttr : LLMC_Attr<"LloydMax", "lloyd_max", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface>,
    DeclareAttrInterfaceMethods<LLMC_CacheEncodingInterface>]> {
  let summary = "Keys or values of a cache as the nearest of levels for Gaussian numbers";
  let description = [{
    A number is one of 2^bits levels times the scale of its group. The levels are those of least
    squared error for the normal distribution (Max 1960, "Quantizing for minimum distortion"; Lloyd
    1982, "Least squares quantization in PCM"): each is the mean of the numbers that it is nearest to.
    Heads that a random rotation or a Hadamard transform has turned are nearly Gaussian (Zandieh et
    al. 2025, "TurboQuant: online vector quantization with near-optimal distortion rate").

    A head is cut into groups of `group` numbers (the last may be shorter); `group = channel` is one
    group. In fp32: with r the root of the mean square of a group, the code of x says which level is
    nearest to x / r, halfway the lower one, and the scale, rounded to `scale`, is
    sum(x²) / (sum(x · level) + 2^-100): what is stored has the product with the group that the group
    has with itself. Levels of least error are shorter than what they stand for, which sums of many
    values would show and single ones do not (TurboQuant, section 3.2, on inner products).

    | plane    | element      | of         |
    |----------|--------------|------------|
    | `codes`  | `bits` bits  | one number |
    | `scales` | `scale`      | a group    |

    Constraints:
    - C1. bits is from 1 to 4.
    - C2. group is a positive multiple of 16, or `channel`.
    - C3. scale is f32, f16 or bf16.
    - C4. It is an encoding of caches.

    Example: `#llmc.lloyd_max<bits = 2, group = 64, scale = f16>`
  }];
  let parameters = (ins "unsigned":$bits, "int64_t":$group, "::mlir::Type":$scale);
  let assemblyFormat = [{
    `<` `bits` `=` $bits `,` `group` `=` custom<GroupSize>($group) `,` `scale` `=` $scale `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The planes in their order.
    enum PlaneIndex { codes, scales };

    /// The levels for numbers of variance 1, in ascending order.
    ::llvm::ArrayRef<float> getLevels() const;
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_LLOYDMAXATTR_TD
