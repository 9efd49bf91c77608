//===- Emit.cpp - the phase emit: native code and weights in files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Emit.h"

#include "llvm/Support/Path.h"

using namespace llmc;

std::string EmitOptions::getSymbol(llvm::StringRef path) const {
  return symbol.empty() ? llvm::sys::path::stem(path).str() : symbol;
}

llvm::Error llmc::emitProgram(llvm::ArrayRef<mlir::ModuleOp> programs, const EmitOptions &options,
                              llvm::StringRef path) {
  if (!options.object)
    return emitArtifact(programs, options.files, path);
  if (programs.size() != 1)
    return llvm::createStringError("expected one program for an object, found %zu",
                                   programs.size());
  return emitObjectFiles(programs.front(), {options.getSymbol(path), 0}, path, options.force);
}
