/*===- logits.c - writes the logits of a model that is linked in ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* `logits MODEL OUTPUT PREFILL TOKEN…` evaluates PREFILL tokens at once and   */
/* the rest one by one, and writes all logits as raw fp32. MODEL is an         */
/* artifact, or the file of weights of the linked model. Needs libc alone.     */

#include "model.h"

#include "llmc/llmc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(llmc_status status) {
  if (llmc_status_ok(&status))
    return;
  fprintf(stderr, "logits: %s\n", status.message);
  exit(1);
}

int main(int argc, char **argv) {
  llmc_model *loaded;
  llmc_session *session;
  llmc_model_info info;
  int32_t tokens[256];
  float *logits;
  FILE *output;
  size_t count = (size_t)(argc - 4), prefill = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;
  if (argc < 5 || count > 256 || prefill > count)
    check(llmc_make_status(LLMC_INVALID_ARGUMENT, "expected MODEL OUTPUT PREFILL TOKEN…"));
  for (size_t i = 0; i < count; ++i)
    tokens[i] = (int32_t)strtol(argv[4 + i], NULL, 10);
  if (strstr(argv[1], ".weights"))
    check(llmc_model_load_program(&model, argv[1], NULL, &loaded));
  else
    check(llmc_model_load(argv[1], NULL, &loaded));
  llmc_model_get_info(loaded, &info);
  printf("%s\n", info.variant);
  check(llmc_session_create(loaded, &session));
  logits = malloc(count * info.vocabulary * sizeof *logits);
  if (prefill)
    check(llmc_session_evaluate(session, tokens, prefill, logits));
  for (size_t i = prefill; i < count; ++i)
    check(llmc_session_evaluate(session, &tokens[i], 1, logits + i * info.vocabulary));
  output = fopen(argv[2], "wb");
  if (!output || fwrite(logits, info.vocabulary * sizeof *logits, count, output) != count ||
      fclose(output))
    check(llmc_make_status(LLMC_IO_ERROR, "cannot write '%s'", argv[2]));
  free(logits);
  llmc_session_release(session);
  llmc_model_release(loaded);
  return 0;
}
