/*===- llmc.h - runs a compiled language model -----------------------------===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Declares the runtime's C ABI: load a model, evaluate tokens in sessions,   */
/* look at logits, sample. Nothing is allocated after a session is made.      */

#ifndef LLMC_LLMC_H
#define LLMC_LLMC_H

#include "llmc/program.h"
#include "llmc/status.h"

#include <stddef.h>
#include <stdint.h>

LLMC_EXTERN_C_BEGIN

/* Grows when a struct or function below changes; llmc_model_load refuses another. */
#define LLMC_API_VERSION 1u

/*
 * A loaded model: code, mapped weights and the threads that run it. Counted: loading gives one
 * reference, each session keeps one. Calls on sessions of one model may come from any threads; they
 * take turns.
 */
typedef struct llmc_model llmc_model;

/* One growing text: the tokens evaluated so far and their KV cache. One thread at a time. */
typedef struct llmc_session llmc_session;

/* Memory for handles and sessions comes from here; the default is aligned_alloc and free. */
typedef struct llmc_allocator {
  void *context;
  void *(*allocate)(void *context, size_t size, size_t alignment);
  void (*release)(void *context, void *memory, size_t size);
} llmc_allocator;

typedef struct llmc_model_options {
  uint32_t api_version;     /* LLMC_API_VERSION */
  uint32_t threads;         /* 0: as many as the process may run on */
  const char *variant;      /* null: LLMC_VARIANT of the environment, else the best this CPU runs */
  uint32_t pin_threads;     /* 1: worker i runs on the i-th allowed CPU only */
  uint32_t verify_weights;  /* 1: check the weights' checksum, which reads all of them */
  llmc_allocator allocator; /* all zero: the default */
} llmc_model_options;

LLMC_API llmc_model_options llmc_model_default_options(void);

/*
 * Loads an artifact that `llmc compile` wrote. The file is untrusted up to its checksums; its code
 * is run, so load only what you would execute. `options` may be null.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_model_load(const char *path,
                                                   const llmc_model_options *options,
                                                   llmc_model **model);
/* Loads a program that is linked into this process, with its file of weights. */
LLMC_API LLMC_MUST_USE llmc_status llmc_model_load_program(const llmc_program *program,
                                                           const char *weights_path,
                                                           const llmc_model_options *options,
                                                           llmc_model **model);
/*
 * The same with the contents of the file of weights in memory, `size` bytes, aligned to
 * LLMC_ALIGNMENT. They are used in place: they must stay until the model is released. In particular
 * they may be linked into this process (EMBED_WEIGHTS of the CMake function llmc_add_model).
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_model_load_embedded(const llmc_program *program,
                                                            const void *weights, size_t size,
                                                            const llmc_model_options *options,
                                                            llmc_model **model);
/*
 * Checks that `size` bytes at `data`, aligned to LLMC_ALIGNMENT, are an undamaged artifact with
 * code for any architectures, so that what artifact.h says of them holds. With `verify_weights` the
 * checksum of the weights too, which reads all of them. Runs nothing of it.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_artifact_check(const void *data, size_t size,
                                                       int verify_weights);

LLMC_API void llmc_model_retain(llmc_model *model);
/* Null is allowed. */
LLMC_API void llmc_model_release(llmc_model *model);

/* The bits of llmc_cpu_feature that this CPU and its operating system support. */
LLMC_API uint64_t llmc_cpu_features(void);
/* The architecture, as images in an artifact are named: "x86_64", "aarch64". */
LLMC_API const char *llmc_cpu_architecture(void);

typedef struct llmc_model_info {
  uint32_t vocabulary; /* width of the logits */
  uint32_t context;    /* positions of a session */
  uint32_t max_rows;   /* tokens of one step; longer inputs are cut */
  uint32_t threads;
  uint64_t weights_bytes;
  uint64_t state_bytes;    /* address space of one session's cache; used as it fills */
  uint64_t arena_bytes;    /* scratch of one session */
  const char *variant;     /* the translation that runs; valid as long as the model */
  const char *description; /* JSON */
} llmc_model_info;

