/*===- program.c - whether a program's description of itself holds ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#include "llmc/driver.h"

/* More than any machine has, and few enough that sums of sizes do not overflow. */
static const uint64_t MOST_BYTES = (uint64_t)1 << 60;

static llmc_status check_numbers(const llmc_program *program) {
  /* Tokens, positions and rows are int32. */
  if (!program->vocabulary || program->vocabulary > INT32_MAX || !program->context ||
      program->context > INT32_MAX || !program->max_rows || program->max_rows > INT32_MAX ||
      !program->variant_count || !program->variants ||
      (program->region_count && !program->regions) || program->worker_arena_bytes % LLMC_ALIGNMENT)
    return llmc_make_status(LLMC_CORRUPT, "the program describes itself wrongly");
  /* Both factors fit 31 bits, so their product fits 62. */
  if (program->state_bytes > MOST_BYTES || program->arena_bytes > MOST_BYTES ||
      program->worker_arena_bytes > MOST_BYTES / LLMC_MAX_THREADS ||
      (uint64_t)program->vocabulary * program->max_rows > MOST_BYTES / sizeof(float))
    return llmc_make_status(LLMC_CORRUPT,
                            "the program asks for more memory than there are addresses");
  return llmc_ok_status();
}

static llmc_status check_region(const llmc_program *program, uint32_t index) {
  const llmc_state_region *region = &program->regions[index];
  /* No more positions in a block than can be told apart, so that nothing below overflows. */
  uint64_t blocks = region->block && region->block <= INT32_MAX
                        ? (program->context + region->block - 1) / region->block
                        : 0;
  if (blocks && region->kept) {
    if (region->kept > INT32_MAX || region->kept % region->block || region->recent > region->kept)
      return llmc_make_status(LLMC_CORRUPT,
                              "region %u of the program's state keeps no whole blocks", index);
    blocks = region->kept / region->block;
  }
  if (blocks == 0 || region->offset > program->state_bytes ||
      region->stride > (program->state_bytes - region->offset) / (blocks * region->block))
    return llmc_make_status(LLMC_CORRUPT, "region %u of the program's state lies outside it",
                            index);
  return llmc_ok_status();
}

/*===-- Inputs and outputs ------------------------------------------------===*/

/* What makes a program a language model. */
typedef struct {
  uint32_t kind, type;
  int is_output;
  int64_t rows;      /* the first dimension */
  int is_vocabulary; /* the second is the vocabulary; else there is none */
  const char *what;
} model_value;

static const model_value MODEL_VALUES[] = {
    {LLMC_VALUE_TOKENS, LLMC_ELEMENT_I32, 0, LLMC_DIM_ROWS, 0, "an input of tokens, i32 [rows]"},
    {LLMC_VALUE_POSITIONS, LLMC_ELEMENT_I32, 0, LLMC_DIM_ROWS, 0,
     "an input of positions, i32 [rows]"},
    {LLMC_VALUE_SEQUENCES, LLMC_ELEMENT_I32, 0, LLMC_DIM_ROWS, 0,
     "an input of sequences, i32 [rows]"},
    {LLMC_VALUE_OUTPUT_ROWS, LLMC_ELEMENT_I32, 0, LLMC_DIM_OUTPUT_ROWS, 0,
     "an input of output rows, i32 [output_rows]"},
    {LLMC_VALUE_LOGITS, LLMC_ELEMENT_F32, 1, LLMC_DIM_OUTPUT_ROWS, 1,
     "an output of logits, f32 [output_rows, vocabulary]"}};

static int is_as_expected(const llmc_value *value, const model_value *expected,
                          uint32_t vocabulary) {
  if (value->type != expected->type || value->rank != (expected->is_vocabulary ? 2 : 1) ||
      value->shape[0] != expected->rows)
    return 0;
  return !expected->is_vocabulary || value->shape[1] == (int64_t)vocabulary;
}

/* Checks the values of a list by themselves. `what` is "input" or "output". */
static llmc_status check_values(const char *what, const llmc_value *values, uint32_t count) {
  if (count && !values)
    return llmc_make_status(LLMC_CORRUPT, "the program describes itself wrongly");
  for (uint32_t i = 0; i < count; ++i) {
    const llmc_value *value = &values[i];
    if (!value->name || !value->shape || value->rank > LLMC_MAX_RANK)
      return llmc_make_status(LLMC_CORRUPT,
                              "%s %u of the program: expected a name and a shape of at most %u "
                              "dimensions",
                              what, i, LLMC_MAX_RANK);
    if (value->kind < LLMC_VALUE_TOKENS || value->kind > LLMC_VALUE_LOGITS)
      return llmc_make_status(LLMC_UNSUPPORTED, "%s '%s' of the program: unknown kind %u", what,
                              value->name, value->kind);
    if (value->type < LLMC_ELEMENT_I32 || value->type > LLMC_ELEMENT_F32)
      return llmc_make_status(LLMC_UNSUPPORTED, "%s '%s' of the program: unknown element type %u",
                              what, value->name, value->type);
  }
  return llmc_ok_status();
}

/* Checks that the program has exactly the inputs and outputs of a language model. */
static llmc_status check_model(const llmc_program *program) {
  const uint32_t most = sizeof MODEL_VALUES / sizeof *MODEL_VALUES;
  for (uint32_t i = 0; i < most; ++i) {
    const model_value *expected = &MODEL_VALUES[i];
    const llmc_value *values = expected->is_output ? program->outputs : program->inputs;
    const uint32_t count = expected->is_output ? program->output_count : program->input_count;
    uint32_t found = 0;
    for (uint32_t j = 0; j < count; ++j)
      found += values[j].kind == expected->kind &&
               is_as_expected(&values[j], expected, program->vocabulary);
    if (found != 1)
      return llmc_make_status(LLMC_UNSUPPORTED,
                              "the program is no language model: expected %s, found %u",
                              expected->what, found);
  }
  if ((uint64_t)program->input_count + program->output_count != most)
    return llmc_make_status(LLMC_UNSUPPORTED,
                            "the program is no language model: expected %u inputs and outputs, "
                            "found %llu",
                            most, (unsigned long long)program->input_count + program->output_count);
  return llmc_ok_status();
}

llmc_status llmc_program_check(const llmc_program *program, uint64_t weights_bytes) {
  /* The version first: it says where everything else is. */
  if (program->abi_version != LLMC_PROGRAM_ABI_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH,
                            "expected program ABI %u, found %u: compile the model again",
                            LLMC_PROGRAM_ABI_VERSION, program->abi_version);
  LLMC_RETURN_IF_ERROR(check_numbers(program));
  for (uint32_t i = 0; i < program->region_count; ++i)
    LLMC_RETURN_IF_ERROR(check_region(program, i));
  LLMC_RETURN_IF_ERROR(check_values("input", program->inputs, program->input_count));
  LLMC_RETURN_IF_ERROR(check_values("output", program->outputs, program->output_count));
  LLMC_RETURN_IF_ERROR(check_model(program));
  if (program->weights_bytes != weights_bytes)
    return llmc_make_status(LLMC_CORRUPT, "expected %llu bytes of weights, found %llu",
                            (unsigned long long)program->weights_bytes,
                            (unsigned long long)weights_bytes);
  return llmc_ok_status();
}
