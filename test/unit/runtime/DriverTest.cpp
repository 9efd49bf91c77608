//===- DriverTest.cpp - the seam between the runtime and a device ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "FakeDevice.h"
#include "TestSession.h"

using namespace llmc::test;

namespace {

/// A life of a model: sessions of it read a prompt, fork, write on side by side and are drawn from.
/// Ends at the first call that fails, with all released.
llmc_status live(const char *path, const llmc_driver *driver) {
  struct Handles {
    llmc_model *model = nullptr;
    llmc_executor *executor = nullptr;
    llmc_session *first = nullptr, *second = nullptr;
    ~Handles() {
      llmc_session_release(second);
      llmc_session_release(first);
      llmc_executor_release(executor);
      llmc_model_release(model);
    }
  } handles;
  llmc_model_options options = llmc_model_default_options();
  options.driver = driver;
  LLMC_RETURN_IF_ERROR(llmc_model_load(path, &options, &handles.model));
  LLMC_RETURN_IF_ERROR(llmc_executor_create(handles.model, nullptr, &handles.executor));
  LLMC_RETURN_IF_ERROR(llmc_session_create(handles.model, &handles.first));
  std::vector<int32_t> prompt = makeTokens(2 * fakeMaxRows + 1);
  LLMC_RETURN_IF_ERROR(llmc_session_evaluate(handles.first, prompt.data(), prompt.size(), nullptr));
  LLMC_RETURN_IF_ERROR(llmc_session_fork(handles.first, &handles.second));

  const size_t before = llmc_session_position(handles.first);
  std::vector<float> logits(2 * fakeVocabulary);
  const int32_t tokens[] = {5, 6, 7};
  const size_t outputs[] = {0, 2};
  const llmc_batch_entry entries[] = {{handles.first, tokens, 3, logits.data(), outputs, 2, 0},
                                      {handles.second, tokens, 2, nullptr, nullptr, 0, 0}};
  llmc_status status = llmc_evaluate_batch(handles.executor, entries, 2);
  const bool succeeded = status.code == LLMC_OK;
  EXPECT_EQ(llmc_session_position(handles.first), before + (succeeded ? 3 : 0));
  EXPECT_EQ(llmc_session_position(handles.second), before + (succeeded ? 2 : 0));
  if (!succeeded) {
    // The device has come back: evaluating again gives what it would have given.
    EXPECT_EQ(llmc_evaluate_batch(handles.executor, entries, 2).code, LLMC_OK);
    prompt.insert(prompt.end(), tokens, tokens + 3);
    for (int32_t token = 0; token < fakeVocabulary; ++token)
      EXPECT_EQ(logits[fakeVocabulary + token],
                fakeLogit(prompt.data(), int64_t(prompt.size()), 7, token));
    return status;
  }
  int32_t token = 0;
  const llmc_sampling sampling = llmc_sampling_default();
  return llmc_session_sample(handles.second, &sampling, &token);
}

TEST(Driver, EveryFailureIsReported) {
  TemporaryFile file(makeArtifact());
  int calls = 0;
  {
    FakeDevice device;
    llmc_status status = live(file.path(), device);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
    calls = device.count;
  }
  ASSERT_GT(calls, 10);
  for (int failing = 1; failing <= calls; ++failing) {
    FakeDevice device;
    device.failing = failing;
    expectStatus(live(file.path(), device), LLMC_IO_ERROR, "the device is lost");
  }
}

TEST(Driver, OthersVersionsAreRefused) {
  llmc_driver driver = *llmc_cpu_driver();
  ++driver.version;
  TemporaryFile file(makeArtifact());
  expectStatus(live(file.path(), &driver), LLMC_VERSION_MISMATCH, "expected driver version 1");
}

TEST(Driver, TheProgramIsTheDrivers) {
  FakeDevice device;
  Model model(4, device);
  llmc_model_info info;
  llmc_model_get_info(model, &info);
  EXPECT_STREQ(info.driver, "fake");
  EXPECT_STREQ(info.variant, "one worker");
  EXPECT_EQ(info.threads, 1u);
}

TEST(Driver, LogitsAreCopiedWhenTheyAreLookedAt) {
  FakeDevice device;
  Model model(1, device);
  Session session(model);
  session.evaluate({1, 2, 3});
  EXPECT_EQ(device.calls["read"], 0);
  session.expect({1, 2, 3});
  EXPECT_TRUE(session.hasLogits());
  EXPECT_EQ(device.calls["read"], 1);
  session.evaluate({4});
  session.expect({1, 2, 3, 4});
  EXPECT_EQ(device.calls["read"], 2);
}

TEST(Driver, PromptsAreNotWaitedForInTheMiddle) {
  FakeDevice device;
  Model model(1, device);
  Session session(model);
  session.evaluate(makeTokens(4 * fakeMaxRows));
  EXPECT_EQ(device.calls["run"], 4);
  EXPECT_EQ(device.calls["wait"], 2);
  session.expect(makeTokens(4 * fakeMaxRows));
}

} // namespace
