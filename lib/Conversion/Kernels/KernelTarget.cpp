//===- KernelTarget.cpp - the instruction sets that kernels are generated for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/Kernels/KernelTarget.h"
#include "llmc/program.h"

using namespace llmc;
using cpu::DotLowering;

static constexpr uint64_t avx2Features =
    LLMC_FEATURE_AVX | LLMC_FEATURE_AVX2 | LLMC_FEATURE_FMA | LLMC_FEATURE_F16C | LLMC_FEATURE_BMI2;
static constexpr uint64_t avx512Features = avx2Features | LLMC_FEATURE_AVX512F |
                                           LLMC_FEATURE_AVX512BW | LLMC_FEATURE_AVX512VL |
                                           LLMC_FEATURE_AVX512DQ | LLMC_FEATURE_AVX512VNNI;

// Register tiles: 32 zmm hold 12 × 2 fp32 sums, or 4 × 3 integer ones beside as many of floats; 16
// ymm hold 6 × 1 (two halves each).
static constexpr KernelTarget x86Targets[] = {
    {"avx512vbmi", "icelake-server",
     "+avx512f,+avx512bw,+avx512vl,+avx512dq,+avx512vnni,+avx512vbmi,+avx512vbmi2,+avx2,+fma,+f16c,"
     "+bmi2,-prefer-256-bit",
     avx512Features | LLMC_FEATURE_AVX512VBMI, 12, 2, 4, 3, true, true, 0, DotLowering::Vnni,
     "avx512vnni"},
    {"avx512vnni", "cascadelake",
     "+avx512f,+avx512bw,+avx512vl,+avx512dq,+avx512vnni,+avx2,+fma,+f16c,+bmi2,-prefer-256-bit",
     avx512Features, 12, 2, 4, 3, true, true, 0, DotLowering::Vnni},
    {"avx2", "haswell", "+avx2,+fma,+f16c,+bmi2", avx2Features, 6, 1, 4, 1, true, true, 0,
     DotLowering::Maddubs},
    {"x86-64", "x86-64", "", 0, 2, 1, 2, 1, false, false, 0, DotLowering::Plain},
};

static constexpr KernelTarget armTargets[] = {
    {"neon-dotprod", "neoverse-n1", "+neon,+dotprod,+fp-armv8",
     LLMC_FEATURE_NEON | LLMC_FEATURE_DOTPROD, 6, 1, 4, 1, true, true, 0, DotLowering::Sdot},
    {"neon", "cortex-a72", "+neon,+fp-armv8", LLMC_FEATURE_NEON, 6, 1, 4, 1, true, true, 0,
     DotLowering::Plain},
};

llvm::ArrayRef<KernelTarget> llmc::getKernelTargets(const llvm::Triple &triple) {
  if (triple.getArch() == llvm::Triple::x86_64)
    return x86Targets;
  if (triple.getArch() == llvm::Triple::aarch64)
    return armTargets;
  return {};
}
