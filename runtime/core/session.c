/*===- session.c - texts that grow ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#include "internal.h"

#include <string.h>

/* Where a session's arrays stand behind it, and how much memory all takes. */
typedef struct {
  size_t logits, candidates, tokens, excluded, end;
} layout;

static layout get_layout(const llmc_program *program) {
  layout result;
  result.logits = llmc_align(sizeof(llmc_session));
  result.candidates = result.logits + llmc_align(program->vocabulary * sizeof(float));
  result.tokens = result.candidates + program->vocabulary * sizeof(llmc_candidate);
  result.excluded = result.tokens + program->context * sizeof(int32_t);
  result.end = result.excluded + program->vocabulary;
  return result;
}

/* A buffer is never empty. */
static uint64_t get_state_bytes(const llmc_program *program) {
  return program->state_bytes ? program->state_bytes : 1;
}

/* Makes the buffers of a session. */
static llmc_status allocate_buffers(llmc_session *session) {
  const llmc_model *model = session->model;
  const llmc_driver *driver = model->driver;
  llmc_buffer *buffer;
  LLMC_RETURN_IF_ERROR(
      driver->allocate(model->loaded.handle, get_state_bytes(llmc_get_program(model)), &buffer));
  session->state = buffer;
  LLMC_RETURN_IF_ERROR(driver->allocate(model->loaded.handle, llmc_row_bytes(model), &buffer));
  session->logits = buffer;
  return llmc_ok_status();
}

llmc_status llmc_session_create(llmc_model *model, llmc_session **result) {
  llmc_session *session;
  llmc_status status;
  layout at;
  if (!model || !result)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a model and a place for the session");
  *result = NULL;
  at = get_layout(llmc_get_program(model));
  session = llmc_allocate(&model->allocator, at.end);
  if (!session)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a session");
  session->model = model;
  llmc_model_retain(model);
  status = allocate_buffers(session);
  if (!llmc_status_ok(&status)) {
    llmc_session_release(session);
    return llmc_annotate_status(status, "session");
  }
  session->host_logits = model->driver->map(model->loaded.handle, session->logits);
  session->is_mapped = session->host_logits != NULL;
  if (!session->is_mapped)
    session->host_logits = (float *)((uint8_t *)session + at.logits);
  session->candidates = (llmc_candidate *)((uint8_t *)session + at.candidates);
  session->tokens = (int32_t *)((uint8_t *)session + at.tokens);
  session->excluded = (uint8_t *)session + at.excluded;
  llmc_session_set_seed(session, 0);
  *result = session;
  return status;
}

void llmc_session_release(llmc_session *session) {
  llmc_model *model;
  const llmc_program *program;
  if (!session)
    return;
  model = session->model;
  program = llmc_get_program(model);
  if (session->state)
    model->driver->release(model->loaded.handle, session->state, get_state_bytes(program));
  if (session->logits)
    model->driver->release(model->loaded.handle, session->logits, llmc_row_bytes(model));
  llmc_deallocate(&model->allocator, session, get_layout(program).end);
  llmc_model_release(model);
}

/* Positions of a region that a session at its position has written. */
static uint64_t get_written(const llmc_session *session, const llmc_state_region *region) {
  /* In a ring those of later positions lie among the earlier ones. */
  uint64_t count = region->recent ? session->written : session->position;
  count = (count + region->block - 1) / region->block * region->block;
  return region->kept && count > region->kept ? region->kept : count;
}

int llmc_session_is_overwritten(const llmc_session *session) {
  const llmc_program *program = llmc_get_program(session->model);
  const size_t back = session->written - session->position;
  if (!session->position || !back)
    return 0;
  for (uint32_t i = 0; i < program->region_count; ++i) {
    const llmc_state_region *region = &program->regions[i];
    if (region->recent && session->written > region->kept && back > region->kept - region->recent)
      return 1;
  }
  return 0;
}

/* Copies the state of the positions that `source` has evaluated, and its logits. */
static llmc_status copy_buffers(llmc_session *session, const llmc_session *source) {
  const llmc_model *model = session->model;
  const llmc_program *program = llmc_get_program(model);
  for (uint32_t i = 0; i < program->region_count; ++i) {
    const llmc_state_region *region = &program->regions[i];
    const uint64_t bytes = get_written(source, region) * region->stride;
    if (bytes)
      LLMC_RETURN_IF_ERROR(model->driver->copy(model->loaded.handle, session->state, region->offset,
                                               source->state, region->offset, bytes));
  }
  if (!source->has_logits)
    return llmc_ok_status();
  return model->driver->copy(model->loaded.handle, session->logits, 0, source->logits, 0,
                             llmc_row_bytes(model));
}

llmc_status llmc_session_fork(const llmc_session *source, llmc_session **result) {
  llmc_session *session;
  llmc_status status;
  if (!source || !result)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session and a place for another");
  status = llmc_session_create(source->model, result);
  if (!llmc_status_ok(&status))
    return status;
  session = *result;
  status = copy_buffers(session, source);
  if (!llmc_status_ok(&status)) {
    llmc_session_release(session);
    *result = NULL;
    return status;
  }
  memcpy(session->tokens, source->tokens, source->position * sizeof *source->tokens);
  memcpy(session->random, source->random, sizeof source->random);
  memcpy(session->excluded, source->excluded, llmc_get_program(source->model)->vocabulary);
  session->position = source->position;
  session->written = source->written;
  session->has_logits = source->has_logits;
  return status;
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

llmc_status llmc_session_logits(llmc_session *session, const float **logits) {
  const llmc_model *model;
  if (!session || !logits)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session and a place, found null");
  *logits = NULL;
  if (!session->has_logits)
    return llmc_make_status(LLMC_FAILED_PRECONDITION,
                            "expected logits: evaluate a token, and keep its logits");
  model = session->model;
  if (!session->is_mapped && !session->is_copied)
    LLMC_RETURN_IF_ERROR(model->driver->read(model->loaded.handle, session->logits, 0,
                                             session->host_logits, llmc_row_bytes(model)));
  session->is_copied = 1;
  *logits = session->host_logits;
  return llmc_ok_status();
}
