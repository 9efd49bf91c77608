/*===- internal.h - what the files of the runtime share ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_INTERNAL_H
#define LLMC_CORE_INTERNAL_H

#include "container.h"
#include "llmc/llmc.h"
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>

struct llmc_model {
  atomic_uint references;
  llmc_allocator allocator;
  llmc_mapping file; /* data null where the weights are the caller's */
  void *image;       /* of dlopen; null for a linked program */
  int image_file;    /* open as long as the image: dlopen tells images apart by its number */
  const llmc_program *program;
  const llmc_variant *variant;
  const uint8_t *weights;
  uint32_t threads;
  llmc_pool *pool;
  pthread_mutex_t turn; /* held by the session that runs a step */
};

struct llmc_session {
  llmc_model *model;
  uint8_t *memory; /* state, arena, workers' arenas and the arrays below: one mapping */
  size_t memory_bytes;
  uint8_t *state, *arena, *worker_arena;
  int32_t *tokens;                   /* [context] */
  int32_t *positions;                /* [max_rows] */
  int32_t *sequences;                /* [max_rows] */
  int32_t *outputs;                  /* [max_rows] */
  int32_t *step_tokens;              /* [max_rows], of a batch */
  uint8_t **states;                  /* [max_rows], of a batch */
  float *logits;                     /* [vocabulary] */
  float *batch_logits;               /* [max_rows, vocabulary] */
  struct llmc_candidate *candidates; /* [vocabulary], for sampling */
  uint8_t *excluded;                 /* [vocabulary]: 1 for tokens that are never drawn */
  size_t position;
  int has_logits;
  uint64_t random[4];
};

/* A token and its score while one is drawn. */
typedef struct llmc_candidate {
  float score;
  int32_t token;
} llmc_candidate;

void *llmc_allocate(const llmc_allocator *allocator, size_t size);
void llmc_deallocate(const llmc_allocator *allocator, void *memory, size_t size);

#endif
