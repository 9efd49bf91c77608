/*===- pool.c - threads that run steps together ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Workers wait for the next step, and for each other inside one, by spinning */
/* first: a step has hundreds of barriers and takes a millisecond or so.      */

#define _GNU_SOURCE
#include "pool.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Turns of a spinning wait before a worker gives its CPU away (about 50 µs), and before it sleeps.
 */
enum { SPINS_BEFORE_YIELD = 2000, YIELDS_BEFORE_SLEEP = 200 };

typedef struct {
  _Alignas(64) atomic_uint value;
  atomic_uint sleepers;
} event; /* a counter that grows, and can be waited on */

typedef struct {
  llmc_pool *pool;
  int32_t index;
  pthread_t thread;
} worker;

struct llmc_pool {
  event start;                      /* counts steps begun */
  event finished;                   /* counts workers that ended the current step, over all steps */
  event released;                   /* counts barriers passed */
  _Alignas(64) atomic_uint arrived; /* workers at the current barrier */
  _Alignas(64) llmc_step_function function;
  const llmc_step *step;
  atomic_int stopping;
  uint32_t threads, started;
  /* With more workers than CPUs a spinning worker keeps the one it waits for from running. */
  unsigned spins;
  worker *workers;
};

static void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Waits until the event's value is no longer `seen`. */
static void wait_for(llmc_pool *pool, event *event, unsigned seen) {
  for (unsigned i = 0; i < pool->spins; ++i) {
    if (atomic_load_explicit(&event->value, memory_order_acquire) != seen)
      return;
    pause_cpu();
  }
  for (unsigned i = 0; i < YIELDS_BEFORE_SLEEP; ++i) {
    if (atomic_load_explicit(&event->value, memory_order_acquire) != seen)
      return;
    sched_yield();
  }
  atomic_fetch_add(&event->sleepers, 1);
  while (atomic_load(&event->value) == seen)
    syscall(SYS_futex, &event->value, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
  atomic_fetch_sub(&event->sleepers, 1);
}

static void advance(event *event) {
  atomic_fetch_add(&event->value, 1);
  if (atomic_load(&event->sleepers) != 0)
    syscall(SYS_futex, &event->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void barrier(void *opaque, int32_t index) {
  llmc_pool *pool = opaque;
  unsigned seen = atomic_load_explicit(&pool->released.value, memory_order_relaxed);
  (void)index;
  if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) + 1 == pool->threads) {
    atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
    advance(&pool->released);
    return;
  }
  wait_for(pool, &pool->released, seen);
}

static void *work(void *opaque) {
  worker *self = opaque;
  llmc_pool *pool = self->pool;
  unsigned seen = 0;
  for (;;) {
    wait_for(pool, &pool->start, seen);
    ++seen;
    if (atomic_load_explicit(&pool->stopping, memory_order_acquire))
      return NULL;
    pool->function(pool->step, self->index, (int32_t)pool->threads);
    advance(&pool->finished);
  }
}

uint32_t llmc_pool_default_threads(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  const int count = CPU_COUNT(&set);
  return count > 0 ? (uint32_t)count : 1;
}

/* Binds a thread to the `index`-th CPU that the process may use, modulo their number. */
static void pin(pthread_t thread, uint32_t index, uint32_t cpus) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return;
  index %= cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || index-- != 0)
      continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(thread, sizeof one, &one);
    return;
  }
}

llmc_status llmc_pool_create(uint32_t threads, int pin_threads, llmc_pool **result) {
  llmc_pool *pool = aligned_alloc(64, (sizeof *pool + 63) / 64 * 64);
  uint32_t cpus = llmc_pool_default_threads();
  *result = NULL;
  if (!pool)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a pool of threads");
  memset(pool, 0, sizeof *pool);
  pool->threads = threads;
  pool->spins = threads <= cpus ? SPINS_BEFORE_YIELD : 0;
  pool->workers = calloc(threads, sizeof *pool->workers);
  if (!pool->workers) {
    free(pool);
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for %u threads", threads);
  }
  for (uint32_t i = 1; i < threads; ++i) {
    worker *worker = &pool->workers[i];
    int error;
    worker->pool = pool;
    worker->index = (int32_t)i;
    error = pthread_create(&worker->thread, NULL, work, worker);
    if (error) {
      llmc_pool_destroy(pool);
      return llmc_make_status(LLMC_OUT_OF_MEMORY, "cannot start thread %u of %u: %s", i, threads,
                              strerror(error));
    }
    ++pool->started;
    if (pin_threads)
      pin(worker->thread, i, cpus);
  }
  *result = pool;
  return llmc_ok_status();
}

void llmc_pool_destroy(llmc_pool *pool) {
  if (!pool)
    return;
  atomic_store_explicit(&pool->stopping, 1, memory_order_release);
  advance(&pool->start);
  for (uint32_t i = 1; i <= pool->started; ++i)
    pthread_join(pool->workers[i].thread, NULL);
  free(pool->workers);
  free(pool);
}

void llmc_pool_run(llmc_pool *pool, llmc_step_function function, llmc_step *step) {
  unsigned expected = atomic_load(&pool->finished.value) + (pool->threads - 1), seen;
  step->pool = pool;
  step->barrier = barrier;
  pool->function = function;
  pool->step = step;
  if (pool->threads > 1)
    advance(&pool->start);
  function(step, 0, (int32_t)pool->threads);
  while ((seen = atomic_load_explicit(&pool->finished.value, memory_order_acquire)) != expected)
    wait_for(pool, &pool->finished, seen);
}
