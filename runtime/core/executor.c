/*===- executor.c - evaluating tokens ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* A batch is cut into steps: rows are taken in the order of the entries, as  */
/* many as fit, so that an entry may go on in the next step. What a step is   */
/* given lies in the executor.                                                */

#include "internal.h"

#include <string.h>

/*===-- Executors ---------------------------------------------------------===*/

/* The arrays of an executor stand behind it. */
static size_t get_size(const llmc_program *program) {
  return llmc_align(sizeof(llmc_executor)) +
         program->max_rows * (sizeof(llmc_placement) + sizeof(llmc_buffer *) + 4 * sizeof(int32_t));
}

static void place_arrays(llmc_executor *executor, size_t rows) {
  executor->placements =
      (llmc_placement *)((uint8_t *)executor + llmc_align(sizeof(llmc_executor)));
  executor->states = (llmc_buffer **)(executor->placements + rows);
  executor->tokens = (int32_t *)(executor->states + rows);
  executor->positions = executor->tokens + rows;
  executor->sequences = executor->positions + rows;
  executor->outputs = executor->sequences + rows;
}

static uint64_t get_logits_bytes(const llmc_model *model) {
  return llmc_row_bytes(model) * llmc_get_program(model)->max_rows;
}

llmc_status llmc_executor_make(llmc_model *model, const llmc_executor_options *options,
                               llmc_executor **result) {
  const llmc_program *program = llmc_get_program(model);
  const llmc_driver *driver = model->driver;
  llmc_status status;
  llmc_executor *executor;
  if (options->threads > LLMC_MAX_THREADS)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected at most %u threads, found %u",
                            LLMC_MAX_THREADS, options->threads);
  executor = llmc_allocate(&model->allocator, get_size(program));
  if (!executor)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for an executor");
  executor->model = model;
  place_arrays(executor, program->max_rows);
  pthread_mutex_init(&executor->turn, NULL);
  status = driver->allocate(model->loaded.handle, get_logits_bytes(model), &executor->logits);
  if (!llmc_status_ok(&status))
    executor->logits = NULL;
  else
    status = driver->create_executor(model->loaded.handle, options, &executor->handle,
                                     &executor->workers);
  if (!llmc_status_ok(&status)) {
    executor->handle = NULL;
    llmc_executor_release(executor);
    return status;
  }
  *result = executor;
  return status;
}

llmc_status llmc_executor_create(llmc_model *model, const llmc_executor_options *given,
                                 llmc_executor **result) {
  const llmc_executor_options defaults = {0, 0};
  if (!model || !result)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a model and a place for the executor");
  *result = NULL;
  LLMC_RETURN_IF_ERROR(llmc_executor_make(model, given ? given : &defaults, result));
  llmc_model_retain(model);
  (*result)->keeps_model = 1;
  return llmc_ok_status();
}

void llmc_executor_release(llmc_executor *executor) {
  llmc_model *model;
  int keeps_model;
  if (!executor)
    return;
  model = executor->model;
  keeps_model = executor->keeps_model;
  if (executor->handle)
    model->driver->destroy_executor(executor->handle);
  if (executor->logits)
    model->driver->release(model->loaded.handle, executor->logits, get_logits_bytes(model));
  pthread_mutex_destroy(&executor->turn);
  llmc_deallocate(&model->allocator, executor, get_size(llmc_get_program(model)));
  if (keeps_model)
    llmc_model_release(model);
}

/*===-- Checks ------------------------------------------------------------===*/

static llmc_status check_tokens(const llmc_program *program, const llmc_batch_entry *entry) {
  for (size_t i = 0; i < entry->count; ++i)
    if (entry->tokens[i] < 0 || (uint32_t)entry->tokens[i] >= program->vocabulary)
      return llmc_make_status(LLMC_OUT_OF_RANGE, "expected token ids below %u, found %d at %zu",
                              program->vocabulary, entry->tokens[i], i);
  return llmc_ok_status();
}

static llmc_status check_outputs(const llmc_batch_entry *entry) {
  if (entry->outputs && !entry->logits && entry->output_count)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a place for %zu logits, found null",
                            entry->output_count);
  for (size_t i = 0; entry->outputs && i < entry->output_count; ++i)
    if (entry->outputs[i] >= entry->count || (i && entry->outputs[i] <= entry->outputs[i - 1]))
      return llmc_make_status(LLMC_OUT_OF_RANGE,
                              "expected outputs that ascend below %zu, found %zu at %zu",
                              entry->count, entry->outputs[i], i);
  return llmc_ok_status();
}

