//===- SamplingTest.cpp - the laws of drawing tokens ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "FakeProgram.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace llmc::test;

namespace {

class Sampling : public ::testing::Test {
protected:
  Sampling() {
    EXPECT_EQ(llmc_session_create(model, &session).code, LLMC_OK);
    const int32_t tokens[] = {3, 5, 3, 11};
    EXPECT_EQ(llmc_session_evaluate(session, tokens, 4, nullptr).code, LLMC_OK);
    // The tests write over what the program computed.
    const float *computed = nullptr;
    EXPECT_EQ(llmc_session_logits(session, &computed).code, LLMC_OK);
    logits = const_cast<float *>(computed);
    for (int32_t i = 0; i < fakeVocabulary; ++i)
      logits[i] = std::sin(i * 12.9898f) * 3;
  }
  ~Sampling() override { llmc_session_release(session); }

  int32_t sample() {
    int32_t token = -1;
    llmc_status status = llmc_session_sample(session, &options, &token);
    EXPECT_EQ(status.code, LLMC_OK) << status.message;
    EXPECT_TRUE(token >= 0 && token < fakeVocabulary) << token;
    return token;
  }

  std::vector<double> draw(int count) {
    std::vector<double> frequencies(fakeVocabulary);
    for (int i = 0; i < count; ++i)
      frequencies[sample()] += 1.0 / count;
    return frequencies;
  }

  /// The probabilities that the options ask for, computed the long way.
  std::vector<double> getProbabilities() {
    std::vector<int32_t> order(fakeVocabulary);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
    if (options.top_k && options.top_k < order.size())
      order.resize(options.top_k);
    auto weigh = [&](int32_t token) {
      return std::exp(double(logits[token]) / options.temperature);
    };
    double total = 0, mass = 0;
    for (int32_t token : order)
      total += weigh(token);
    std::vector<int32_t> kept;
    for (int32_t token : order) {
      if (mass >= options.top_p * total)
        break;
      kept.push_back(token);
      mass += weigh(token);
    }
    std::vector<double> result(fakeVocabulary);
    for (int32_t token : kept)
      result[token] = weigh(token) / mass;
    return result;
  }

  void expectFrequencies(int count = 40000) {
    std::vector<double> expected = getProbabilities(), found = draw(count);
    for (int32_t i = 0; i < fakeVocabulary; ++i) {
      // Five standard deviations; what has no probability is never drawn.
      double tolerance = 5 * std::sqrt(expected[i] * (1 - expected[i]) / count) + 1e-9;
      EXPECT_NEAR(found[i], expected[i], tolerance) << "token " << i;
    }
  }

  Model model;
  llmc_session *session = nullptr;
  float *logits = nullptr;
  llmc_sampling options = llmc_sampling_default();
};

} // namespace

TEST_F(Sampling, GreedyTakesTheLargest) {
  int32_t expected =
      static_cast<int32_t>(std::max_element(logits, logits + fakeVocabulary) - logits);
  EXPECT_EQ(sample(), expected);
  // The smaller id among equals, also among all.
  logits[29] = logits[8] = 50;
  EXPECT_EQ(sample(), 8);
  std::fill_n(logits, fakeVocabulary, -2.0f);
  EXPECT_EQ(sample(), 0);
}

