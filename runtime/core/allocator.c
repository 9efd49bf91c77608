/*===- allocator.c - where the runtime's memory comes from ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "allocator.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* From here on a piece is pages of its own. */
enum { PAGES_FROM = 1 << 16 };

static void *allocate(void *context, size_t size, size_t alignment) {
  void *memory;
  (void)context;
  if (size >= PAGES_FROM) {
    /* Addresses only: a cache takes memory as it fills. */
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
  }
  memory = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory)
    memset(memory, 0, size);
  return memory;
}

static void release(void *context, void *memory, size_t size) {
  (void)context;
  if (size >= PAGES_FROM)
    munmap(memory, size);
  else
    free(memory);
}

llmc_allocator llmc_default_allocator(void) {
  const llmc_allocator allocator = {NULL, allocate, release, 1};
  return allocator;
}

void *llmc_allocate(const llmc_allocator *allocator, size_t size) {
  void *memory = allocator->allocate(allocator->context, size, LLMC_ALIGNMENT);
  if (memory && !allocator->gives_zeros)
    memset(memory, 0, size);
  return memory;
}

void llmc_deallocate(const llmc_allocator *allocator, void *memory, size_t size) {
  if (memory)
    allocator->release(allocator->context, memory, size);
}

size_t llmc_align(uint64_t size) {
  return (size + LLMC_ALIGNMENT - 1) / LLMC_ALIGNMENT * LLMC_ALIGNMENT;
}
