//===- CUDADriverTest.cpp - the runtime's driver for GPUs, on a fake one ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CUDASupport.h"
#include "ModelLife.h"
#include "TestSession.h"
#include "llmc/driver.h"

using namespace llmc::test;

namespace {

using CUDADriver = FakeGPU;

Bytes makeModel() { return makeArtifact(7, FAKE_IMAGE, {makeCUDAImage()}); }

TEST_F(CUDADriver, EveryFailureIsReported) {
  TemporaryFile file(makeModel());
  for (uint32_t timeout : {0, 1000}) {
    llmc_model_options options = getOptions();
    options.step_timeout_ms = timeout;
    cuda.failing = cuda.count = 0;
    llmc_status status = live(file.path(), options);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
    const int calls = cuda.count;
    ASSERT_GT(calls, 50);
    for (int failing = 1; failing <= calls; ++failing) {
      cuda.failing = failing;
      cuda.count = 0;
      status = live(file.path(), options);
      // Only the way out has calls whose failure is of no consequence.
      if (status.code != LLMC_OK)
        expectStatus(status, LLMC_IO_ERROR, "the fake failed (CUDA error 719)");
      else
        EXPECT_GT(failing, calls - 12);
      ASSERT_TRUE(cuda.hasNothingLeft()) << "call " << failing;
    }
  }
}

TEST_F(CUDADriver, RunsAllBlocksThatFit) {
  Model model(makeModel(), getOptions());
  llmc_model_info info;
  llmc_model_get_info(model, &info);
  EXPECT_STREQ(info.driver, "cuda");
  EXPECT_STREQ(info.variant, "sm_80 ptx");
  EXPECT_STREQ(info.description, "{\"name\": \"fake\"}");
  EXPECT_EQ(info.threads, 6u);
  FakeLaunch seen{};
  auto kernel = cuda.kernel;
  cuda.kernel = [&](const FakeLaunch &launch) { kernel(seen = launch); };
  Session session(model);
  session.evaluate({1});
  EXPECT_EQ(seen.blocks, 6u);
  EXPECT_EQ(seen.threads, 64u);
}

TEST_F(CUDADriver, FewerBlocksCanBeAskedFor) {
  llmc_model_options options = getOptions();
  options.threads = 2;
  Model model(makeModel(), options);
  llmc_model_info info;
  llmc_model_get_info(model, &info);
  EXPECT_EQ(info.threads, 2u);
  options.threads = 7;
  expectStatus(load(options), LLMC_INVALID_ARGUMENT, "expected at most 6 threads");
  options.threads = 0;
  options.pin_threads = 1;
  expectStatus(load(options), LLMC_INVALID_ARGUMENT, "expected no pinned threads on a GPU");
}

// Of one step and of several, forked, taken back, side by side, with logits of every token.
TEST_F(CUDADriver, SessionsAreThoseOfTheCPU) {
  Model model(makeModel(), getOptions());
  std::vector<int32_t> prompt = makeTokens(5 * fakeMaxRows + 3);
  Session first(model);
  std::vector<float> logits(prompt.size() * fakeVocabulary);
  first.evaluate(prompt, logits.data());
  first.expect(prompt);
  for (size_t i = 0; i < prompt.size(); ++i)
    ASSERT_EQ(logits[i * fakeVocabulary + 3], fakeLogit(prompt.data(), int64_t(i + 1), 7, 3));

  Session second(first);
  second.evaluate({1, 2});
  ASSERT_EQ(llmc_session_rewind(first.handle, 4).code, LLMC_OK);
  first.evaluate({9});
  std::vector<int32_t> back(prompt.begin(), prompt.begin() + 4);
  back.push_back(9);
  first.expect(back);
  prompt.insert(prompt.end(), {1, 2});
  second.expect(prompt);

  const int32_t tokens[] = {5, 6, 7};
  const llmc_batch_entry entries[] = {{first.handle, tokens, 3, nullptr, nullptr, 0, 0},
                                      {second.handle, tokens, 2, nullptr, nullptr, 0, 0}};
  ASSERT_EQ(llmc_evaluate_batch(nullptr, entries, 2).code, LLMC_OK);
  back.insert(back.end(), {5, 6, 7});
  prompt.insert(prompt.end(), {5, 6});
  first.expect(back);
  second.expect(prompt);
}

// More than two chunks, the last of which is no whole one.
TEST_F(CUDADriver, WeightsGoInChunks) {
  constexpr size_t bytes = (20 << 20) + 64, before = LLMC_ARTIFACT_WEIGHTS_ALIGNMENT;
  Bytes image = makeCUDAImage(), file(before + bytes + LLMC_ALIGNMENT);
  reinterpret_cast<llmc_cuda_image *>(image.data())->weights_bytes = bytes;
  uint8_t *weights = file.data() + (LLMC_ALIGNMENT - uintptr_t(file.data()) % LLMC_ALIGNMENT);
  llmc_weights_header header{};
  std::memcpy(header.magic, LLMC_WEIGHTS_MAGIC, sizeof header.magic);
  header.version = LLMC_ARTIFACT_VERSION;
  header.bytes = bytes;
  std::memcpy(weights, &header, sizeof header);
  for (size_t i = 0; i < bytes; ++i)
    weights[before + i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  const auto *address = image.data();
  llmc_variant variants[2] = {{"cuda sm_80 ptx", LLMC_VARIANT_CUDA, nullptr},
                              llmc_program_image.variants[1]};
  std::memcpy(&variants[0].step, &address, sizeof address);
  llmc_program program = llmc_program_image;
  program.variants = variants;
  program.weights_bytes = bytes;
  llmc_model_options options = getOptions();
  llmc_model *model = nullptr;
  llmc_status status =
      llmc_model_load_embedded(&program, weights, before + bytes, &options, &model);
  ASSERT_EQ(status.code, LLMC_OK) << status.message;
  int difference = -1;
  cuda.kernel = [&](const FakeLaunch &launch) {
    difference = std::memcmp(launch.step.weights, weights + before, bytes);
  };
  Session(model).evaluate({1});
  EXPECT_EQ(difference, 0);
  llmc_model_release(model);
}

TEST_F(CUDADriver, MachinesWithoutOneAreToldSo) {
  const std::vector<Bytes> images = {makeCUDAImage()};
  setenv("LLMC_CUDA_LIBRARY", "/nonexistent/libcuda.so", 1);
  expectStatus(load(getOptions()), LLMC_UNAVAILABLE,
               "cuda: no CUDA driver on this machine: /nonexistent/libcuda.so");
  setenv("LLMC_CUDA_LIBRARY", FAKE_IMAGE, 1);
  expectStatus(load(getOptions()), LLMC_UNAVAILABLE, "lacks cuInit: expected the library");
  setenv("LLMC_CUDA_LIBRARY", FAKE_CUDA, 1);
  cuda.devices = 0;
  expectStatus(load(getOptions()), LLMC_UNAVAILABLE, "expected a GPU, found none");
  cuda.devices = 2;
  EXPECT_EQ(load(getOptions("cuda:1")).code, LLMC_OK);
  expectStatus(load(getOptions("cuda:2")), LLMC_UNAVAILABLE,
               "expected a GPU below cuda:2, found cuda:2");
  cuda.isCooperative = false;
  expectStatus(load(getOptions()), LLMC_UNAVAILABLE,
               "the GPU 'Fake GPU' has no cooperative launches");
  cuda.isCooperative = true;
  cuda.blocksOfMultiprocessor = 0;
  expectStatus(load(getOptions()), LLMC_UNAVAILABLE,
               "the GPU has no room for a block of the program's 64 threads");
}

TEST_F(CUDADriver, WrongOptionsAreRefused) {
  for (const char *device :
       {"gpu", "", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda 1", "cuda:99999999999999999999"})
    expectStatus(load(getOptions(device)), LLMC_INVALID_ARGUMENT,
                 "expected a device cpu, cuda or cuda:NUMBER, found '" + std::string(device) + "'");
  llmc_model_options options = getOptions("cpu");
  EXPECT_EQ(load(options).code, LLMC_OK);
  options.step_timeout_ms = 5;
  expectStatus(load(options), LLMC_INVALID_ARGUMENT, "expected a step_timeout_ms of 0");
  options = getOptions();
  options.driver = llmc_cpu_driver();
  expectStatus(load(options), LLMC_INVALID_ARGUMENT,
               "expected a device or a driver, found both: 'cuda' and 'cpu'");
}

TEST_F(CUDADriver, FullMemoryIsSaid) {
  cuda.memory = 4096;
  expectStatus(load(getOptions()), LLMC_OUT_OF_MEMORY,
               "weights: no memory for 4160 bytes on the GPU: 4096 of its 4096 bytes are free");
  cuda.memory = 8192;
  Model model(makeModel(), getOptions());
  cuda.memory = cuda.bytes;
  llmc_session *session = nullptr;
  expectStatus(llmc_session_create(model, &session), LLMC_OUT_OF_MEMORY, "session: no memory for");
}

TEST_F(CUDADriver, WhatIsWrongWithCodeIsSaid) {
  cuda.loadLog = "ptxas fatal: Unresolved extern function 'x'\nmore";
  expectStatus(load(getOptions()), LLMC_CORRUPT,
               "cannot load the program's code 'sm_80 ptx': the fake failed (CUDA error 218): "
               "ptxas fatal: Unresolved extern function 'x'");
}

// Blocks that wait for each other in vain are let go.
TEST_F(CUDADriver, StepsThatHangAreEnded) {
  llmc_model_options options = getOptions();
  options.step_timeout_ms = 5;
  Model model(makeModel(), options);
  Session session(model);
  session.evaluate({1, 2});
  cuda.ending = FakeCUDA::HangsAtBarrier;
  std::vector<int32_t> tokens = makeTokens(2 * fakeMaxRows);
  expectStatus(llmc_session_evaluate(session.handle, tokens.data(), tokens.size(), nullptr),
               LLMC_IO_ERROR, "a step on the GPU did not end within 5 ms, and was ended");
  cuda.ending = FakeCUDA::Ends;
  session.expectTokens({1, 2});
  session.evaluate({3});
  session.expect({1, 2, 3});
}

TEST_F(CUDADriver, StepsThatCannotBeEndedAreGivenUp) {
  {
    llmc_model_options options = getOptions();
    options.step_timeout_ms = 5;
    Model model(makeModel(), options);
    Session session(model);
    cuda.ending = FakeCUDA::Hangs;
    const int32_t token = 1;
    expectStatus(llmc_session_evaluate(session.handle, &token, 1, nullptr), LLMC_IO_ERROR,
                 "did not end within 5 ms and cannot be ended");
    expectStatus(llmc_session_evaluate(session.handle, &token, 1, nullptr),
                 LLMC_FAILED_PRECONDITION, "an earlier step on the GPU has not ended");
  }
  // What the step may still use is left to it.
  EXPECT_GT(cuda.allocations, 0);
  EXPECT_EQ(cuda.pushed, 0);
  resetFakeCUDA(FAKE_CUDA);
}

} // namespace
