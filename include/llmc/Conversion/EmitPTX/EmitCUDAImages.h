//===- EmitCUDAImages.h - code for GPUs, as artifacts and objects carry it ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITPTX_EMITCUDAIMAGES_H
#define LLMC_CONVERSION_EMITPTX_EMITCUDAIMAGES_H

#include "llmc/Conversion/EmitObject/EmitObject.h"

#include "mlir/IR/BuiltinOps.h"

namespace llmc {

/// NVIDIA's assembler, which makes machine code of PTX.
class Assembler {
public:
  /// The one at `path`; the one in PATH, if there is one, where that is empty; none where it is
  /// "none". Fails where `path` names no program that can be run.
  static llvm::Expected<Assembler> find(llvm::StringRef path);

  bool exists() const { return !program.empty(); }

  struct Code {
    llvm::SmallVector<char, 0> cubin;
    llvm::json::Object facts; ///< registers, shared_bytes, stack_bytes, spill_bytes where it says
  };
  llvm::Expected<Code> assemble(llvm::ArrayRef<char> ptx, llvm::StringRef architecture) const;

private:
  std::string program; ///< empty: none
};

/// What the assembler says of registers and memory (`ptxas --verbose`): the kernel's registers and
/// shared memory, and the stack and spills of all functions together.
llvm::json::Object readAssemblerFacts(llvm::StringRef messages);

/// The images of a program that convert-spmd-to-gpu made, for its architecture: PTX, and machine
/// code where there is an assembler.
llvm::Expected<llvm::SmallVector<CUDAImage>> emitCUDAImages(mlir::ModuleOp program,
                                                            const Assembler &assembler);

} // namespace llmc

#endif // LLMC_CONVERSION_EMITPTX_EMITCUDAIMAGES_H
