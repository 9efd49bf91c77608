/*===- model.c - loading a model ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

llmc_model_options llmc_model_default_options(void) {
  llmc_model_options options;
  memset(&options, 0, sizeof options);
  options.api_version = LLMC_API_VERSION;
  return options;
}

/* Where a model runs that no driver was brought for. */
typedef struct {
  int is_cuda;
  int index; /* of the GPU */
} model_device;

/* Reads "cpu", "cuda" and "cuda:N"; null is the CPU. */
static llmc_status read_device(const char *name, model_device *device) {
  long index = 0;
  char *end = NULL;
  device->is_cuda = device->index = 0;
  if (!name || strcmp(name, "cpu") == 0)
    return llmc_ok_status();
  device->is_cuda = 1;
  if (strcmp(name, "cuda") == 0)
    return llmc_ok_status();
  if (strncmp(name, "cuda:", 5) == 0 && name[5] >= '0' && name[5] <= '9') {
    index = strtol(name + 5, &end, 10);
    if (!*end && index <= INT32_MAX) {
      device->index = (int)index;
      return llmc_ok_status();
    }
  }
  return llmc_make_status(LLMC_INVALID_ARGUMENT,
                          "expected a device cpu, cuda or cuda:NUMBER, found '%s'", name);
}

/* Checks what the options say of drivers and devices, and names a driver where that is no GPU's. */
static llmc_status prepare_driver(llmc_model_options *options, model_device *device) {
  if (options->driver && options->device)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected a device or a driver, found both: '%s' and '%s'",
                            options->device, options->driver->name);
  LLMC_RETURN_IF_ERROR(read_device(options->device, device));
  if (options->step_timeout_ms && !device->is_cuda)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected a step_timeout_ms of 0, since only a GPU's steps can be "
                            "ended, found %u",
                            options->step_timeout_ms);
  if (device->is_cuda)
    return llmc_ok_status();
  if (!options->variant && getenv("LLMC_VARIANT") && *getenv("LLMC_VARIANT"))
    options->variant = getenv("LLMC_VARIANT");
  if (!options->driver)
    options->driver = llmc_cpu_driver();
  if (options->driver->version != LLMC_DRIVER_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH, "expected driver version %u, found %u",
                            LLMC_DRIVER_VERSION, options->driver->version);
  return llmc_ok_status();
}

static llmc_status prepare_options(const llmc_model_options *given, llmc_model_options *options,
                                   model_device *device) {
  *options = given ? *given : llmc_model_default_options();
  if (options->api_version != LLMC_API_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH, "expected API version %u, found %u",
                            LLMC_API_VERSION, options->api_version);
  if (options->verify_weights > LLMC_VERIFY_NEVER)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected verify_weights of at most %u, found %u", LLMC_VERIFY_NEVER,
                            options->verify_weights);
  if (!options->allocator.allocate != !options->allocator.release)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected an allocator with both functions, found one");
  if (!options->allocator.allocate)
    options->allocator = llmc_default_allocator();
  return prepare_driver(options, device);
}

/* Where a model comes from: an artifact, or a program with weights in a file or in memory. */
typedef struct {
  const llmc_program *program; /* null: the artifact at `path` */
  const char *path;            /* null: the weights are in memory */
  const void *data;
  size_t size;
} model_source;

static llmc_status open_artifact(const llmc_model *model, int verify_weights,
                                 llmc_driver_source *source) {
  const uint8_t *data = model->file.data;
  const llmc_artifact_section *weights;
  LLMC_RETURN_IF_ERROR(llmc_artifact_check(data, model->file.size, verify_weights));
  weights = llmc_container_find(data, LLMC_SECTION_WEIGHTS, NULL);
  source->artifact = data;
  source->artifact_bytes = model->file.size;
  source->weights = data + weights->offset;
  source->weights_bytes = weights->bytes;
  return llmc_ok_status();
}

/* Finds a linked program's weights in the contents of their file. */
static llmc_status open_weights(const llmc_program *program, const uint8_t *data, size_t size,
                                int verify_weights, llmc_driver_source *source) {
  if ((uintptr_t)data % LLMC_ALIGNMENT)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected weights at a multiple of %u bytes, found address %p",
                            LLMC_ALIGNMENT, (const void *)data);
  LLMC_RETURN_IF_ERROR(llmc_program_check(program, program->weights_bytes));
  LLMC_RETURN_IF_ERROR(
      llmc_weights_file_check(data, size, program->weights_bytes, program->weights_hash));
  source->program = program;
  source->weights = data + LLMC_ARTIFACT_WEIGHTS_ALIGNMENT;
  source->weights_bytes = program->weights_bytes;
  if (verify_weights && llmc_hash(source->weights, source->weights_bytes) != program->weights_hash)
    return llmc_make_status(LLMC_CORRUPT, "the checksum of the weights is wrong");
  return llmc_ok_status();
}

