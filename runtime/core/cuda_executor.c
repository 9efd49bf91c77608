/*===- cuda_executor.c - steps on a GPU ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* What a step is given is put together in host memory that the device can    */
/* read, and goes there in one copy, with the counter at which blocks wait    */
/* for each other: every launch begins with it at zero.                       */

#define _GNU_SOURCE
#include "cuda_internal.h"

#include <sched.h>
#include <string.h>
#include <time.h>

/* Steps that may have been taken and not waited for. */
enum { SLOTS = 4 };
/* The counter has a line of the device's caches for itself. */
enum { COUNTER_BYTES = 128 };
/* More than any step counts. */
static const uint64_t ENOUGH = (uint64_t)1 << 62;

/* Where the parts of a step's inputs stand, in bytes. */
typedef struct {
  size_t states, tokens, positions, sequences, outputs, end;
} layout;

struct llmc_driver_executor {
  llmc_driver_program *program;
  void *stream;
  uint32_t blocks;
  layout at;
  cuda_address inputs;              /* `at.end` bytes */
  cuda_address arena, worker_arena; /* one piece of memory */
  uint8_t *staging;                 /* [SLOTS, at.end], and ENOUGH */
  unsigned taken;                   /* steps since the last wait */
  float *host_logits;               /* where those of the last step go; null: nowhere */
  cuda_address logits;              /* where they are */
  uint64_t logits_bytes;
};

/*===-- Executors ---------------------------------------------------------===*/

static layout get_layout(const llmc_program *program) {
  const size_t numbers = program->max_rows * sizeof(int32_t);
  layout at;
  at.states = COUNTER_BYTES;
  at.tokens = at.states + program->max_rows * sizeof(cuda_address);
  at.positions = at.tokens + numbers;
  at.sequences = at.positions + numbers;
  at.outputs = at.sequences + numbers;
  at.end = at.outputs + numbers;
  return at;
}

static llmc_status fill_executor(llmc_driver_executor *executor) {
  const llmc_driver_program *loaded = executor->program;
  const llmc_program *program = &loaded->program.program;
  const cuda_api *api = &loaded->api;
  const uint64_t arena = llmc_align(program->arena_bytes),
                 worker_arenas = executor->blocks * program->worker_arena_bytes;
  void *staging = NULL;
  llmc_status status = cuda_check(
      api, api->stream_create(&executor->stream, CUDA_STREAM_NON_BLOCKING), "cannot make a stream");
  if (!llmc_status_ok(&status)) {
    executor->stream = NULL;
    return status;
  }
  LLMC_RETURN_IF_ERROR(cuda_allocate(loaded, executor->at.end, &executor->inputs));
  LLMC_RETURN_IF_ERROR(cuda_allocate(
      loaded, arena + worker_arenas ? arena + worker_arenas : LLMC_ALIGNMENT, &executor->arena));
  executor->worker_arena = executor->arena + arena;
  LLMC_RETURN_IF_ERROR(
      cuda_check(api, api->host_allocate(&staging, SLOTS * executor->at.end + sizeof ENOUGH),
                 "cannot allocate memory that the GPU can read"));
  executor->staging = staging;
  memcpy(executor->staging + SLOTS * executor->at.end, &ENOUGH, sizeof ENOUGH);
  return llmc_ok_status();
}

void cuda_destroy_executor(llmc_driver_executor *executor) {
  llmc_driver_program *loaded = executor->program;
  const cuda_api *api = &loaded->api;
  if (!atomic_load(&loaded->is_lost)) {
    const int entered = cuda_try_enter(loaded);
    if (executor->staging)
      api->host_free(executor->staging);
    if (executor->arena)
      api->memory_free(executor->arena);
    if (executor->inputs)
      api->memory_free(executor->inputs);
    if (executor->stream)
      api->stream_destroy(executor->stream);
    if (entered)
      cuda_leave(loaded);
  }
  llmc_deallocate(&loaded->allocator, executor, sizeof *executor);
}

