/*===- pool.c - threads that run steps together ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Workers wait for the next step, and for each other inside one, by spinning */
/* first: a step has hundreds of barriers and takes a millisecond or so.      */
/*                                                                            */
/* On a busy machine a worker that lost its CPU keeps all others waiting at   */
/* the next barrier, so that several are slower than one. The pool keeps      */
/* account of what running together gains and loses against the caller alone; */
/* where it loses, the caller takes the next steps alone for a while.         */
#define _GNU_SOURCE
#include "pool.h"

#include "quota.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Turns of a spinning wait before a worker sleeps (50 to 100 µs), and before the caller's wait is
   timed. */
enum { SPINS_BEFORE_SLEEP = 2000, SPINS_BEFORE_CLOCK = 16 };

/* Nanoseconds. What running together gained is kept as credit for steps that lose, up to a limit:
   a single step that an interrupt delayed is no busy machine. */
static const int64_t MOST_CREDIT = 10000000, FIRST_CREDIT = 5000000;
/* After a loss the caller runs alone this many times as long: trying again costs a twentieth. */
static const int64_t PENALTY = 20, LONGEST_ALONE = 2000000000;
/* How long a step's time alone is believed, and how many steps measure it anew. */
static const int64_t BELIEVED = 4000000000;
enum { TRIALS = 2 };

/* Steps that cost alike: by the logarithm of their rows, and whether they give logits. */
enum { STEP_KINDS = 64 };

typedef struct {
  _Alignas(64) atomic_uint value;
  atomic_uint sleepers;
} event; /* a counter that grows, and can be waited on */

typedef struct {
  llmc_pool *pool;
  int32_t index;
  pthread_t thread;
} worker;

/* Time of the caller alone for a kind of step. */
typedef struct {
  int64_t time, when;
} estimate;

struct llmc_pool {
  event start;                      /* counts steps begun */
  event finished;                   /* counts workers that ended the current step, over all steps */
  event released;                   /* counts barriers passed */
  _Alignas(64) atomic_uint arrived; /* workers at the current barrier */
  _Alignas(64) llmc_step_function function;
  const llmc_step *step;
  atomic_int stopping;
  uint32_t threads, started;
  uint32_t active; /* workers of the current step: all, or the caller alone */
  /* With more workers than CPUs a spinning worker keeps the one it waits for from running. */
  unsigned spins;
  /* Of the caller, in nanoseconds: */
  int64_t waited;      /* in the current step, for others */
  int64_t credit;      /* gained by running together */
  int64_t alone_until; /* a time of the clock */
  unsigned trials;     /* steps to take alone, to know their time */
  estimate alone[STEP_KINDS];
  llmc_allocator allocator;
  worker workers[]; /* [threads]; the caller is the first */
};

static size_t get_size(uint32_t threads) { return sizeof(llmc_pool) + threads * sizeof(worker); }

static void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Whether the event's value is no longer `seen`, now or within `spins` turns. */
static int spin(event *event, unsigned seen, unsigned spins) {
  for (unsigned i = 0; i < spins; ++i) {
    if (atomic_load_explicit(&event->value, memory_order_acquire) != seen)
      return 1;
    pause_cpu();
  }
  return atomic_load_explicit(&event->value, memory_order_acquire) != seen;
}