/* Finds the program and its weights, and has the driver load them. */
static llmc_status load_program(llmc_model *model, const model_source *from,
                                const llmc_model_options *options) {
  /* Files of their own get lost, mixed up and cut short on their own. */
  const int verify =
      options->verify_weights == LLMC_VERIFY_ALWAYS ||
      (options->verify_weights == LLMC_VERIFY_DEFAULT && from->program && from->path);
  llmc_loaded_program loaded;
  llmc_driver_source source;
  memset(&source, 0, sizeof source);
  source.variant = options->variant;
  source.allocator = &model->allocator;
  if (!from->program)
    LLMC_RETURN_IF_ERROR(open_artifact(model, verify, &source));
  else
    LLMC_RETURN_IF_ERROR(open_weights(from->program, from->path ? model->file.data : from->data,
                                      from->path ? model->file.size : from->size, verify, &source));
  LLMC_RETURN_IF_ERROR(model->driver->load(model->driver, &source, &loaded));
  model->loaded = loaded;
  return llmc_ok_status();
}

static llmc_status load(llmc_model *model, const model_source *source,
                        const llmc_model_options *options) {
  const llmc_executor_options executor = {options->threads, options->pin_threads};
  llmc_status status;
  if (source->path)
    LLMC_RETURN_IF_ERROR(llmc_map_file(source->path, &model->file));
  status = load_program(model, source, options);
  if (!llmc_status_ok(&status))
    return source->path ? llmc_annotate_status(status, source->path) : status;
  /* Asks for the pages ahead of their first use; where that fails they come one by one. A GPU has
     read them already. */
  if (model->file.data && model->driver != &model->cuda.table)
    madvise((void *)model->file.data, model->file.size, MADV_WILLNEED);
  return llmc_executor_make(model, &executor, &model->executor);
}

static llmc_status create(const model_source *source, const llmc_model_options *given,
                          llmc_model **result) {
  llmc_model_options options;
  model_device device;
  llmc_model *model;
  llmc_status status;
  if (!result)
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a place for the model, found null");
  *result = NULL;
  LLMC_RETURN_IF_ERROR(prepare_options(given, &options, &device));
  model = llmc_allocate(&options.allocator, sizeof *model);
  if (!model)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a model");
  atomic_init(&model->references, 1);
  model->allocator = options.allocator;
  model->driver = options.driver;
  if (device.is_cuda) {
    model->cuda = cuda_make_driver(device.index, options.step_timeout_ms);
    model->driver = &model->cuda.table;
  }
  model->is_artifact = !source->program;
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
  llmc_executor_release(model->executor);
  if (model->loaded.handle)
    model->driver->unload(model->loaded.handle);
  llmc_unmap_file(&model->file);
  allocator = model->allocator;
  llmc_deallocate(&allocator, model, sizeof *model);
}

void llmc_model_get_info(const llmc_model *model, llmc_model_info *info) {
  const llmc_program *program = llmc_get_program(model);
  const uint32_t workers = model->executor->workers;
  info->vocabulary = program->vocabulary;
  info->context = program->context;
  info->max_rows = program->max_rows;
  info->threads = workers;
  info->weights_bytes = program->weights_bytes;
  info->state_bytes = program->state_bytes;
  info->arena_bytes = program->arena_bytes + workers * program->worker_arena_bytes;
  info->input_count = program->input_count;
  info->output_count = program->output_count;
  info->driver = model->driver->name;
  info->variant = model->loaded.variant;
  info->description = program->description ? program->description : "{}";
}

static llmc_status get_value(const llmc_value *values, uint32_t count, uint32_t index,
                             const char *what, const llmc_value **value) {
  if (index >= count)
    return llmc_make_status(LLMC_OUT_OF_RANGE, "expected an %s below %u, found %u", what, count,
                            index);
  *value = &values[index];
  return llmc_ok_status();
}

llmc_status llmc_model_get_input(const llmc_model *model, uint32_t index,
                                 const llmc_value **input) {
  const llmc_program *program = llmc_get_program(model);
  return get_value(program->inputs, program->input_count, index, "input", input);
}

llmc_status llmc_model_get_output(const llmc_model *model, uint32_t index,
                                  const llmc_value **output) {
  const llmc_program *program = llmc_get_program(model);
  return get_value(program->outputs, program->output_count, index, "output", output);
}

llmc_status llmc_model_get_file(const llmc_model *model, const char *name, const char **data,
                                size_t *size) {
  const llmc_artifact_section *section =
      model->is_artifact ? llmc_container_find(model->file.data, LLMC_SECTION_FILE, name) : NULL;
  if (!section)
    return llmc_make_status(LLMC_NOT_FOUND, "the model carries no file '%s'", name);
  *data = (const char *)model->file.data + section->offset;
  *size = section->bytes;
  return llmc_ok_status();
}
