//===- tokenizer.h - text to token ids and back, for a Hugging Face file --===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the tokenizer's C ABI: it reads tokenizer.json from memory, and gives
// the same ids and text as the `tokenizers` library.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOKENIZER_H
#define LLMC_TOKENIZER_H

#include "llmc/status.h"

#include <stddef.h>
#include <stdint.h>

LLMC_EXTERN_C_BEGIN

/// A loaded tokenizer. It never changes after it is made, and any number of threads may use one at
/// the same time. Counted: llmc_tokenizer_create gives one reference.
typedef struct llmc_tokenizer llmc_tokenizer;

/// Decodes one sequence of tokens as they are generated. One thread at a time.
typedef struct llmc_token_stream llmc_token_stream;

/// Reads a tokenizer.json of `json_size` bytes, and a tokenizer_config.json of `config_size` bytes
/// (null and 0 if there is none). Neither is needed after the call. Both are untrusted: whatever is
/// malformed gives LLMC_CORRUPT, and whatever is well formed but not known here LLMC_UNSUPPORTED,
/// with a message that names the place in the file ("pre_tokenizer.pretokenizers[1].type: …").
///
/// Character classes and normal forms are those of the Unicode version of the PCRE2 and utf8proc
/// libraries, but where the `tokenizers` library takes them from older tables, which are followed:
/// Unicode 8 for the BERT and Punctuation steps, 9 for scripts and StripAccents, 12 for normal
/// forms. Numbers and letters that came to Unicode after 15 are known to that library alone.
///
/// Of tokenizer_config.json only the names of tokens (bos_token, eos_token …), add_bos_token and
/// chat_template are read: everything else there directs the Python library's classes, not the
/// tokenization.
///
/// Release the tokenizer with llmc_tokenizer_release.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_create(const char *json, size_t json_size,
                                                         const char *config, size_t config_size,
                                                         llmc_tokenizer **tokenizer);

/// The contents of a file; null and 0 where there is none.
typedef struct llmc_tokenizer_file {
  const char *data;
  size_t size;
} llmc_tokenizer_file;

/// What says how a model's texts are written. Set what there is not to zero.
typedef struct llmc_tokenizer_files {
  /// tokenizer.json, the one that must be there.
  llmc_tokenizer_file tokenizer;
  /// tokenizer_config.json.
  llmc_tokenizer_file tokenizer_config;
  /// A chat template in Jinja, such as chat_template.jinja, or chat_template.json. It comes before
  /// the configuration's own.
  llmc_tokenizer_file chat_template;
  /// generation_config.json and config.json, of which eos_token_id is read.
  llmc_tokenizer_file generation_config;
  llmc_tokenizer_file model_config;
} llmc_tokenizer_files;

/// Reads a tokenizer in the same way, with what else the model says of its texts. None of the files
/// is needed after the call.
LLMC_API LLMC_MUST_USE llmc_status
llmc_tokenizer_create_from_files(const llmc_tokenizer_files *files, llmc_tokenizer **tokenizer);

/// Reads tokenizer.json in `folder` in the same way, and of the other files those that there are.
/// Where there is no tokenizer.json gives LLMC_NOT_FOUND, and what can't be read LLMC_IO_ERROR.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_load(const char *folder,
                                                       llmc_tokenizer **tokenizer);
LLMC_API void llmc_tokenizer_retain(llmc_tokenizer *tokenizer);
/// Null is allowed.
LLMC_API void llmc_tokenizer_release(llmc_tokenizer *tokenizer);

/// How text is read by llmc_tokenizer_encode: a sum of these.
enum {
  /// Adds what the file's post-processor adds, such as a token for the beginning of a text.
  LLMC_ENCODE_ADD_SPECIAL = 1,
  /// Takes text that spells a control token as plain text: for text from strangers. Control tokens
  /// are all added tokens, special or not, but for those that are not special and nothing but
  /// spaces; the tokens of the post-processor and of tokenizer_config.json; the marks of the chat
  /// template (<…> and [NAME]), and whatever the vocabulary has in <|bars|>. None of them is made,
  /// whether it stands among the added tokens or in the model's vocabulary alone. Only the unknown
  /// token still stands for what the vocabulary lacks, and byte tokens for bytes.
  LLMC_ENCODE_PLAIN_TEXT = 2
};

/// Turns `text`, `text_size` bytes of valid UTF-8 (else LLMC_INVALID_ARGUMENT), into ids.
///
/// Writes at most `capacity` ids to `ids` and always sets `*count` to the number there are. If they
/// do not fit, returns LLMC_OUT_OF_MEMORY and writes none; with a null `ids` and no capacity it
/// only counts. Room for text_size + 16 ids is enough unless the file's normalizer makes text
/// longer.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_encode(const llmc_tokenizer *tokenizer,
                                                         const char *text, size_t text_size,
                                                         uint32_t flags, int32_t *ids,
                                                         size_t capacity, size_t *count);

/// How tokens are written by llmc_tokenizer_decode and a stream: a sum of these.
enum {
  /// Leaves out special tokens.
  LLMC_DECODE_SKIP_SPECIAL = 1
};

/// Turns ids into UTF-8 text. What is not valid UTF-8 becomes U+FFFD. Writes at most `capacity`
/// bytes to `text`, with no NUL at the end, and always sets `*size` to the number there are; the
/// rules for too little room are those of llmc_tokenizer_encode. An id that is not in the
/// vocabulary gives LLMC_OUT_OF_RANGE.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_decode(const llmc_tokenizer *tokenizer,
                                                         const int32_t *ids, size_t count,
                                                         uint32_t flags, char *text,
                                                         size_t capacity, size_t *size);

