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
#include <string.h>

static void check(llmc_status status) {
  if (llmc_status_ok(&status))
    return;
  fprintf(stderr, "embed: %s\n", status.message);
  exit(1);
}

int main(int argc, char **argv) {
  const char *prompt = argc > 1 ? argv[1] : "Once", *text;
  size_t limit = argc > 2 ? strtoul(argv[2], NULL, 10) : 32, count, size;
  int32_t tokens[4096], token;

  llmc_model *loaded;
  llmc_model_info info;
  llmc_session *session;
#ifdef EMBED
  check(llmc_model_load_embedded(&model, model_weights, model_weights_size, NULL, &loaded));
#else
  check(llmc_model_load_program(&model, WEIGHTS, NULL, &loaded));
#endif
  llmc_model_get_info(loaded, &info);
  check(llmc_session_create(loaded, &session));

  llmc_tokenizer *tokenizer;
  llmc_token_stream *stream; /* holds back bytes until they are whole characters */
  check(llmc_tokenizer_load(FOLDER, &tokenizer));
  check(llmc_token_stream_create(tokenizer, LLMC_DECODE_SKIP_SPECIAL, &stream));

  check(llmc_tokenizer_encode(tokenizer, prompt, strlen(prompt), LLMC_ENCODE_ADD_SPECIAL, tokens,
                              sizeof(tokens) / sizeof(*tokens), &count));
  check(llmc_session_evaluate(session, tokens, count, NULL));
  fputs(prompt, stdout);

  const llmc_sampling sampling = llmc_sampling_default(); /* takes the most likely token */
  while (limit-- > 0 && llmc_session_position(session) < info.context) {
    check(llmc_session_sample(session, &sampling, &token));
    if (llmc_tokenizer_is_special(tokenizer, token)) /* such as the end of the text */
      break;
    check(llmc_token_stream_push(stream, token, &text, &size));
    fwrite(text, 1, size, stdout);
    fflush(stdout);
    check(llmc_session_evaluate(session, &token, 1, NULL));
  }
  check(llmc_token_stream_finish(stream, &text, &size));
  fwrite(text, 1, size, stdout);
  puts("");

  llmc_token_stream_release(stream);
  llmc_tokenizer_release(tokenizer);
  llmc_session_release(session);
  llmc_model_release(loaded);
}
