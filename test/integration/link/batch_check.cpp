//===- batch_check.cpp - batches of a compiled model against its sessions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `batch_check MODEL.llmc BATCHES`: random batches of random sessions, on random numbers of
// threads, and demands the bits that one thread gives for each text alone, also after rewinding and
// forking.
//
//===----------------------------------------------------------------------===//

#include "llmc/llmc.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

namespace {

constexpr size_t sessionCount = 12, longestText = 300;

void check(const llmc_status &status) {
  if (llmc_status_ok(&status))
    return;
  std::fprintf(stderr, "batch_check: %s\n", status.message);
  std::exit(1);
}

/// One session beside what its text gives alone.
struct Text {
  llmc_session *session = nullptr;
  size_t length = 0;
  std::vector<int32_t> tokens; ///< whose logits are known; the session has the first `length`
  std::vector<float> logits;   ///< [tokens, vocabulary]
};

class Check {
public:
  explicit Check(const char *path) {
    llmc_model_options options = llmc_model_default_options();
    options.threads = 1;
    check(llmc_model_load(path, &options, &model));
    llmc_model_get_info(model, &info);
    for (uint32_t threads = 1; threads <= 4; ++threads) {
      const llmc_executor_options wanted{threads, 0};
      check(llmc_executor_create(model, &wanted, &executors.emplace_back()));
    }
    texts.resize(sessionCount);
    for (Text &text : texts)
      makeText(text);
  }
  ~Check() {
    for (const Text &text : texts)
      llmc_session_release(text.session);
    for (llmc_executor *executor : executors)
      llmc_executor_release(executor);
    llmc_model_release(model);
  }
  Check(const Check &) = delete;
  Check &operator=(const Check &) = delete;

  /// Evaluates a random batch.
  void run() {
    std::vector<size_t> members(texts.size());
    std::iota(members.begin(), members.end(), 0);
    std::shuffle(members.begin(), members.end(), random);
    members.resize(1 + draw(members.size()));
    std::vector<Part> parts(members.size());
    std::vector<llmc_batch_entry> entries;
    for (size_t i = 0; i < members.size(); ++i)
      entries.push_back(makeEntry(texts[members[i]], parts[i]));
    check(llmc_evaluate_batch(executors[draw(executors.size())], entries.data(), entries.size()));
    for (size_t i = 0; i < members.size(); ++i)
      compare(texts[members[i]], entries[i], parts[i]);
    ++batches;
    rows += std::accumulate(entries.begin(), entries.end(), size_t(0),
                            [](size_t sum, const llmc_batch_entry &e) { return sum + e.count; });
  }
  void report() const { std::printf("%zu batches of %zu tokens\n", batches, rows); }

private:
  struct Part {
    std::vector<size_t> outputs;
    std::vector<float> logits;
  };

  size_t draw(size_t below) { return random() % below; }

  /// A random text with the logits of all of its tokens, evaluated alone on one thread.
  void makeText(Text &text) {
    const size_t length = std::min<size_t>(longestText, info.context);
    for (size_t i = 0; i < length; ++i)
      text.tokens.push_back(static_cast<int32_t>(draw(info.vocabulary)));
    text.logits.resize(length * info.vocabulary);
    llmc_session *alone = nullptr;
    check(llmc_session_create(model, &alone));
    check(llmc_session_evaluate(alone, text.tokens.data(), length, text.logits.data()));
    llmc_session_release(alone);
    check(llmc_session_create(model, &text.session));
  }

  /// Goes on with a copy of a text's session.
  static void fork(Text &text) {
    llmc_session *copy = nullptr;
    check(llmc_session_fork(text.session, &copy));
    llmc_session_release(text.session);
    text.session = copy;
  }

  static void goBack(Text &text, size_t length) {
    text.length = length;
    check(llmc_session_rewind(text.session, length));
  }

  llmc_batch_entry makeEntry(Text &text, Part &part) {
    if (draw(8) == 0)
      fork(text);
    if (draw(6) == 0)
      goBack(text, text.length - draw(std::min<size_t>(text.length, 40) + 1));
    const size_t lengths[] = {1, 1, 1, 1, 2, 7, 40, info.max_rows + 3};
    size_t count = std::min(lengths[draw(8)], text.tokens.size());
    if (text.length + count > text.tokens.size())
      goBack(text, draw(text.tokens.size() - count + 1));
    for (size_t i = 0; i < count; ++i)
      if (draw(4) == 0)
        part.outputs.push_back(i);
    part.logits.resize(part.outputs.size() * info.vocabulary);
    return {text.session,
            text.tokens.data() + text.length,
            count,
            part.outputs.empty() ? nullptr : part.logits.data(),
            part.outputs.data(),
            part.outputs.size(),
            draw(3) == 0};
  }

  void expectSame(const Text &text, size_t position, const float *found) const {
    const float *expected = text.logits.data() + position * info.vocabulary;
    if (std::memcmp(expected, found, info.vocabulary * sizeof *found) == 0)
      return;
    std::fprintf(stderr, "batch_check: batch %zu: other logits at position %zu\n", batches,
                 position);
    std::exit(1);
  }

  void compare(Text &text, const llmc_batch_entry &entry, const Part &part) {
    for (size_t i = 0; i < part.outputs.size(); ++i)
      expectSame(text, text.length + part.outputs[i], part.logits.data() + i * info.vocabulary);
    text.length += entry.count;
    if (entry.skip_logits)
      return;
    const float *last = nullptr;
    check(llmc_session_logits(text.session, &last));
    expectSame(text, text.length - 1, last);
  }

  std::mt19937 random{12345};
  llmc_model *model = nullptr;
  llmc_model_info info{};
  std::vector<llmc_executor *> executors;
  std::vector<Text> texts;
  size_t batches = 0, rows = 0;
};

} // namespace

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  Check check(argv[1]);
  for (unsigned long batch = std::strtoul(argv[2], nullptr, 10); batch > 0; --batch)
    check.run();
  check.report();
  return 0;
}
