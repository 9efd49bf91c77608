/*===- artifact.h - the bytes of a compiled model in one file ---------------===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Defines the container that `llmc compile` writes and the runtime maps, and */
/* the file of weights that lies beside an object. All numbers little-endian. */

#ifndef LLMC_ARTIFACT_H
#define LLMC_ARTIFACT_H

#include <stdint.h>

/*
 *   offset 0        llmc_artifact_header
 *   offset 64       llmc_artifact_section[section_count]
 *   …               the sections, each at a multiple of its alignment, gaps zero
 *
 * `table_checksum` covers the section table; each section's own checksum covers its bytes. The
 * weights' checksum is verified on demand only: reading them all would cost more than loading.
 */
#define LLMC_ARTIFACT_MAGIC "LLMCart\n"
#define LLMC_ARTIFACT_VERSION 1u
#define LLMC_ARTIFACT_MAX_SECTIONS 64u
/* Weights start at a multiple of this many bytes, so that they can be mapped on their own. */
#define LLMC_ARTIFACT_WEIGHTS_ALIGNMENT 4096u
/* The symbol of the llmc_program in an image. */
#define LLMC_ARTIFACT_PROGRAM_SYMBOL "llmc_program_image"

enum llmc_section_kind {
  LLMC_SECTION_DESCRIPTION = 1, /* JSON: model, passes, layers, encodings, sizes */
  LLMC_SECTION_FILE = 2,        /* a file that came with the model; its name in `name` */
  LLMC_SECTION_IMAGE = 3,       /* ELF shared object; the target's architecture in `name` */
  LLMC_SECTION_WEIGHTS = 4,     /* packed weights, exactly one */
  LLMC_SECTION_CUDA = 5         /* llmc_cuda_image; "sm_90a ptx", "sm_90a cubin" in `name` */
};

typedef struct llmc_artifact_header {
  char magic[8];
  uint32_t version;
  uint32_t section_count;
  uint64_t file_bytes;
  uint64_t table_checksum; /* XXH3, 64 bits, seed 0 */
  uint8_t reserved[32];    /* zero */
} llmc_artifact_header;

typedef struct llmc_artifact_section {
  uint32_t kind;
  uint32_t reserved; /* zero */
  uint64_t offset;
  uint64_t bytes;
  uint64_t checksum; /* XXH3, 64 bits, seed 0 */
  char name[96];     /* NUL-terminated: "tokenizer.json", "x86_64", … */
} llmc_artifact_section;

/*
 * The file of weights beside an object: this header, then `bytes` bytes of packed weights at offset
 * LLMC_ARTIFACT_WEIGHTS_ALIGNMENT. `hash` is the XXH3 of the weights and equals the program's.
 */
#define LLMC_WEIGHTS_MAGIC "LLMCwgt\n"

typedef struct llmc_weights_header {
  char magic[8];
  uint32_t version; /* LLMC_ARTIFACT_VERSION */
  uint32_t reserved;
  uint64_t bytes;
  uint64_t hash;
  uint8_t padding[32];
} llmc_weights_header;

#endif /* LLMC_ARTIFACT_H */
