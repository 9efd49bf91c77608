//===- ParameterPaths.h - paths of parameters' files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inside a process the paths of `#llmc.file` are absolute. In a file that a tool writes they are
// relative to its folder, so that module and weights can be moved together.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_PARAMETERPATHS_H
#define LLMC_SUPPORT_PARAMETERPATHS_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace llmc {

/// Makes all relative paths absolute; they are relative to `folder`.
void resolveParameterPaths(mlir::ModuleOp module, llvm::StringRef folder);

/// Makes all paths relative to `folder`, which is absolute.
void relativizeParameterPaths(mlir::ModuleOp module, llvm::StringRef folder);

/// The paths of all files that tensors lie in, each once, in order of first use.
std::vector<std::string> collectParameterPaths(mlir::ModuleOp module);

} // namespace llmc

#endif // LLMC_SUPPORT_PARAMETERPATHS_H
