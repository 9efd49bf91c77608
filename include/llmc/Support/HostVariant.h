//===- HostVariant.h - the instruction set that the compiler's own loops use ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loops that compression spends its time in are compiled once for each of these instruction sets
// (llmc_host_kernels in CMake), and the best one that this machine has is chosen when running.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_SUPPORT_HOSTVARIANT_H
#define LLMC_SUPPORT_HOSTVARIANT_H

namespace llmc {

enum class HostVariant {
  Baseline,
  AVX2,  ///< with fma
  AVX512 ///< F, BW, DQ, VL, with fma
};

/// The best that this machine has. Asked once.
HostVariant getHostVariant();

} // namespace llmc

#endif // LLMC_SUPPORT_HOSTVARIANT_H
