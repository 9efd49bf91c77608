/*===- model.c - loading a model ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "cpu.h"
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_THREADS = 1024 };

static void *default_allocate(void *context, size_t size, size_t alignment) {
  (void)context;
  return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void default_release(void *context, void *memory, size_t size) {
  (void)context;
  (void)size;
  free(memory);
}

void *llmc_allocate(const llmc_allocator *allocator, size_t size) {
  void *memory = allocator->allocate(allocator->context, size, LLMC_ALIGNMENT);
  if (memory)
    memset(memory, 0, size);
  return memory;
}

void llmc_deallocate(const llmc_allocator *allocator, void *memory, size_t size) {
  allocator->release(allocator->context, memory, size);
}

llmc_model_options llmc_model_default_options(void) {
  llmc_model_options options;
  memset(&options, 0, sizeof options);
  options.api_version = LLMC_API_VERSION;
  return options;
}

/* Opens the shared object at `data` through a file that exists in memory only. */
static llmc_status open_image(const uint8_t *data, size_t size, llmc_model *model) {
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
  model->image = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!model->image) {
    close(file);
    return llmc_make_status(LLMC_CORRUPT, "cannot load the program's code: %s", dlerror());
  }
  model->image_file = file;
  return llmc_ok_status();
}

static llmc_status check_program(const llmc_program *program) {
  if (program->abi_version != LLMC_PROGRAM_ABI_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH, "expected program ABI %u, found %u",
                            LLMC_PROGRAM_ABI_VERSION, program->abi_version);
  /* Tokens, positions and rows are int32. */
  if (!program->vocabulary || program->vocabulary > INT32_MAX || !program->context ||
      program->context > INT32_MAX || !program->max_rows || program->max_rows > INT32_MAX ||
      !program->variant_count || !program->variants ||
      (program->region_count && !program->regions) || program->worker_arena_bytes % LLMC_ALIGNMENT)
    return llmc_make_status(LLMC_CORRUPT, "the program describes itself wrongly");
  for (uint32_t i = 0; i < program->region_count; ++i) {
    const llmc_state_region *region = &program->regions[i];
    /* No more positions in a block than can be told apart, so that nothing below overflows. */
    uint64_t blocks = region->block && region->block <= INT32_MAX
                          ? (program->context + region->block - 1) / region->block
                          : 0;
    if (blocks == 0 || region->offset > program->state_bytes ||
        region->stride > (program->state_bytes - region->offset) / (blocks * region->block))
      return llmc_make_status(LLMC_CORRUPT, "region %u of the program's state lies outside it", i);
  }
  return llmc_ok_status();
}

/* Chooses the variant by name, or the first that the CPU can run. */
static llmc_status choose_variant(llmc_model *model, const char *name) {
  const llmc_program *program = model->program;
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
      model->variant = variant;
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

static llmc_status prepare_options(const llmc_model_options *given, llmc_model_options *options) {
  *options = given ? *given : llmc_model_default_options();
  if (options->api_version != LLMC_API_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH, "expected API version %u, found %u",
                            LLMC_API_VERSION, options->api_version);
  if (options->threads == 0)
    options->threads = llmc_pool_default_threads();
  if (options->threads > MAX_THREADS)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected at most %u threads, found %u",
                            (unsigned)MAX_THREADS, options->threads);
  if (!options->variant && getenv("LLMC_VARIANT") && *getenv("LLMC_VARIANT"))
    options->variant = getenv("LLMC_VARIANT");
  if (!options->allocator.allocate != !options->allocator.release)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected an allocator with both functions, found one");
  if (!options->allocator.allocate) {
    options->allocator.allocate = default_allocate;
    options->allocator.release = default_release;
  }
  return llmc_ok_status();
}

