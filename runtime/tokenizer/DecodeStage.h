//===- DecodeStage.h - a step from tokens to text ------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares what the stages of decoding have in common.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_DECODESTAGE_H
#define LLMC_RUNTIME_TOKENIZER_DECODESTAGE_H

#include "llmc/status.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace llmc::tokenizer {

/// Takes a sequence of tokens, each as one or more parts of whole characters, and hands what
/// becomes of them to the next stage as soon as it is certain.
class DecodeStage {
public:
  virtual ~DecodeStage() = default;
  /// Takes a part of the current token.
  virtual llmc_status text(std::string_view part) = 0;
  virtual llmc_status endToken() = 0;
  /// Takes the end of the sequence.
  virtual llmc_status finish() = 0;
};

/// A stage that works on whole tokens.
class WholeTokenStage : public DecodeStage {
public:
  explicit WholeTokenStage(DecodeStage &next) : next(next) {}
  llmc_status text(std::string_view part) final {
    current += part;
    return llmc_ok_status();
  }
  llmc_status endToken() final {
    llmc_status status = token(current);
    current.clear();
    return status;
  }
  llmc_status finish() override { return next.finish(); }

protected:
  virtual llmc_status token(const std::string &token) = 0;
  llmc_status emit(std::string_view token) {
    LLMC_RETURN_IF_ERROR(next.text(token));
    return next.endToken();
  }

  DecodeStage &next;

private:
  std::string current;
};

/// The size of the longest token that replacing may make: replacements that double a text, one
/// after the other, would else take all memory.
inline constexpr size_t maximumTokenSize = size_t(1) << 26;

inline llmc_status checkTokenSize(size_t size) {
  if (size <= maximumTokenSize)
    return llmc_ok_status();
  return llmc_make_status(LLMC_OUT_OF_MEMORY,
                          "the tokenizer's rules make a token of more than %zu bytes",
                          maximumTokenSize);
}

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_DECODESTAGE_H