TEST_F(Sampling, ExcludedTokensAreNeverDrawn) {
  std::vector<int32_t> all(fakeVocabulary);
  std::iota(all.begin(), all.end(), 0);
  logits[8] = 50;
  logits[9] = std::numeric_limits<float>::infinity();
  const int32_t excluded[] = {9, 3, 9};
  ASSERT_EQ(llmc_session_exclude(session, excluded, 3).code, LLMC_OK);
  EXPECT_EQ(sample(), 8);
  // What is refused changes nothing.
  const int32_t beyond[] = {8, fakeVocabulary};
  llmc_status status = llmc_session_exclude(session, beyond, 2);
  EXPECT_EQ(status.code, LLMC_OUT_OF_RANGE) << status.message;
  status = llmc_session_exclude(session, all.data(), all.size());
  EXPECT_EQ(status.code, LLMC_INVALID_ARGUMENT) << status.message;
  EXPECT_EQ(llmc_session_exclude(session, nullptr, 1).code, LLMC_INVALID_ARGUMENT);
  EXPECT_EQ(sample(), 8);
  llmc_session *fork = nullptr;
  ASSERT_EQ(llmc_session_fork(session, &fork).code, LLMC_OK);
  int32_t token = -1;
  EXPECT_EQ(llmc_session_sample(fork, &options, &token).code, LLMC_OK);
  EXPECT_EQ(token, 8);
  llmc_session_release(fork);
  // The rest is drawn as if there were no others.
  logits[8] = 1;
  options.temperature = 2;
  for (uint32_t topK : {0u, 5u}) {
    options.top_k = topK;
    std::vector<double> found = draw(20000);
    EXPECT_EQ(found[9], 0);
    EXPECT_EQ(found[3], 0);
  }
  logits[9] = logits[3] = -std::numeric_limits<float>::infinity();
  expectFrequencies();
  // A new choice replaces the old one.
  logits[9] = std::numeric_limits<float>::infinity();
  ASSERT_EQ(llmc_session_exclude(session, nullptr, 0).code, LLMC_OK);
  EXPECT_EQ(sample(), 9);
}

TEST_F(Sampling, FrequenciesAreProbabilities) {
  for (float temperature : {0.3f, 1.0f, 4.0f}) {
    options.temperature = temperature;
    expectFrequencies();
  }
}

TEST_F(Sampling, TopKKeepsTheLargest) {
  options.temperature = 1.5f;
  for (uint32_t k : {2u, 7u, 36u, 37u, 1000u}) {
    options.top_k = k;
    expectFrequencies();
  }
  // One is greedy, at any temperature.
  options.top_k = 1;
  options.temperature = 100;
  int32_t greedy = static_cast<int32_t>(std::max_element(logits, logits + fakeVocabulary) - logits);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(sample(), greedy);
}

TEST_F(Sampling, TopPKeepsTheFewestThatReachIt) {
  options.temperature = 1.5f;
  for (float p : {0.05f, 0.5f, 0.9f, 0.999f}) {
    options.top_p = p;
    expectFrequencies();
  }
  // After top_k: p is a share of what that left.
  options.top_k = 5;
  options.top_p = 0.6f;
  expectFrequencies();
  // The least p still keeps one.
  options.top_k = 0;
  options.top_p = std::numeric_limits<float>::denorm_min();
  int32_t greedy = static_cast<int32_t>(std::max_element(logits, logits + fakeVocabulary) - logits);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(sample(), greedy);
}

TEST_F(Sampling, EqualLogitsAreKeptInOrderOfIds) {
  std::fill_n(logits, fakeVocabulary, 1.0f);
  options.temperature = 1;
  options.top_k = 4;
  std::vector<double> found = draw(2000);
  for (int32_t i = 0; i < fakeVocabulary; ++i)
    EXPECT_EQ(found[i] > 0, i < 4) << i;
}

TEST_F(Sampling, SeedsDecide) {
  options.temperature = 2;
  auto sequence = [&](uint64_t seed) {
    llmc_session_set_seed(session, seed);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 50; ++i)
      tokens.push_back(sample());
    return tokens;
  };
  EXPECT_EQ(sequence(1), sequence(1));
  EXPECT_NE(sequence(1), sequence(2));
  EXPECT_NE(sequence(0), sequence(UINT64_MAX));
  // A fork goes on where its source is.
  llmc_session_set_seed(session, 9);
  sample();
  llmc_session *fork = nullptr;
  ASSERT_EQ(llmc_session_fork(session, &fork).code, LLMC_OK);
  for (int i = 0; i < 20; ++i) {
    int32_t token;
    ASSERT_EQ(llmc_session_sample(fork, &options, &token).code, LLMC_OK);
    EXPECT_EQ(token, sample());
  }
  llmc_session_release(fork);
}

