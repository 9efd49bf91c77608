/*===- allocator.h - where the runtime's memory comes from ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_ALLOCATOR_H
#define LLMC_CORE_ALLOCATOR_H

#include "llmc/llmc.h"

/* The allocator of those who bring none: large pieces are pages, which take memory as they are
   written. */
llmc_allocator llmc_default_allocator(void);

/* Zeros, aligned to LLMC_ALIGNMENT; null where there is no memory. `size` is not 0. */
void *llmc_allocate(const llmc_allocator *allocator, size_t size);
/* Null is allowed. */
void llmc_deallocate(const llmc_allocator *allocator, void *memory, size_t size);

/* The next multiple of LLMC_ALIGNMENT, of a size that llmc_program_check accepted. */
size_t llmc_align(uint64_t size);

#endif
