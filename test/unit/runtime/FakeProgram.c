/*===- FakeProgram.c - a program made by hand ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#include "FakeProgram.h"

/*
 * Each token stands three times in the state: at its position, inside a block of four, backwards,
 * and in a ring of the latest, of which a step reads few.
 */
enum {
  BLOCK = 4,
  BLOCKS_OFFSET = 4096,
  RING = 16,
  RECENT = 5,
  RING_OFFSET = BLOCKS_OFFSET + 64 * 4,
  STATE_BYTES = RING_OFFSET + RING * 4
};

static uint32_t mix(uint32_t hash, uint32_t value) { return (hash ^ value) * 16777619u; }

static float finish(uint32_t hash, int32_t token) {
  return (float)(mix(hash, (uint32_t)token * 2654435761u) >> 16) / 8192.0f - 4.0f;
}

float fakeLogit(const int32_t *tokens, int64_t count, uint8_t weight, int32_t token) {
  uint32_t hash = 2166136261u;
  for (int64_t i = 0; i < count; ++i)
    hash = mix(mix(mix(hash, (uint32_t)tokens[i]), (uint32_t)tokens[i]), weight);
  return finish(hash, token);
}

static int32_t *place(uint8_t *state, int64_t position) {
  int64_t block = position / BLOCK, inside = BLOCK - 1 - position % BLOCK;
  return (int32_t *)(state + BLOCKS_OFFSET) + block * BLOCK + inside;
}

static int32_t *place_in_ring(uint8_t *state, int64_t position) {
  return (int32_t *)(state + RING_OFFSET) + position % RING;
}

static void step(const llmc_step *step, int32_t worker, int32_t workers) {
  int64_t begin = step->rows * worker / workers, end = step->rows * (worker + 1) / workers;
  for (int64_t row = begin; row < end; ++row) {
    uint8_t *state = step->states[step->sequences[row]];
    int32_t position = step->positions[row];
    ((int32_t *)state)[position] = step->tokens[row];
    *place(state, position) = step->tokens[row];
    *place_in_ring(state, position) = step->tokens[row];
    /* A worker's scratch is its own. */
    step->worker_arena[worker * 64] = (uint8_t)(worker + 1);
  }
  step->arena[worker] = 1;
  step->barrier(step->pool, worker);
  for (int64_t output = 0; output < step->output_rows; ++output) {
    int32_t row = step->outputs[output];
    uint8_t *state = step->states[step->sequences[row]];
    uint32_t hash = 2166136261u;
    for (int32_t i = 0; i <= step->positions[row]; ++i) {
      uint32_t first = (uint32_t)((int32_t *)state)[i], second = (uint32_t)*place(state, i);
      if (i > step->positions[row] - RECENT)
        second = (uint32_t)*place_in_ring(state, i);
      hash = mix(mix(mix(hash, first), second), step->weights[first * 64 % fakeWeightsBytes]);
    }
    for (int32_t token = fakeVocabulary * worker / workers;
         token < fakeVocabulary * (worker + 1) / workers; ++token)
      step->logits[output * fakeVocabulary + token] = finish(hash, token);
  }
}

static const llmc_state_region regions[] = {
    {0, 4, 1, 0, 0}, {BLOCKS_OFFSET, 4, BLOCK, 0, 0}, {RING_OFFSET, 4, 1, RING, RECENT}};
/* The first needs what no CPU has. */
static const llmc_variant variants[] = {{"future", 1ull << 63, step}, {"plain", 0, step}};

static const int64_t rows[] = {LLMC_DIM_ROWS}, output_rows[] = {LLMC_DIM_OUTPUT_ROWS},
                     logits[] = {LLMC_DIM_OUTPUT_ROWS, fakeVocabulary};
static const llmc_value inputs[] = {
    {"tokens", LLMC_VALUE_TOKENS, LLMC_ELEMENT_I32, 1, rows},
    {"positions", LLMC_VALUE_POSITIONS, LLMC_ELEMENT_I32, 1, rows},
    {"sequences", LLMC_VALUE_SEQUENCES, LLMC_ELEMENT_I32, 1, rows},
    {"output_rows", LLMC_VALUE_OUTPUT_ROWS, LLMC_ELEMENT_I32, 1, output_rows}};
static const llmc_value outputs[] = {{"logits", LLMC_VALUE_LOGITS, LLMC_ELEMENT_F32, 2, logits}};

__attribute__((visibility("default")))
const llmc_program llmc_program_image = {LLMC_PROGRAM_ABI_VERSION,
                                         fakeVocabulary,
                                         fakeContext,
                                         fakeMaxRows,
                                         fakeWeightsBytes,
                                         1024,
                                         64,
                                         STATE_BYTES,
                                         0,
                                         3,
                                         2,
                                         4,
                                         1,
                                         regions,
                                         variants,
                                         inputs,
                                         outputs,
                                         "{\"name\": \"fake\"}"};
