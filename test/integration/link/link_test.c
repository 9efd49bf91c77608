/*===- link_test.c - models that are linked into a program ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* `link_test FIRST.weights SECOND.weights`: loads the models from files and   */
/* from memory, and demands a message for each thing that can be wrong.        */

#include "first.h"
#include "second.h"

#include "llmc/artifact.h"
#include "llmc/llmc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static void expect(int holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "failed: %s\n", what);
  ++failures;
}

/* Demands that loading failed with `code` and a message that has `text` in it. */
static void expect_error(llmc_status status, int32_t code, const char *text,
                         const llmc_model *model) {
  if (status.code != code || !strstr(status.message, text)) {
    fprintf(stderr, "expected %s: %s, found %s: %s\n", llmc_status_code_name(code), text,
            llmc_status_code_name(status.code), status.message);
    ++failures;
  }
  expect(model == NULL, "a model that failed to load is null");
}

static void check(llmc_status status) {
  if (llmc_status_ok(&status))
    return;
  fprintf(stderr, "%s\n", status.message);
  exit(1);
}

/* The logits of a few tokens; the model is released. */
static float *evaluate(llmc_model *model, size_t *size) {
  static const int32_t tokens[] = {3, 1, 4, 1, 5, 9, 2, 6};
  enum { COUNT = sizeof tokens / sizeof *tokens };
  llmc_model_info info;
  llmc_session *session;
  float *logits;
  llmc_model_get_info(model, &info);
  *size = COUNT * info.vocabulary * sizeof *logits;
  logits = malloc(*size);
  check(llmc_session_create(model, &session));
  llmc_model_release(model);
  check(llmc_session_evaluate(session, tokens, COUNT, logits));
  llmc_session_release(session);
  return logits;
}

static void test_loading(const char *first_path, const char *second_path) {
  llmc_model *from_file, *from_memory, *other;
  llmc_model_options options = llmc_model_default_options();
  llmc_model_info info;
  const char *data;
  size_t size, same_size, other_size;
  float *logits, *same, *different;
  options.verify_weights = 1;
  check(llmc_model_load_program(&first, first_path, &options, &from_file));
  check(
      llmc_model_load_embedded(&first, first_weights, first_weights_size, &options, &from_memory));
  check(llmc_model_load_program(&second, second_path, &options, &other));
  llmc_model_get_info(from_file, &info);
  expect(info.max_rows == 64, "OPTIONS reach the compiler");
  llmc_model_get_info(other, &info);
  expect(info.max_rows == 4, "MAX_ROWS reaches the program");
  expect(strstr(info.description, "\"model\":\"model.mlir\"") != NULL,
         "the program describes itself");
  expect_error(llmc_model_get_file(other, "tokenizer.json", &data, &size), LLMC_NOT_FOUND,
               "the model carries no file 'tokenizer.json'", NULL);
  logits = evaluate(from_file, &size);
  same = evaluate(from_memory, &same_size);
  different = evaluate(other, &other_size);
  expect(size == same_size && memcmp(logits, same, size) == 0,
         "weights in a file and in memory give the same logits");
  expect(size == other_size && memcmp(logits, different, size) != 0,
         "two models in one program are two");
  free(logits);
  free(same);
  free(different);
}

static void test_arguments(const char *path) {
  llmc_model *model = NULL;
  llmc_program newer = first;
  llmc_model_options options = llmc_model_default_options();
  newer.abi_version += 1;
  expect_error(llmc_model_load_program(NULL, path, NULL, &model), LLMC_INVALID_ARGUMENT,
               "expected a program, found null", model);
  expect_error(llmc_model_load_program(&first, NULL, NULL, &model), LLMC_INVALID_ARGUMENT,
               "expected a path, found null", model);
  expect_error(llmc_model_load_program(&first, path, NULL, NULL), LLMC_INVALID_ARGUMENT,
               "expected a place for the model, found null", NULL);
  expect_error(llmc_model_load_program(&first, "absent.weights", NULL, &model), LLMC_NOT_FOUND,
               "cannot open 'absent.weights'", model);
  expect_error(llmc_model_load_program(&newer, path, NULL, &model), LLMC_VERSION_MISMATCH,
               "expected program ABI", model);
  expect_error(llmc_model_load_embedded(&first, NULL, 0, NULL, &model), LLMC_INVALID_ARGUMENT,
               "expected weights, found null", model);
  options.variant = "none";
  expect_error(llmc_model_load_program(&first, path, &options, &model), LLMC_NOT_FOUND,
               "expected a variant among", model);
}

/* Weights that were damaged, in memory. */
static void test_weights(const char *second_path) {
  llmc_model *model = NULL;
  llmc_model_options options = llmc_model_default_options();
  size_t size = first_weights_size, room = size + LLMC_ALIGNMENT;
  unsigned char *copy =
      aligned_alloc(LLMC_ARTIFACT_WEIGHTS_ALIGNMENT, (room + LLMC_ARTIFACT_WEIGHTS_ALIGNMENT - 1) /
                                                         LLMC_ARTIFACT_WEIGHTS_ALIGNMENT *
                                                         LLMC_ARTIFACT_WEIGHTS_ALIGNMENT);
  memcpy(copy + 1, first_weights, size);
  expect_error(llmc_model_load_embedded(&first, copy + 1, size, NULL, &model),
               LLMC_INVALID_ARGUMENT, "expected weights at a multiple of 64 bytes", model);
  memcpy(copy, first_weights, size);
  expect_error(llmc_model_load_embedded(&first, copy, size - 1, NULL, &model), LLMC_CORRUPT,
               "bytes of weights, found", model);
  expect_error(llmc_model_load_embedded(&first, copy, 8, NULL, &model), LLMC_CORRUPT,
               "expected a file of weights, found another file", model);
  copy[size - 1] ^= 1;
  options.verify_weights = 1;
  expect_error(llmc_model_load_embedded(&first, copy, size, &options, &model), LLMC_CORRUPT,
               "the checksum of the weights is wrong", model);
  copy[0] ^= 1;
  expect_error(llmc_model_load_embedded(&first, copy, size, NULL, &model), LLMC_CORRUPT,
               "expected a file of weights, found another file", model);
  free(copy);
  expect_error(llmc_model_load_program(&first, second_path, NULL, &model), LLMC_CORRUPT,
               "the weights belong to another program", model);
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  unsetenv("LLMC_VARIANT");
  test_loading(argv[1], argv[2]);
  test_arguments(argv[1]);
  test_weights(argv[2]);
  return failures != 0;
}
