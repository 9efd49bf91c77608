//===- LLMCAttrs.td - attributes of the llmc dialect -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCATTRS_TD
#define LLMC_DIALECT_LLMC_IR_LLMCATTRS_TD

include "llmc/Dialect/LLMC/IR/LLMCDialect.td"
include "llmc/Dialect/LLMC/IR/LLMCEnums.td"
include "llmc/Dialect/LLMC/IR/LLMCInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"

class LLMC_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<LLMC_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def LLMC_GroupedAttr : LLMC_Attr<"Grouped", "grouped", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface, ["getLinearCodes"]>]> {
  let summary = "Integers of 1 to 8 bits that share a scale in groups along the input axis";
  let description = [{
    Every weight is an unsigned code of `bits` bits. The weights of a row are cut along the input
    axis into groups of `group` (the last may be shorter); `group = channel` is one group per row,
    `group = tensor` one for the whole matrix. With s the group's scale, stored in type `scale`:

    | zero      | value                        | also stored per group                     |
    |-----------|------------------------------|-------------------------------------------|
    | `none`    | (code − 2^(bits−1)) · s      | nothing                                   |
    | `integer` | (code − z) · s               | z, a byte, 0 ≤ z < 2^bits                 |
    | `float`   | code · s + m                 | m, the group's minimum, in type `scale`   |

    The planes (CanonicalForm.h says how they become bytes):

    | plane    | element      | of                               |
    |----------|--------------|----------------------------------|
    | `codes`  | `bits` bits  | one weight                       |
    | `scales` | `scale`      | a group                          |
    | `zeros`  | a byte       | a group, with `zero = integer`   |
    | `minima` | `scale`      | a group, with `zero = float`     |

    With zero = none or float it is an encoding of caches as well: what a head has at a position is a
    row. With zero = none, s is max|x| / (2^(bits−1) − 1) of a group in fp32, rounded to `scale`, and a
    code is round(x / s) + 2^(bits−1), half to even, cut to 2^(bits−1) − 1 on both sides. Magnitudes
    beyond the largest `scale` times that number become infinite. With zero = float, m is the least x
    of a group, rounded to `scale`, s is (max x − m) / (2^bits − 1) in fp32, rounded likewise, and a
    code is round((x − m) / s), half to even, cut to [0, 2^bits − 1].

    Constraints:
    - C1. 1 ≤ bits ≤ 8; zero = none needs bits ≥ 2.
    - C2. group is a positive number, `channel` or `tensor`.
    - C3. scale is f32, f16 or bf16; without `zero = float` it may be f8E8M0FNU, a power of two: with
      8 bits, groups of 32 and zero = none that is MXINT8 (OCP Microscaling Formats v1.0, section 5),
      whose numbers are 64ths, so that its scale is 64 times that of `#llmc.grouped`.
    - C4. The tensor has rank 2, a static shape and element type f32.

    Example: `tensor<1536x576xf32, #llmc.grouped<bits = 4, group = 32, zero = none, scale = f16>>`
  }];
  let parameters = (ins
    "unsigned":$bits,
    "int64_t":$group,
    EnumParameter<LLMC_ZeroPoint>:$zero,
    "::mlir::Type":$scale);
  let assemblyFormat = [{
    `<` `bits` `=` $bits `,` `group` `=` custom<GroupSize>($group) `,` `zero` `=` $zero `,`
    `scale` `=` $scale `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Values of `group` that are no size.
    static constexpr int64_t channelGroup = 0;
    static constexpr int64_t tensorGroup = -1;

    /// The planes in their order.
    enum PlaneIndex { codes, scales, zeros };

    /// The number of inputs that share a scale, for rows of this width.
    int64_t getGroupSize(int64_t columns) const;
    /// Groups in a row of this width.
    int64_t getGroupsPerRow(int64_t columns) const;
  }];
}

def LLMC_PlainAttr : LLMC_Attr<"Plain", "plain", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<LLMC_EncodingInterface>,
    DeclareAttrInterfaceMethods<LLMC_CacheEncodingInterface>]> {
  let summary = "Keys or values of a cache, stored as floating-point numbers";
  let description = [{
    One plane, `numbers`, of `element`. Numbers are rounded to the nearest, half to even. In the type
    of a cache it is written as the element type alone. Weights have no need of it: the element type
    of their tensor says the same.

    Constraints:
    - C1. element is f32, f16 or bf16.
    - C2. It is an encoding of caches.

    Example: `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16>`
  }];
  let parameters = (ins "::mlir::Type":$element);
  let assemblyFormat = "`<` $element `>`";
  let genVerifyDecl = 1;
}

def LLMC_DynamicAttr : LLMC_Attr<"Dynamic", "dynamic"> {
  let summary = "Activations rounded when they are computed";
  let description = [{
    A row of activations is cut into groups of `group` (the last may be shorter); `group = row` is
    one group, so that a token has one scale. Each group x is
    replaced by q · s, with s = max|x| / (2^(bits−1) − 1) in fp32 and q = round(x / s), half to even
    (x · (1 / s) with one rounding each; q = 0 where 1 / s is infinite).

    With `range`, which calibration found, all rows have one scale: s = range / (2^(bits−1) − 1), and
    q is moved to the nearest end of −(2^(bits−1) − 1) … 2^(bits−1) − 1 where it is beyond.

    With `numbers = f8E4M3FN` q is no integer but the number of that type (OCP 8-bit floating point
    specification 1.0: 448 is the largest) that is nearest to x / s, half to even, and
    s = max|x| / 448.

    Constraints:
    - C1. bits = 4 or 8; with `numbers`, 8.
    - C2. group is a positive multiple of 32, or `row`; with `range`, `row`.
    - C3. `range` is finite and positive, `numbers` is f8E4M3FN, and only one of both is there.

    Example: `#llmc.dynamic<bits = 8, group = row, range = 3.5>`
  }];
  let parameters = (ins
    "unsigned":$bits,
    "int64_t":$group,
    OptionalParameter<"::mlir::FloatAttr", "of f32">:$range,
    OptionalParameter<"::mlir::Type">:$numbers);
  let builders = [
    AttrBuilder<(ins "unsigned":$bits, "int64_t":$group),
                [{ return $_get($_ctxt, bits, group, ::mlir::FloatAttr(), ::mlir::Type()); }]>
  ];
  let assemblyFormat = [{
    `<` `bits` `=` $bits `,` `group` `=` custom<ActivationGroup>($group) ``
        custom<ActivationNumbers>($range, $numbers) `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The value of `group` that is no size.
    static constexpr int64_t rowGroup = 0;

    /// The number of inputs that share a scale, for rows of this width: a positive multiple of 32.
    int64_t getGroupSize(int64_t width) const;
    /// The largest magnitude of q.
    int64_t getLargest() const;
    /// Whether q are integers, so that products with codes of weights are.
    bool isInteger() const { return !getNumbers(); }
  }];
}

def LLMC_FileAttr : LLMC_Attr<"File", "file"> {
  let summary = "A region of a file that holds a parameter";
  let description = [{
    The bytes of a parameter, in a file beside the module. For a type without encoding, element
    (i, j, …) stands at offset + (i · strides[0] + j · strides[1] + …) · (bytes of an element);
    without `strides` it lies in row-major order. So a transposed or a cut-out matrix is the file's
    own bytes, seen another way. For an encoded type the canonical form starts at `offset`.

    `path` is relative to the folder of the module's own file, with forward slashes; tools make it
    absolute when they read a module and relative again when they write it to a file.

    Example: `#llmc.file<"model.onnx.data", offset = 81920, strides = [1, 1536]>`
  }];
  let parameters = (ins
    StringRefParameter<"path of the file">:$path,
    "int64_t":$offset,
    OptionalArrayRefParameter<"int64_t">:$strides);
  let assemblyFormat = [{
    `<` $path `,` `offset` `=` $offset (`,` `strides` `=` `[` $strides^ `]`)? `>`
  }];
  let genVerifyDecl = 1;
}

def LLMC_TiledAttr : LLMC_Attr<"Tiled", "tiled", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "A weight in the order in which CPU kernels read it";
  let description = [{
    What packing makes of a matrix: tiles of 16 rows, inside which the inputs run in steps;
    `encoding` is what the values were stored as before (absent: their element type). The bytes are
    defined in llmc/Dialect/LLMC/IR/TiledLayout.h.
  }];
  let parameters = (ins OptionalParameter<"::mlir::Attribute">:$encoding);
  let assemblyFormat = "(`<` $encoding^ `>`)?";
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCATTRS_TD