llmc_status cuda_create_executor(llmc_driver_program *loaded, const llmc_executor_options *options,
                                 llmc_driver_executor **result, uint32_t *workers) {
  llmc_driver_executor *executor;
  llmc_status status;
  if (options->pin_threads)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected no pinned threads on a GPU");
  if (options->threads > loaded->blocks)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected at most %u threads, blocks of threads that the GPU has room "
                            "for, found %u",
                            loaded->blocks, options->threads);
  executor = llmc_allocate(&loaded->allocator, sizeof *executor);
  if (!executor)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for an executor");
  executor->program = loaded;
  executor->blocks = options->threads ? options->threads : loaded->blocks;
  executor->at = get_layout(&loaded->program.program);
  status = cuda_enter(loaded);
  if (llmc_status_ok(&status)) {
    status = fill_executor(executor);
    cuda_leave(loaded);
  }
  if (!llmc_status_ok(&status)) {
    cuda_destroy_executor(executor);
    return status;
  }
  *result = executor;
  *workers = executor->blocks;
  return status;
}

/*===-- Waiting -----------------------------------------------------------===*/

static int64_t now_in_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Waits until all is done that the stream was given, or for so many milliseconds: NOT_READY. */
static int wait_for_stream(const llmc_driver_executor *executor, uint64_t milliseconds) {
  const int64_t start = now_in_microseconds(), spinning = 2000;
  const int64_t most = (int64_t)milliseconds * 1000;
  for (;;) {
    const int result = executor->program->api.stream_query(executor->stream);
    const int64_t passed = now_in_microseconds() - start;
    if (result != CUDA_ERROR_NOT_READY || passed > most)
      return result;
    if (passed < spinning) {
      sched_yield();
    } else {
      const struct timespec pause = {0, 50000};
      nanosleep(&pause, NULL);
    }
  }
}

/*
 * Ends steps that take too long: the only loops of a kernel without a known end are those of blocks
 * that wait for others, which a large counter ends. Returns whether they have ended.
 */
static int end_steps(const llmc_driver_executor *executor) {
  const llmc_driver_program *loaded = executor->program;
  const uint8_t *enough = executor->staging + SLOTS * executor->at.end;
  for (unsigned i = 0; i < executor->taken; ++i) {
    if (loaded->api.copy_to_device(executor->inputs, enough, sizeof ENOUGH, loaded->streams[0]) !=
        CUDA_SUCCESS)
      return 0;
    if (wait_for_stream(executor, loaded->step_timeout_ms) != CUDA_ERROR_NOT_READY)
      return 1;
  }
  return 0;
}

static llmc_status wait_for_steps(const llmc_driver_executor *executor) {
  llmc_driver_program *loaded = executor->program;
  const uint32_t most = loaded->step_timeout_ms;
  int result;
  if (most == 0)
    return cuda_check(&loaded->api, loaded->api.stream_synchronize(executor->stream),
                      "the step failed on the GPU");
  result = wait_for_stream(executor, (uint64_t)most * executor->taken);
  if (result != CUDA_ERROR_NOT_READY)
    return cuda_check(&loaded->api, result, "the step failed on the GPU");
  if (end_steps(executor))
    return llmc_make_status(LLMC_IO_ERROR,
                            "a step on the GPU did not end within %u ms, and was ended", most);
  atomic_store(&loaded->is_lost, 1);
  return llmc_make_status(LLMC_IO_ERROR,
                          "a step on the GPU did not end within %u ms and cannot be ended: the "
                          "GPU's memory is free when this process ends",
                          most);
}

/* Waits in the program's context, and brings logits to the host. */
static llmc_status settle(llmc_driver_executor *executor) {
  const cuda_api *api = &executor->program->api;
  float *logits = executor->host_logits;
  llmc_status status;
  int result;
  if (executor->taken == 0)
    return llmc_ok_status();
  status = wait_for_steps(executor);
  executor->taken = 0;
  executor->host_logits = NULL;
  if (!llmc_status_ok(&status) || !logits)
    return status;
  result = api->copy_to_host(logits, executor->logits, executor->logits_bytes, executor->stream);
  if (result == CUDA_SUCCESS)
    result = api->stream_synchronize(executor->stream);
  return cuda_check(api, result, "cannot copy logits from the GPU");
}

