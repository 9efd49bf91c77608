//===- RunCommand.cpp - writes text, or holds a conversation ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Interrupt.h"
#include "Model.h"
#include "Numbers.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <unistd.h>

namespace llmc::driver {

namespace {

struct RunOptions {
  ModelOptions model;
  std::string prompt, system;
  size_t maxTokens = 256;
  float temperature = 0.0f, topP = 1.0f, repetitionPenalty = 1.0f;
  uint32_t topK = 0;
  uint64_t seed = 0;
  bool chat = false;
};

/// One text that grows: the session, and what it writes.
class Writer {
public:
  Writer(Model &model, Tokenizer &tokenizer, const RunOptions &options)
      : session(model), tokenizer(tokenizer), stops(tokenizer.getStopTokens()),
        context(model.getInfo().context), maxTokens(options.maxTokens) {
    sampling.temperature = options.temperature;
    sampling.top_k = options.topK;
    sampling.top_p = options.topP;
    sampling.repetition_penalty = options.repetitionPenalty;
    session.setSeed(options.seed);
    // A vocabulary that was padded to a round number has tokens that no text is made of.
    session.exclude(tokenizer.getMissingTokens(model.getInfo().vocabulary));
  }

  /// Reads `prompt` and writes what follows to standard output until the text ends. An interrupt
  /// ends it sooner, and is thrown once what was written is complete.
  void answer(const std::vector<int32_t> &prompt) {
    if (session.getPosition() + prompt.size() > context)
      throw std::runtime_error("expected at most " + std::to_string(context) +
                               " tokens (the model's context), found " +
                               std::to_string(session.getPosition() + prompt.size()));
    TokenStream stream(tokenizer);
    try {
      session.evaluate(prompt, nullptr);
      generate(stream);
    } catch (const Interrupted &) {
      finish(stream);
      throw;
    }
    finish(stream);
  }

private:
  void generate(TokenStream &stream) {
    for (size_t i = 0; i < maxTokens; ++i) {
      int32_t token = session.sample(sampling);
      bool stop = std::find(stops.begin(), stops.end(), token) != stops.end();
      if (!stop)
        print(stream.push(token));
      // The stop token too becomes part of the conversation.
      if (session.getPosition() == context) {
        std::fprintf(stderr, "\nllmc: the context of %zu tokens is full\n", context);
        break;
      }
      session.evaluate({&token, 1}, nullptr);
      if (stop)
        break;
    }
  }

  static void finish(TokenStream &stream) {
    print(stream.finish());
    print("\n");
  }

  static void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  Session session;
  Tokenizer &tokenizer;
  std::vector<int32_t> stops;
  size_t context, maxTokens;
  llmc_sampling sampling = llmc_sampling_default();
};

/// Answers every line of standard input; an empty prompt reads only those.
void converse(Writer &writer, const Tokenizer &tokenizer, const RunOptions &options) {
  bool terminal = isatty(STDIN_FILENO) != 0, first = true;
  std::string line = options.prompt;
  while (true) {
    if (line.empty()) {
      if (terminal) {
        std::fputs("> ", stderr);
        std::fflush(stderr);
      }
      endOnInterrupts();
      if (!std::getline(std::cin, line))
        return;
      if (line.empty())
        continue;
    }
    std::vector<llmc_chat_message> messages;
    if (first && !options.system.empty())
      messages.push_back({"system", options.system.data(), options.system.size()});
    messages.push_back({"user", line.data(), line.size()});
    noteInterrupts();
    try {
      writer.answer(
          tokenizer.encodeChat(messages, LLMC_CHAT_OPEN_ANSWER | (first ? 0 : LLMC_CHAT_CONTINUE)));
    } catch (const Interrupted &interrupt) {
      // At a terminal the key ends the answer, not the conversation.
      if (!terminal || interrupt.getSignal() != SIGINT)
        throw;
    }
    first = false;
    line.clear();
  }
}

void runRun(const RunOptions &options) {
  if (!options.chat && options.prompt.empty())
    throw std::runtime_error("expected --prompt TEXT that is not empty, or --chat");
  if (!options.chat && !options.system.empty())
    throw std::runtime_error("expected --chat with --system");
  Model model(options.model);
  Tokenizer tokenizer = model.getTokenizer();
  Writer writer(model, tokenizer, options);
  if (options.chat)
    return converse(writer, tokenizer, options);
  std::vector<int32_t> prompt = tokenizer.encode(options.prompt, /*addSpecial=*/true);
  std::fputs(options.prompt.c_str(), stdout);
  writer.answer(prompt);
}

} // namespace

void addRunCommand(CLI::App &app) {
  auto options = std::make_shared<RunOptions>();
  CLI::App *command = app.add_subcommand("run", "Write text after a prompt, or converse");
  options->model.declare(*command);
  command->add_option("--prompt", options->prompt, "What the text starts with");
  addCount(*command, "--max-tokens", options->maxTokens, "Tokens to write at most")
      ->capture_default_str();
  addNumber(
      *command, "--temperature", options->temperature,
      [](float value) { return value >= 0 && value <= 100; }, "from 0 to 100",
      "0 takes the most likely token, 1 samples as the model says")
      ->capture_default_str();
  addCount(*command, "--top-k", options->topK, "Sample among the K most likely; 0: all");
  addNumber(
      *command, "--top-p", options->topP, [](float value) { return value > 0 && value <= 1; },
      "above 0 and at most 1", "Sample among the likeliest with this mass")
      ->capture_default_str();
  addNumber(
      *command, "--repetition-penalty", options->repetitionPenalty,
      [](float value) { return value >= 0.01f && value <= 100; }, "from 0.01 to 100",
      "Divides the scores of tokens that the text has (1: none)")
      ->capture_default_str();
  addCount(*command, "--seed", options->seed, "Seed of the sampling")->capture_default_str();
  command->add_flag("--chat", options->chat, "Hold a conversation in ChatML, a line a turn");
  command->add_option("--system", options->system, "System message of a conversation");
  command->callback([options] { runRun(*options); });
}

} // namespace llmc::driver
