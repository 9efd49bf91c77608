//===- PassOptions.h - the options in the text of a pipeline ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_PASSOPTIONS_H
#define LLMC_SUPPORT_PASSOPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llmc {

/// An error where the text of a pipeline, "a{x=1 y=2},builtin.module(b,c{z})", gives an option of a
/// pass twice: MLIR would take the last one without a word. Text that is no pipeline is let pass.
llvm::Error checkPassOptionsGivenOnce(llvm::StringRef pipeline);

/// The same for a command line with a flag for each registered pass, "--a=x=1 y=2", and
/// "--pass-pipeline=TEXT".
llvm::Error checkPassOptionsGivenOnce(llvm::ArrayRef<const char *> arguments);

} // namespace llmc

#endif // LLMC_SUPPORT_PASSOPTIONS_H
