//===- Regex.cpp - patterns that text is searched for ---------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles and searches patterns with PCRE2 and its just-in-time compiler.
//
//===----------------------------------------------------------------------===//

#include "Regex.h"

#include "OnigurumaSyntax.h"

#include <new>

namespace llmc::tokenizer {

namespace {
// A bound on the work of one search, for expressions whose time grows exponentially: a few seconds.
constexpr uint32_t matchLimit = 200'000'000;
// In KiB: what the interpreter may take where the compiled expression's stack is not enough.
constexpr uint32_t heapLimit = 256 * 1024;
constexpr size_t jitStackStart = 32 * 1024;
constexpr size_t jitStackLimit = 8 * 1024 * 1024;

std::string errorText(int error) {
  char message[256];
  if (pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR *>(message), sizeof(message)) < 0)
    return "error " + std::to_string(error);
  return message;
}
} // namespace

RegexScratch::RegexScratch()
    : data(pcre2_match_data_create(1, nullptr)), context(pcre2_match_context_create(nullptr)),
      stack(pcre2_jit_stack_create(jitStackStart, jitStackLimit, nullptr)) {
  if (!data || !context)
    throw std::bad_alloc();
  pcre2_set_match_limit(context.get(), matchLimit);
  pcre2_set_heap_limit(context.get(), heapLimit);
  // Null where PCRE2 has no just-in-time compiler for the machine.
  if (stack)
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
}

llmc_status Pattern::compilePcre(std::string_view expression, Pattern &pattern) {
  int error;
  PCRE2_SIZE offset;
  pattern.code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()),
                                   expression.size(), PCRE2_UTF, &error, &offset, nullptr));
  if (!pattern.code)
    return llmc_make_status(LLMC_UNSUPPORTED, "regular expression: %s", errorText(error).c_str());
  // A machine without it has the interpreter: the same matches, only slower.
  (void)pcre2_jit_compile(pattern.code.get(), PCRE2_JIT_COMPLETE);
  return llmc_ok_status();
}

llmc_status Pattern::compile(std::string_view oniguruma, Pattern &pattern) {
  std::string expression;
  LLMC_RETURN_IF_ERROR(translateOniguruma(oniguruma, expression));
  return compilePcre(expression, pattern);
}

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.text = std::move(text);
  return pattern;
}

llmc_status Pattern::find(std::string_view subject, size_t from, RegexScratch &scratch, Span &span,
                          bool &found) const {
  if (!code) {
    size_t begin = subject.find(text, from);
    found = begin != std::string_view::npos;
    if (found)
      span = {begin, begin + text.size()};
    return llmc_ok_status();
  }
  auto search = [&](uint32_t options) {
    return pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(),
                       from, options | PCRE2_NO_UTF_CHECK, scratch.matchData(),
                       scratch.matchContext());
  };
  int result = search(0);
  if (result == PCRE2_ERROR_JIT_STACKLIMIT)
    result = search(PCRE2_NO_JIT);
  found = result >= 0;
  if (found) {
    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(scratch.matchData());
    span = {bounds[0], bounds[1]};
    // A lookahead that ends before it begins can come from \K alone, which is never written.
    return span.begin <= span.end ? llmc_ok_status()
                                  : llmc_make_status(LLMC_INTERNAL, "a match that runs backwards");
  }
  if (result == PCRE2_ERROR_NOMATCH)
    return llmc_ok_status();
  return llmc_make_status(LLMC_OUT_OF_MEMORY, "regular expression gave up on this text: %s",
                          errorText(result).c_str());
}

llmc_status Pattern::findMatches(std::string_view subject, RegexScratch &scratch,
                                 std::vector<Match> &matches) const {
  matches.clear();
  return forEachMatch(subject, scratch, [&](const Match &match) {
    matches.push_back(match);
    return llmc_ok_status();
  });
}

} // namespace llmc::tokenizer
