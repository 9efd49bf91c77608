/*===- cuda_image.c - a program's code for a GPU ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#include "cuda_image.h"
#include "container.h"

#include <stdlib.h>
#include <string.h>

/*===-- Checking ----------------------------------------------------------===*/

/* Whether `bytes` bytes at `offset` lie in an image, behind its header. */
static int is_inside(const llmc_cuda_image *image, uint64_t offset, uint64_t bytes,
                     uint64_t alignment) {
  return offset >= sizeof *image && offset <= image->bytes && bytes <= image->bytes - offset &&
         offset % alignment == 0;
}

/* Whether a text of `bytes` bytes has one end, its last byte. */
static int is_text(const llmc_cuda_image *image, uint64_t offset, uint64_t bytes) {
  const char *text = (const char *)image + offset;
  return bytes > 0 && memchr(text, 0, bytes) == text + bytes - 1;
}

/* Checks an image, of which `size` bytes can be read. */
static llmc_status check_image(const llmc_cuda_image *image, uint64_t size) {
  if (size < sizeof *image || memcmp(image->magic, LLMC_CUDA_IMAGE_MAGIC, sizeof image->magic) != 0)
    return llmc_make_status(LLMC_CORRUPT, "expected code for a GPU, found something else");
  if (image->version != LLMC_CUDA_IMAGE_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH,
                            "expected code for GPUs of version %u, found %u: compile the model "
                            "again",
                            LLMC_CUDA_IMAGE_VERSION, image->version);
  if (image->bytes > size ||
      !is_inside(image, image->regions_offset,
                 (uint64_t)image->region_count * sizeof(llmc_state_region), 8) ||
      !is_inside(image, image->description_offset, image->description_bytes, 1) ||
      !is_inside(image, image->code_offset, image->code_bytes, LLMC_ALIGNMENT) ||
      !is_text(image, image->description_offset, image->description_bytes) ||
      !memchr(image->architecture, 0, sizeof image->architecture) || image->reserved ||
      image->threads == 0 || image->threads > 1024 || image->code_bytes == 0)
    return llmc_make_status(LLMC_CORRUPT, "the code for GPUs describes itself wrongly");
  if (image->code == LLMC_CUDA_PTX && !is_text(image, image->code_offset, image->code_bytes))
    return llmc_make_status(LLMC_CORRUPT, "the code for GPUs is no text with an end");
  if (image->code != LLMC_CUDA_PTX && image->code != LLMC_CUDA_CUBIN)
    return llmc_make_status(LLMC_UNSUPPORTED, "code for GPUs of an unknown kind %u", image->code);
  return llmc_ok_status();
}

/*===-- Choosing ----------------------------------------------------------===*/

/* "sm_90a": the compute capability times 10, and whether it is for this one alone. */
typedef struct {
  int number;
  int is_exact;
} architecture;

static architecture read_architecture(const char *name) {
  architecture read = {0, 0};
  char *end = NULL;
  if (strncmp(name, "sm_", 3) != 0)
    return read;
  read.number = (int)strtol(name + 3, &end, 10);
  read.is_exact = *end == 'a';
  return read;
}

/*
 * How well an image suits a GPU: 0 where it does not run; machine code before PTX, newer
 * architectures before older ones, what is for one alone before what is for newer ones too.
 */
static int rate(const llmc_cuda_image *image, int number) {
  const architecture of = read_architecture(image->architecture);
  const int is_machine_code = image->code == LLMC_CUDA_CUBIN;
  if (of.number <= 0 || of.number > number || (of.is_exact && of.number != number) ||
      (is_machine_code && of.number / 10 != number / 10))
    return 0;
  return is_machine_code * 100000 + of.number * 2 + of.is_exact;
}

static void spell_name(const llmc_cuda_image *image, char *name, size_t size) {
  snprintf(name, size, "%s %s", image->architecture,
           image->code == LLMC_CUDA_PTX ? "ptx" : "cubin");
}

/* What has been looked at. */
typedef struct {
  int number; /* of the GPU */
  const char *name;
  const llmc_cuda_image *best;
  int rating;
  char names[256];
} search;

static llmc_status consider(search *at, const void *data, uint64_t size) {
  const llmc_cuda_image *image = data;
  const size_t used = strlen(at->names);
  char name[32];
  int rating;
  LLMC_RETURN_IF_ERROR(check_image(image, size));
  spell_name(image, name, sizeof name);
  snprintf(at->names + used, sizeof at->names - used, "%s%s", used ? ", " : "", name);
  rating = rate(image, at->number);
  if (at->name && strcmp(at->name, name) != 0)
    return llmc_ok_status();
  if (at->name && rating == 0)
    return llmc_make_status(LLMC_UNAVAILABLE,
                            "variant '%s' does not run on a GPU of compute capability %d.%d", name,
                            at->number / 10, at->number % 10);
  if (rating > at->rating) {
    at->rating = rating;
    at->best = image;
  }
  return llmc_ok_status();
}

