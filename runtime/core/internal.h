/*===- internal.h - what the files of the runtime share ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_INTERNAL_H
#define LLMC_CORE_INTERNAL_H

#include "allocator.h"
#include "container.h"
#include "cuda_driver.h"
#include "llmc/driver.h"
#include "llmc/llmc.h"

#include <pthread.h>
#include <stdatomic.h>

struct llmc_model {
  atomic_uint references;
  llmc_allocator allocator;
  llmc_mapping file; /* data null where the weights are the caller's */
  int is_artifact;   /* the file is one */
  const llmc_driver *driver;
  cuda_driver cuda;           /* the driver where the model is on a GPU */
  llmc_loaded_program loaded; /* handle null until it is */
  llmc_executor *executor;    /* the model's own */
};

/* Where the logits of one row of a step go: see executor.c. */
typedef struct llmc_placement {
  size_t entry;
  float *logits;      /* of the caller; null: not wanted */
  int is_for_session; /* they become the session's */
} llmc_placement;

struct llmc_executor {
  llmc_model *model;
  int keeps_model; /* holds a reference: all executors but the model's own */
  uint32_t workers;
  llmc_driver_executor *handle;
  pthread_mutex_t turn; /* held by the call that evaluates */
  llmc_buffer *logits;  /* [max_rows, vocabulary], of steps whose logits go to several places */
  int32_t *tokens;      /* [max_rows], and so are the others */
  int32_t *positions;
  int32_t *sequences;
  int32_t *outputs;
  llmc_buffer **states;
  llmc_placement *placements;
};

struct llmc_session {
  llmc_model *model;
  llmc_buffer *state;
  llmc_buffer *logits; /* [vocabulary] */
  float *host_logits;  /* [vocabulary]: the same, mapped or a copy */
  int is_mapped;       /* host_logits are the buffer itself */
  int is_copied;       /* host_logits are what the buffer holds now */
  int has_logits;
  int is_in_batch; /* of the call that evaluates now */
  size_t position;
  size_t written;  /* positions up to the last that any step wrote since the first was written */
  int32_t *tokens; /* [context] */
  struct llmc_candidate *candidates; /* [vocabulary], for sampling */
  uint8_t *excluded;                 /* [vocabulary]: 1 for tokens that are never drawn */
  uint64_t random[4];
};

/*
 * Whether something that the next step reads has been overwritten by positions that the session has
 * been taken back from.
 */
int llmc_session_is_overwritten(const llmc_session *session);

/* A token and its score while one is drawn. */
typedef struct llmc_candidate {
  float score;
  int32_t token;
} llmc_candidate;

static inline const llmc_program *llmc_get_program(const llmc_model *model) {
  return model->loaded.program;
}

/* The bytes of a row of logits. */
static inline uint64_t llmc_row_bytes(const llmc_model *model) {
  return llmc_get_program(model)->vocabulary * sizeof(float);
}

/* Makes an executor that keeps no reference to its model. */
llmc_status llmc_executor_make(llmc_model *model, const llmc_executor_options *options,
                               llmc_executor **executor);

#endif
