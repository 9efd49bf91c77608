//===- Files.h - reading files with messages ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_FILES_H
#define LLMC_TOOLS_FILES_H

#include <string>

namespace llmc::driver {

/// The contents of a file; throws std::runtime_error where it can't be read.
std::string readFile(const std::string &path);

} // namespace llmc::driver

#endif // LLMC_TOOLS_FILES_H
