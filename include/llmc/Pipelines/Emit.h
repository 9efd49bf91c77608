//===- Emit.h - the phase emit: native code and weights in files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_EMIT_H
#define LLMC_PIPELINES_EMIT_H

#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"

#include <string>
#include <vector>

namespace llmc {

struct EmitOptions {
  bool object = false; ///< an object, a header and weights to link, in place of an artifact
  std::string symbol;  ///< the name of an object's program; by default that of its file
  bool force = false;  ///< replace headers and weights beside an object that llmc did not write
  std::vector<ArtifactFile> files; ///< that an artifact carries
  std::string ptxas;               ///< as Assembler::find() takes it

  /// The name of the program in an object at `path`.
  std::string getSymbol(llvm::StringRef path) const;
};

/// Writes the programs of one model, one for each architecture (for an object, of one CPU alone),
/// to `path`.
llvm::Error emitProgram(llvm::ArrayRef<mlir::ModuleOp> programs, const EmitOptions &options,
                        llvm::StringRef path);

} // namespace llmc

#endif // LLMC_PIPELINES_EMIT_H