llmc_status cuda_wait(llmc_driver_executor *executor) {
  llmc_status status;
  if (executor->taken == 0)
    return llmc_ok_status();
  LLMC_RETURN_IF_ERROR(cuda_enter(executor->program));
  status = settle(executor);
  cuda_leave(executor->program);
  return status;
}

/*===-- Steps -------------------------------------------------------------===*/

/* Puts together what a step is given, `sequence_count` of which are states. */
static void fill_inputs(const llmc_driver_executor *executor, const llmc_driver_step *step,
                        uint8_t *inputs) {
  const layout *at = &executor->at;
  const size_t rows = (size_t)step->rows * sizeof(int32_t);
  cuda_address *states = (cuda_address *)(inputs + at->states);
  memset(inputs, 0, COUNTER_BYTES);
  for (int64_t i = 0; i < step->sequence_count; ++i)
    states[i] = (uintptr_t)step->states[i];
  memcpy(inputs + at->tokens, step->tokens, rows);
  memcpy(inputs + at->positions, step->positions, rows);
  memcpy(inputs + at->sequences, step->sequences, rows);
  memcpy(inputs + at->outputs, step->outputs, (size_t)step->output_rows * sizeof(int32_t));
}

static llmc_status launch(llmc_driver_executor *executor, const llmc_driver_step *step) {
  const llmc_driver_program *loaded = executor->program;
  const cuda_api *api = &loaded->api;
  const layout *at = &executor->at;
  const cuda_address inputs = executor->inputs;
  cuda_address addresses[] =
      {loaded->weights,        executor->arena,      executor->worker_arena,
       inputs + at->states,    inputs + at->tokens,  inputs + at->positions,
       inputs + at->sequences, inputs + at->outputs, (uintptr_t)step->logits + step->logits_offset},
               counter = inputs;
  enum { ADDRESSES = sizeof addresses / sizeof *addresses };
  int64_t rows = step->rows, output_rows = step->output_rows;
  void *parameters[LLMC_CUDA_PARAMETERS];
  for (int i = 0; i < ADDRESSES; ++i)
    parameters[i] = &addresses[i];
  parameters[ADDRESSES] = &rows;
  parameters[ADDRESSES + 1] = &output_rows;
  parameters[ADDRESSES + 2] = &counter;
  return cuda_check(api,
                    api->launch(loaded->function, executor->blocks, 1, 1,
                                loaded->program.image->threads, 1, 1, 0, executor->stream,
                                parameters),
                    "cannot start a step on the GPU");
}

/* Takes a step in the program's context. */
static llmc_status take(llmc_driver_executor *executor, const llmc_driver_step *step) {
  const cuda_api *api = &executor->program->api;
  uint8_t *inputs;
  /* What an earlier step reads, or is yet to bring to the host, stays until it has ended. */
  if (executor->taken == SLOTS || executor->host_logits)
    LLMC_RETURN_IF_ERROR(settle(executor));
  inputs = executor->staging + executor->taken * executor->at.end;
  fill_inputs(executor, step, inputs);
  /* From here on there is something to wait for. */
  ++executor->taken;
  LLMC_RETURN_IF_ERROR(cuda_check(
      api, api->copy_to_device(executor->inputs, inputs, executor->at.end, executor->stream),
      "cannot copy a step's tokens to the GPU"));
  LLMC_RETURN_IF_ERROR(launch(executor, step));
  executor->host_logits = step->output_rows ? step->host_logits : NULL;
  executor->logits = (uintptr_t)step->logits + step->logits_offset;
  executor->logits_bytes =
      (uint64_t)step->output_rows * executor->program->program.program.vocabulary * sizeof(float);
  return llmc_ok_status();
}

llmc_status cuda_run(llmc_driver_executor *executor, const llmc_driver_step *step) {
  llmc_status status;
  if (atomic_load(&executor->program->is_lost))
    return llmc_make_status(LLMC_FAILED_PRECONDITION,
                            "an earlier step on the GPU has not ended: load the model in another "
                            "process");
  LLMC_RETURN_IF_ERROR(cuda_enter(executor->program));
  status = take(executor, step);
  cuda_leave(executor->program);
  return status;
}
