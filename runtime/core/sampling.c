/*===- sampling.c - drawing the next token ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#include "internal.h"

#include <math.h>
#include <string.h>

llmc_sampling llmc_sampling_default(void) {
  llmc_sampling sampling = {0.0f, 1.0f, 1.0f, 0, 0};
  return sampling;
}

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

/* xoshiro256** 1.0 (Blackman and Vigna 2018). */
static uint64_t next_random(uint64_t state[4]) {
  uint64_t result = rotate(state[1] * 5, 7) * 9, shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = rotate(state[3], 45);
  return result;
}

void llmc_session_set_seed(llmc_session *session, uint64_t seed) {
  /* SplitMix64 (Steele, Lea and Flood 2014) spreads the seed, as the authors of xoshiro advise. */
  for (int i = 0; i < 4; ++i) {
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    session->random[i] = z ^ z >> 31;
  }
}

llmc_status llmc_session_exclude(llmc_session *session, const int32_t *tokens, size_t count) {
  size_t vocabulary, different = 0;
  if (!session || (!tokens && count > 0))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a session and tokens, found null");
  vocabulary = llmc_get_program(session->model)->vocabulary;
  for (size_t i = 0; i < count; ++i)
    if (tokens[i] < 0 || (size_t)tokens[i] >= vocabulary)
      return llmc_make_status(LLMC_OUT_OF_RANGE, "expected tokens in [0, %zu), found %d",
                              vocabulary, (int)tokens[i]);
  /* The second bit holds the new choice until it is known to be good. */
  for (size_t i = 0; i < count; ++i) {
    different += !(session->excluded[tokens[i]] & 2);
    session->excluded[tokens[i]] |= 2;
  }
  for (size_t i = 0; i < vocabulary; ++i)
    session->excluded[i] =
        different < vocabulary ? session->excluded[i] >> 1 : session->excluded[i] & 1;
  if (different == vocabulary)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected a token that may be drawn, found none");
  return llmc_ok_status();
}

static llmc_status check(const llmc_session *session, const llmc_sampling *sampling,
                         const int32_t *token) {
  if (!session || !sampling || !token)
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected a session, options and a place, found null");
  if (!(sampling->temperature >= 0) || isinf(sampling->temperature))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected a temperature of at least 0, found %g",
                            (double)sampling->temperature);
  if (!(sampling->top_p > 0 && sampling->top_p <= 1))
    return llmc_make_status(LLMC_INVALID_ARGUMENT, "expected top_p in (0, 1], found %g",
                            (double)sampling->top_p);
  if (!(sampling->repetition_penalty > 0) || isinf(sampling->repetition_penalty))
    return llmc_make_status(LLMC_INVALID_ARGUMENT,
                            "expected a positive repetition penalty, found %g",
                            (double)sampling->repetition_penalty);
  return llmc_ok_status();
}

static void penalize(const llmc_session *session, const float *logits,
                     const llmc_sampling *sampling, llmc_candidate *candidates) {
  size_t window = sampling->penalty_window, begin = 0;
  if (sampling->repetition_penalty == 1.0f)
    return;
  if (window && window < session->position)
    begin = session->position - window;
  for (size_t i = begin; i < session->position; ++i) {
    int32_t token = session->tokens[i];
    float logit = logits[token];
    /* From the logit itself, so that a token that occurs twice is punished once. */
    candidates[token].score =
        logit > 0 ? logit / sampling->repetition_penalty : logit * sampling->repetition_penalty;
  }
}

/* Larger scores first, smaller ids first among equals: an order that is total. */
static int is_before(const llmc_candidate *a, const llmc_candidate *b) {
  return a->score != b->score ? a->score > b->score : a->token < b->token;
}