/* Waits until the event's value is no longer `seen`. */
static void wait_for(llmc_pool *pool, event *event, unsigned seen) {
  if (spin(event, seen, pool->spins))
    return;
  atomic_fetch_add(&event->sleepers, 1);
  while (atomic_load(&event->value) == seen)
    syscall(SYS_futex, &event->value, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
  atomic_fetch_sub(&event->sleepers, 1);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The same for the caller, who notes how long it took. */
static void wait_as_caller(llmc_pool *pool, event *event, unsigned seen) {
  int64_t start;
  if (spin(event, seen, SPINS_BEFORE_CLOCK))
    return;
  start = now();
  wait_for(pool, event, seen);
  pool->waited += now() - start;
}

static void advance(event *event) {
  atomic_fetch_add(&event->value, 1);
  if (atomic_load(&event->sleepers) != 0)
    syscall(SYS_futex, &event->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void barrier(void *opaque, int32_t index) {
  llmc_pool *pool = opaque;
  unsigned seen;
  if (pool->active == 1)
    return;
  seen = atomic_load_explicit(&pool->released.value, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&pool->arrived, 1, memory_order_acq_rel) + 1 == pool->threads) {
    atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
    advance(&pool->released);
    return;
  }
  if (index == 0)
    wait_as_caller(pool, &pool->released, seen);
  else
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

/* The CPUs that the process may run on. */
static uint32_t count_cpus(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  const int count = CPU_COUNT(&set);
  return count > 0 ? (uint32_t)count : 1;
}

uint32_t llmc_pool_default_threads(void) {
  const uint32_t cpus = count_cpus();
  const double quota = llmc_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  /* To the nearest: what is beyond the quota makes all threads stand still together. */
  const double granted = quota > 0 ? quota + 0.5 : cpus;
  return granted < 1 ? 1 : granted < cpus ? (uint32_t)granted : cpus;
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

llmc_status llmc_pool_create(const llmc_allocator *allocator, uint32_t threads, int pin_threads,
                             llmc_pool **result) {
  const uint32_t cpus = count_cpus();
  llmc_pool *pool = llmc_allocate(allocator, get_size(threads));
  *result = NULL;
  if (!pool)
    return llmc_make_status(LLMC_OUT_OF_MEMORY, "no memory for a pool of %u threads", threads);
  pool->allocator = *allocator;
  pool->threads = threads;
  pool->credit = FIRST_CREDIT;
  pool->spins = threads <= cpus ? SPINS_BEFORE_SLEEP : 0;
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
  llmc_allocator allocator;
  if (!pool)
    return;
  atomic_store_explicit(&pool->stopping, 1, memory_order_release);
  advance(&pool->start);
  for (uint32_t i = 1; i <= pool->started; ++i)
    pthread_join(pool->workers[i].thread, NULL);
  allocator = pool->allocator;
  llmc_deallocate(&allocator, pool, get_size(pool->threads));
}

static estimate *get_estimate(llmc_pool *pool, const llmc_step *step) {
  unsigned kind = step->output_rows > 0;
  for (int64_t rows = step->rows; rows > 1 && kind + 2 < STEP_KINDS; rows /= 2)
    kind += 2;
  return &pool->alone[kind];
}

/* Keeps account of a step that took from `start` to `end`. */
static void account(llmc_pool *pool, const llmc_step *step, int64_t start, int64_t end) {
  estimate *alone = get_estimate(pool, step);
  const int known = alone->time && end - alone->when < BELIEVED;
  const int64_t time = end - start;
  if (pool->active == 1) {
    alone->time = known ? alone->time + (time - alone->time) / 4 : time;
    alone->when = end;
    return;
  }
  /* Alone the caller would take about its share as often as there are shares. Where that seems less
     than it took together, it is worth to be known. */
  int64_t expected = known ? alone->time : (time - pool->waited) * (int64_t)pool->threads;
  if (!known && expected < time) {
    pool->trials = TRIALS;
    return;
  }
  pool->credit += expected - time;
  if (pool->credit > MOST_CREDIT)
    pool->credit = MOST_CREDIT;
  if (pool->credit < 0) {
    const int64_t rest = -pool->credit * PENALTY;
    pool->alone_until = end + (rest < LONGEST_ALONE ? rest : LONGEST_ALONE);
    pool->credit = 0;
  }
}

/* The workers of a step that begins at `start`. */
static uint32_t choose_workers(llmc_pool *pool, int64_t start) {
  if (pool->trials > 0) {
    --pool->trials;
    return 1;
  }
  return start < pool->alone_until ? 1 : pool->threads;
}

void llmc_pool_run(llmc_pool *pool, llmc_step_function function, llmc_step *step) {
  unsigned expected, seen;
  int64_t start;
  step->pool = pool;
  step->barrier = barrier;
  if (pool->threads == 1) {
    pool->active = 1;
    function(step, 0, 1);
    return;
  }
  start = now();
  pool->active = choose_workers(pool, start);
  pool->waited = 0;
  if (pool->active == 1) {
    function(step, 0, 1);
    account(pool, step, start, now());
    return;
  }
  expected = atomic_load(&pool->finished.value) + (pool->threads - 1);
  pool->function = function;
  pool->step = step;
  advance(&pool->start);
  function(step, 0, (int32_t)pool->threads);
  while ((seen = atomic_load_explicit(&pool->finished.value, memory_order_acquire)) != expected)
    wait_as_caller(pool, &pool->finished, seen);
  account(pool, step, start, now());
}