static llmc_status check_entry(const llmc_model *model, const llmc_batch_entry *entry) {
  const llmc_program *program = llmc_get_program(model);
  if (!entry->session || (!entry->tokens && entry->count))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session and tokens, found null");
  if (entry->session->model != model)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session of the executor's model");
  if (entry->count > program->context - entry->session->position)
    return llmc_make_status(
        LLMC_OUT_OF_RANGE, "expected at most %zu more tokens in a context of %u, found %zu",
        program->context - entry->session->position, program->context, entry->count);
  LLMC_RETURN_IF_ERROR(check_tokens(program, entry));
  return check_outputs(entry);
}

/* Sessions are marked, to be found again where they come twice. */
static llmc_status mark_sessions(const llmc_batch_entry *entries, size_t count) {
  llmc_status status = llmc_ok_status();
  size_t marked = 0;
  for (; marked < count; ++marked) {
    if (entries[marked].session->is_in_batch) {
      status = llmc_make_status(LLMC_INVALID_ARGUMENT,
                                "entry %zu: expected different sessions, found one twice", marked);
      break;
    }
    entries[marked].session->is_in_batch = 1;
  }
  for (size_t i = 0; i < marked; ++i)
    entries[i].session->is_in_batch = 0;
  return status;
}

static llmc_status check_batch(const llmc_model *model, const llmc_batch_entry *entries,
                               size_t count) {
  for (size_t i = 0; i < count; ++i) {
    llmc_status status = check_entry(model, &entries[i]);
    if (!llmc_status_ok(&status)) {
      char place[32];
      snprintf(place, sizeof place, "entry %zu", i);
      return count > 1 ? llmc_annotate_status(status, place) : status;
    }
  }
  return mark_sessions(entries, count);
}

/*===-- Steps -------------------------------------------------------------===*/

/* How far a batch has come. */
typedef struct {
  const llmc_batch_entry *entries;
  size_t count;
  size_t entry;  /* the one that is being taken from */
  size_t token;  /* how many of its tokens are taken */
  size_t output; /* how many of its outputs */
} cursor;

/* Where the caller wants the logits of the cursor's token; null where it does not. */
static float *take_output(cursor *at, size_t vocabulary) {
  const llmc_batch_entry *entry = &at->entries[at->entry];
  if (!entry->logits)
    return NULL;
  if (!entry->outputs)
    return entry->logits + at->token * vocabulary;
  if (at->output == entry->output_count || entry->outputs[at->output] != at->token)
    return NULL;
  return entry->logits + at->output++ * vocabulary;
}

/* Puts the cursor's next token into the step. */
static void take_token(llmc_executor *executor, cursor *at, llmc_driver_step *step) {
  const llmc_batch_entry *entry = &at->entries[at->entry];
  const int64_t row = step->rows++;
  llmc_placement placement = {at->entry, NULL, 0};
  placement.logits = take_output(at, llmc_get_program(executor->model)->vocabulary);
  placement.is_for_session = at->token + 1 == entry->count && !entry->skip_logits;
  executor->tokens[row] = entry->tokens[at->token];
  executor->positions[row] = (int32_t)(entry->session->position + at->token);
  executor->sequences[row] = (int32_t)(step->sequence_count - 1);
  if (placement.logits || placement.is_for_session) {
    executor->outputs[step->output_rows] = (int32_t)row;
    executor->placements[step->output_rows++] = placement;
  }
  ++at->token;
}

/* Takes as many tokens as a step has rows. None are left where it has none. */
static llmc_driver_step fill_step(llmc_executor *executor, cursor *at) {
  const int64_t max_rows = llmc_get_program(executor->model)->max_rows;
  llmc_driver_step step;
  memset(&step, 0, sizeof step);
  step.states = executor->states;
  step.tokens = executor->tokens;
  step.positions = executor->positions;
  step.sequences = executor->sequences;
  step.outputs = executor->outputs;
  for (; at->entry < at->count; ++at->entry, at->token = at->output = 0) {
    const llmc_batch_entry *entry = &at->entries[at->entry];
    if (at->token == entry->count)
      continue;
    if (step.rows == max_rows)
      break;
    executor->states[step.sequence_count++] = entry->session->state;
    while (at->token < entry->count && step.rows < max_rows)
      take_token(executor, at, &step);
    if (at->token < entry->count)
      break;
  }
  return step;
}

/* Whether all logits of a step are wanted by the caller and lie side by side there. */
static int is_contiguous(const llmc_executor *executor, const llmc_driver_step *step) {
  const size_t vocabulary = llmc_get_program(executor->model)->vocabulary;
  const llmc_placement *placements = executor->placements;
  for (int64_t i = 0; i < step->output_rows; ++i)
    if (!placements[i].logits || placements[i].logits != placements[0].logits + i * vocabulary)
      return 0;
  return 1;
}

/* Chooses where a step writes its logits, so that they are copied as little as possible. */
static void place_logits(const llmc_executor *executor, const cursor *at, llmc_driver_step *step) {
  step->logits = executor->logits;
  if (step->output_rows == 0)
    return;
  if (is_contiguous(executor, step))
    step->host_logits = executor->placements[0].logits;
  else if (step->output_rows == 1)
    step->logits = at->entries[executor->placements[0].entry].session->logits;
}

