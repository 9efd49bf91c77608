/*===- session.c - evaluating tokens ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Adds `count` times `bytes` to the plan of a session's memory and gives where they start. */
static size_t plan(size_t *total, uint64_t count, uint64_t bytes, int *overflow) {
  size_t offset = *total;
  uint64_t size = count * bytes, rounded;
  if (bytes && size / bytes != count)
    *overflow = 1;
  rounded = (size + LLMC_ALIGNMENT - 1) / LLMC_ALIGNMENT * LLMC_ALIGNMENT;
  if (rounded < size || rounded > SIZE_MAX / 2 - offset)
    *overflow = 1;
  else
    *total += rounded;
  return offset;
}

llmc_status llmc_session_create(llmc_model *model, llmc_session **result) {
  const llmc_program *program;
  llmc_session *session;
  size_t total = 0, state, arena, workers, tokens, rows[4], states, logits, batch, candidates,
         excluded;
  int overflow = 0;
  if (!model || !result)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a model and a place for the session");
  *result = NULL;
  program = model->program;
  state = plan(&total, 1, program->state_bytes, &overflow);
  arena = plan(&total, 1, program->arena_bytes, &overflow);
  workers = plan(&total, model->threads, program->worker_arena_bytes, &overflow);
  tokens = plan(&total, program->context, sizeof(int32_t), &overflow);
  for (int i = 0; i < 4; ++i)
    rows[i] = plan(&total, program->max_rows, sizeof(int32_t), &overflow);
  states = plan(&total, program->max_rows, sizeof(uint8_t *), &overflow);
  logits = plan(&total, program->vocabulary, sizeof(float), &overflow);
  /* Both factors fit 32 bits, so their product fits 64. */
  batch = plan(&total, (uint64_t)program->vocabulary * program->max_rows, sizeof(float), &overflow);
  candidates = plan(&total, program->vocabulary, sizeof(llmc_candidate), &overflow);
  excluded = plan(&total, program->vocabulary, sizeof(uint8_t), &overflow);
  if (overflow)
    return llmc_make_status(LLMC_CORRUPT,
                            "the program asks for more memory than there are addresses");
  session = llmc_allocate(&model->allocator, sizeof *session);
  if (!session)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a session");
  /* Addresses only: the cache takes memory as it fills, a batch's logits when a batch is run. */
  session->memory =
      mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (session->memory == MAP_FAILED) {
    int error = errno;
    llmc_deallocate(&model->allocator, session, sizeof *session);
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no addresses for a session of %zu bytes: %s",
                            total, strerror(error));
  }
  session->memory_bytes = total;
  session->model = model;
  llmc_model_retain(model);
  session->state = session->memory + state;
  session->arena = session->memory + arena;
  session->worker_arena = session->memory + workers;
  session->tokens = (int32_t *)(session->memory + tokens);
  session->positions = (int32_t *)(session->memory + rows[0]);
  session->sequences = (int32_t *)(session->memory + rows[1]);
  session->outputs = (int32_t *)(session->memory + rows[2]);
  session->step_tokens = (int32_t *)(session->memory + rows[3]);
  session->states = (uint8_t **)(session->memory + states);
  session->logits = (float *)(session->memory + logits);
  session->batch_logits = (float *)(session->memory + batch);
  session->candidates = (llmc_candidate *)(session->memory + candidates);
  session->excluded = session->memory + excluded;
  llmc_session_set_seed(session, 0);
  *result = session;
  return llmc_ok_status();
}

void llmc_session_release(llmc_session *session) {
  llmc_model *model;
  if (!session)
    return;
  model = session->model;
  munmap(session->memory, session->memory_bytes);
  llmc_deallocate(&model->allocator, session, sizeof *session);
  llmc_model_release(model);
}

llmc_status llmc_session_fork(const llmc_session *source, llmc_session **result) {
  const llmc_program *program;
  llmc_session *session;
  llmc_status status;
  if (!source || !result)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session and a place for another");
  status = llmc_session_create(source->model, result);
  if (!llmc_status_ok(&status))
    return status;
  session = *result;
  program = source->model->program;
  for (uint32_t i = 0; i < program->region_count; ++i) {
    const llmc_state_region *region = &program->regions[i];
    memcpy(session->state + region->offset, source->state + region->offset,
           (source->position + region->block - 1) / region->block * region->block * region->stride);
  }
  memcpy(session->tokens, source->tokens, source->position * sizeof *source->tokens);
  memcpy(session->random, source->random, sizeof source->random);
  memcpy(session->excluded, source->excluded, program->vocabulary);
  session->position = source->position;
  session->has_logits = source->has_logits;
  if (source->has_logits)
    memcpy(session->logits, source->logits, program->vocabulary * sizeof *source->logits);
  return llmc_ok_status();
}

/* Fills what every step of `session` has in common. */
static llmc_step make_step(const llmc_session *session) {
  llmc_step step;
  memset(&step, 0, sizeof step);
  step.weights = session->model->weights;
  step.arena = session->arena;
  step.worker_arena = session->worker_arena;
  step.positions = session->positions;
  step.sequences = session->sequences;
  step.outputs = session->outputs;
  return step;
}

