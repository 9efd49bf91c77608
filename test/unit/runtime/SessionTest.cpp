//===- SessionTest.cpp - evaluating, rewinding and forking ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "FakeDevice.h"
#include "TestSession.h"

#include <memory>

using namespace llmc::test;

namespace {

/// Everything that sessions do, on the CPU and on a device that could not be less like it.
class SessionTest : public testing::TestWithParam<const char *> {
protected:
  std::unique_ptr<Model> load(uint32_t threads = 1) {
    const bool onCpu = GetParam() == std::string_view("cpu");
    return std::make_unique<Model>(threads, onCpu ? llmc_cpu_driver() : device);
  }

  FakeDevice device;
};

INSTANTIATE_TEST_SUITE_P(Drivers, SessionTest, testing::Values("cpu", "fake"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace

TEST_P(SessionTest, StepsOfAnyLengthGiveTheSame) {
  for (uint32_t threads : {1u, 2u, 5u}) {
    auto model = load(threads);
    std::vector<int32_t> tokens = makeTokens(45);
    for (size_t part : {size_t(1), size_t(3), size_t(8), size_t(9), size_t(45)}) {
      Session session(*model);
      for (size_t done = 0; done < tokens.size(); done += part)
        session.evaluate(
            {tokens.begin() + done, tokens.begin() + std::min(done + part, tokens.size())});
      session.expect(tokens);
    }
  }
}

TEST_P(SessionTest, LogitsOfEveryToken) {
  auto model = load(2);
  std::vector<int32_t> tokens = makeTokens(21);
  Session session(*model);
  std::vector<float> logits(tokens.size() * fakeVocabulary, -1.0f);
  session.evaluate(tokens, logits.data());
  for (size_t i = 0; i < tokens.size(); ++i)
    for (int32_t token = 0; token < fakeVocabulary; ++token)
      ASSERT_EQ(logits[i * fakeVocabulary + token], fakeLogit(tokens.data(), i + 1, 7, token));
  session.expect(tokens);
}

TEST_P(SessionTest, RewindForgets) {
  auto model = load();
  Session session(*model);
  std::vector<int32_t> tokens = makeTokens(30), other = makeTokens(10, 5);
  session.evaluate(tokens);
  for (size_t position : {size_t(30), size_t(29), size_t(13), size_t(4), size_t(0)}) {
    ASSERT_EQ(llmc_session_rewind(session.handle, position).code, LLMC_OK);
    EXPECT_EQ(llmc_session_position(session.handle), position);
    EXPECT_EQ(session.hasLogits(), position == 30);
    session.evaluate(other);
    std::vector<int32_t> expected(tokens.begin(), tokens.begin() + position);
    expected.insert(expected.end(), other.begin(), other.end());
    session.expect(expected);
    ASSERT_EQ(llmc_session_rewind(session.handle, position).code, LLMC_OK);
  }
  EXPECT_EQ(llmc_session_rewind(session.handle, 1).code, LLMC_OUT_OF_RANGE);
}

TEST_P(SessionTest, ForksAreIndependent) {
  auto model = load(2);
  // At the border of a block of four, before it and behind it.
  for (size_t length : {size_t(0), size_t(1), size_t(7), size_t(8), size_t(9), size_t(40)}) {
    std::vector<int32_t> tokens = makeTokens(length);
    Session session(*model);
    session.evaluate(tokens);
    Session fork(session);
    EXPECT_EQ(fork.hasLogits(), length != 0);
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

TEST_P(SessionTest, RefusedCallsChangeNothing) {
  auto model = load(), otherModel = load();
  Session session(*model), second(*model), foreign(*otherModel);
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
  EXPECT_EQ(evaluate({1}).code, LLMC_OUT_OF_RANGE);
}

TEST_P(SessionTest, KeepsItsModelAlive) {
  auto model = load();
  Session session(*model);
  model.reset();
  session.evaluate(makeTokens(5));
  session.expect(makeTokens(5));
}