/* Brings the logits of the output at `index` to where they belong and are not yet. */
static llmc_status deliver(const llmc_executor *executor, const cursor *at,
                           const llmc_driver_step *step, int64_t index) {
  const llmc_model *model = executor->model;
  const llmc_driver *driver = model->driver;
  const llmc_placement *placement = &executor->placements[index];
  const llmc_session *session = at->entries[placement->entry].session;
  const uint64_t bytes = llmc_row_bytes(model), offset = index * bytes;
  if (step->host_logits)
    return placement->is_for_session
               ? driver->write(model->loaded.handle, session->logits, 0, placement->logits, bytes)
               : llmc_ok_status();
  if (placement->logits)
    LLMC_RETURN_IF_ERROR(
        driver->read(model->loaded.handle, step->logits, offset, placement->logits, bytes));
  if (placement->is_for_session && step->logits != session->logits)
    return driver->copy(model->loaded.handle, session->logits, 0, step->logits, offset, bytes);
  return llmc_ok_status();
}

static llmc_status run_step(llmc_executor *executor, const cursor *at, llmc_driver_step *step) {
  const llmc_driver *driver = executor->model->driver;
  place_logits(executor, at, step);
  LLMC_RETURN_IF_ERROR(driver->run(executor->handle, step));
  if (step->output_rows == 0)
    return llmc_ok_status();
  LLMC_RETURN_IF_ERROR(driver->wait(executor->handle));
  for (int64_t i = 0; i < step->output_rows; ++i)
    LLMC_RETURN_IF_ERROR(deliver(executor, at, step, i));
  return llmc_ok_status();
}

static llmc_status run_batch(llmc_executor *executor, const llmc_batch_entry *entries,
                             size_t count) {
  cursor at = {entries, count, 0, 0, 0};
  llmc_status status = llmc_ok_status(), waited;
  for (;;) {
    llmc_driver_step step = fill_step(executor, &at);
    if (step.rows == 0)
      break;
    status = run_step(executor, &at, &step);
    if (!llmc_status_ok(&status))
      break;
  }
  /* Nothing of the batch runs on when it has failed. */
  waited = executor->model->driver->wait(executor->handle);
  return llmc_status_ok(&status) ? waited : status;
}

/* Evaluates all tokens of a session again where it lacks what the next step reads of them. */
static llmc_status restore(llmc_executor *executor, llmc_session *session) {
  const size_t position = session->position;
  const llmc_batch_entry again = {session, session->tokens, position, NULL, NULL, 0, 1};
  llmc_status status;
  if (!llmc_session_is_overwritten(session))
    return llmc_ok_status();
  session->position = 0;
  status = run_batch(executor, &again, 1);
  session->position = position;
  if (llmc_status_ok(&status))
    session->written = position;
  return status;
}

static llmc_status restore_and_run(llmc_executor *executor, const llmc_batch_entry *entries,
                                   size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (entries[i].count)
      LLMC_RETURN_IF_ERROR(restore(executor, entries[i].session));
  return run_batch(executor, entries, count);
}

/* Brings a session to where it is after its entry. */
static void finish(const llmc_batch_entry *entry, int succeeded) {
  llmc_session *session = entry->session;
  if (entry->count == 0)
    return;
  /* What failed may have written all the same. */
  if (session->written < session->position + entry->count)
    session->written = session->position + entry->count;
  session->is_copied = 0;
  session->has_logits = succeeded && !entry->skip_logits;
  if (!succeeded)
    return;
  memcpy(session->tokens + session->position, entry->tokens, entry->count * sizeof *entry->tokens);
  session->position += entry->count;
}

llmc_status llmc_evaluate_batch(llmc_executor *executor, const llmc_batch_entry *entries,
                                size_t count) {
  llmc_status status;
  if (count == 0)
    return llmc_ok_status();
  if (!entries)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected entries, found null");
  if (!executor && !entries[0].session)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session and tokens, found null");
  if (!executor)
    executor = entries[0].session->model->executor;
  LLMC_RETURN_IF_ERROR(check_batch(executor->model, entries, count));
  pthread_mutex_lock(&executor->turn);
  status = restore_and_run(executor, entries, count);
  pthread_mutex_unlock(&executor->turn);
  for (size_t i = 0; i < count; ++i)
    finish(&entries[i], llmc_status_ok(&status));
  return status;
}

llmc_status llmc_session_evaluate(llmc_session *session, const int32_t *tokens, size_t count,
                                  float *logits) {
  const llmc_batch_entry entry = {session, tokens, count, logits, NULL, 0, 0};
  return llmc_evaluate_batch(NULL, &entry, 1);
}
