//===- LLMCInterfaces.td - the interface that every weight encoding implements -*- tablegen -*-===//
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
    How a matrix of weights is stored. An encoding turns a tensor of `out × in` weights into a
    string of bytes (its canonical form: what a file or resource holds between import and layout)
    and says the exact value of every element, and packs it into the tiles that kernels read
    (TiledLayout.h). Shapes are those of the tensor type that carries the encoding.
  }];
  let methods = [
    InterfaceMethod<[{
        The number of bytes of the canonical form of a tensor of this shape, or an error where the
        encoding can't hold it.
      }], "::llvm::FailureOr<int64_t>", "getByteSize",
      (ins "::llvm::ArrayRef<int64_t>":$shape,
           "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError)>,
    InterfaceMethod<[{
        Writes the values of row `row` to `values` (shape[1] of them), decoded exactly and rounded
        once to fp32. `bytes` is the whole canonical form.
      }], "void", "decodeRow",
      (ins "::llvm::ArrayRef<uint8_t>":$bytes, "::llvm::ArrayRef<int64_t>":$shape, "int64_t":$row,
           "::llvm::MutableArrayRef<float>":$values)>,
    InterfaceMethod<[{
        Builds the fp32 tensor of all values in plain arithmetic, out of the canonical form as a
        tensor of i8. This is what the encoding means where a model is written as linalg: the same
        numbers as decodeRow() gives.
      }], "::mlir::Value", "buildValues",
      (ins "::llmc::Formula &":$formula, "::llvm::ArrayRef<int64_t>":$shape,
           "::mlir::Value":$bytes)>,
    InterfaceMethod<[{
        Bits per weight of a tensor of this shape, scales and zero points included.
      }], "double", "getBitsPerWeight", (ins "::llvm::ArrayRef<int64_t>":$shape)>,
    InterfaceMethod<[{
        The number of bytes of a tile of 16 rows of `columns` weights, a multiple of 64.
      }], "int64_t", "getTileBytes", (ins "int64_t":$columns)>,
    InterfaceMethod<[{
        Writes tile `tile` to `out`, getTileBytes() bytes. `bytes` is the whole canonical form; rows
        beyond the matrix are zeros.
      }], "void", "packTile",
      (ins "::llvm::ArrayRef<uint8_t>":$bytes, "::llvm::ArrayRef<int64_t>":$shape,
           "int64_t":$tile, "uint8_t *":$out)>
  ];
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCINTERFACES_TD
