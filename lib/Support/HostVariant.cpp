//===- HostVariant.cpp - the instruction set that the compiler's own loops use ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/HostVariant.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace llmc;

static HostVariant detect() {
#if defined(__x86_64__)
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<llvm::StringRef> names) {
    return llvm::all_of(names, [&](llvm::StringRef name) { return features.lookup(name); });
  };
  if (has({"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}))
    return HostVariant::AVX512;
  if (has({"avx2", "fma"}))
    return HostVariant::AVX2;
#endif
  return HostVariant::Baseline;
}

HostVariant llmc::getHostVariant() {
  static const HostVariant variant = detect();
  return variant;
}
