/*===- cpu_driver.c - programs on the threads of this process ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* A buffer is host memory: its handle is its address. Steps are run when     */
/* they are taken, so that there is nothing to wait for.                      */

#define _GNU_SOURCE
#include "allocator.h"
#include "container.h"
#include "cpu.h"
#include "llmc/driver.h"
#include "pool.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct llmc_driver_program {
  llmc_allocator allocator;
  const llmc_program *program;
  const llmc_variant *variant;
  const uint8_t *weights;
  void *image;    /* of dlopen; null for a linked program */
  int image_file; /* open as long as the image: dlopen tells images apart by its number */
};

struct llmc_driver_executor {
  llmc_driver_program *program;
  llmc_pool *pool;
  uint8_t *memory; /* the arena, the workers' arenas and `states` */
  size_t memory_bytes;
  uint8_t *worker_arena;
  uint8_t **states; /* [max_rows] */
};

/*===-- Programs ----------------------------------------------------------===*/

/* Opens the shared object at `data` through a file that exists in memory only. */
static llmc_status open_image(const uint8_t *data, size_t size, llmc_driver_program *loaded) {
  char path[32];
  int file = memfd_create("llmc-image", MFD_CLOEXEC);
  size_t written = 0;
  if (file < 0)
    return llmc_make_status(LLMC_IO_ERROR, "cannot make a file in memory: %s", strerror(errno));
  while (written < size) {
    ssize_t count = write(file, data + written, size - written);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0) {
      close(file);
      return llmc_make_status(LLMC_IO_ERROR, "cannot copy the program's code: %s", strerror(errno));
    }
    written += (size_t)count;
  }
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  loaded->image = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!loaded->image) {
    close(file);
    return llmc_make_status(LLMC_CORRUPT, "cannot load the program's code: %s", dlerror());
  }
  loaded->image_file = file;
  return llmc_ok_status();
}

/* Finds the image for this architecture and its program. */
static llmc_status open_artifact(const uint8_t *artifact, llmc_driver_program *loaded) {
  const llmc_artifact_section *image =
      llmc_container_find(artifact, LLMC_SECTION_IMAGE, llmc_cpu_architecture());
  if (!image)
    return llmc_make_status(LLMC_UNAVAILABLE, "the model was not compiled for %s",
                            llmc_cpu_architecture());
  LLMC_RETURN_IF_ERROR(open_image(artifact + image->offset, image->bytes, loaded));
  loaded->program = dlsym(loaded->image, LLMC_ARTIFACT_PROGRAM_SYMBOL);
  if (!loaded->program)
    return llmc_make_status(LLMC_CORRUPT, "the program's code lacks the symbol %s",
                            LLMC_ARTIFACT_PROGRAM_SYMBOL);
  return llmc_ok_status();
}

/* Chooses the variant by name, or the first that the CPU can run. */
static llmc_status choose_variant(llmc_driver_program *loaded, const char *name) {
  const llmc_program *program = loaded->program;
  uint64_t available = llmc_cpu_features();
  char missing[256], names[256] = "";
  size_t used = 0;
  for (uint32_t i = 0; i < program->variant_count; ++i) {
    const llmc_variant *variant = &program->variants[i];
    uint64_t lacking = variant->features & ~available;
    if (name ? strcmp(name, variant->name) == 0 : lacking == 0) {
      llmc_cpu_feature_names(lacking, missing, sizeof missing);
      if (lacking)
        return llmc_make_status(LLMC_UNAVAILABLE, "variant '%s' needs what this CPU lacks: %s",
                                variant->name, missing);
      loaded->variant = variant;
      return llmc_ok_status();
    }
    if (used < sizeof names) {
      int written =
          snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", variant->name);
      used += written > 0 ? (size_t)written : 0;
    }
  }
  if (name)
    return llmc_make_status(LLMC_NOT_FOUND, "expected a variant among %s, found '%s'", names, name);
  return llmc_make_status(LLMC_UNAVAILABLE, "this CPU can run none of the variants %s", names);
}

static llmc_status open_program(const llmc_driver_source *source, llmc_driver_program *loaded) {
  if (source->program)
    loaded->program = source->program;
  else
    LLMC_RETURN_IF_ERROR(open_artifact(source->artifact, loaded));
  LLMC_RETURN_IF_ERROR(llmc_program_check(loaded->program, source->weights_bytes));
  return choose_variant(loaded, source->variant);
}

static void unload(llmc_driver_program *loaded) {
  const llmc_allocator allocator = loaded->allocator;
  if (loaded->image) {
    dlclose(loaded->image);
    close(loaded->image_file);
  }
  llmc_deallocate(&allocator, loaded, sizeof *loaded);
}

