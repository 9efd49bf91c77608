/*===- cuda_api.c - what is used of the CUDA driver API, without its headers ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#include "cuda_api.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Finds all functions. Those of dlsym are data to C: they are copied as such. */
static llmc_status find_functions(cuda_api *api, const char *path) {
  void *address;
#define LLMC_FIND(member, symbol, parameters)                                                      \
  address = dlsym(api->library, symbol);                                                           \
  if (!address)                                                                                    \
    return llmc_make_status(LLMC_UNAVAILABLE,                                                      \
                            "'%s' lacks %s: expected the library of NVIDIA's driver, 525 or "      \
                            "newer",                                                               \
                            path, symbol);                                                         \
  memcpy((void *)&api->member, (const void *)&address, sizeof(void *));
  LLMC_CUDA_FUNCTIONS(LLMC_FIND)
#undef LLMC_FIND
  return llmc_ok_status();
}

void cuda_close(cuda_api *api) {
  if (api->library)
    dlclose(api->library);
  api->library = NULL;
}

llmc_status cuda_open(cuda_api *api) {
  const char *named = getenv("LLMC_CUDA_LIBRARY");
  const char *path = named && *named ? named : "libcuda.so.1";
  llmc_status status;
  /* Other users of the library in this process may have threads in it. */
  api->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!api->library)
    return llmc_make_status(LLMC_UNAVAILABLE,
                            "no CUDA driver on this machine: %s (LLMC_CUDA_LIBRARY names the path "
                            "of libcuda)",
                            dlerror());
  status = find_functions(api, path);
  if (llmc_status_ok(&status))
    status = cuda_check(api, api->init(0), "cannot start the CUDA driver");
  if (!llmc_status_ok(&status))
    cuda_close(api);
  return status;
}

static int32_t get_code(int result) {
  switch (result) {
  case CUDA_ERROR_OUT_OF_MEMORY:
    return LLMC_OUT_OF_MEMORY;
  case CUDA_ERROR_NO_DEVICE:
  case CUDA_ERROR_INVALID_DEVICE:
  case CUDA_ERROR_NO_BINARY_FOR_GPU:
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    return LLMC_UNAVAILABLE;
  case CUDA_ERROR_INVALID_IMAGE:
  case CUDA_ERROR_INVALID_PTX:
    return LLMC_CORRUPT;
  default:
    return LLMC_IO_ERROR;
  }
}

llmc_status cuda_check(const cuda_api *api, int result, const char *what) {
  const char *text = NULL;
  if (result == CUDA_SUCCESS)
    return llmc_ok_status();
  if (api->get_error_string(result, &text) != CUDA_SUCCESS || !text)
    text = "unknown error";
  return llmc_make_status(get_code(result), "%s: %s (CUDA error %d)", what, text, result);
}
