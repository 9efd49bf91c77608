//===- Emit.cpp - the phase emit: native code and weights in files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Emit.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"

#include "llvm/Support/Path.h"

using namespace llmc;

std::string EmitOptions::getSymbol(llvm::StringRef path) const {
  return symbol.empty() ? llvm::sys::path::stem(path).str() : symbol;
}

llvm::Error llmc::emitProgram(llvm::ArrayRef<mlir::ModuleOp> programs, const EmitOptions &options,
                              llvm::StringRef path) {
  llvm::Expected<Assembler> assembler = Assembler::find(options.ptxas);
  if (!assembler)
    return assembler.takeError();
  if (!options.object)
    return emitArtifact(programs, options.files, path, *assembler);
  llvm::SmallVector<mlir::ModuleOp> ofCPUs;
  llvm::SmallVector<CUDAImage> images;
  for (mlir::ModuleOp program : programs)
    if (!getKernel(program))
      ofCPUs.push_back(program);
  if (ofCPUs.size() != 1)
    return llvm::createStringError("expected one program of a CPU for an object, found %zu",
                                   ofCPUs.size());
  for (mlir::ModuleOp program : programs) {
    if (!getKernel(program))
      continue;
    llvm::Expected<llvm::SmallVector<CUDAImage>> some = emitCUDAImages(program, *assembler);
    if (!some)
      return some.takeError();
    llvm::append_range(images, std::move(*some));
  }
  return emitObjectFiles(ofCPUs.front(), {options.getSymbol(path), 0, images}, path, options.force);
}