static llmc_status load(const llmc_driver *driver, const llmc_driver_source *source,
                        llmc_loaded_program *result) {
  llmc_status status;
  llmc_driver_program *loaded = llmc_allocate(source->allocator, sizeof *loaded);
  (void)driver;
  if (!loaded)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a program");
  loaded->allocator = *source->allocator;
  loaded->weights = source->weights;
  status = open_program(source, loaded);
  if (!llmc_status_ok(&status)) {
    unload(loaded);
    return status;
  }
  result->handle = loaded;
  result->program = loaded->program;
  result->variant = loaded->variant->name;
  return status;
}

/*===-- Memory ------------------------------------------------------------===*/

static uint8_t *address(llmc_buffer *buffer) { return (uint8_t *)buffer; }

static llmc_status allocate(llmc_driver_program *loaded, uint64_t bytes, llmc_buffer **buffer) {
  *buffer = llmc_allocate(&loaded->allocator, bytes);
  if (!*buffer)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for %llu bytes",
                            (unsigned long long)bytes);
  return llmc_ok_status();
}

static void release(llmc_driver_program *loaded, llmc_buffer *buffer, uint64_t bytes) {
  llmc_deallocate(&loaded->allocator, buffer, bytes);
}

static void *map(llmc_driver_program *loaded, llmc_buffer *buffer) {
  (void)loaded;
  return buffer;
}

static llmc_status copy_in(llmc_driver_program *loaded, llmc_buffer *to, uint64_t offset,
                           const void *from, uint64_t bytes) {
  (void)loaded;
  memcpy(address(to) + offset, from, bytes);
  return llmc_ok_status();
}

static llmc_status copy_out(llmc_driver_program *loaded, llmc_buffer *from, uint64_t offset,
                            void *to, uint64_t bytes) {
  (void)loaded;
  memcpy(to, address(from) + offset, bytes);
  return llmc_ok_status();
}

static llmc_status copy(llmc_driver_program *loaded, llmc_buffer *to, uint64_t to_offset,
                        llmc_buffer *from, uint64_t from_offset, uint64_t bytes) {
  return copy_in(loaded, to, to_offset, address(from) + from_offset, bytes);
}

/*===-- Executors ---------------------------------------------------------===*/

static void destroy_executor(llmc_driver_executor *executor) {
  const llmc_allocator *allocator = &executor->program->allocator;
  llmc_pool_destroy(executor->pool);
  llmc_deallocate(allocator, executor->memory, executor->memory_bytes);
  llmc_deallocate(allocator, executor, sizeof *executor);
}

static llmc_status create_executor(llmc_driver_program *loaded,
                                   const llmc_executor_options *options,
                                   llmc_driver_executor **result, uint32_t *workers) {
  const llmc_program *program = loaded->program;
  const uint32_t threads = options->threads ? options->threads : llmc_pool_default_threads();
  const size_t arena = llmc_align(program->arena_bytes),
               worker_arenas = threads * program->worker_arena_bytes;
  llmc_status status;
  llmc_driver_executor *executor = llmc_allocate(&loaded->allocator, sizeof *executor);
  if (!executor)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for an executor");
  executor->program = loaded;
  executor->memory_bytes = arena + worker_arenas + program->max_rows * sizeof(uint8_t *);
  executor->memory = llmc_allocate(&loaded->allocator, executor->memory_bytes);
  status = executor->memory
               ? llmc_pool_create(&loaded->allocator, threads, options->pin_threads != 0,
                                  &executor->pool)
               : llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for %zu bytes of scratch",
                                  executor->memory_bytes);
  if (!llmc_status_ok(&status)) {
    destroy_executor(executor);
    return status;
  }
  executor->worker_arena = executor->memory + arena;
  executor->states = (uint8_t **)(executor->worker_arena + worker_arenas);
  *result = executor;
  *workers = threads;
  return status;
}

static llmc_status run(llmc_driver_executor *executor, const llmc_driver_step *step) {
  const llmc_driver_program *loaded = executor->program;
  llmc_step call;
  memset(&call, 0, sizeof call);
  for (int64_t i = 0; i < step->sequence_count; ++i)
    executor->states[i] = address(step->states[i]);
  call.weights = loaded->weights;
  call.arena = executor->memory;
  call.worker_arena = executor->worker_arena;
  call.states = executor->states;
  call.tokens = step->tokens;
  call.positions = step->positions;
  call.sequences = step->sequences;
  call.outputs = step->outputs;
  call.rows = step->rows;
  call.output_rows = step->output_rows;
  call.logits = step->host_logits ? step->host_logits
                                  : (float *)(address(step->logits) + step->logits_offset);
  llmc_pool_run(executor->pool, loaded->variant->step, &call);
  return llmc_ok_status();
}

static llmc_status wait(llmc_driver_executor *executor) {
  (void)executor;
  return llmc_ok_status();
}

const llmc_driver *llmc_cpu_driver(void) {
  static const llmc_driver driver = {LLMC_DRIVER_VERSION,
                                     "cpu",
                                     load,
                                     unload,
                                     allocate,
                                     release,
                                     map,
                                     copy_in,
                                     copy_out,
                                     copy,
                                     create_executor,
                                     destroy_executor,
                                     run,
                                     wait};
  return &driver;
}
