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
  if (blocks == 0 || region->offset > program->state_bytes ||
      region->stride > (program->state_bytes - region->offset) / (blocks * region->block))
    return llmc_make_status(LLMC_CORRUPT, "region %u of the program's state lies outside it",
                            index);
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
  if (program->weights_bytes != weights_bytes)
    return llmc_make_status(LLMC_CORRUPT, "expected %llu bytes of weights, found %llu",
                            (unsigned long long)program->weights_bytes,
                            (unsigned long long)weights_bytes);
  return llmc_ok_status();
}
