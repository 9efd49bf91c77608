/*===- cpu.c - what this CPU can do ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#include "cpu.h"

#include "llmc/llmc.h"

#include <stdio.h>

#if defined(__x86_64__)
#include <cpuid.h>

const char *llmc_cpu_architecture(void) { return "x86_64"; }

/* The register states that the operating system saves. */
static uint64_t read_xcr0(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

uint64_t llmc_cpu_features(void) {
  enum { AVX_STATE = 0x6, AVX512_STATE = 0xe6, VBMI_BITS = 1u << 1 | 1u << 6 };
  unsigned a, b, c, d, b7 = 0, c7 = 0;
  uint64_t features = 0, saved;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
    return 0;
  saved = read_xcr0();
  if ((saved & AVX_STATE) != AVX_STATE)
    return 0;
  __get_cpuid_count(7, 0, &a, &b7, &c7, &d);
  features |= c & bit_AVX ? LLMC_FEATURE_AVX : 0;
  features |= c & bit_FMA ? LLMC_FEATURE_FMA : 0;
  features |= c & bit_F16C ? LLMC_FEATURE_F16C : 0;
  features |= b7 & bit_AVX2 ? LLMC_FEATURE_AVX2 : 0;
  features |= b7 & bit_BMI2 ? LLMC_FEATURE_BMI2 : 0;
  if ((saved & AVX512_STATE) != AVX512_STATE)
    return features;
  features |= b7 & bit_AVX512F ? LLMC_FEATURE_AVX512F : 0;
  features |= b7 & bit_AVX512BW ? LLMC_FEATURE_AVX512BW : 0;
  features |= b7 & bit_AVX512VL ? LLMC_FEATURE_AVX512VL : 0;
  features |= b7 & bit_AVX512DQ ? LLMC_FEATURE_AVX512DQ : 0;
  features |= c7 & (1u << 11) ? LLMC_FEATURE_AVX512VNNI : 0;
  features |= (c7 & VBMI_BITS) == VBMI_BITS ? LLMC_FEATURE_AVX512VBMI : 0;
  return features;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

const char *llmc_cpu_architecture(void) { return "aarch64"; }

uint64_t llmc_cpu_features(void) {
  /* Bits of AT_HWCAP, from the kernel's ABI. */
  enum { ASIMD = 1 << 1, ASIMD_DOT_PRODUCT = 1 << 20 };
  unsigned long capabilities = getauxval(AT_HWCAP);
  uint64_t features = 0;
  features |= capabilities & ASIMD ? LLMC_FEATURE_NEON : 0;
  features |= capabilities & ASIMD_DOT_PRODUCT ? LLMC_FEATURE_DOTPROD : 0;
  return features;
}

#else
#error "llmc's runtime knows x86-64 and AArch64"
#endif

void llmc_cpu_feature_names(uint64_t features, char *text, size_t size) {
  static const struct {
    uint64_t bit;
    const char *name;
  } names[] = {{LLMC_FEATURE_AVX, "avx"},
               {LLMC_FEATURE_AVX2, "avx2"},
               {LLMC_FEATURE_FMA, "fma"},
               {LLMC_FEATURE_F16C, "f16c"},
               {LLMC_FEATURE_AVX512F, "avx512f"},
               {LLMC_FEATURE_AVX512BW, "avx512bw"},
               {LLMC_FEATURE_AVX512VL, "avx512vl"},
               {LLMC_FEATURE_AVX512DQ, "avx512dq"},
               {LLMC_FEATURE_AVX512VNNI, "avx512vnni"},
               {LLMC_FEATURE_AVX512VBMI, "avx512vbmi"},
               {LLMC_FEATURE_BMI2, "bmi2"},
               {LLMC_FEATURE_NEON, "neon"},
               {LLMC_FEATURE_DOTPROD, "dotprod"}};
  size_t used = 0;
  if (size)
    text[0] = '\0';
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    int written;
    if (!(features & names[i].bit))
      continue;
    features &= ~names[i].bit;
    written = snprintf(text + used, size - used, "%s%s", used ? " " : "", names[i].name);
    if (written < 0 || (size_t)written >= size - used)
      return;
    used += (size_t)written;
  }
  if (features)
    snprintf(text + used, size - used, "%sunknown", used ? " " : "");
}
