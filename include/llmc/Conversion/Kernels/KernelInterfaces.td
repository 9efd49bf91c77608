//===- KernelInterfaces.td - what an encoding gives to kernels -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_KERNELS_KERNELINTERFACES_TD
#define LLMC_CONVERSION_KERNELS_KERNELINTERFACES_TD

include "mlir/IR/OpBase.td"

def LLMC_KernelEncodingInterface : AttrInterface<"KernelEncodingInterface"> {
  let cppNamespace = "::llmc";
  let description = [{
    An encoding of weights for which kernels can be generated: the part of EncodingInterface that
    needs the means of the kernels' library, where loadKernelDialects() attaches it to the
    encodings of the llmc dialect.
  }];
  let methods = [
    InterfaceMethod<[{
        The decode step for the tiles of a matrix of `columns` inputs.
      }], "std::unique_ptr<::llmc::WeightDecoder>", "getDecoder", (ins "int64_t":$columns)>
  ];
}

#endif // LLMC_CONVERSION_KERNELS_KERNELINTERFACES_TD
