//===- Regex.h - patterns that text is searched for -----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares regular expressions and literal texts as one kind of pattern, on PCRE2.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_REGEX_H
#define LLMC_RUNTIME_TOKENIZER_REGEX_H

#include "Unicode.h"

#include "llmc/status.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llmc::tokenizer {

struct RegexDeleter {
  void operator()(pcre2_code *code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context *context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_jit_stack *stack) const { pcre2_jit_stack_free(stack); }
};

/// What searching needs to write to: one for each thread.
class RegexScratch {
public:
  RegexScratch();

  pcre2_match_data *matchData() const { return data.get(); }
  pcre2_match_context *matchContext() const { return context.get(); }

private:
  std::unique_ptr<pcre2_match_data, RegexDeleter> data;
  std::unique_ptr<pcre2_match_context, RegexDeleter> context;
  std::unique_ptr<pcre2_jit_stack, RegexDeleter> stack;
};

/// The size of the longest text that is taken.
inline constexpr size_t maximumTextSize = size_t(1) << 28;

/// A part of a text, in bytes.
struct Span {
  size_t begin;
  size_t end;

  size_t size() const { return end - begin; }
};

/// A part of a text that a pattern matched, or one between two matches.
struct Match {
  Span span;
  bool isMatch;
};

/// A regular expression or a literal text; it never changes after it is made.
class Pattern {
public:
  /// Compiles a regular expression in Oniguruma's syntax.
  static llmc_status compile(std::string_view oniguruma, Pattern &pattern);
  /// Compiles one of our own, in PCRE2's.
  static llmc_status compilePcre(std::string_view expression, Pattern &pattern);
  static Pattern literal(std::string text);

  /// Cuts all of `text`, valid UTF-8, into matches and what lies between them. An empty match is
  /// found only where no other match ends.
  llmc_status findMatches(std::string_view text, RegexScratch &scratch,
                          std::vector<Match> &matches) const;

  /// Hands the same matches and parts between them to `take`, which returns a status, one by one.
  template <typename Taker>
  llmc_status forEachMatch(std::string_view text, RegexScratch &scratch, Taker take) const;

  /// The text that is looked for; empty for a regular expression.
  const std::string &literalText() const { return text; }

private:
  /// Finds the first match at or after `from`. Sets `found` to false if there is none.
  llmc_status find(std::string_view text, size_t from, RegexScratch &scratch, Span &span,
                   bool &found) const;

  std::string text;
  std::unique_ptr<pcre2_code, RegexDeleter> code;
};

template <typename Taker>
llmc_status Pattern::forEachMatch(std::string_view subject, RegexScratch &scratch,
                                  Taker take) const {
  if (subject.empty())
    return take(Match{{0, 0}, false});
  size_t covered = 0;
  size_t from = 0;
  bool any = false;
  while (from <= subject.size()) {
    Span span;
    bool found;
    LLMC_RETURN_IF_ERROR(find(subject, from, scratch, span, found));
    if (!found)
      break;
    if (span.size() == 0 && any && covered == span.end) {
      from += from < subject.size() ? characterSize(subject, from) : 1;
      continue;
    }
    if (covered != span.begin)
      LLMC_RETURN_IF_ERROR(take(Match{{covered, span.begin}, false}));
    LLMC_RETURN_IF_ERROR(take(Match{span, true}));
    from = span.end;
    covered = span.end;
    any = true;
  }
  if (covered != subject.size())
    return take(Match{{covered, subject.size()}, false});
  return llmc_ok_status();
}

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_REGEX_H
