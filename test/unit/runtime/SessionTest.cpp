//===- SessionTest.cpp - evaluating, rewinding and forking ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "FakeProgram.h"

#include "gtest/gtest.h"

using namespace llmc::test;

namespace {

std::vector<int32_t> makeTokens(size_t count, int32_t seed = 1) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < count; ++i)
    tokens.push_back(static_cast<int32_t>((i * 7 + seed * 13) % fakeVocabulary));
  return tokens;
}

struct Session {
  explicit Session(llmc_model *model) {
    llmc_status status = llmc_session_create(model, &handle);
    EXPECT_EQ(status.code, LLMC_OK) << status.message;
  }
  explicit Session(const Session &source) {
    EXPECT_EQ(llmc_session_fork(source.handle, &handle).code, LLMC_OK);
  }
  ~Session() { llmc_session_release(handle); }
  void evaluate(const std::vector<int32_t> &tokens, float *logits = nullptr) {
    llmc_status status = llmc_session_evaluate(handle, tokens.data(), tokens.size(), logits);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
  }
  /// Expects tokens and logits of a session that evaluated `tokens`.
  void expect(const std::vector<int32_t> &tokens) {
    ASSERT_EQ(llmc_session_position(handle), tokens.size());
    const int32_t *found = llmc_session_tokens(handle);
    EXPECT_EQ(std::vector<int32_t>(found, found + tokens.size()), tokens);
    const float *logits = llmc_session_logits(handle);
    ASSERT_NE(logits, nullptr);
    for (int32_t token = 0; token < fakeVocabulary; ++token)
      ASSERT_EQ(logits[token], fakeLogit(tokens.data(), tokens.size(), 7, token));
  }

  llmc_session *handle = nullptr;
};

} // namespace

TEST(Session, StepsOfAnyLengthGiveTheSame) {
  for (uint32_t threads : {1u, 2u, 5u}) {
    Model model(threads);
    std::vector<int32_t> tokens = makeTokens(45);
    for (size_t part : {size_t(1), size_t(3), size_t(8), size_t(9), size_t(45)}) {
      Session session(model);
      for (size_t done = 0; done < tokens.size(); done += part)
        session.evaluate(
            {tokens.begin() + done, tokens.begin() + std::min(done + part, tokens.size())});
      session.expect(tokens);
    }
  }
}

TEST(Session, LogitsOfEveryToken) {
  Model model(2);
  std::vector<int32_t> tokens = makeTokens(21);
  Session session(model);
  std::vector<float> logits(tokens.size() * fakeVocabulary, -1.0f);
  session.evaluate(tokens, logits.data());
  for (size_t i = 0; i < tokens.size(); ++i)
    for (int32_t token = 0; token < fakeVocabulary; ++token)
      ASSERT_EQ(logits[i * fakeVocabulary + token], fakeLogit(tokens.data(), i + 1, 7, token));
  session.expect(tokens);
}

TEST(Session, RewindForgets) {
  Model model;
  Session session(model);
  std::vector<int32_t> tokens = makeTokens(30), other = makeTokens(10, 5);
  session.evaluate(tokens);
  for (size_t position : {size_t(30), size_t(29), size_t(13), size_t(4), size_t(0)}) {
    ASSERT_EQ(llmc_session_rewind(session.handle, position).code, LLMC_OK);
    EXPECT_EQ(llmc_session_position(session.handle), position);
    EXPECT_EQ(llmc_session_logits(session.handle) != nullptr, position == 30);
    session.evaluate(other);
    std::vector<int32_t> expected(tokens.begin(), tokens.begin() + position);
    expected.insert(expected.end(), other.begin(), other.end());
    session.expect(expected);
    ASSERT_EQ(llmc_session_rewind(session.handle, position).code, LLMC_OK);
  }
  EXPECT_EQ(llmc_session_rewind(session.handle, 1).code, LLMC_OUT_OF_RANGE);
}

TEST(Session, ForksAreIndependent) {
  Model model(2);
  // At the border of a block of four, before it and behind it.
  for (size_t length : {size_t(0), size_t(1), size_t(7), size_t(8), size_t(9), size_t(40)}) {
    std::vector<int32_t> tokens = makeTokens(length);
    Session session(model);
    session.evaluate(tokens);
    Session fork(session);
    EXPECT_EQ(llmc_session_logits(fork.handle) != nullptr, length != 0);
    if (length)
      fork.expect(tokens);
    std::vector<int32_t> left = tokens, right = tokens;
    left.insert(left.end(), {1, 2, 3});
    right.insert(right.end(), {9, 8, 7, 6, 5});
    session.evaluate({1, 2, 3});
    fork.evaluate({9, 8, 7, 6, 5});
    session.expect(left);
    fork.expect(right);
  }
}