/* Finds the image, the program and the weights in the mapped artifact. */
static llmc_status open_artifact(llmc_model *model, int verify_weights) {
  const uint8_t *data = model->file.data;
  const llmc_artifact_section *image, *weights;
  llmc_status status = llmc_artifact_check(data, model->file.size, verify_weights);
  if (!llmc_status_ok(&status))
    return status;
  image = llmc_container_find(data, LLMC_SECTION_IMAGE, llmc_cpu_architecture());
  weights = llmc_container_find(data, LLMC_SECTION_WEIGHTS, NULL);
  if (!image)
    return llmc_make_status(LLMC_UNAVAILABLE, "the model was not compiled for %s",
                            llmc_cpu_architecture());
  status = open_image(data + image->offset, image->bytes, model);
  if (!llmc_status_ok(&status))
    return status;
  model->program = dlsym(model->image, LLMC_ARTIFACT_PROGRAM_SYMBOL);
  if (!model->program)
    return llmc_make_status(LLMC_CORRUPT, "the program's code lacks the symbol %s",
                            LLMC_ARTIFACT_PROGRAM_SYMBOL);
  if (model->program->weights_bytes != weights->bytes)
    return llmc_make_status(LLMC_CORRUPT, "expected %llu bytes of weights, found %llu",
                            (unsigned long long)model->program->weights_bytes,
                            (unsigned long long)weights->bytes);
  model->weights = data + weights->offset;
  return llmc_ok_status();
}

static llmc_status open_weights_file(llmc_model *model, const uint8_t *data, size_t size,
                                     int verify_weights) {
  llmc_status status;
  if ((uintptr_t)data % LLMC_ALIGNMENT)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected weights at a multiple of %u bytes, found address %p",
                            LLMC_ALIGNMENT, (const void *)data);
  status = llmc_weights_file_check(data, size, model->program->weights_bytes,
                                   model->program->weights_hash);
  if (!llmc_status_ok(&status))
    return status;
  model->weights = data + LLMC_ARTIFACT_WEIGHTS_ALIGNMENT;
  if (verify_weights &&
      llmc_hash(model->weights, model->program->weights_bytes) != model->program->weights_hash)
    return llmc_make_status(LLMC_CORRUPT, "the checksum of the weights is wrong");
  return llmc_ok_status();
}

/* Where a model comes from: an artifact, or a program with weights in a file or in memory. */
typedef struct {
  const llmc_program *program; /* null: the artifact at `path` */
  const char *path;            /* null: the weights are in memory */
  const void *data;
  size_t size;
} model_source;

/* Finds the program and its weights. */
static llmc_status open_source(llmc_model *model, const model_source *source, int verify_weights) {
  llmc_status status;
  if (!source->program) {
    status = open_artifact(model, verify_weights);
    return llmc_status_ok(&status) ? check_program(model->program) : status;
  }
  model->program = source->program;
  status = check_program(model->program);
  if (!llmc_status_ok(&status))
    return status;
  return open_weights_file(model, source->path ? model->file.data : source->data,
                           source->path ? model->file.size : source->size, verify_weights);
}

static llmc_status load(llmc_model *model, const model_source *source,
                        const llmc_model_options *options) {
  llmc_status status = llmc_ok_status();
  if (source->path)
    status = llmc_map_file(source->path, &model->file);
  if (!llmc_status_ok(&status))
    return status;
  status = open_source(model, source, options->verify_weights != 0);
  if (llmc_status_ok(&status))
    status = choose_variant(model, options->variant);
  if (!llmc_status_ok(&status))
    return source->path ? llmc_annotate_status(status, source->path) : status;
  /* Asks for the pages ahead of their first use; where that fails they come one by one. */
  if (model->file.data)
    madvise((void *)model->file.data, model->file.size, MADV_WILLNEED);
  return llmc_pool_create(options->threads, options->pin_threads != 0, &model->pool);
}

static llmc_status create(const model_source *source, const llmc_model_options *given,
                          llmc_model **result) {
  llmc_model_options options;
  llmc_model *model;
  llmc_status status;
  if (!result)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a place for the model, found null");
  *result = NULL;
  status = prepare_options(given, &options);
  if (!llmc_status_ok(&status))
    return status;
  model = llmc_allocate(&options.allocator, sizeof *model);
  if (!model)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a model");
  atomic_init(&model->references, 1);
  model->allocator = options.allocator;
  model->threads = options.threads;
  pthread_mutex_init(&model->turn, NULL);
  status = load(model, source, &options);
  if (!llmc_status_ok(&status)) {
    llmc_model_release(model);
    return status;
  }
  *result = model;
  return status;
}

