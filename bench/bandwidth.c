/*===- bandwidth.c - how fast this machine reads memory just now ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* bandwidth THREADS [MEGABYTES] [PASSES]: every thread reads its share of a  */
/* buffer again and again; the median over the passes is the limit that any   */
/* decoding of weights from memory has. Prints JSON.                          */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { MAX_THREADS = 256, MAX_PASSES = 999, CHAINS = 8 };

/* 64 bytes: the compiler makes of it what the machine's vectors are. */
typedef uint64_t line __attribute__((vector_size(64)));

typedef struct {
  pthread_t thread;
  const line *data;
  size_t lines;
  int passes;
  pthread_barrier_t *barrier;
  double begin[MAX_PASSES], end[MAX_PASSES];
  uint64_t sum;
} reader;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Seconds from the first reader's begin to the last one's end. */
static double get_duration(const reader *readers, int threads, int pass) {
  double begin = readers[0].begin[pass], end = readers[0].end[pass];
  for (int i = 1; i < threads; ++i) {
    begin = readers[i].begin[pass] < begin ? readers[i].begin[pass] : begin;
    end = readers[i].end[pass] > end ? readers[i].end[pass] : end;
  }
  return end - begin;
}

/* Reads everything once, in chains that do not wait for each other. */
static uint64_t read_once(const line *data, size_t lines) {
  line sums[CHAINS] = {{0}};
  uint64_t total = 0;
  for (size_t i = 0; i + CHAINS <= lines; i += CHAINS)
    for (int chain = 0; chain < CHAINS; ++chain)
      sums[chain] ^= data[i + (size_t)chain];
  for (int chain = 0; chain < CHAINS; ++chain)
    total ^= sums[chain][0];
  return total;
}

static void *work(void *opaque) {
  reader *self = opaque;
  for (int pass = 0; pass < self->passes; ++pass) {
    pthread_barrier_wait(self->barrier);
    self->begin[pass] = now();
    self->sum += read_once(self->data, self->lines);
    self->end[pass] = now();
  }
  return NULL;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static long number(const char *text, long least, long most) {
  char *end;
  long value;
  errno = 0;
  value = strtol(text, &end, 10);
  if (errno || *end || end == text || value < least || value > most) {
    fprintf(stderr, "bandwidth: expected a number from %ld to %ld, found '%s'\n", least, most,
            text);
    exit(2);
  }
  return value;
}

int main(int count, char **arguments) {
  static reader readers[MAX_THREADS];
  static double seconds[MAX_PASSES];
  pthread_barrier_t barrier;
  size_t bytes, lines;
  uint64_t sum = 0;
  int threads, passes;
  void *data;
  if (count < 2 || count > 4) {
    fprintf(stderr, "usage: bandwidth THREADS [MEGABYTES] [PASSES]\n");
    return 2;
  }
  threads = (int)number(arguments[1], 1, MAX_THREADS);
  bytes = (size_t)(count > 2 ? number(arguments[2], 1, 1 << 20) : 512) << 20;
  passes = (int)(count > 3 ? number(arguments[3], 1, MAX_PASSES) : 9);
  data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    fprintf(stderr, "bandwidth: no memory for %zu bytes: %s\n", bytes, strerror(errno));
    return 1;
  }
  madvise(data, bytes, MADV_HUGEPAGE);
  memset(data, 1, bytes);
  lines = bytes / sizeof(line) / (size_t)threads;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  for (int i = 0; i < threads; ++i) {
    readers[i].data = (const line *)data + lines * (size_t)i;
    readers[i].lines = lines;
    readers[i].passes = passes;
    readers[i].barrier = &barrier;
    if (pthread_create(&readers[i].thread, NULL, work, &readers[i]) != 0) {
      fprintf(stderr, "bandwidth: cannot start %d threads\n", threads);
      return 1;
    }
  }
  for (int i = 0; i < threads; ++i) {
    pthread_join(readers[i].thread, NULL);
    sum += readers[i].sum;
  }
  for (int pass = 0; pass < passes; ++pass)
    seconds[pass] = get_duration(readers, threads, pass);
  qsort(seconds, (size_t)passes, sizeof *seconds, compare);
  /* The sum is printed so that the reading cannot be left out. */
  printf("{\"threads\": %d, \"bytes\": %zu, \"median_gigabytes_per_second\": %.2f, "
         "\"best_gigabytes_per_second\": %.2f, \"sum\": %llu}\n",
         threads, bytes, 1e-9 * (double)bytes / seconds[passes / 2],
         1e-9 * (double)bytes / seconds[0], (unsigned long long)sum);
  return 0;
}
