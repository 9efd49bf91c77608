/*===- cuda_internal.h - what the files of the driver for GPUs share ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_CUDA_INTERNAL_H
#define LLMC_CORE_CUDA_INTERNAL_H

#include "allocator.h"
#include "cuda_api.h"
#include "cuda_image.h"

#include <stdatomic.h>

struct llmc_driver_program {
  llmc_allocator allocator;
  cuda_api api;
  cuda_program program;
  cuda_device device;
  cuda_context context; /* null: not retained */
  void *module, *function;
  void *streams[2]; /* for copies; those of weights go through both */
  cuda_address weights;
  uint32_t blocks; /* of threads that the device has room for at once */
  uint32_t step_timeout_ms;
  atomic_int is_lost; /* a step runs on and can't be ended: what the device has is given up */
};

/* Makes the program's context the thread's, until cuda_leave. */
static inline llmc_status cuda_enter(const llmc_driver_program *loaded) {
  return cuda_check(&loaded->api, loaded->api.context_push(loaded->context),
                    "cannot use the GPU's context");
}

static inline void cuda_leave(const llmc_driver_program *loaded) {
  cuda_context context;
  loaded->api.context_pop(&context);
}

/*
 * The context while something is released: where it cannot be made the thread's, what is released
 * is tried all the same.
 */
static inline int cuda_try_enter(const llmc_driver_program *loaded) {
  return loaded->api.context_push(loaded->context) == CUDA_SUCCESS;
}

/* Memory of the device, its contents any; in the program's context. */
llmc_status cuda_allocate(const llmc_driver_program *loaded, uint64_t bytes, cuda_address *address);

/* Executors: cuda_executor.c. */
llmc_status cuda_create_executor(llmc_driver_program *loaded, const llmc_executor_options *options,
                                 llmc_driver_executor **executor, uint32_t *workers);
void cuda_destroy_executor(llmc_driver_executor *executor);
llmc_status cuda_run(llmc_driver_executor *executor, const llmc_driver_step *step);
llmc_status cuda_wait(llmc_driver_executor *executor);

#endif
