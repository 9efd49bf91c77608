/*===- llmc.h - runs a compiled language model -----------------------------===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Declares the runtime's C ABI: load a model, evaluate tokens of sessions,   */
/* look at logits, sample. Models, executors and sessions allocate when they  */
/* are made; nothing else does.                                               */

#ifndef LLMC_LLMC_H
#define LLMC_LLMC_H

#include "llmc/program.h"
#include "llmc/status.h"

#include <stddef.h>
#include <stdint.h>

LLMC_EXTERN_C_BEGIN

/* Grows when a struct or function below changes; llmc_model_load refuses another. */
#define LLMC_API_VERSION 3u

/* The most threads that an executor may have. */
#define LLMC_MAX_THREADS 1024u

/*
 * A loaded model: code, mapped weights, and an executor of its own. Counted: loading gives one
 * reference, each session and each executor made for it keeps one. Any threads may call.
 */
typedef struct llmc_model llmc_model;

/*
 * What evaluates: threads, and the scratch that a step needs. Any threads may call; the calls on
 * one executor take turns, those on several run side by side.
 */
typedef struct llmc_executor llmc_executor;

/*
 * One growing text: the tokens evaluated so far and their KV cache. Calls on one session are made
 * one at a time (a batch is a call on all of its sessions); calls on several need no care.
 */
typedef struct llmc_session llmc_session;

/* What runs a program on one kind of device: driver.h. */
typedef struct llmc_driver llmc_driver;

/*
 * Where all memory of a model, of its executors and of its sessions comes from. It is called by
 * whoever loads, makes and releases these, from several threads at once if they are, and until the
 * last of them is released. What does not come from here, because the system or libc allocates it:
 * the mapped file, the code that is loaded from an artifact (dlopen), the stacks of threads, and
 * what fopen needs while the CPUs are counted (threads = 0), and memory of GPUs and of their
 * library.
 */
typedef struct llmc_allocator {
  void *context;
  /* Null where there is none. `alignment` is LLMC_ALIGNMENT, `size` any number but 0. */
  void *(*allocate)(void *context, size_t size, size_t alignment);
  void (*release)(void *context, void *memory, size_t size);
  /*
   * 1: what `allocate` gives is zero, as new pages of the system are. 0: the runtime writes the
   * zeros, so that a session takes all of state_bytes at once and not as it fills.
   */
  uint32_t gives_zeros;
} llmc_allocator;

/*
 * Whether loading reads all weights, to compare them with the checksum that they were written with.
 * Their size, and whose they are, is checked always.
 */
enum llmc_verification {
  LLMC_VERIFY_DEFAULT =
      0, /* a file of weights beside an object; what is one file with its code not */
  LLMC_VERIFY_ALWAYS = 1,
  LLMC_VERIFY_NEVER = 2
};

typedef struct llmc_model_options {
  uint32_t api_version;      /* LLMC_API_VERSION */
  uint32_t threads;          /* of the model's own executor, as in llmc_executor_options */
  uint32_t pin_threads;      /* the same */
  uint32_t verify_weights;   /* llmc_verification */
  const char *variant;       /* null: the best that runs; on CPUs LLMC_VARIANT of the environment */
  const llmc_driver *driver; /* null: that of `device`. Must stay until the model is released */
  llmc_allocator allocator;  /* both functions null: the system's */
  /*
   * "cpu", or "cuda" or "cuda:N", an NVIDIA GPU as CUDA counts them from 0, for a model that was
   * compiled for GPUs too; null: "cpu", or what `driver` is for. LLMC_UNAVAILABLE where the machine
   * or the model lacks something that it needs, with what that is.
   */
  const char *device;
  /*
   * On a GPU: a step that takes longer is ended, and the call that waits for it fails; 0: steps may
   * take any time. Expected to be 0 elsewhere.
   */
  uint32_t step_timeout_ms;
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
  uint32_t threads;    /* of the model's own executor, on GPUs blocks; and so is arena_bytes */
  uint64_t weights_bytes;
  uint64_t state_bytes; /* one session's cache */
  uint64_t arena_bytes; /* scratch of steps */
  uint32_t input_count, output_count;
  const char *driver;      /* its name; what is pointed to is valid as long as the model */
  const char *variant;     /* the translation that runs */
  const char *description; /* JSON */
} llmc_model_info;

