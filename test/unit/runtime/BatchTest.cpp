//===- BatchTest.cpp - tokens of many sessions at once ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "FakeDevice.h"
#include "TestSession.h"

#include <memory>
#include <random>
#include <thread>

using namespace llmc::test;

namespace {

/// A batch as it is put together, with room for what it gives.
struct Batch {
  struct Part {
    llmc_session *session;
    std::vector<int32_t> tokens;
    std::vector<size_t> outputs; ///< tokens whose logits are wanted
    bool all = false;            ///< those of all are
    bool skip = false;
    std::vector<float> logits;
  };
  std::vector<Part> parts;

  llmc_status evaluate(llmc_executor *executor = nullptr) {
    std::vector<llmc_batch_entry> entries;
    for (Part &part : parts) {
      size_t outputs = part.all ? part.tokens.size() : part.outputs.size();
      part.logits.assign(outputs * fakeVocabulary, -1.0f);
      entries.push_back({part.session, part.tokens.data(), part.tokens.size(),
                         outputs ? part.logits.data() : nullptr,
                         part.all ? nullptr : part.outputs.data(), part.outputs.size(),
                         part.skip ? 1u : 0u});
    }
    return llmc_evaluate_batch(executor, entries.data(), entries.size());
  }
};

/// Expects the logits that a part asked for, of a session that had evaluated `before`.
void expectLogits(const Batch::Part &part, std::vector<int32_t> before) {
  const size_t begin = before.size();
  before.insert(before.end(), part.tokens.begin(), part.tokens.end());
  const size_t count = part.all ? part.tokens.size() : part.outputs.size();
  for (size_t i = 0; i < count; ++i) {
    size_t length = begin + (part.all ? i : part.outputs[i]) + 1;
    for (int32_t token = 0; token < fakeVocabulary; ++token)
      ASSERT_EQ(part.logits[i * fakeVocabulary + token],
                fakeLogit(before.data(), static_cast<int64_t>(length), 7, token));
  }
}

/// Random batches of the sessions in `texts`, each against what single evaluation gives.
void mixBatches(llmc_model *model, llmc_executor *executor, uint32_t seed, int batches) {
  std::mt19937 random(seed);
  auto draw = [&](size_t below) { return static_cast<size_t>(random() % below); };
  constexpr size_t count = 2 * fakeMaxRows + 3;
  std::vector<Session> sessions;
  std::vector<std::vector<int32_t>> texts(count);
  for (size_t i = 0; i < count; ++i)
    sessions.emplace_back(model);
  for (int batch = 0; batch < batches; ++batch) {
    Batch mixed;
    std::vector<size_t> members(count);
    for (size_t i = 0; i < count; ++i)
      members[i] = i;
    std::shuffle(members.begin(), members.end(), random);
    members.resize(1 + draw(count));
    for (size_t i : members) {
      // So that the longest part fits.
      constexpr size_t most = fakeContext - 2 * fakeMaxRows - 1;
      if (texts[i].size() > most) {
        size_t position = draw(most);
        ASSERT_EQ(llmc_session_rewind(sessions[i].handle, position).code, LLMC_OK);
        texts[i].resize(position);
      }
      // Single tokens mostly, beside prompts of more than a step, and nothing at all.
      const size_t lengths[] = {1, 1, 1, 0, 2, 5, fakeMaxRows, 2 * fakeMaxRows + 1};
      Batch::Part part{sessions[i].handle, makeTokens(lengths[draw(8)], random()), {}, {}, {}, {}};
      part.all = draw(4) == 0;
      part.skip = draw(3) == 0;
      for (size_t j = 0; !part.all && j < part.tokens.size(); ++j)
        if (draw(3) == 0)
          part.outputs.push_back(j);
      mixed.parts.push_back(part);
    }
    llmc_status status = mixed.evaluate(executor);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
    for (size_t j = 0; j < members.size(); ++j) {
      const Batch::Part &part = mixed.parts[j];
      std::vector<int32_t> &text = texts[members[j]];
      expectLogits(part, text);
      text.insert(text.end(), part.tokens.begin(), part.tokens.end());
      if (part.skip || part.tokens.empty())
        sessions[members[j]].expectTokens(text);
      else
        sessions[members[j]].expect(text);
      if (part.skip && !part.tokens.empty())
        ASSERT_FALSE(sessions[members[j]].hasLogits());
    }
  }
}

TEST(Batch, MixesGiveWhatSessionsGiveAlone) {
  for (uint32_t threads : {1u, 2u, 5u}) {
    Model model(threads);
    mixBatches(model, nullptr, threads, 60);
  }
}

TEST(Batch, MixesOnADeviceGiveTheSame) {
  FakeDevice device;
  Model model(1, device);
  mixBatches(model, nullptr, 11, 60);
  EXPECT_GT(device.calls["read"], 0);
  EXPECT_GT(device.calls["copy"], 0);
}

TEST(Batch, ExecutorsRunSideBySide) {
  Model model(2);
  llmc_executor *second = nullptr;
  const llmc_executor_options options{3, 0};
  ASSERT_EQ(llmc_executor_create(model, &options, &second).code, LLMC_OK);
  // Two threads take turns on the model's own executor, one has another for itself.
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 3; ++i)
    threads.emplace_back([&, i] { mixBatches(model, i == 2 ? second : nullptr, 100 + i, 20); });
  for (std::thread &thread : threads)
    thread.join();
  llmc_executor_release(second);
}

