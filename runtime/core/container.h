/*===- container.h - an artifact or a file of weights, mapped and checked ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_CONTAINER_H
#define LLMC_CORE_CONTAINER_H

#include "llmc/artifact.h"
#include "llmc/status.h"

#include <stddef.h>
#include <stdint.h>

/* A file mapped read-only. */
typedef struct {
  const uint8_t *data;
  size_t size;
} llmc_mapping;

llmc_status llmc_map_file(const char *path, llmc_mapping *mapping);
void llmc_unmap_file(llmc_mapping *mapping);

/* Checks header, section table, bounds, and the checksums of all sections but the weights. What
   this accepts can be read without further checks. */
llmc_status llmc_container_check(const uint8_t *data, size_t size);

/* The sections of a checked container. */
const llmc_artifact_section *llmc_container_sections(const uint8_t *data, uint32_t *count);

/* The first section of a kind, and with a name unless `name` is null; null where there is none. */
const llmc_artifact_section *llmc_container_find(const uint8_t *data, uint32_t kind,
                                                 const char *name);

/* Checks a file of weights against a program's size and hash. */
llmc_status llmc_weights_file_check(const uint8_t *data, size_t size, uint64_t bytes,
                                    uint64_t hash);

/* The hash that containers use: XXH3, 64 bits. */
uint64_t llmc_hash(const void *data, size_t size);

#endif
