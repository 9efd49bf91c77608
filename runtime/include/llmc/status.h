//===- status.h - the result of every call of the C ABI -------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines llmc_status, a plain value with a code and a message: it needs no
// allocation and no release, and can be returned when memory has run out.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_STATUS_H
#define LLMC_STATUS_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
#define LLMC_EXTERN_C_BEGIN extern "C" {
#define LLMC_EXTERN_C_END }
#define LLMC_NODISCARD_TYPE [[nodiscard]]
#else
#define LLMC_EXTERN_C_BEGIN
#define LLMC_EXTERN_C_END
#define LLMC_NODISCARD_TYPE
#endif

/// LLMC_API marks what a shared library exports; LLMC_MUST_USE marks results that a caller must
/// look at.
#if defined(__GNUC__)
#define LLMC_API __attribute__((visibility("default")))
#define LLMC_MUST_USE __attribute__((warn_unused_result))
#define LLMC_PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define LLMC_API
#define LLMC_MUST_USE
#define LLMC_PRINTF_LIKE(text, first)
#endif

/// Says what kind of failure a call met; values never change meaning.
enum {
  LLMC_OK = 0,
  /// The caller gave something that can never be right: null, a bad option.
  LLMC_INVALID_ARGUMENT = 1,
  /// A file, function or name does not exist.
  LLMC_NOT_FOUND = 2,
  /// An index, token or position lies outside what the object holds.
  LLMC_OUT_OF_RANGE = 3,
  /// The input is damaged: truncated, of the wrong type, inconsistent.
  LLMC_CORRUPT = 4,
  /// The input is well formed, and needs something that llmc does not do.
  LLMC_UNSUPPORTED = 5,
  /// Memory, or a capacity that was fixed earlier, is used up.
  LLMC_OUT_OF_MEMORY = 6,
  /// The operating system refused: the message carries its reason.
  LLMC_IO_ERROR = 7,
  /// The machine lacks what is asked for: an instruction set, a driver.
  LLMC_UNAVAILABLE = 8,
  /// The call is right, but not in the state the object is in.
  LLMC_FAILED_PRECONDITION = 9,
  /// The artifact or caller was built for another version of this ABI.
  LLMC_VERSION_MISMATCH = 10,
  /// llmc broke its own promise: please report it.
  LLMC_INTERNAL = 11
};

enum { LLMC_STATUS_MESSAGE_SIZE = 508 };

/// What a call returns. `code` is LLMC_OK or one of the codes above; `message` is a NUL-terminated
/// UTF-8 sentence in lower case with no full stop, empty on success, cut short if it is too long.
struct LLMC_NODISCARD_TYPE llmc_status {
  int32_t code;
  char message[LLMC_STATUS_MESSAGE_SIZE];
};
typedef struct llmc_status llmc_status;

/// Says that nothing went wrong. Writes only the code and the message's end.
static inline llmc_status llmc_ok_status(void) {
  llmc_status status;
  status.code = LLMC_OK;
  status.message[0] = '\0';
  return status;
}

static inline int llmc_status_ok(const llmc_status *status) { return status->code == LLMC_OK; }

/// Ends a message that may have been cut at a whole UTF-8 character.
static inline void llmc_status_trim_message(llmc_status *status) {
  size_t length, begin;
  unsigned char lead;
  status->message[LLMC_STATUS_MESSAGE_SIZE - 1] = '\0';
  length = strlen(status->message);
  if (length + 1 < LLMC_STATUS_MESSAGE_SIZE)
    return;
  begin = length;
  while (begin > 0 && length - begin < 4 &&
         ((unsigned char)status->message[begin - 1] & 0xc0) == 0x80)
    --begin;
  if (begin == 0)
    return;
  --begin;
  lead = (unsigned char)status->message[begin];
  if (length - begin < (size_t)(lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1))
    status->message[begin] = '\0';
}

/// Makes an error of `code` with a printf-like message.
LLMC_PRINTF_LIKE(2, 3)
static inline llmc_status llmc_make_status(int32_t code, const char *format, ...) {
  llmc_status status;
  va_list arguments;
  status.code = code;
  va_start(arguments, format);
  if (vsnprintf(status.message, sizeof(status.message), format, arguments) < 0)
    status.message[0] = '\0';
  va_end(arguments);
  llmc_status_trim_message(&status);
  return status;
}

/// Puts what was being done before an error's message: "CONTEXT: MESSAGE". Success stays as it is.
static inline llmc_status llmc_annotate_status(llmc_status status, const char *context) {
  llmc_status annotated;
  if (status.code == LLMC_OK)
    return status;
  annotated = llmc_make_status(status.code, "%s: %s", context, status.message);
  return annotated;
}

/// Names a code for logs: "ok", "not found". Never null.
static inline const char *llmc_status_code_name(int32_t code) {
  static const char *const names[] = {
      "ok",          "invalid argument",    "not found",        "out of range",
      "corrupt",     "unsupported",         "out of memory",    "i/o error",
      "unavailable", "failed precondition", "version mismatch", "internal"};
  if (code < 0 || code > LLMC_INTERNAL)
    return "unknown";
  return names[code];
}

/// Returns from the calling function with the error of `expression`, if it is one.
#define LLMC_RETURN_IF_ERROR(expression)                                                           \
  do {                                                                                             \
    llmc_status llmc_status_of_call = (expression);                                                \
    if (llmc_status_of_call.code != LLMC_OK)                                                       \
      return llmc_status_of_call;                                                                  \
  } while (0)

#endif // LLMC_STATUS_H