TEST(Batch, SessionsMoveBetweenExecutors) {
  Model model;
  llmc_executor *second = nullptr;
  ASSERT_EQ(llmc_executor_create(model, nullptr, &second).code, LLMC_OK);
  Session session(model);
  std::vector<int32_t> tokens = makeTokens(9);
  session.evaluate(tokens);
  Batch batch{{{session.handle, {4, 2}, {}, false, false, {}}}};
  ASSERT_EQ(batch.evaluate(second).code, LLMC_OK);
  tokens.insert(tokens.end(), {4, 2});
  session.expect(tokens);
  llmc_executor_release(second);
}

TEST(Batch, AnExecutorKeepsItsModelAlive) {
  llmc_executor *executor = nullptr;
  {
    Model model;
    ASSERT_EQ(llmc_executor_create(model, nullptr, &executor).code, LLMC_OK);
  }
  llmc_executor_release(executor);
  llmc_executor_release(nullptr);
}

TEST(Batch, RefusedCallsChangeNothing) {
  Model model, otherModel;
  Session session(model), second(model), foreign(otherModel);
  std::vector<int32_t> tokens = makeTokens(48);
  session.evaluate(tokens);
  const int32_t token = 1, wrong = fakeVocabulary;
  const size_t outputs[] = {0, 0}, beyond = 1;
  float logits[2 * fakeVocabulary];
  auto entry = [&](llmc_session *session, const int32_t *tokens = nullptr) {
    return llmc_batch_entry{session, tokens ? tokens : &token, 1, nullptr, nullptr, 0, 0};
  };
  auto refused = [](std::vector<llmc_batch_entry> entries, int32_t code, const char *message,
                    llmc_executor *executor = nullptr) {
    expectStatus(llmc_evaluate_batch(executor, entries.data(), entries.size()), code, message);
  };
  EXPECT_EQ(llmc_evaluate_batch(nullptr, nullptr, 0).code, LLMC_OK);
  expectStatus(llmc_evaluate_batch(nullptr, nullptr, 1), LLMC_INVALID_ARGUMENT,
               "expected entries, found null");
  refused({entry(nullptr)}, LLMC_INVALID_ARGUMENT, "expected a session and tokens, found null");
  refused({entry(second.handle), entry(nullptr)}, LLMC_INVALID_ARGUMENT,
          "entry 1: expected a session and tokens, found null");
  refused({{second.handle, nullptr, 1, nullptr, nullptr, 0, 0}}, LLMC_INVALID_ARGUMENT,
          "expected a session and tokens, found null");
  refused({entry(second.handle), entry(session.handle), entry(second.handle)},
          LLMC_INVALID_ARGUMENT, "entry 2: expected different sessions, found one twice");
  refused({entry(session.handle), entry(foreign.handle)}, LLMC_INVALID_ARGUMENT,
          "entry 1: expected a session of the executor's model");
  refused({entry(second.handle), entry(session.handle, &wrong)}, LLMC_OUT_OF_RANGE,
          "entry 1: expected token ids below 37, found 37 at 0");
  refused({{second.handle, &token, 1, nullptr, outputs, 1, 0}}, LLMC_INVALID_ARGUMENT,
          "expected a place for 1 logits, found null");
  refused({{second.handle, &token, 1, logits, outputs, 2, 0}}, LLMC_OUT_OF_RANGE,
          "expected outputs that ascend below 1, found 0 at 1");
  refused({{second.handle, &token, 1, logits, &beyond, 1, 0}}, LLMC_OUT_OF_RANGE,
          "expected outputs that ascend below 1, found 1 at 0");
  llmc_executor *executor = nullptr;
  ASSERT_EQ(llmc_executor_create(otherModel, nullptr, &executor).code, LLMC_OK);
  refused({entry(session.handle)}, LLMC_INVALID_ARGUMENT,
          "expected a session of the executor's model", executor);
  llmc_executor_release(executor);
  session.expect(tokens);
  EXPECT_EQ(llmc_session_position(second.handle), 0u);
  // What was refused for one session's sake may be evaluated without it.
  session.evaluate({3, 4});
  refused({entry(second.handle), entry(session.handle)}, LLMC_OUT_OF_RANGE,
          "entry 1: expected at most 0 more tokens in a context of 50, found 1");
  second.evaluate({1});
  second.expect({1});
  expectStatus(llmc_executor_create(nullptr, nullptr, &executor), LLMC_INVALID_ARGUMENT,
               "expected a model and a place for the executor");
  const llmc_executor_options many{LLMC_MAX_THREADS + 1, 0};
  expectStatus(llmc_executor_create(model, &many, &executor), LLMC_INVALID_ARGUMENT,
               "expected at most 1024 threads, found 1025");
  EXPECT_EQ(executor, nullptr);
}

} // namespace