TEST(Session, BatchesGiveWhatSessionsGiveAlone) {
  Model model(2);
  // More than fit into one step.
  constexpr size_t count = 2 * fakeMaxRows + 3;
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; i < count; ++i) {
    sessions.push_back(std::make_unique<Session>(model));
    texts.push_back(makeTokens(i % 5, i));
    sessions.back()->evaluate(texts.back());
  }
  for (int step = 0; step < 3; ++step) {
    std::vector<llmc_batch_entry> entries;
    for (size_t i = 0; i < count; ++i) {
      int32_t token = static_cast<int32_t>((i + step) % fakeVocabulary);
      entries.push_back({sessions[i]->handle, token});
      texts[i].push_back(token);
    }
    ASSERT_EQ(llmc_evaluate_batch(entries.data(), entries.size()).code, LLMC_OK);
    for (size_t i = 0; i < count; ++i)
      sessions[i]->expect(texts[i]);
  }
}

TEST(Session, RefusedCallsChangeNothing) {
  Model model, otherModel;
  Session session(model), second(model), foreign(otherModel);
  std::vector<int32_t> tokens = makeTokens(48);
  session.evaluate(tokens);
  auto evaluate = [&](const std::vector<int32_t> &more) {
    return llmc_session_evaluate(session.handle, more.data(), more.size(), nullptr);
  };
  expectStatus(evaluate({1, 2, 3}), LLMC_OUT_OF_RANGE,
               "expected at most 2 more tokens in a context of 50, found 3");
  expectStatus(evaluate({1, fakeVocabulary}), LLMC_OUT_OF_RANGE,
               "expected token ids below 37, found 37 at 1");
  expectStatus(evaluate({1, -1}), LLMC_OUT_OF_RANGE, "found -1 at 1");
  EXPECT_EQ(evaluate({INT32_MIN}).code, LLMC_OUT_OF_RANGE);
  EXPECT_EQ(evaluate({}).code, LLMC_OK);
  EXPECT_EQ(llmc_session_evaluate(session.handle, tokens.data(), SIZE_MAX, nullptr).code,
            LLMC_OUT_OF_RANGE);
  expectStatus(llmc_session_evaluate(session.handle, nullptr, 1, nullptr), LLMC_INVALID_ARGUMENT,
               "expected a session and tokens, found null");
  auto batch = [](std::vector<llmc_batch_entry> entries) {
    return llmc_evaluate_batch(entries.data(), entries.size());
  };
  EXPECT_EQ(batch({}).code, LLMC_OK);
  expectStatus(llmc_evaluate_batch(nullptr, 1), LLMC_INVALID_ARGUMENT,
               "expected entries, found null");
  expectStatus(batch({{session.handle, 1}, {session.handle, 2}}), LLMC_INVALID_ARGUMENT,
               "expected different sessions, entries 0 and 1 are one");
  const char *const differs = "expected sessions of one model, entry 1 differs";
  expectStatus(batch({{session.handle, 1}, {foreign.handle, 2}}), LLMC_INVALID_ARGUMENT, differs);
  EXPECT_EQ(batch({{nullptr, 1}}).code, LLMC_INVALID_ARGUMENT);
  expectStatus(batch({{session.handle, 1}, {nullptr, 1}}), LLMC_INVALID_ARGUMENT, differs);
  EXPECT_EQ(batch({{second.handle, 1}, {session.handle, fakeVocabulary}}).code, LLMC_OUT_OF_RANGE);
  expectStatus(llmc_session_rewind(nullptr, 0), LLMC_INVALID_ARGUMENT,
               "expected a session, found null");
  expectStatus(llmc_session_rewind(session.handle, 49), LLMC_OUT_OF_RANGE,
               "expected a position of at most 48, found 49");
  llmc_session *none = nullptr;
  expectStatus(llmc_session_create(nullptr, &none), LLMC_INVALID_ARGUMENT,
               "expected a model and a place for the session");
  expectStatus(llmc_session_fork(nullptr, &none), LLMC_INVALID_ARGUMENT,
               "expected a session and a place for another");
  session.expect(tokens);
  EXPECT_EQ(llmc_session_position(second.handle), 0u);
  // The context may be filled to its last position, and no further.
  session.evaluate({3, 4});
  expectStatus(batch({{session.handle, 1}}), LLMC_OUT_OF_RANGE,
               "entry 0: the context of 50 tokens is full");
  EXPECT_EQ(evaluate({1}).code, LLMC_OUT_OF_RANGE);
}

TEST(Session, KeepsItsModelAlive) {
  auto model = std::make_unique<Model>();
  Session session(*model);
  model.reset();
  session.evaluate(makeTokens(5));
  session.expect(makeTokens(5));
}
