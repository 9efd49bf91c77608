/*===- pool.h - threads that run steps together ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Declares the pool: worker 0 is the calling thread, the others spin for a   */
/* moment after a step and then sleep.                                        */

#ifndef LLMC_CORE_POOL_H
#define LLMC_CORE_POOL_H

#include "allocator.h"

typedef struct llmc_pool llmc_pool;

/* The CPUs this process may run on, or as many as its control groups grant the time of. */
uint32_t llmc_pool_default_threads(void);

/* Makes a pool of `threads` workers (1 or more), in memory of the allocator. */
llmc_status llmc_pool_create(const llmc_allocator *allocator, uint32_t threads, int pin,
                             llmc_pool **pool);
/* Null is allowed. */
void llmc_pool_destroy(llmc_pool *pool);

/* Runs `function` on every worker and returns when all have returned; or, where that was slower of
   late, on the caller as the only worker. Sets the step's pool and barrier. One caller at a time.
 */
void llmc_pool_run(llmc_pool *pool, llmc_step_function function, llmc_step *step);

#endif