LLMC_API void llmc_model_get_info(const llmc_model *model, llmc_model_info *info);

/* What a step is given at `index`, and what it gives: valid as long as the model. LLMC_OUT_OF_RANGE
   past the last. */
LLMC_API LLMC_MUST_USE llmc_status llmc_model_get_input(const llmc_model *model, uint32_t index,
                                                        const llmc_value **input);
LLMC_API LLMC_MUST_USE llmc_status llmc_model_get_output(const llmc_model *model, uint32_t index,
                                                         const llmc_value **output);

/* A file that the artifact carries, such as "tokenizer.json"; LLMC_NOT_FOUND if it has none. */
LLMC_API LLMC_MUST_USE llmc_status llmc_model_get_file(const llmc_model *model, const char *name,
                                                       const char **data, size_t *size);

typedef struct llmc_executor_options {
  /*
   * 0: as many as the process may run on. On a GPU blocks of threads, 0: as many as it has room
   * for.
   */
  uint32_t threads;
  uint32_t pin_threads; /* 1: worker i runs on the i-th allowed CPU only; 0 on a GPU */
} llmc_executor_options;

/*
 * Makes an executor beside the model's own, for evaluating on several at once. `options` may be
 * null. All that its evaluations need is allocated here. A session is evaluated by any executor of
 * its model, now by one and then by another, with the same results.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_executor_create(llmc_model *model,
                                                        const llmc_executor_options *options,
                                                        llmc_executor **executor);
/* Null is allowed. */
LLMC_API void llmc_executor_release(llmc_executor *executor);

/* Makes a session at position 0. */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_create(llmc_model *model, llmc_session **session);
/* Makes a session that has evaluated the same tokens. */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_fork(const llmc_session *source,
                                                     llmc_session **session);
/* Null is allowed. */
LLMC_API void llmc_session_release(llmc_session *session);

/* One session's part of a batch: tokens to append to it, and which of their logits are wanted. */
typedef struct llmc_batch_entry {
  llmc_session *session;
  const int32_t *tokens; /* [count] */
  size_t count;          /* any number; none changes nothing */
  float *logits;         /* receives logits, [output_count, vocabulary]; null: none are wanted */
  const size_t *outputs; /* [output_count]: of which tokens, ascending; null: of all `count` */
  size_t output_count;   /* not read where `outputs` is null */
  /*
   * 1: the session has no logits afterwards, which spares their computation: for all parts of a
   * prompt but the last. 0: those of its last token, for llmc_session_logits and _sample.
   */
  uint32_t skip_logits;
} llmc_batch_entry;

/*
 * Appends tokens to several different sessions of one model, in steps of up to max_rows of them, on
 * `executor`, or the model's own where that is null. Prompts and single tokens may stand side by
 * side; every result is what evaluating the session alone gives, bit for bit. On failure no session
 * has moved; where it was not the arguments that failed, they have lost their logits.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_evaluate_batch(llmc_executor *executor,
                                                       const llmc_batch_entry *entries,
                                                       size_t count);

/*
 * The same for one session on the model's own executor; where `logits` is not null it receives
 * those of every token, [count, vocabulary].
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_evaluate(llmc_session *session,
                                                         const int32_t *tokens, size_t count,
                                                         float *logits);

/* The number of tokens evaluated. */
LLMC_API size_t llmc_session_position(const llmc_session *session);
/* The tokens evaluated, llmc_session_position of them, until the session's next call. */
LLMC_API const int32_t *llmc_session_tokens(const llmc_session *session);
/*
 * Forgets all tokens from `position` on. Where a program keeps the newest keys and values exactly
 * (llmc_state_region in llmc/program.h), it keeps those of as many positions as a step has rows
 * beside what one token reads. After going back further the next evaluation begins with all tokens
 * that are left: results are those of a session that never was further. Where a program chooses
 * positions by what attention gave weight to, going back at all is that.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_rewind(llmc_session *session, size_t position);
/*
 * The logits after the last token, [vocabulary], until the session's next call; where they lie on a
 * device they are copied from it. LLMC_FAILED_PRECONDITION before the first token, after a rewind,
 * and where they were skipped.
 */
LLMC_API LLMC_MUST_USE llmc_status llmc_session_logits(llmc_session *session, const float **logits);

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