static void run_step(llmc_model *model, llmc_step *step) {
  pthread_mutex_lock(&model->turn);
  llmc_pool_run(model->pool, model->variant->step, step);
  pthread_mutex_unlock(&model->turn);
}

static llmc_status check_token(const llmc_program *program, int32_t token, size_t index) {
  if (token < 0 || (uint32_t)token >= program->vocabulary)
    return llmc_make_status(LLMC_OUT_OF_RANGE, "expected token ids below %u, found %d at %zu",
                            program->vocabulary, token, index);
  return llmc_ok_status();
}

llmc_status llmc_session_evaluate(llmc_session *session, const int32_t *tokens, size_t count,
                                  float *logits) {
  const llmc_program *program;
  if (!session || (!tokens && count))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session and tokens, found null");
  program = session->model->program;
  if (count > program->context - session->position)
    return llmc_make_status(LLMC_OUT_OF_RANGE,
                            "expected at most %zu more tokens in a context of %u, found %zu",
                            program->context - session->position, program->context, count);
  for (size_t i = 0; i < count; ++i) {
    llmc_status status = check_token(program, tokens[i], i);
    if (!llmc_status_ok(&status))
      return status;
  }
  for (size_t done = 0; done < count;) {
    size_t rows = count - done < program->max_rows ? count - done : program->max_rows;
    int last = done + rows == count;
    llmc_step step = make_step(session);
    memcpy(session->tokens + session->position, tokens + done, rows * sizeof *tokens);
    for (size_t row = 0; row < rows; ++row) {
      session->positions[row] = (int32_t)(session->position + row);
      session->sequences[row] = 0;
      session->outputs[row] = logits ? (int32_t)row : (int32_t)(rows - 1);
    }
    step.states = &session->state;
    step.tokens = session->tokens + session->position;
    step.rows = (int64_t)rows;
    step.output_rows = logits ? (int64_t)rows : last;
    step.logits = logits ? logits + done * program->vocabulary : session->logits;
    run_step(session->model, &step);
    session->position += rows;
    done += rows;
  }
  if (count && logits)
    memcpy(session->logits, logits + (count - 1) * program->vocabulary,
           program->vocabulary * sizeof *logits);
  session->has_logits |= count != 0;
  return llmc_ok_status();
}

static llmc_status check_batch(const llmc_batch_entry *entries, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const llmc_session *session = entries[i].session;
    llmc_status status;
    if (!session || session->model != entries[0].session->model)
      return llmc_make_status(LLMC_INVALID_ARGUMENT,
                              "expected sessions of one model, entry %zu differs", i);
    if (session->position >= session->model->program->context)
      return llmc_make_status(LLMC_OUT_OF_RANGE, "entry %zu: the context of %u tokens is full", i,
                              session->model->program->context);
    for (size_t j = 0; j < i; ++j)
      if (entries[j].session == session)
        return llmc_make_status(LLMC_INVALID_ARGUMENT,
                                "expected different sessions, entries %zu and %zu are one", j, i);
    status = check_token(session->model->program, entries[i].token, i);
    if (!llmc_status_ok(&status))
      return status;
  }
  return llmc_ok_status();
}

llmc_status llmc_evaluate_batch(const llmc_batch_entry *entries, size_t count) {
  const llmc_program *program;
  llmc_session *first;
  llmc_status status;
  if (count == 0)
    return llmc_ok_status();
  if (!entries)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected entries, found null");
  status = check_batch(entries, count);
  if (!llmc_status_ok(&status))
    return status;
  /* The first session's scratch serves the whole batch. */
  first = entries[0].session;
  program = first->model->program;
  for (size_t done = 0; done < count;) {
    size_t rows = count - done < program->max_rows ? count - done : program->max_rows;
    llmc_step step = make_step(first);
    for (size_t row = 0; row < rows; ++row) {
      const llmc_batch_entry *entry = &entries[done + row];
      first->step_tokens[row] = entry->token;
      first->positions[row] = (int32_t)entry->session->position;
      first->sequences[row] = (int32_t)row;
      first->outputs[row] = (int32_t)row;
      first->states[row] = entry->session->state;
    }
    step.states = first->states;
    step.tokens = first->step_tokens;
    step.rows = step.output_rows = (int64_t)rows;
    step.logits = first->batch_logits;
    run_step(first->model, &step);
    for (size_t row = 0; row < rows; ++row) {
      llmc_session *session = entries[done + row].session;
      memcpy(session->logits, first->batch_logits + row * program->vocabulary,
             program->vocabulary * sizeof *session->logits);
      session->tokens[session->position++] = entries[done + row].token;
      session->has_logits = 1;
    }
    done += rows;
  }
  return llmc_ok_status();
}

size_t llmc_session_position(const llmc_session *session) { return session->position; }

const int32_t *llmc_session_tokens(const llmc_session *session) { return session->tokens; }

llmc_status llmc_session_rewind(llmc_session *session, size_t position) {
  if (!session)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session, found null");
  if (position > session->position)
    return llmc_make_status(LLMC_OUT_OF_RANGE, "expected a position of at most %zu, found %zu",
                            session->position, position);
  session->has_logits &= position == session->position;
  session->position = position;
  return llmc_ok_status();
}

const float *llmc_session_logits(const llmc_session *session) {
  return session->has_logits ? session->logits : NULL;
}
