/*===- cuda_image.h - the bytes of a program's code for one kind of GPU ------===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Defines what a LLMC_SECTION_CUDA of an artifact holds, and an object where */
/* it carries code for GPUs: what the runtime has to know of a program to     */
/* launch its kernel, and the kernel. All numbers little-endian.              */

#ifndef LLMC_CUDA_IMAGE_H
#define LLMC_CUDA_IMAGE_H

#include "llmc/program.h"

#include <stdint.h>

#define LLMC_CUDA_IMAGE_MAGIC "LLMCgpu\n"
#define LLMC_CUDA_IMAGE_VERSION 1u

/*
 * The kernel. A step is one cooperative launch of it, of blocks of `threads` threads that are all
 * resident; each block is a worker. Its parameters are the members of an llmc_step by value:
 * weights, arena, worker_arena, states, tokens, positions, sequences, outputs, logits (addresses in
 * the device's memory), rows, output_rows (64 bits), and the address of a counter of 64 bits that
 * is zero at the launch. Where blocks wait for each other they wait until the counter is a number,
 * or more: writing a larger number than any ends all waits.
 */
#define LLMC_CUDA_KERNEL "step_cuda"
#define LLMC_CUDA_PARAMETERS 12u

enum llmc_cuda_code {
  LLMC_CUDA_PTX = 1,  /* text with a NUL, which the driver of a GPU compiles */
  LLMC_CUDA_CUBIN = 2 /* machine code */
};

/*
 *   offset 0   llmc_cuda_image
 *   …          llmc_state_region[region_count], the description (JSON, ended by a NUL), the code
 *
 * Offsets are from the start of the image, which lies at a multiple of LLMC_ALIGNMENT.
 */
typedef struct llmc_cuda_image {
  char magic[8];
  uint32_t version;
  uint32_t code;         /* llmc_cuda_code */
  uint64_t bytes;        /* of the image */
  char architecture[16]; /* NUL-terminated: "sm_80", "sm_90a" */
  uint32_t threads;      /* of a block */
  uint32_t vocabulary;   /* these and what follows as in llmc_program */
  uint32_t context;
  uint32_t max_rows;
  uint64_t weights_bytes;
  uint64_t arena_bytes;
  uint64_t block_arena_bytes; /* worker_arena_bytes of a block */
  uint64_t state_bytes;
  uint32_t region_count;
  uint32_t reserved; /* zero */
  uint64_t regions_offset;
  uint64_t description_offset, description_bytes;
  uint64_t code_offset, code_bytes;
} llmc_cuda_image;

#endif /* LLMC_CUDA_IMAGE_H */
