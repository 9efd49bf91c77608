/*===- cuda_driver.c - programs on NVIDIA's GPUs ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* A buffer is memory of the device: its handle is its address there. Weights */
/* are copied to it once, states and logits stay on it.                       */

#include "cuda_driver.h"
#include "cuda_internal.h"

#include <string.h>

/*===-- Devices -----------------------------------------------------------===*/

static llmc_status get_attribute(const llmc_driver_program *loaded, int attribute, int *value) {
  return cuda_check(&loaded->api,
                    loaded->api.device_get_attribute(value, attribute, loaded->device),
                    "cannot ask what the GPU is");
}

/* Chooses the device, and checks that it can run steps. */
static llmc_status open_device(llmc_driver_program *loaded, int index) {
  const cuda_api *api = &loaded->api;
  int count = 0, is_cooperative = 0;
  char name[128] = "";
  LLMC_RETURN_IF_ERROR(cuda_check(api, api->device_get_count(&count), "cannot count the GPUs"));
  if (count <= 0)
    return llmc_make_status(LLMC_UNAVAILABLE, "expected a GPU, found none that CUDA may use");
  if (index >= count)
    return llmc_make_status(LLMC_UNAVAILABLE, "expected a GPU below cuda:%d, found cuda:%d", count,
                            index);
  LLMC_RETURN_IF_ERROR(
      cuda_check(api, api->device_get(&loaded->device, index), "cannot open the GPU"));
  LLMC_RETURN_IF_ERROR(get_attribute(loaded, CUDA_COOPERATIVE_LAUNCH, &is_cooperative));
  if (is_cooperative)
    return llmc_ok_status();
  LLMC_RETURN_IF_ERROR(cuda_check(api, api->device_get_name(name, sizeof name, loaded->device),
                                  "cannot ask what the GPU is"));
  return llmc_make_status(LLMC_UNAVAILABLE, "the GPU '%s' has no cooperative launches", name);
}

/*===-- Memory ------------------------------------------------------------===*/

llmc_status cuda_allocate(const llmc_driver_program *loaded, uint64_t bytes,
                          cuda_address *address) {
  const cuda_api *api = &loaded->api;
  const int result = api->memory_allocate(address, bytes);
  size_t available = 0, total = 0;
  if (result == CUDA_SUCCESS)
    return llmc_ok_status();
  *address = 0;
  if (result != CUDA_ERROR_OUT_OF_MEMORY ||
      api->memory_get_info(&available, &total) != CUDA_SUCCESS)
    return cuda_check(api, result, "cannot allocate the GPU's memory");
  return llmc_make_status(
      LLMC_OUT_OF_MEMORY, "no memory for %llu bytes on the GPU: %llu of its %llu bytes are free",
      (unsigned long long)bytes, (unsigned long long)available, (unsigned long long)total);
}

static llmc_buffer *to_buffer(cuda_address address) {
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): a handle, which nobody looks into. */
  return (llmc_buffer *)(uintptr_t)address;
}
static cuda_address to_address(const llmc_buffer *buffer) { return (uintptr_t)buffer; }

/* Ends the use of the context by copies that began with `result`. */
static llmc_status finish_copies(const llmc_driver_program *loaded, int result) {
  const cuda_api *api = &loaded->api;
  if (result == CUDA_SUCCESS)
    result = api->stream_synchronize(loaded->streams[0]);
  cuda_leave(loaded);
  return cuda_check(api, result, "cannot copy the GPU's memory");
}

static void release(llmc_driver_program *loaded, llmc_buffer *buffer, uint64_t bytes) {
  int entered;
  (void)bytes;
  if (atomic_load(&loaded->is_lost))
    return;
  entered = cuda_try_enter(loaded);
  loaded->api.memory_free(to_address(buffer));
  if (entered)
    cuda_leave(loaded);
}

static llmc_status allocate(llmc_driver_program *loaded, uint64_t bytes, llmc_buffer **buffer) {
  cuda_address address = 0;
  llmc_status status;
  LLMC_RETURN_IF_ERROR(cuda_enter(loaded));
  status = cuda_allocate(loaded, bytes, &address);
  if (!llmc_status_ok(&status)) {
    cuda_leave(loaded);
    return status;
  }
  status = finish_copies(loaded, loaded->api.memset(address, 0, bytes, loaded->streams[0]));
  if (llmc_status_ok(&status))
    *buffer = to_buffer(address);
  else
    release(loaded, to_buffer(address), bytes);
  return status;
}

static void *map(llmc_driver_program *loaded, llmc_buffer *buffer) {
  (void)loaded;
  (void)buffer;
  return NULL;
}

static llmc_status copy_in(llmc_driver_program *loaded, llmc_buffer *to, uint64_t offset,
                           const void *from, uint64_t bytes) {
  LLMC_RETURN_IF_ERROR(cuda_enter(loaded));
  return finish_copies(
      loaded, loaded->api.copy_to_device(to_address(to) + offset, from, bytes, loaded->streams[0]));
}