static llmc_status search_artifact(search *at, const uint8_t *artifact) {
  uint32_t count;
  const llmc_artifact_section *sections = llmc_container_sections(artifact, &count);
  for (uint32_t i = 0; i < count; ++i) {
    if (sections[i].kind != LLMC_SECTION_CUDA)
      continue;
    if (sections[i].offset % LLMC_ALIGNMENT)
      return llmc_make_status(LLMC_CORRUPT,
                              "section %u: expected a multiple of %u, found offset "
                              "%llu",
                              i, LLMC_ALIGNMENT, (unsigned long long)sections[i].offset);
    LLMC_RETURN_IF_ERROR(consider(at, artifact + sections[i].offset, sections[i].bytes));
  }
  return llmc_ok_status();
}

static llmc_status search_program(search *at, const llmc_program *program) {
  if (program->abi_version != LLMC_PROGRAM_ABI_VERSION || !program->variants)
    return llmc_program_check(program, program->weights_bytes);
  for (uint32_t i = 0; i < program->variant_count; ++i) {
    union {
      llmc_step_function step;
      const llmc_cuda_image *image;
    } address;
    if (program->variants[i].features != LLMC_VARIANT_CUDA)
      continue;
    address.step = program->variants[i].step;
    LLMC_RETURN_IF_ERROR(consider(at, address.image, address.image->bytes));
  }
  return llmc_ok_status();
}

llmc_status cuda_find_image(const llmc_driver_source *source, int major, int minor,
                            const char *name, const llmc_cuda_image **image) {
  search at = {major * 10 + minor, name, NULL, 0, ""};
  LLMC_RETURN_IF_ERROR(source->program ? search_program(&at, source->program)
                                       : search_artifact(&at, source->artifact));
  *image = at.best;
  if (at.best)
    return llmc_ok_status();
  if (!at.names[0])
    return llmc_make_status(LLMC_UNAVAILABLE,
                            "the model was not compiled for GPUs: compile it with --target=cuda");
  if (name)
    return llmc_make_status(LLMC_NOT_FOUND, "expected a variant among %s, found '%s'", at.names,
                            name);
  return llmc_make_status(LLMC_UNAVAILABLE,
                          "a GPU of compute capability %d.%d can run none of the variants %s: "
                          "compile the model with --target=cuda:sm_%d%d, or for an older "
                          "architecture",
                          major, minor, at.names, major, minor);
}

/*===-- Programs ----------------------------------------------------------===*/

static const int64_t ROWS[] = {LLMC_DIM_ROWS}, OUTPUT_ROWS[] = {LLMC_DIM_OUTPUT_ROWS};
static const llmc_value INPUTS[] = {
    {"tokens", LLMC_VALUE_TOKENS, LLMC_ELEMENT_I32, 1, ROWS},
    {"positions", LLMC_VALUE_POSITIONS, LLMC_ELEMENT_I32, 1, ROWS},
    {"sequences", LLMC_VALUE_SEQUENCES, LLMC_ELEMENT_I32, 1, ROWS},
    {"output_rows", LLMC_VALUE_OUTPUT_ROWS, LLMC_ELEMENT_I32, 1, OUTPUT_ROWS}};

void cuda_describe_program(const llmc_cuda_image *image, cuda_program *result) {
  const uint8_t *bytes = (const uint8_t *)image;
  llmc_program *program = &result->program;
  memset(result, 0, sizeof *result);
  result->image = image;
  spell_name(image, result->variant_name, sizeof result->variant_name);
  result->variant.name = result->variant_name;
  result->variant.features = LLMC_VARIANT_CUDA;
  memcpy(result->inputs, INPUTS, sizeof INPUTS);
  result->logits_shape[0] = LLMC_DIM_OUTPUT_ROWS;
  result->logits_shape[1] = image->vocabulary;
  result->outputs[0].name = "logits";
  result->outputs[0].kind = LLMC_VALUE_LOGITS;
  result->outputs[0].type = LLMC_ELEMENT_F32;
  result->outputs[0].rank = 2;
  result->outputs[0].shape = result->logits_shape;
  program->abi_version = LLMC_PROGRAM_ABI_VERSION;
  program->vocabulary = image->vocabulary;
  program->context = image->context;
  program->max_rows = image->max_rows;
  program->weights_bytes = image->weights_bytes;
  program->arena_bytes = image->arena_bytes;
  program->worker_arena_bytes = image->block_arena_bytes;
  program->state_bytes = image->state_bytes;
  program->region_count = image->region_count;
  program->variant_count = 1;
  program->input_count = 4;
  program->output_count = 1;
  program->regions = (const llmc_state_region *)(bytes + image->regions_offset);
  program->variants = &result->variant;
  program->inputs = result->inputs;
  program->outputs = result->outputs;
  program->description = (const char *)bytes + image->description_offset;
}
