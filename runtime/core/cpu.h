/*===- cpu.h - what this CPU can do ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_CPU_H
#define LLMC_CORE_CPU_H

#include <stddef.h>
#include <stdint.h>

/* The bits of llmc_cpu_feature that this CPU and its operating system support. */
uint64_t llmc_cpu_features(void);

/* Writes the names of `features` to `text`, separated by spaces; never overruns `size`. */
void llmc_cpu_feature_names(uint64_t features, char *text, size_t size);

/* The architecture, as images are named: "x86_64", "aarch64". */
const char *llmc_cpu_architecture(void);

#endif
