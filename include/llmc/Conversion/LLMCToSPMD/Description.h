//===- Description.h - what a compiled program says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_LLMCTOSPMD_DESCRIPTION_H
#define LLMC_CONVERSION_LLMCTOSPMD_DESCRIPTION_H

#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

#include <string>

namespace llmc {

/// The attribute of a module that holds the text of the compression passes it has been through.
inline constexpr llvm::StringLiteral passesAttributeName = "llmc.passes";

/// What a model is, before there is code for it: its file name, the passes, what @step says of it
/// (layers with a cache, positions of a text, vocabulary, how often which operation runs), and for
/// each parameter that is read its name, shape, encoding, bytes in canonical form and bits per
/// weight, and how inputs are rounded that it is multiplied with.
llvm::json::Object describe(mlir::ModuleOp module, ModelNames names);

/// A description as a program carries it.
std::string spellDescription(llvm::json::Object description);

} // namespace llmc

#endif // LLMC_CONVERSION_LLMCTOSPMD_DESCRIPTION_H
