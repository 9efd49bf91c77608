/*===- cuda_image.h - a program's code for a GPU ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_CUDA_IMAGE_H
#define LLMC_CORE_CUDA_IMAGE_H

#include "llmc/cuda_image.h"
#include "llmc/driver.h"

/* A program as its image describes it. */
typedef struct {
  const llmc_cuda_image *image;
  llmc_program program; /* of a language model; its one variant has no function */
  llmc_variant variant;
  char variant_name[32]; /* "sm_90a cubin" */
  llmc_value inputs[4], outputs[1];
  int64_t logits_shape[2];
} cuda_program;

/*
 * Finds the best image of a source for a GPU of compute capability major.minor: machine code for
 * its own architecture, or for an older one of the same major number; else PTX that its driver can
 * compile. `name`, unless null, is the variant to take. LLMC_UNAVAILABLE where none runs.
 */
llmc_status cuda_find_image(const llmc_driver_source *source, int major, int minor,
                            const char *name, const llmc_cuda_image **image);

/* Makes a program of a checked image. Stays where it is: it points to itself. */
void cuda_describe_program(const llmc_cuda_image *image, cuda_program *program);

static inline const char *cuda_get_code(const llmc_cuda_image *image) {
  return (const char *)image + image->code_offset;
}

#endif