/* Lets the candidate at `index` of a heap, whose first is before all others, sink to its place. */
static void sink(llmc_candidate *heap, size_t count, size_t index) {
  llmc_candidate moved = heap[index];
  for (size_t child; (child = 2 * index + 1) < count; index = child) {
    if (child + 1 < count && is_before(&heap[child + 1], &heap[child]))
      ++child;
    if (!is_before(&heap[child], &moved))
      break;
    heap[index] = heap[child];
  }
  heap[index] = moved;
}

/* Candidates from the best down, sorted only as far as anyone has looked: those already looked at
   stand at the end of the array, the best last; the others are a heap. */
typedef struct {
  llmc_candidate *candidates;
  size_t count, sorted;
} ranking;

static ranking rank(llmc_candidate *candidates, size_t count) {
  ranking result = {candidates, count, 0};
  for (size_t i = count / 2; i-- > 0;)
    sink(candidates, count, i);
  return result;
}

static const llmc_candidate *look_at(ranking *ranking, size_t place) {
  while (ranking->sorted <= place) {
    size_t last = ranking->count - 1 - ranking->sorted++;
    llmc_candidate first = ranking->candidates[0];
    ranking->candidates[0] = ranking->candidates[last];
    ranking->candidates[last] = first;
    sink(ranking->candidates, last, 0);
  }
  return &ranking->candidates[ranking->count - 1 - place];
}

static int32_t draw(llmc_session *session, const llmc_sampling *sampling,
                    llmc_candidate *candidates, size_t count) {
  ranking order = rank(candidates, count);
  double total = 0, mass = 0, target;
  float largest = candidates[0].score;
  /* Where all are impossible, or one is beyond measure, there are no probabilities. */
  if (isinf(largest))
    return candidates[0].token;
#define WEIGHT(candidate) exp((double)((candidate)->score - largest) / sampling->temperature)
  if (sampling->top_k && sampling->top_k < count) {
    count = sampling->top_k;
    for (size_t i = 0; i < count; ++i)
      total += WEIGHT(look_at(&order, i));
  } else {
    for (size_t i = 0; i < count; ++i)
      total += WEIGHT(&candidates[i]);
  }
  if (sampling->top_p < 1) {
    size_t kept = 0;
    double limit = sampling->top_p * total;
    while (kept < count && mass < limit)
      mass += WEIGHT(look_at(&order, kept++));
    count = kept;
    total = mass;
  }
  target = (double)(next_random(session->random) >> 11) * 0x1p-53 * total;
  mass = 0;
  for (size_t i = 0; i < count; ++i) {
    mass += WEIGHT(look_at(&order, i));
    if (target < mass)
      return look_at(&order, i)->token;
  }
#undef WEIGHT
  return look_at(&order, count - 1)->token;
}

llmc_status llmc_session_sample(llmc_session *session, const llmc_sampling *sampling,
                                int32_t *token) {
  size_t vocabulary, count = 0;
  llmc_candidate *candidates;
  const llmc_candidate *best;
  const float *logits;
  LLMC_RETURN_IF_ERROR(check(session, sampling, token));
  LLMC_RETURN_IF_ERROR(llmc_session_logits(session, &logits));
  vocabulary = llmc_get_program(session->model)->vocabulary;
  candidates = session->candidates;
  for (size_t i = 0; i < vocabulary; ++i) {
    if (isnan(logits[i]))
      return llmc_make_status(LLMC_CORRUPT, "the logit of token %zu is not a number", i);
    candidates[i].score = logits[i];
    candidates[i].token = (int32_t)i;
  }
  penalize(session, logits, sampling, candidates);
  for (size_t i = 0; i < vocabulary; ++i)
    if (!session->excluded[i])
      candidates[count++] = candidates[i];
  if (sampling->temperature > 0) {
    *token = draw(session, sampling, candidates, count);
    return llmc_ok_status();
  }
  best = &candidates[0];
  for (size_t i = 1; i < count; ++i)
    if (candidates[i].score > best->score)
      best = &candidates[i];
  *token = best->token;
  return llmc_ok_status();
}
