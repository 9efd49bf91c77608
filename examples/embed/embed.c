/*===- embed.c - writes text with a model that is linked in ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/
/* Shows what an application does: `embed PROMPT [TOKENS]`.                   */

#include "model.h" /* made by llmc_add_model */

#include "llmc/llmc.h"
#include "llmc/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_PROMPT = 4096 };

static void check(llmc_status status) {
  if (llmc_status_ok(&status))
    return;
  fprintf(stderr, "embed: %s\n", status.message);
  exit(1);
}

/* The contents of a file, to be freed; null and 0 where it can't be read. */
static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  long room = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  *size = 0;
  if (room >= 0 && (text = malloc((size_t)room + 1))) {
    rewind(file);
    *size = fread(text, 1, (size_t)room, file);
  }
  if (file)
    fclose(file);
  return text;
}

static llmc_tokenizer *load_tokenizer(const char *path, const char *config_path) {
  size_t size, config_size;
  char *json = read_file(path, &size), *config = read_file(config_path, &config_size);
  llmc_tokenizer *tokenizer;
  if (!json)
    check(llmc_make_status(LLMC_NOT_FOUND, "cannot read '%s'", path));
  check(llmc_tokenizer_create(json, size, config, config_size, &tokenizer));
  free(json);
  free(config);
  return tokenizer;
}

static void print(const char *text, size_t size) { fwrite(text, 1, size, stdout); }

int main(int argc, char **argv) {
  const char *prompt = argc > 1 ? argv[1] : "Once", *text;
  size_t count, size, limit = argc > 2 ? strtoul(argv[2], NULL, 10) : 32;
  int32_t tokens[MAX_PROMPT], token, end;
  llmc_sampling sampling = llmc_sampling_default(); /* takes the most likely token */
  llmc_tokenizer *tokenizer =
      load_tokenizer(FOLDER "/tokenizer.json", FOLDER "/tokenizer_config.json");
  llmc_token_stream *stream;
  llmc_model *model_handle;
  llmc_model_info info;
  llmc_session *session;
  llmc_status status;

#ifdef EMBED
  check(llmc_model_load_embedded(&model, model_weights, model_weights_size, NULL, &model_handle));
#else
  check(llmc_model_load_program(&model, WEIGHTS, NULL, &model_handle));
#endif
  llmc_model_get_info(model_handle, &info);
  check(llmc_session_create(model_handle, &session));
  check(llmc_token_stream_create(tokenizer, LLMC_DECODE_SKIP_SPECIAL, &stream));

  check(llmc_tokenizer_encode(tokenizer, prompt, strlen(prompt), LLMC_ENCODE_ADD_SPECIAL, tokens,
                              MAX_PROMPT, &count));
  check(llmc_session_evaluate(session, tokens, count, NULL));
  print(prompt, strlen(prompt));
  status = llmc_tokenizer_role_token(tokenizer, LLMC_TOKEN_END_OF_TEXT, &end);
  if (!llmc_status_ok(&status))
    end = -1;
  while (limit-- > 0 && llmc_session_position(session) < info.context) {
    check(llmc_session_sample(session, &sampling, &token));
    if (token == end)
      break;
    check(llmc_token_stream_push(stream, token, &text, &size));
    print(text, size);
    check(llmc_session_evaluate(session, &token, 1, NULL));
  }
  check(llmc_token_stream_finish(stream, &text, &size));
  print(text, size);
  print("\n", 1);

  llmc_token_stream_release(stream);
  llmc_session_release(session);
  llmc_model_release(model_handle);
  llmc_tokenizer_release(tokenizer);
  return 0;
}
