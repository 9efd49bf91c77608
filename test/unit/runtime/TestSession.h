//===- TestSession.h - sessions of the fake program ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_RUNTIME_TESTSESSION_H
#define LLMC_TEST_UNIT_RUNTIME_TESTSESSION_H

#include "FakeProgram.h"
#include "llmc/llmc.h"

#include "gtest/gtest.h"

#include <vector>

namespace llmc::test {

inline std::vector<int32_t> makeTokens(size_t count, size_t seed = 1) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < count; ++i)
    tokens.push_back(static_cast<int32_t>((i * 7 + seed * 13) % fakeVocabulary));
  return tokens;
}

/// A session that is released at the end. `Model` loads it with weights that are all 7.
struct Session {
  explicit Session(llmc_model *model) {
    llmc_status status = llmc_session_create(model, &handle);
    EXPECT_EQ(status.code, LLMC_OK) << status.message;
  }
  Session(const Session &source) {
    EXPECT_EQ(llmc_session_fork(source.handle, &handle).code, LLMC_OK);
  }
  Session(Session &&other) noexcept : handle(other.handle) { other.handle = nullptr; }
  Session &operator=(const Session &) = delete;
  ~Session() { llmc_session_release(handle); }

  void evaluate(const std::vector<int32_t> &tokens, float *logits = nullptr) {
    llmc_status status = llmc_session_evaluate(handle, tokens.data(), tokens.size(), logits);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
  }
  bool hasLogits() {
    const float *logits = nullptr;
    llmc_status status = llmc_session_logits(handle, &logits);
    EXPECT_EQ(status.code, logits ? LLMC_OK : LLMC_FAILED_PRECONDITION);
    return logits != nullptr;
  }
  /// Expects the tokens of a session that evaluated these.
  void expectTokens(const std::vector<int32_t> &tokens) {
    ASSERT_EQ(llmc_session_position(handle), tokens.size());
    const int32_t *found = llmc_session_tokens(handle);
    EXPECT_EQ(std::vector<int32_t>(found, found + tokens.size()), tokens);
  }
  /// The logits too.
  void expect(const std::vector<int32_t> &tokens) {
    expectTokens(tokens);
    const float *logits = nullptr;
    ASSERT_EQ(llmc_session_logits(handle, &logits).code, LLMC_OK);
    for (int32_t token = 0; token < fakeVocabulary; ++token)
      ASSERT_EQ(logits[token],
                fakeLogit(tokens.data(), static_cast<int64_t>(tokens.size()), 7, token));
  }

  llmc_session *handle = nullptr;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_RUNTIME_TESTSESSION_H