static llmc_status refuse_null(const char *what, llmc_model **result) {
  if (result)
    *result = NULL;
  return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected %s, found null", what);
}

llmc_status llmc_artifact_check(const void *data, size_t size, int verify_weights) {
  const llmc_artifact_section *weights;
  llmc_status status;
  if (!data || (uintptr_t)data % LLMC_ALIGNMENT)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected an artifact at a multiple of %u bytes, found address %p",
                            LLMC_ALIGNMENT, data);
  status = llmc_container_check(data, size);
  if (!llmc_status_ok(&status) || !verify_weights)
    return status;
  weights = llmc_container_find(data, LLMC_SECTION_WEIGHTS, NULL);
  if (llmc_hash((const uint8_t *)data + weights->offset, weights->bytes) != weights->checksum)
    return llmc_make_status(LLMC_CORRUPT, "the checksum of the weights is wrong");
  return status;
}

llmc_status llmc_model_load(const char *path, const llmc_model_options *options,
                            llmc_model **model) {
  const model_source source = {NULL, path, NULL, 0};
  if (!path)
    return refuse_null("a path", model);
  return create(&source, options, model);
}

llmc_status llmc_model_load_program(const llmc_program *program, const char *weights_path,
                                    const llmc_model_options *options, llmc_model **model) {
  const model_source source = {program, weights_path, NULL, 0};
  if (!program || !weights_path)
    return refuse_null(program ? "a path" : "a program", model);
  return create(&source, options, model);
}

llmc_status llmc_model_load_embedded(const llmc_program *program, const void *weights, size_t size,
                                     const llmc_model_options *options, llmc_model **model) {
  const model_source source = {program, NULL, weights, size};
  if (!program || !weights)
    return refuse_null(program ? "weights" : "a program", model);
  return create(&source, options, model);
}

void llmc_model_retain(llmc_model *model) { atomic_fetch_add(&model->references, 1); }

void llmc_model_release(llmc_model *model) {
  llmc_allocator allocator;
  if (!model || atomic_fetch_sub(&model->references, 1) != 1)
    return;
  llmc_pool_destroy(model->pool);
  if (model->image) {
    dlclose(model->image);
    close(model->image_file);
  }
  llmc_unmap_file(&model->file);
  pthread_mutex_destroy(&model->turn);
  allocator = model->allocator;
  llmc_deallocate(&allocator, model, sizeof *model);
}

void llmc_model_get_info(const llmc_model *model, llmc_model_info *info) {
  const llmc_program *program = model->program;
  info->vocabulary = program->vocabulary;
  info->context = program->context;
  info->max_rows = program->max_rows;
  info->threads = model->threads;
  info->weights_bytes = program->weights_bytes;
  info->state_bytes = program->state_bytes;
  info->arena_bytes = program->arena_bytes + model->threads * program->worker_arena_bytes;
  info->variant = model->variant->name;
  info->description = program->description ? program->description : "{}";
}

llmc_status llmc_model_get_variant(const llmc_model *model, uint32_t index, const char **name,
                                   uint64_t *missing_features) {
  if (index >= model->program->variant_count)
    return llmc_make_status(LLMC_OUT_OF_RANGE, "expected a variant below %u, found %u",
                            model->program->variant_count, index);
  *name = model->program->variants[index].name;
  *missing_features = model->program->variants[index].features & ~llmc_cpu_features();
  return llmc_ok_status();
}

llmc_status llmc_model_get_file(const llmc_model *model, const char *name, const char **data,
                                size_t *size) {
  const llmc_artifact_section *section =
      model->image ? llmc_container_find(model->file.data, LLMC_SECTION_FILE, name) : NULL;
  if (!section)
    return llmc_make_status(LLMC_NOT_FOUND, "the model carries no file '%s'", name);
  *data = (const char *)model->file.data + section->offset;
  *size = section->bytes;
  return llmc_ok_status();
}
