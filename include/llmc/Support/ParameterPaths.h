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
// A module and its weights are one thing: a module in a file names what each file of its weights
// holds, in an attribute of the module,
//
//   llmc.file_hashes = {q.safetensors = "99aa06d3014798d86001c324468d497f", …}
//
// by the XXH3 of the whole file, 128 bits in hexadecimal digits. A file with other contents is
// refused when the first bytes of it are needed. Where a file is not named, any contents will do.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_PARAMETERPATHS_H
#define LLMC_SUPPORT_PARAMETERPATHS_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace llmc {

/// The module's attribute that names the contents of files.
inline constexpr llvm::StringLiteral fileHashesAttributeName = "llmc.file_hashes";

/// Makes all relative paths absolute; they are relative to `folder`. From then on files must hold
/// what the module says. Fails, with an error at the module, where it says so wrongly.
mlir::LogicalResult resolveParameterPaths(mlir::ModuleOp module, llvm::StringRef folder);

/// A file, and the hash of what it holds.
struct FileHash {
  llvm::StringRef path, hash;
};

/// Makes all paths relative to `folder`, which is absolute, and names the contents of all files.
/// This reads those that were not named so far and are not the one just `written`. A file that
/// can't be read is not named: that is said where it is needed.
void relativizeParameterPaths(mlir::ModuleOp module, llvm::StringRef folder, FileHash written = {});

/// The paths of all files that tensors lie in, each once, in order of first use.
std::vector<std::string> collectParameterPaths(mlir::ModuleOp module);

} // namespace llmc

#endif // LLMC_SUPPORT_PARAMETERPATHS_H