TEST_F(Sampling, GreedyDrawsNoRandomNumbers) {
  llmc_sampling hot = options;
  hot.temperature = 5;
  auto sequence = [&](bool greedyBetween) {
    llmc_session_set_seed(session, 4);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 30; ++i) {
      if (greedyBetween)
        sample();
      int32_t token = -1;
      EXPECT_EQ(llmc_session_sample(session, &hot, &token).code, LLMC_OK);
      tokens.push_back(token);
    }
    return tokens;
  };
  EXPECT_EQ(sequence(true), sequence(false));
}

TEST_F(Sampling, RepetitionIsPunishedOnce) {
  std::fill_n(logits, fakeVocabulary, -10.0f);
  options.repetition_penalty = 2;
  // 3 occurs twice among the tokens and is punished once: 6 / 2 is more than 2.9 is.
  logits[3] = 6;
  logits[4] = 2.9f;
  EXPECT_EQ(sample(), 3);
  logits[4] = 3.1f;
  EXPECT_EQ(sample(), 4);
  // A negative logit is multiplied.
  logits[3] = logits[4] = -10;
  logits[5] = -1;
  logits[6] = -1.9f;
  EXPECT_EQ(sample(), 6);
  logits[6] = -2.1f;
  EXPECT_EQ(sample(), 5);
  // Only the last two tokens count: 3 and 11.
  options.penalty_window = 2;
  logits[6] = -1.9f;
  EXPECT_EQ(sample(), 5);
  options.penalty_window = 3;
  EXPECT_EQ(sample(), 6);
}

TEST_F(Sampling, InfiniteLogits) {
  float infinity = std::numeric_limits<float>::infinity();
  options.temperature = 1;
  // What is impossible is never drawn.
  for (int32_t i = 0; i < fakeVocabulary; ++i)
    if (i != 4 && i != 9)
      logits[i] = -infinity;
  std::vector<double> found = draw(2000);
  EXPECT_NEAR(found[4] + found[9], 1, 1e-9);
  logits[20] = infinity;
  EXPECT_EQ(sample(), 20);
  std::fill_n(logits, fakeVocabulary, -infinity);
  EXPECT_EQ(sample(), 0);
}

TEST_F(Sampling, RefusesWhatMakesNoSense) {
  auto refused = [&](auto change, const char *message, int32_t code = LLMC_INVALID_ARGUMENT) {
    llmc_sampling changed = options;
    change(changed);
    int32_t token;
    expectStatus(llmc_session_sample(session, &changed, &token), code, message);
  };
  float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  for (float value : {-1.0f, nan, infinity})
    refused([&](llmc_sampling &s) { s.temperature = value; },
            "expected a temperature of at least 0");
  for (float value : {0.0f, -1.0f, 1.01f, nan})
    refused([&](llmc_sampling &s) { s.top_p = value; }, "expected top_p in (0, 1]");
  for (float value : {0.0f, -1.0f, nan, infinity})
    refused([&](llmc_sampling &s) { s.repetition_penalty = value; },
            "expected a positive repetition penalty");
  logits[7] = nan;
  refused([](llmc_sampling &) {}, "the logit of token 7 is not a number", LLMC_CORRUPT);
  ASSERT_EQ(llmc_session_rewind(session, 2).code, LLMC_OK);
  refused([](llmc_sampling &) {}, "expected logits: evaluate a token, and keep its logits",
          LLMC_FAILED_PRECONDITION);
  int32_t token;
  expectStatus(llmc_session_sample(session, nullptr, &token), LLMC_INVALID_ARGUMENT,
               "expected a session, options and a place, found null");
}