static llmc_status copy_out(llmc_driver_program *loaded, llmc_buffer *from, uint64_t offset,
                            void *to, uint64_t bytes) {
  LLMC_RETURN_IF_ERROR(cuda_enter(loaded));
  return finish_copies(
      loaded, loaded->api.copy_to_host(to, to_address(from) + offset, bytes, loaded->streams[0]));
}

static llmc_status copy(llmc_driver_program *loaded, llmc_buffer *to, uint64_t to_offset,
                        llmc_buffer *from, uint64_t from_offset, uint64_t bytes) {
  LLMC_RETURN_IF_ERROR(cuda_enter(loaded));
  return finish_copies(loaded, loaded->api.copy_on_device(to_address(to) + to_offset,
                                                          to_address(from) + from_offset, bytes,
                                                          loaded->streams[0]));
}

/*===-- Weights -----------------------------------------------------------===*/

/* While one chunk is on its way, the next is copied into memory that the device can read. */
enum { CHUNK_BYTES = 8 << 20 };

static llmc_status upload_chunks(const llmc_driver_program *loaded, const uint8_t *weights,
                                 uint8_t *const staging[2]) {
  const cuda_api *api = &loaded->api;
  const uint64_t bytes = loaded->program.program.weights_bytes;
  int result = CUDA_SUCCESS;
  unsigned turn = 0;
  for (uint64_t at = 0; at < bytes && result == CUDA_SUCCESS; at += CHUNK_BYTES, turn ^= 1) {
    const uint64_t size = bytes - at < CHUNK_BYTES ? bytes - at : CHUNK_BYTES;
    result = api->stream_synchronize(loaded->streams[turn]);
    if (result != CUDA_SUCCESS)
      break;
    memcpy(staging[turn], weights + at, size);
    result = api->copy_to_device(loaded->weights + at, staging[turn], size, loaded->streams[turn]);
  }
  /* Nothing reads the staging memory when it is freed. */
  for (int i = 0; i < 2; ++i) {
    const int ended = api->stream_synchronize(loaded->streams[i]);
    result = result == CUDA_SUCCESS ? ended : result;
  }
  return cuda_check(api, result, "cannot copy the weights to the GPU");
}

static llmc_status upload(llmc_driver_program *loaded, const uint8_t *weights) {
  const cuda_api *api = &loaded->api;
  const uint64_t bytes = loaded->program.program.weights_bytes;
  uint8_t *staging[2] = {NULL, NULL};
  void *memory;
  llmc_status status = cuda_allocate(loaded, bytes ? bytes : 1, &loaded->weights);
  if (!llmc_status_ok(&status))
    return llmc_annotate_status(status, "weights");
  for (int i = 0; i < 2 && llmc_status_ok(&status); ++i) {
    memory = NULL;
    status = cuda_check(api, api->host_allocate(&memory, CHUNK_BYTES),
                        "cannot allocate memory that the GPU can read");
    staging[i] = llmc_status_ok(&status) ? memory : NULL;
  }
  if (llmc_status_ok(&status))
    status = upload_chunks(loaded, weights, staging);
  for (int i = 0; i < 2; ++i)
    if (staging[i])
      api->host_free(staging[i]);
  return status;
}

/*===-- Programs ----------------------------------------------------------===*/

