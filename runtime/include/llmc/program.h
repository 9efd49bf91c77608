//===- program.h - the contract between generated code and the runtime ----===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that a compiled program (an object file or a shared image made by
// llmc) and the runtime know of each other. The compiler emits one constant
// `llmc_program`; the runtime calls the step function of the best variant.
// Both sides refuse another abi_version.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PROGRAM_H
#define LLMC_PROGRAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LLMC_PROGRAM_ABI_VERSION 3u

/// The section of an object, or of what is linked from it, that holds the programs' descriptions
/// (JSON, each ended by a NUL).
#define LLMC_DESCRIPTION_SECTION ".llmc.description"

/// Every pointer that the runtime hands to a program is aligned to this many bytes.
#define LLMC_ALIGNMENT 64u

/// CPU features that a variant may require, as bits of llmc_variant.features.
/// Stable numbers: they are part of the ABI.
enum llmc_cpu_feature {
  LLMC_FEATURE_AVX = 1u << 0,
  LLMC_FEATURE_AVX2 = 1u << 1,
  LLMC_FEATURE_FMA = 1u << 2,
  LLMC_FEATURE_F16C = 1u << 3,
  LLMC_FEATURE_AVX512F = 1u << 4,
  LLMC_FEATURE_AVX512BW = 1u << 5,
  LLMC_FEATURE_AVX512VL = 1u << 6,
  LLMC_FEATURE_AVX512DQ = 1u << 7,
  LLMC_FEATURE_AVX512VNNI = 1u << 8,
  LLMC_FEATURE_AVX512VBMI = 1u << 9, ///< and VBMI2
  LLMC_FEATURE_BMI2 = 1u << 10,
  LLMC_FEATURE_NEON = 1u << 16,
  LLMC_FEATURE_DOTPROD = 1u << 17
};

/// A variant with this bit of `features`, which no CPU has, is no code for CPUs: `step` is the
/// address of an llmc_cuda_image (llmc/cuda_image.h) in place of a function.
#define LLMC_VARIANT_CUDA ((uint64_t)1 << 62)

/// What an input or output of a step means, and with that where llmc_step has it. A program with
/// exactly one of each of these is a language model, the kind of program that has sessions.
enum llmc_value_kind {
  LLMC_VALUE_TOKENS = 1,      ///< input, i32 [rows]: llmc_step.tokens
  LLMC_VALUE_POSITIONS = 2,   ///< input, i32 [rows]: llmc_step.positions
  LLMC_VALUE_SEQUENCES = 3,   ///< input, i32 [rows]: llmc_step.sequences
  LLMC_VALUE_OUTPUT_ROWS = 4, ///< input, i32 [output_rows]: llmc_step.outputs
  LLMC_VALUE_LOGITS = 5       ///< output, f32 [output_rows, vocabulary]: llmc_step.logits
};

/// The type of an input's or output's elements.
enum llmc_element_type { LLMC_ELEMENT_I32 = 1, LLMC_ELEMENT_F32 = 2 };

/// Dimensions that are known at each step only, as numbers in llmc_value.shape.
enum { LLMC_DIM_ROWS = -1, LLMC_DIM_OUTPUT_ROWS = -2 };

/// The most dimensions that a value has.
#define LLMC_MAX_RANK 8u

/// A named input or output of a program's steps. Elements lie in row-major order, without gaps.
typedef struct llmc_value {
  const char *name;
  uint32_t kind;        ///< llmc_value_kind
  uint32_t type;        ///< llmc_element_type
  uint32_t rank;        ///< 0 … LLMC_MAX_RANK
  const int64_t *shape; ///< [rank], each at least 1 or a LLMC_DIM
} llmc_value;

/// What one step computes and with which memory. A step takes `rows` rows: row r is the token
/// tokens[r] at position positions[r] of sequence sequences[r], whose state (KV cache) is
/// states[sequences[r]]. Rows of one sequence stand side by side in ascending position, and all
/// earlier positions of the sequence have been evaluated. The step writes the logits of the rows
/// outputs[0 … output_rows) in fp32 to logits[output][vocabulary].
///
/// 1 <= rows <= program.max_rows; 0 <= output_rows <= rows; outputs ascending.
typedef struct llmc_step {
  const uint8_t *weights; ///< packed weights, weights_bytes
  uint8_t *arena;         ///< shared scratch, arena_bytes; contents need not survive a step
  uint8_t *worker_arena;  ///< worker w owns [w * worker_arena_bytes, (w + 1) * worker_arena_bytes)
  uint8_t *const *states; ///< one state of state_bytes per sequence
  const int32_t *tokens;  ///< [rows], each in [0, vocabulary)
  const int32_t *positions; ///< [rows], each in [0, context)
  const int32_t *sequences; ///< [rows], indices into states
  const int32_t *outputs;   ///< [output_rows], indices of rows
  float *logits;            ///< [output_rows, vocabulary]
  int64_t rows;
  int64_t output_rows;
  void *pool; ///< the runtime's own, handed back through `barrier`
  /// Returns when all workers of the step have called it. `worker` is the caller's index.
  void (*barrier)(void *pool, int32_t worker);
  /// For a part of a model, which the compiler runs by itself: its arguments of activations, then
  /// its results, each [rows, width rounded up to 32]. Programs do not read it.
  float *const *activations;
} llmc_step;

/// Runs one step as worker `worker` of `workers`; every worker of [0, workers) calls it with the
/// same step. Results do not depend on `workers`.
typedef void (*llmc_step_function)(const llmc_step *step, int32_t worker, int32_t workers);

/// One translation of the program, for CPUs with all of `features`.
typedef struct llmc_variant {
  const char *name;  ///< e.g. "avx512vnni", "avx2", "x86-64", "neon-dotprod"
  uint64_t features; ///< bits of llmc_cpu_feature that the code needs
  llmc_step_function step;
} llmc_variant;

/// An array indexed by position inside a sequence's state. Positions stand in blocks of `block`
/// positions of block * stride bytes each; forking a sequence at position n copies the blocks that
/// hold the first n.
///
/// Where `kept` is not 0 the array has so many positions alone: the first ones, or, where `recent`
/// is not 0, the latest that were written, one in the place of that `kept` before it. A step reads
/// those up to `recent` before its first row.
typedef struct llmc_state_region {
  uint64_t offset;
  uint64_t stride; ///< bytes of a position
  uint64_t block;  ///< positions that are interleaved, at least 1
  uint64_t kept;   ///< 0, or a multiple of block
  uint64_t recent; ///< at most kept
} llmc_state_region;

/// A compiled program.
typedef struct llmc_program {
  uint32_t abi_version; ///< LLMC_PROGRAM_ABI_VERSION
  uint32_t vocabulary;  ///< width of the logits
  uint32_t context;     ///< positions a sequence may have
  uint32_t max_rows;    ///< rows a step may have
  uint64_t weights_bytes;
  uint64_t arena_bytes;
  uint64_t worker_arena_bytes; ///< a multiple of LLMC_ALIGNMENT
  uint64_t state_bytes;        ///< one sequence
  uint64_t weights_hash;       ///< XXH3 64 of the weights file: an object refuses another's weights
  uint32_t region_count;
  uint32_t variant_count;
  uint32_t input_count;
  uint32_t output_count;
  const llmc_state_region *regions;
  const llmc_variant *variants; ///< best first; the last one needs the least
  const llmc_value *inputs;
  const llmc_value *outputs;
  const char *description; ///< JSON: model, passes, layers, encodings, sizes
} llmc_program;

#ifdef __cplusplus
}
#endif

#endif // LLMC_PROGRAM_H
