//===- ModelLife.cpp - all that is done with a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelLife.h"
#include "TestSession.h"

using namespace llmc::test;

llmc_status llmc::test::live(const char *path, const llmc_model_options &options) {
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
