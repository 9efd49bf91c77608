/*===- cuda_driver.h - programs on NVIDIA's GPUs ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#ifndef LLMC_CORE_CUDA_DRIVER_H
#define LLMC_CORE_CUDA_DRIVER_H

#include "llmc/driver.h"

/* A driver, and which device it is for. */
typedef struct {
  llmc_driver table;
  int device;               /* from 0 on, as CUDA counts */
  uint32_t step_timeout_ms; /* how long a step may take; 0: any time */
} cuda_driver;

cuda_driver cuda_make_driver(int device, uint32_t step_timeout_ms);

#endif
