/*===- cuda_api.h - what is used of the CUDA driver API, without its headers ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Names, numbers and parameters are those of NVIDIA's "CUDA Driver API"      */
/* reference manual. The library is opened when it is asked for: a program    */
/* that links the runtime needs no CUDA to be built, or to run on CPUs.       */

#ifndef LLMC_CORE_CUDA_API_H
#define LLMC_CORE_CUDA_API_H

#include "llmc/status.h"

#include <stddef.h>
#include <stdint.h>

typedef int cuda_device;       /* CUdevice */
typedef uint64_t cuda_address; /* CUdeviceptr */
typedef void *cuda_context;    /* CUcontext; and CUmodule, CUfunction, CUstream */

/* Values of CUresult. */
enum {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_DEVICE = 101,
  CUDA_ERROR_INVALID_IMAGE = 200,
  CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CUDA_ERROR_NOT_READY = 600
};

/* Values of CUdevice_attribute. */
enum {
  CUDA_MULTIPROCESSOR_COUNT = 16,
  CUDA_COMPUTE_CAPABILITY_MAJOR = 75,
  CUDA_COMPUTE_CAPABILITY_MINOR = 76,
  CUDA_COOPERATIVE_LAUNCH = 95
};

/* Values of CUjit_option. */
enum { CUDA_JIT_ERROR_LOG_BUFFER = 5, CUDA_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6 };

/* A value of CUstream_flags: the stream does not wait for the default one. */
enum { CUDA_STREAM_NON_BLOCKING = 1 };

/* FUNCTION(member, symbol in the library, parameters) */
#define LLMC_CUDA_FUNCTIONS(FUNCTION)                                                              \
  FUNCTION(init, "cuInit", (unsigned flags))                                                       \
  FUNCTION(get_error_string, "cuGetErrorString", (int error, const char **text))                   \
  FUNCTION(device_get_count, "cuDeviceGetCount", (int *count))                                     \
  FUNCTION(device_get, "cuDeviceGet", (cuda_device * device, int index))                           \
  FUNCTION(device_get_name, "cuDeviceGetName", (char *name, int size, cuda_device device))         \
  FUNCTION(device_get_attribute, "cuDeviceGetAttribute",                                           \
           (int *value, int attribute, cuda_device device))                                        \
  FUNCTION(context_retain, "cuDevicePrimaryCtxRetain",                                             \
           (cuda_context * context, cuda_device device))                                           \
  FUNCTION(context_release, "cuDevicePrimaryCtxRelease_v2", (cuda_device device))                  \
  FUNCTION(context_push, "cuCtxPushCurrent_v2", (cuda_context context))                            \
  FUNCTION(context_pop, "cuCtxPopCurrent_v2", (cuda_context * context))                            \
  FUNCTION(module_load, "cuModuleLoadDataEx",                                                      \
           (void **module, const void *image, unsigned count, int *options, void **values))        \
  FUNCTION(module_unload, "cuModuleUnload", (void *module))                                        \
  FUNCTION(module_get_function, "cuModuleGetFunction",                                             \
           (void **function, void *module, const char *name))                                      \
  FUNCTION(occupancy, "cuOccupancyMaxActiveBlocksPerMultiprocessor",                               \
           (int *blocks, void *function, int threads, size_t shared_bytes))                        \
  FUNCTION(memory_get_info, "cuMemGetInfo_v2", (size_t *free, size_t *total))                      \
  FUNCTION(memory_allocate, "cuMemAlloc_v2", (cuda_address * address, size_t bytes))               \
  FUNCTION(memory_free, "cuMemFree_v2", (cuda_address address))                                    \
  FUNCTION(host_allocate, "cuMemAllocHost_v2", (void **memory, size_t bytes))                      \
  FUNCTION(host_free, "cuMemFreeHost", (void *memory))                                             \
  FUNCTION(memset, "cuMemsetD8Async",                                                              \
           (cuda_address to, unsigned char value, size_t bytes, void *stream))                     \
  FUNCTION(copy_to_device, "cuMemcpyHtoDAsync_v2",                                                 \
           (cuda_address to, const void *from, size_t bytes, void *stream))                        \
  FUNCTION(copy_to_host, "cuMemcpyDtoHAsync_v2",                                                   \
           (void *to, cuda_address from, size_t bytes, void *stream))                              \
  FUNCTION(copy_on_device, "cuMemcpyDtoDAsync_v2",                                                 \
           (cuda_address to, cuda_address from, size_t bytes, void *stream))                       \
  FUNCTION(stream_create, "cuStreamCreate", (void **stream, unsigned flags))                       \
  FUNCTION(stream_destroy, "cuStreamDestroy_v2", (void *stream))                                   \
  FUNCTION(stream_query, "cuStreamQuery", (void *stream))                                          \
  FUNCTION(stream_synchronize, "cuStreamSynchronize", (void *stream))                              \
  FUNCTION(launch, "cuLaunchCooperativeKernel",                                                    \
           (void *function, unsigned blocks, unsigned blocks_y, unsigned blocks_z,                 \
            unsigned threads, unsigned threads_y, unsigned threads_z, unsigned shared_bytes,       \
            void *stream, void **parameters))

/* The functions of the library. Each returns a CUresult. */
typedef struct {
  void *library; /* of dlopen; null: not open */
  /* NOLINTBEGIN(bugprone-macro-parentheses): declarations have none. */
#define LLMC_DECLARE(member, symbol, parameters) int(*member) parameters;
  LLMC_CUDA_FUNCTIONS(LLMC_DECLARE)
#undef LLMC_DECLARE
  /* NOLINTEND(bugprone-macro-parentheses) */
} cuda_api;

/*
 * Opens the library, LLMC_CUDA_LIBRARY of the environment, else libcuda.so.1, and initializes it.
 * LLMC_UNAVAILABLE where there is none, or none that works.
 */
llmc_status cuda_open(cuda_api *api);
void cuda_close(cuda_api *api);

/* The status of a call that gave `result`; `what` is what it was for: "cannot …". */
llmc_status cuda_check(const cuda_api *api, int result, const char *what);

#endif
