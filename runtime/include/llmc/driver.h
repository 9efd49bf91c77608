/*===- driver.h - what runs programs on one kind of device ------------------===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Declares the seam between the runtime and a device: the runtime keeps      */
/* account of models, sessions and batches, a driver has memory and runs      */
/* steps. The runtime has drivers for CPUs and for NVIDIA's GPUs; an          */
/* application may bring another (llmc_model_options.driver).                 */

#ifndef LLMC_DRIVER_H
#define LLMC_DRIVER_H

#include "llmc/llmc.h"
#include "llmc/program.h"
#include "llmc/status.h"

#include <stddef.h>
#include <stdint.h>

LLMC_EXTERN_C_BEGIN

/* Grows when a struct below changes; a driver of another is refused. */
#define LLMC_DRIVER_VERSION 1u

/*
 * Memory of the device, by a handle of the driver's own: the runtime never looks into it. A host
 * address of it exists only where `map` gives one.
 */
typedef struct llmc_buffer llmc_buffer;
/* A program on the device, with its weights. */
typedef struct llmc_driver_program llmc_driver_program;
/* What runs the program's steps: workers, and scratch of the sizes that the program asks for. */
typedef struct llmc_driver_executor llmc_driver_executor;

/* What a program is made of. Everything stays where it is until the program is unloaded. */
typedef struct llmc_driver_source {
  /* A program that is linked into this process; null where one is to be found in the artifact. */
  const llmc_program *program;
  /* A checked artifact (llmc_artifact_check), in which an image is to be chosen; else null. */
  const uint8_t *artifact;
  size_t artifact_bytes;
  const uint8_t *weights; /* in host memory, aligned to LLMC_ALIGNMENT */
  uint64_t weights_bytes;
  const char *variant;             /* the translation that was asked for by name; null: the best */
  const llmc_allocator *allocator; /* complete; for all host memory of the driver */
} llmc_driver_source;

typedef struct llmc_loaded_program {
  llmc_driver_program *handle;
  const llmc_program *program; /* as long as it is loaded; llmc_program_check accepted it */
  const char *variant;         /* the translation that runs; as long as it is loaded */
} llmc_loaded_program;

/*
 * A step of a language model. Rows, sequences and outputs are as in llmc_step; the arrays lie in
 * host memory. Logits go into `logits` from the byte `logits_offset` on, or, where `host_logits` is
 * not null, there: `logits` then is room for as many that the driver may use on the way.
 */
typedef struct llmc_driver_step {
  llmc_buffer *const *states;                    /* [sequence_count] */
  const int32_t *tokens, *positions, *sequences; /* [rows] */
  const int32_t *outputs;                        /* [output_rows] */
  int64_t rows, output_rows, sequence_count;
  float *host_logits; /* [output_rows, vocabulary] */
  llmc_buffer *logits;
  uint64_t logits_offset;
} llmc_driver_step;

/*
 * The functions may be called from any threads, several at a time; the calls on one executor take
 * turns. None is called before what it takes was made or after it was undone.
 * Where a call fails, what it was to make does not exist.
 */
struct llmc_driver {
  uint32_t version; /* LLMC_DRIVER_VERSION */
  const char *name; /* "cpu" */

  /*
   * Brings a program to the device. LLMC_UNAVAILABLE where the device can't run it. `driver` is
   * this struct, which may be the start of a larger one that says, for instance, which device.
   */
  llmc_status (*load)(const llmc_driver *driver, const llmc_driver_source *source,
                      llmc_loaded_program *program);
  void (*unload)(llmc_driver_program *program);

  /* `bytes` (1 or more) of zeros, aligned to LLMC_ALIGNMENT; released with the same number. */
  llmc_status (*allocate)(llmc_driver_program *program, uint64_t bytes, llmc_buffer **buffer);
  void (*release)(llmc_driver_program *program, llmc_buffer *buffer, uint64_t bytes);
  /* Where the host may read and write the buffer between steps; null where it can't. */
  void *(*map)(llmc_driver_program *program, llmc_buffer *buffer);
  /*
   * Copies to, from and within the device; done when they return. No step that was taken and not
   * waited for uses the bytes. A fork of a session copies ranges of its state; rewinding one needs
   * nothing, because a step reads no position that it does not know to be evaluated.
   */
  llmc_status (*write)(llmc_driver_program *program, llmc_buffer *to, uint64_t offset,
                       const void *from, uint64_t bytes);
  llmc_status (*read)(llmc_driver_program *program, llmc_buffer *from, uint64_t offset, void *to,
                      uint64_t bytes);
  llmc_status (*copy)(llmc_driver_program *program, llmc_buffer *to, uint64_t to_offset,
                      llmc_buffer *from, uint64_t from_offset, uint64_t bytes);

  /*
   * Makes what steps need; none of them allocates. `workers` receives how many there are, as many
   * as `options->threads` says where these are threads of the host.
   */
  llmc_status (*create_executor)(llmc_driver_program *program, const llmc_executor_options *options,
                                 llmc_driver_executor **executor, uint32_t *workers);
  void (*destroy_executor)(llmc_driver_executor *executor);
  /*
   * Takes a step: when it returns, the arrays of the step may change, while buffers and host_logits
   * are the step's until `wait`. Steps of one executor run in the order in which they were taken.
   */
  llmc_status (*run)(llmc_driver_executor *executor, const llmc_driver_step *step);
  /* Returns when all steps that were taken have ended; an error is that of the first that failed.
   */
  llmc_status (*wait)(llmc_driver_executor *executor);
};

/* Runs programs on the threads of this process, in host memory. */
LLMC_API const llmc_driver *llmc_cpu_driver(void);

/*
 * For drivers: whether a program is of this version, does not contradict itself and has
 * `weights_bytes` of weights. What this accepts can be used without further checks.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_program_check(const llmc_program *program,
                                                      uint64_t weights_bytes);

LLMC_EXTERN_C_END

#endif /* LLMC_DRIVER_H */