LLMC_API void llmc_model_get_info(const llmc_model *model, llmc_model_info *info);

/*
 * The variant at `index`, best first, and whether this CPU can run it (`*missing` is null) or which
 * features it lacks. LLMC_OUT_OF_RANGE past the last.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_model_get_variant(const llmc_model *model, uint32_t index,
                                                          const char **name,
                                                          uint64_t *missing_features);

/* A file that the artifact carries, such as "tokenizer.json"; LLMC_NOT_FOUND if it has none. */
LLMC_API LLMC_MUST_USE llmc_status llmc_model_get_file(const llmc_model *model, const char *name,
                                                       const char **data, size_t *size);

/* Makes a session at position 0. */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_create(llmc_model *model, llmc_session **session);
/* Makes a session that has evaluated the same tokens. */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_fork(const llmc_session *source,
                                                     llmc_session **session);
/* Null is allowed. */
LLMC_API void llmc_session_release(llmc_session *session);

/*
 * Appends `count` tokens to the session, in steps of at most max_rows. The logits of the last one
 * can be read with llmc_session_logits afterwards; where `logits` is not null it receives those of
 * every token, [count, vocabulary]. On failure the session is where it was before the call.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_evaluate(llmc_session *session,
                                                         const int32_t *tokens, size_t count,
                                                         float *logits);

/* One session's part of a batch: its next token. */
typedef struct llmc_batch_entry {
  llmc_session *session;
  int32_t token;
} llmc_batch_entry;

/*
 * Appends one token to each of several different sessions of one model, in steps of as many rows
 * as fit. Each session's logits can then be read as after llmc_session_evaluate.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_evaluate_batch(const llmc_batch_entry *entries,
                                                       size_t count);

/* The number of tokens evaluated. */
LLMC_API size_t llmc_session_position(const llmc_session *session);
/* The tokens evaluated, llmc_session_position of them. */
LLMC_API const int32_t *llmc_session_tokens(const llmc_session *session);
/* Forgets all tokens from `position` on. */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_rewind(llmc_session *session, size_t position);
/* The logits after the last token, [vocabulary]; null before the first and after a rewind. */
LLMC_API const float *llmc_session_logits(const llmc_session *session);

/*
 * How a token is drawn. In this order: the logits of tokens among the last `penalty_window` are
 * divided by repetition_penalty if positive, else multiplied (Keskar et al. 2019); temperature 0
 * takes the largest, the smaller id on a tie; else logits are divided by temperature, the top_k
 * largest kept, then the fewest whose probability reaches top_p, and one is drawn.
 */
typedef struct llmc_sampling {
  float temperature;        /* >= 0 */
  float top_p;              /* (0, 1]; 1 keeps all */
  float repetition_penalty; /* > 0; 1 does nothing */
  uint32_t top_k;           /* 0 keeps all */
  uint32_t penalty_window;  /* tokens; 0: all of the session */
} llmc_sampling;

LLMC_API llmc_sampling llmc_sampling_default(void);

/* Sets the state of the session's random numbers (xoshiro256**, Blackman and Vigna 2018). */
LLMC_API void llmc_session_set_seed(llmc_session *session, uint64_t seed);
/*
 * Keeps `count` tokens from being drawn, whatever their logits: those that a tokenizer has no text
 * for, as a model's vocabulary is often padded to a round number. They replace those of an earlier
 * call; a fork takes them over. LLMC_OUT_OF_RANGE for a token that the model does not have,
 * LLMC_INVALID_ARGUMENT if none would be left: the session then is as it was.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_exclude(llmc_session *session,
                                                        const int32_t *tokens, size_t count);
/* Draws the next token from the session's logits; does not evaluate it. */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_sample(llmc_session *session,
                                                       const llmc_sampling *sampling,
                                                       int32_t *token);

LLMC_EXTERN_C_END

#endif /* LLMC_LLMC_H */
