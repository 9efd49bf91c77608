/*===- cpu.h - what this CPU can do ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_CPU_H
#define LLMC_CORE_CPU_H

#include <stddef.h>
#include <stdint.h>

/* Writes the names of `features` to `text`, separated by spaces; never overruns `size`. */
void llmc_cpu_feature_names(uint64_t features, char *text, size_t size);

#endif
