//===- RunCommand.cpp - writes text, or holds a conversation ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Files.h"
#include "Interrupt.h"
#include "Model.h"
#include "Numbers.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <unistd.h>

namespace llmc::driver {

namespace {

struct RunOptions {
  ModelOptions model;
  std::string prompt, system, chatTemplate;
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
      : session(model), tokenizer(tokenizer), ends(tokenizer.getEndTokens()),
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
  void answer(std::span<const int32_t> prompt) {
    text.clear();
    if (tokens.size() + prompt.size() > context)
      throw std::runtime_error("expected at most " + std::to_string(context) +
                               " tokens (the model's context), found " +
                               std::to_string(tokens.size() + prompt.size()));
    TokenStream stream(tokenizer);
    try {
      evaluate(prompt);
      generate(stream);
    } catch (const Interrupted &) {
      finish(stream);
      throw;
    }
    finish(stream);
  }

  /// Reads a whole text instead of what was read before, keeping what is the same.
  void answerAnew(std::span<const int32_t> whole) {
    size_t same = 0;
    // At least one token is read, so that something follows it.
    while (same < tokens.size() && same + 1 < whole.size() && tokens[same] == whole[same])
      ++same;
    session.rewind(same);
    tokens.resize(same);
    answer(whole.subspan(same));
  }

  /// What was written last.
  const std::string &getText() const { return text; }

private:
  void evaluate(std::span<const int32_t> added) {
    size_t before = session.getPosition();
    auto note = [&] {
      tokens.insert(tokens.end(), added.begin(),
                    added.begin() + static_cast<ptrdiff_t>(session.getPosition() - before));
    };
    try {
      session.evaluate(added, nullptr);
    } catch (const Interrupted &) {
      note();
      throw;
    }
    note();
  }

  /// What ends the text is no part of it: in a conversation the template writes it.
  void generate(TokenStream &stream) {
    for (size_t i = 0; i < maxTokens; ++i) {
      int32_t token = session.sample(sampling);
      if (std::find(ends.begin(), ends.end(), token) != ends.end())
        break;
      write(stream.push(token));
      if (session.getPosition() == context) {
        std::fprintf(stderr, "\nllmc: the context of %zu tokens is full\n", context);
        break;
      }
      evaluate({&token, 1});
    }
  }

  void finish(TokenStream &stream) {
    write(stream.finish());
    print("\n");
  }

  void write(std::string_view part) {
    text += part;
    print(part);
  }

  static void print(std::string_view part) {
    std::fwrite(part.data(), 1, part.size(), stdout);
    std::fflush(stdout);
  }

  Session session;
  /// What the session has read.
  std::vector<int32_t> tokens;
  std::string text;
  Tokenizer &tokenizer;
  std::vector<int32_t> ends;
  size_t context, maxTokens;
  llmc_sampling sampling = llmc_sampling_default();
};

/// A conversation in the model's chat template.
class Conversation {
public:
  Conversation(Writer &writer, const Tokenizer &tokenizer, const std::string &system)
      : writer(writer), tokenizer(tokenizer) {
    if (!system.empty())
      turns.push_back({"system", system});
  }

  /// Writes the answer to a message.
  void say(const std::string &text) {
    turns.push_back({"user", text});
    // What was read goes on where it can; a template that writes earlier turns in another way, such
    // as without their thoughts, has them read anew.
    std::optional<std::vector<int32_t>> prompt;
    if (hasAnswer)
      prompt = encode(LLMC_CHAT_CONTINUE);
    hasAnswer = false;
    if (prompt)
      writer.answer(*prompt);
    else
      writer.answerAnew(*encode(0));
    takeAnswer();
    hasAnswer = true;
  }

  /// Takes what was written into the conversation; after an interrupt this is a part of an answer.
  void takeAnswer() { turns.push_back({"assistant", writer.getText()}); }

private:
  std::optional<std::vector<int32_t>> encode(uint32_t flags) const {
    std::vector<llmc_chat_message> messages;
    messages.reserve(turns.size());
    for (const auto &[role, content] : turns)
      messages.push_back({role, content.data(), content.size()});
    return tokenizer.encodeChat(messages, flags | LLMC_CHAT_OPEN_ANSWER);
  }

  Writer &writer;
  const Tokenizer &tokenizer;
  std::vector<std::pair<const char *, std::string>> turns;
  /// Whether the last answer is whole, so that what was read can go on after it.
  bool hasAnswer = false;
};

/// Answers every line of standard input; an empty prompt reads only those.
void converse(Writer &writer, const Tokenizer &tokenizer, const RunOptions &options) {
  bool terminal = isatty(STDIN_FILENO) != 0;
  // A key that was pressed while the model was loaded ends more than the first answer.
  checkInterrupts();
  Conversation conversation(writer, tokenizer, options.system);
  std::string line = options.prompt;
  while (true) {
    if (line.empty()) {
      if (terminal) {
        std::fputs("> ", stderr);
        std::fflush(stderr);
      }
      // Waiting for a line ends at once; what came before, while loading, counts.
      endOnInterrupts();
      checkInterrupts();
      if (!std::getline(std::cin, line))
        return;
      if (line.empty())
        continue;
      noteInterrupts();
    }
    try {
      conversation.say(line);
    } catch (const Interrupted &interrupt) {
      // At a terminal the key ends the answer, not the conversation.
      if (!terminal || interrupt.getSignal() != SIGINT)
        throw;
      forgetInterrupts();
      conversation.takeAnswer();
    }
    line.clear();
  }
}

/// Throws where the model has no template for conversations, and says what to do.
void checkChat(const Tokenizer &tokenizer) {
  try {
    tokenizer.checkChat();
  } catch (const std::runtime_error &error) {
    throw std::runtime_error(std::string(error.what()) + " (--chat-template names one)");
  }
}

void runRun(const RunOptions &options) {
  if (!options.chat && options.prompt.empty())
    throw std::runtime_error("expected --prompt TEXT that is not empty, or --chat");
  if (!options.chat && !options.system.empty())
    throw std::runtime_error("expected --chat with --system");
  if (!options.chat && !options.chatTemplate.empty())
    throw std::runtime_error("expected --chat with --chat-template");
  std::string chatTemplate;
  if (!options.chatTemplate.empty()) {
    chatTemplate = readFile(options.chatTemplate);
    if (chatTemplate.empty())
      throw std::runtime_error("'" + options.chatTemplate +
                               "': expected a template, found nothing");
  }
  Model model(options.model);
  Tokenizer tokenizer = model.getTokenizer(chatTemplate);
  if (options.chat)
    checkChat(tokenizer);
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
  command->add_flag("--chat", options->chat,
                    "Hold a conversation in the model's chat template, a line a turn");
  command->add_option("--chat-template", options->chatTemplate,
                      "File with a chat template (Jinja) instead of the model's");
  command->add_option("--system", options->system, "System message of a conversation");
  command->callback([options] { runRun(*options); });
}

} // namespace llmc::driver
