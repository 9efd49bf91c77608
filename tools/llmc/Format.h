//===- Format.h - numbers as people read them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_FORMAT_H
#define LLMC_TOOLS_FORMAT_H

#include <string>

namespace llmc::driver {

/// 1234567 as "1.2 MB".
std::string formatBytes(double bytes);
/// Four significant digits; whole numbers of more digits in full.
std::string formatNumber(double value);
/// 0.00123 as "1.23 ms".
std::string formatSeconds(double seconds);

} // namespace llmc::driver

#endif // LLMC_TOOLS_FORMAT_H