/* Loads the code, which the device's driver compiles where it is PTX. */
static llmc_status load_module(llmc_driver_program *loaded) {
  const cuda_api *api = &loaded->api;
  const llmc_cuda_image *image = loaded->program.image;
  char log[384] = "", what[96];
  int options[] = {CUDA_JIT_ERROR_LOG_BUFFER, CUDA_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  /* NOLINTNEXTLINE(performance-no-int-to-ptr): values of options are pointers, or as wide. */
  void *values[] = {log, (void *)(uintptr_t)sizeof log};
  llmc_status status = cuda_check(
      api, api->module_load(&loaded->module, cuda_get_code(image), 2, options, values), "");
  snprintf(what, sizeof what, "cannot load the program's code '%s'", loaded->program.variant_name);
  if (!llmc_status_ok(&status)) {
    loaded->module = NULL;
    log[sizeof log - 1] = '\0';
    log[strcspn(log, "\n")] = '\0';
    return llmc_make_status(status.code, "%s%s%s%s", what, status.message, log[0] ? ": " : "", log);
  }
  return cuda_check(
      api, api->module_get_function(&loaded->function, loaded->module, LLMC_CUDA_KERNEL), what);
}

/* How many blocks can be there at once: all of a step's must be. */
static llmc_status count_blocks(llmc_driver_program *loaded) {
  const cuda_api *api = &loaded->api;
  const uint32_t threads = loaded->program.image->threads;
  int of_multiprocessor = 0, multiprocessors = 0;
  LLMC_RETURN_IF_ERROR(
      cuda_check(api, api->occupancy(&of_multiprocessor, loaded->function, (int)threads, 0),
                 "cannot ask how many blocks of threads the GPU has room for"));
  LLMC_RETURN_IF_ERROR(get_attribute(loaded, CUDA_MULTIPROCESSOR_COUNT, &multiprocessors));
  if (of_multiprocessor <= 0 || multiprocessors <= 0)
    return llmc_make_status(LLMC_UNAVAILABLE,
                            "the GPU has no room for a block of the program's %u threads", threads);
  loaded->blocks = (uint32_t)of_multiprocessor * (uint32_t)multiprocessors;
  return llmc_ok_status();
}

/* What is done in the context of the device. */
static llmc_status fill_context(llmc_driver_program *loaded, const llmc_driver_source *source) {
  const cuda_api *api = &loaded->api;
  for (int i = 0; i < 2; ++i)
    LLMC_RETURN_IF_ERROR(
        cuda_check(api, api->stream_create(&loaded->streams[i], CUDA_STREAM_NON_BLOCKING),
                   "cannot make a stream"));
  LLMC_RETURN_IF_ERROR(load_module(loaded));
  LLMC_RETURN_IF_ERROR(count_blocks(loaded));
  return upload(loaded, source->weights);
}

static llmc_status open_program(llmc_driver_program *loaded, const llmc_driver_source *source,
                                int device) {
  const cuda_api *api = &loaded->api;
  const llmc_cuda_image *image = NULL;
  int major = 0, minor = 0;
  llmc_status status;
  LLMC_RETURN_IF_ERROR(cuda_open(&loaded->api));
  LLMC_RETURN_IF_ERROR(open_device(loaded, device));
  LLMC_RETURN_IF_ERROR(get_attribute(loaded, CUDA_COMPUTE_CAPABILITY_MAJOR, &major));
  LLMC_RETURN_IF_ERROR(get_attribute(loaded, CUDA_COMPUTE_CAPABILITY_MINOR, &minor));
  LLMC_RETURN_IF_ERROR(cuda_find_image(source, major, minor, source->variant, &image));
  cuda_describe_program(image, &loaded->program);
  LLMC_RETURN_IF_ERROR(llmc_program_check(&loaded->program.program, source->weights_bytes));
  status = cuda_check(api, api->context_retain(&loaded->context, loaded->device),
                      "cannot make the GPU's context");
  if (!llmc_status_ok(&status)) {
    loaded->context = NULL;
    return status;
  }
  LLMC_RETURN_IF_ERROR(cuda_enter(loaded));
  status = fill_context(loaded, source);
  cuda_leave(loaded);
  return status;
}

/* Undoes what open_program has done so far. */
static void close_context(llmc_driver_program *loaded) {
  const cuda_api *api = &loaded->api;
  const int entered = cuda_try_enter(loaded);
  if (loaded->weights)
    api->memory_free(loaded->weights);
  if (loaded->module)
    api->module_unload(loaded->module);
  for (int i = 0; i < 2; ++i)
    if (loaded->streams[i])
      api->stream_destroy(loaded->streams[i]);
  if (entered)
    cuda_leave(loaded);
  api->context_release(loaded->device);
}

static void unload(llmc_driver_program *loaded) {
  const llmc_allocator allocator = loaded->allocator;
  if (loaded->context && !atomic_load(&loaded->is_lost))
    close_context(loaded);
  cuda_close(&loaded->api);
  llmc_deallocate(&allocator, loaded, sizeof *loaded);
}

static llmc_status load(const llmc_driver *driver, const llmc_driver_source *source,
                        llmc_loaded_program *result) {
  const cuda_driver *cuda = (const cuda_driver *)driver;
  llmc_status status;
  llmc_driver_program *loaded = llmc_allocate(source->allocator, sizeof *loaded);
  if (!loaded)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a program");
  loaded->allocator = *source->allocator;
  loaded->step_timeout_ms = cuda->step_timeout_ms;
  status = open_program(loaded, source, cuda->device);
  if (!llmc_status_ok(&status)) {
    unload(loaded);
    return llmc_annotate_status(status, "cuda");
  }
  result->handle = loaded;
  result->program = &loaded->program.program;
  result->variant = loaded->program.variant_name;
  return status;
}

cuda_driver cuda_make_driver(int device, uint32_t step_timeout_ms) {
  const cuda_driver driver = {{LLMC_DRIVER_VERSION, "cuda", load, unload, allocate, release, map,
                               copy_in, copy_out, copy, cuda_create_executor, cuda_destroy_executor,
                               cuda_run, cuda_wait},
                              device,
                              step_timeout_ms};
  return driver;
}