/// Makes a stream, which keeps a reference to the tokenizer. `flags` as for llmc_tokenizer_decode.
/// The texts of all pushes and of the finish, one after the other, are the text that
/// llmc_tokenizer_decode gives for all the ids, with one exception: where a run of byte tokens
/// (<0x00> to <0xFF>) is not valid UTF-8, llmc_tokenizer_decode replaces all of it, while a stream
/// has given out the whole characters that it began with.
LLMC_API LLMC_MUST_USE llmc_status llmc_token_stream_create(llmc_tokenizer *tokenizer,
                                                            uint32_t flags,
                                                            llmc_token_stream **stream);
/// Null is allowed.
LLMC_API void llmc_token_stream_release(llmc_token_stream *stream);
/// Takes the next token and gives the text that is now certain: bytes that may still become part of
/// a character are held back. `*text` stays valid until the next call on this stream.
LLMC_API LLMC_MUST_USE llmc_status llmc_token_stream_push(llmc_token_stream *stream, int32_t id,
                                                          const char **text, size_t *size);
/// Gives the text that was held back, and begins anew.
LLMC_API LLMC_MUST_USE llmc_status llmc_token_stream_finish(llmc_token_stream *stream,
                                                            const char **text, size_t *size);

/// Gives the largest id plus one; smaller ids may be unused.
LLMC_API size_t llmc_tokenizer_vocabulary_size(const llmc_tokenizer *tokenizer);

/// Finds the id of a token by its name in the file (not by the text it decodes to).
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_find_token(const llmc_tokenizer *tokenizer,
                                                             const char *name, size_t name_size,
                                                             int32_t *id);
/// Gives a token's name in the file; `*name` stays valid as long as the tokenizer.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_token_name(const llmc_tokenizer *tokenizer,
                                                             int32_t id, const char **name,
                                                             size_t *name_size);
/// Says whether `id` is a special token (1) or not, or unknown (0).
LLMC_API int llmc_tokenizer_is_special(const llmc_tokenizer *tokenizer, int32_t id);

/// The roles that tokenizer_config.json gives to tokens.
enum {
  LLMC_TOKEN_BEGIN_OF_TEXT = 0,
  LLMC_TOKEN_END_OF_TEXT = 1,
  LLMC_TOKEN_PADDING = 2,
  LLMC_TOKEN_UNKNOWN = 3
};

/// Gives the token with a role; LLMC_NOT_FOUND if the configuration names none.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_role_token(const llmc_tokenizer *tokenizer,
                                                             int role, int32_t *id);

/// Gives the tokens that begin every text of the model: what the post-processor puts before one, or
/// where it puts nothing and tokenizer_config.json says add_bos_token, its bos_token. None for many
/// models. LLMC_ENCODE_ADD_SPECIAL adds them. Room as for llmc_tokenizer_encode.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_begin_tokens(const llmc_tokenizer *tokenizer,
                                                               int32_t *ids, size_t capacity,
                                                               size_t *count);
/// Gives the tokens that end a text: all that generation_config.json, config.json and
/// tokenizer_config.json name, and the special token that the chat template writes after an answer.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_end_tokens(const llmc_tokenizer *tokenizer,
                                                             int32_t *ids, size_t capacity,
                                                             size_t *count);

/// One turn of a conversation: `role` is "system", "user", "assistant", "tool" or "developer".
typedef struct llmc_chat_message {
  const char *role;
  const char *content;
  size_t content_size;
} llmc_chat_message;

/// How a conversation is written by llmc_tokenizer_encode_chat: a sum of these.
enum {
  /// Opens the assistant's next turn after the last message.
  LLMC_CHAT_OPEN_ANSWER = 1,
  /// Writes only what comes after the last message of the assistant: to go on with a conversation
  /// whose tokens to the end of that message have been evaluated. LLMC_FAILED_PRECONDITION if the
  /// template writes what came before otherwise now, so that all has to be evaluated anew.
  LLMC_CHAT_CONTINUE = 2
};

/// Says whether conversations can be written: LLMC_OK, or why there is no chat template that can be
/// run. A template that can't be read is no reason for llmc_tokenizer_create to fail.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_check_chat(const llmc_tokenizer *tokenizer);

/// Writes a conversation as ids, by the model's own chat template. The contents are plain text:
/// what spells a control token there makes none, however the template cuts, joins and changes it,
/// as LLMC_ENCODE_PLAIN_TEXT says. No system message is added but by the template.
///
/// The template is run as Jinja's sandbox runs it with the settings of the Python library
/// `transformers`, with the variables `messages`, `add_generation_prompt`, `tools` and `documents`
/// (none), and the names of the configuration's tokens. It is untrusted: one that fails, or takes
/// more than some seconds or some hundred megabytes, gives a message with its line. A template's
/// own complaint (raise_exception) gives LLMC_INVALID_ARGUMENT, and what is not supported in it
/// LLMC_UNSUPPORTED. Room as for llmc_tokenizer_encode.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_encode_chat(const llmc_tokenizer *tokenizer,
                                                              const llmc_chat_message *messages,
                                                              size_t message_count, uint32_t flags,
                                                              int32_t *ids, size_t capacity,
                                                              size_t *count);
/// Writes a conversation as text, in which messages can no longer be told from the template: to
/// look at, not to encode. Room as for llmc_tokenizer_decode.
LLMC_API LLMC_MUST_USE llmc_status llmc_tokenizer_render_chat(const llmc_tokenizer *tokenizer,
                                                              const llmc_chat_message *messages,
                                                              size_t message_count, uint32_t flags,
                                                              char *text, size_t capacity,
                                                              size_t *size);

LLMC_EXTERN_C_END

#endif // LLMC_TOKENIZER_H
