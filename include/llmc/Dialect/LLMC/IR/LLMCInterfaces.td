//===- LLMCInterfaces.td - the interfaces that encodings implement -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCINTERFACES_TD
#define LLMC_DIALECT_LLMC_IR_LLMCINTERFACES_TD

include "mlir/IR/OpBase.td"

def LLMC_EncodingInterface : AttrInterface<"EncodingInterface"> {
  let cppNamespace = "::llmc";
  let description = [{
    How a matrix of weights is stored: as planes (Plane.h), out of which the value of each weight is
    computed. All else follows from the two: how many bytes it takes and how they lie
    (CanonicalForm.h), in which order kernels read them (TiledLayout.h), what it means as linalg, and
    the decode step of kernels. Shapes are those of the tensor type that carries the encoding, out ×
    in.
  }];
  let methods = [
    InterfaceMethod<[{
        The planes of a matrix of this shape.
      }], "::llvm::SmallVector<::llmc::Plane>", "getPlanes", (ins "::llvm::ArrayRef<int64_t>":$shape)>,
    InterfaceMethod<[{
        How many weights of a row are decoded together: a power of two up to 16, which widths are
        multiples of.
      }], "int64_t", "getUnit", (ins), [{}], [{ return 1; }]>,
    InterfaceMethod<[{
        Builds the values of a unit of weights. `elements` has for each plane those that belong to
        the unit, from left to right: integers, or reals for planes of floats.
      }], "::llmc::DecodeBuilder::Operands", "decode",
      (ins "::llmc::DecodeBuilder &":$builder,
           "::llvm::ArrayRef<::llmc::DecodeBuilder::Operands>":$elements)>,
    InterfaceMethod<[{
        Says where weights are linear functions of codes, or that they are none.
      }], "::std::optional<::llmc::LinearCodes>", "getLinearCodes", (ins), [{}],
      [{ return std::nullopt; }]>,
    InterfaceMethod<[{
        Where codes are `packed` (LinearCodes): builds the codes of a unit, which is of four weights or
        more, four side by side as the bytes of an integer each, the first in the lowest.
      }], "::llmc::DecodeBuilder::Operands", "decodeCodes",
      (ins "::llmc::DecodeBuilder &":$builder,
           "::llvm::ArrayRef<::llmc::DecodeBuilder::Operands>":$elements), [{}], [{ return {}; }]>
  ];
  let extraClassDeclaration = [{
    /// The number of bytes of the canonical form of a tensor of this shape, or an error where the
    /// encoding can't hold it.
    ::llvm::FailureOr<int64_t>
    getByteSize(::llvm::ArrayRef<int64_t> shape,
                ::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError) const;

    /// Bits per weight of a tensor of this shape, all planes included, before bytes are filled up.
    double getBitsPerWeight(::llvm::ArrayRef<int64_t> shape) const;

    /// Writes the values of one row, `row`, to `values` (shape[1] of them), decoded exactly and
    /// rounded once to fp32. `bytes` is the whole canonical form. EncodedRows does so for many.
    void decodeRow(::llvm::ArrayRef<uint8_t> bytes, ::llvm::ArrayRef<int64_t> shape, int64_t row,
                   ::llvm::MutableArrayRef<float> values) const;

    /// Builds the fp32 tensor of all values in plain arithmetic, out of the canonical form as a
    /// tensor of i8: what the encoding means where a model is written as linalg, the same numbers as
    /// decodeRow() gives.
    ::mlir::Value buildValues(::llmc::Formula &formula, ::llvm::ArrayRef<int64_t> shape,
                              ::mlir::Value bytes) const;

    /// Builds the fp32 value of one weight in the body of a formula, out of an element of each plane
    /// as it is stored, bytes where it is a code. For encodings of unit 1.
    ::mlir::Value buildValue(::mlir::ImplicitLocOpBuilder &builder,
                             ::llvm::ArrayRef<::llmc::Plane> planes,
                             ::mlir::ValueRange elements) const;
  }];
}

def LLMC_CacheEncodingInterface : AttrInterface<"CacheEncodingInterface", [LLMC_EncodingInterface]> {
  let cppNamespace = "::llmc";
  let description = [{
    How the keys or the values of a cache are stored: an encoding that can be written while a model
    runs. What a head has at a position is a row of its own, of the head's size; shapes are 1 × size.
    Where the planes lie in a sequence's state (CacheLayout.h), what forking copies, appending,
    scores and sums in kernels and what they mean as linalg follow from planes and the arithmetic in
    both directions.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds the elements that stand for a number, one for each plane: integers, or reals, which
        are rounded to the plane's type. Of numbers that share an element, the first one's is stored.
      }], "::llmc::DecodeBuilder::Operands", "encode",
      (ins "::llmc::EncodeBuilder &":$builder, "::llmc::DecodeBuilder::Operand":$number)>,
    InterfaceMethod<[{
        Reports why heads of this size can't be stored, if so. What all caches need (verifyCache) is
        no matter of the encoding's.
      }], "::mlir::LogicalResult", "verifyHeadSize",
      (ins "int64_t":$size, "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError), [{}],
      [{ return ::mlir::success(); }]>
  ];
  let extraClassDeclaration = [{
    /// Reports why a cache can't store heads of this size so, if so.
    ::mlir::LogicalResult
    verifyCache(int64_t size, ::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError) const;

    /// Builds the planes of rows of heads, [rows, heads, size], as tensors [rows, heads, elements],
    /// in plain arithmetic: what is written to a cache.
    ::llvm::SmallVector<::mlir::Value> buildPlanes(::llmc::Formula &formula,
                                                   ::mlir::Value heads) const;

    /// Where positions share elements: builds what keys, [sequences, positions, heads, size], are
    /// read as when they have been rounded, [sequences, heads · size, positions] of f32.
    ::mlir::Value buildRounded(::llmc::Formula &formula, ::mlir::Value keys) const;
  }];
}

def LLMC_SparsityInterface : AttrInterface<"SparsityInterface"> {
  let cppNamespace = "::llmc";
  let description = [{
    An encoding that keeps some weights of a matrix. The others are zero, and stay so whatever is done
    to the matrix later: which weights are kept is a part of what is stored. Kept weights are stored
    as another encoding says, or as floats.
  }];
  let methods = [
    InterfaceMethod<[{
        How kept weights are stored: an encoding, or the TypeAttr of f32, f16 or bf16.
      }], "::mlir::Attribute", "getWeights", (ins)>,
    InterfaceMethod<[{
        The same with kept weights stored in another way. Null where that can't be, which is
        reported.
      }], "::llmc::EncodingInterface", "storeWeightsAs",
      (ins "::mlir::Attribute":$weights,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError)>,
    InterfaceMethod<[{
        Sets in `kept`, which has an element for each weight of row `row`, those that are kept to
        true, the others to false. `bytes` is the whole canonical form.
      }], "void", "readMask",
      (ins "::llvm::ArrayRef<uint8_t>":$bytes, "::llvm::ArrayRef<int64_t>":$shape, "int64_t":$row,
           "::llvm::MutableArrayRef<bool>":$kept)>,
    InterfaceMethod<[{
        The canonical form in which the weights are kept that `kept` says, row by row. `dense` is
        that of the whole matrix, of the encoding of kept weights or as floats.
      }], "::std::vector<uint8_t>", "pack",
      (ins "::llvm::ArrayRef<uint8_t>":$dense, "::llvm::ArrayRef<int64_t>":$shape,
           "::llvm::ArrayRef<bool>":$kept)>
  ];
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCINTERFACES_TD
