//===- CompareCommand.cpp - two programs side by side ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// `llmc compare A B`: size, speed and memory of two programs, the parameters they store differently
// and, on a text, perplexity and how far B's predictions are from A's.
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Description.h"
#include "Evaluation.h"
#include "Format.h"
#include "Process.h"
#include "Speed.h"

#include <cerrno>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <unistd.h>

namespace llmc::driver {

namespace {

using Json = nlohmann::ordered_json;

struct CompareOptions {
  ModelOptions first, second;
  TextOptions text;
  SpeedOptions speed;
  bool json = false;
};

/// Writes all of `text` to a descriptor.
bool writeAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

/// The child's part of measureApart: its result or, after a '!', what is wrong, goes to the pipe.
[[noreturn]] void measureInChild(const ModelOptions &model, const SpeedOptions &options, int pipe) {
  std::string result;
  try {
    result = measureSpeed(model, options).dump();
  } catch (const std::exception &error) {
    result = std::string("!") + error.what();
  }
  _exit(writeAll(pipe, result) ? 0 : 1);
}

/// Times a program in a process of its own, whose peak of memory is the program's. To be called
/// while this process has no other threads.
Json measureApart(const ModelOptions &model, const SpeedOptions &options) {
  Pipe pipe;
  pid_t id = startChild();
  if (id == 0)
    measureInChild(model, options, pipe.getWritingEnd());
  Child child(id);
  std::string result = pipe.readAll();
  if (result.starts_with('!'))
    throw std::runtime_error(result.substr(1));
  Json measured = Json::parse(result, nullptr, /*allow_exceptions=*/false);
  if (!measured.is_object())
    throw std::runtime_error("'" + model.path + "': measuring it in a process of its own failed");
  return measured;
}

/// The parameters of a program by name, in its order.
Json describeParameters(const std::string &path, const Model &model) {
  Json described = Json::object();
  Json description = parseDescription(path, model.getInfo().description);
  if (description.contains("parameters"))
    for (Json &parameter : description["parameters"]) {
      std::string name = parameter.value("name", "");
      parameter.erase("name");
      described[name] = std::move(parameter);
    }
  return described;
}

/// Parameters that the programs store differently, or that one of them lacks (null).
Json compareParameters(const Json &first, const Json &second) {
  Json different = Json::array();
  auto add = [&](const std::string &name) {
    Json a = first.value(name, Json()), b = second.value(name, Json());
    if (a != b)
      different.push_back({{"name", name}, {"a", std::move(a)}, {"b", std::move(b)}});
  };
  for (const auto &[name, parameter] : first.items())
    add(name);
  for (const auto &[name, parameter] : second.items())
    if (!first.contains(name))
      add(name);
  return different;
}

Json compare(const CompareOptions &options) {
  Json result;
  result["a"] = {{"file", options.first.path}};
  result["b"] = {{"file", options.second.path}};
  result["a"].update(measureApart(options.first, options.speed));
  result["b"].update(measureApart(options.second, options.speed));
  Model first(options.first), second(options.second);
  if (!options.text.path.empty()) {
    Evaluation evaluation = evaluateText(second, &first, options.text);
    result["a"].update(evaluation.reference);
    result["b"].update(evaluation.model);
    result.update(evaluation.comparison);
  }
  Json a = describeParameters(options.first.path, first),
       b = describeParameters(options.second.path, second);
  result["parameters"] = a.size();
  result["different"] = compareParameters(a, b);
  return result;
}

/// One row: a measure of both programs, and their ratio.
void printRow(const char *name, const Json &result, const char *key,
              std::string (*format)(double)) {
  if (!result["a"].contains(key))
    return;
  double a = result["a"][key], b = result["b"][key];
  std::printf("%-20s %16s %16s %8s\n", name, format(a).c_str(), format(b).c_str(),
              a > 0 ? formatNumber(b / a).c_str() : "-");
}

std::string spellEncoding(const Json &parameter) {
  if (parameter.is_null())
    return "(none)";
  std::string activation = parameter.value("activation", "");
  return parameter.value("encoding", "") + (activation.empty() ? "" : ", inputs " + activation);
}

double getBytes(const Json &parameter) {
  return parameter.is_null() ? 0.0 : parameter.value("bytes", 0.0);
}

/// Parameters that differ, those together whose encodings differ alike.
void printDifferences(const Json &different) {
  std::map<std::pair<std::string, std::string>, std::vector<const Json *>> groups;
  for (const Json &parameter : different)
    groups[{spellEncoding(parameter["a"]), spellEncoding(parameter["b"])}].push_back(&parameter);
  for (const auto &[encodings, members] : groups) {
    std::printf("\nA %s, B %s\n", encodings.first.c_str(), encodings.second.c_str());
    for (const Json *parameter : members)
      std::printf("  %-40s %10s %10s\n", (*parameter)["name"].get<std::string>().c_str(),
                  formatBytes(getBytes((*parameter)["a"])).c_str(),
                  formatBytes(getBytes((*parameter)["b"])).c_str());
  }
}

void printComparison(const Json &result) {
  std::printf("A: %s\nB: %s\n\n", result["a"]["file"].get<std::string>().c_str(),
              result["b"]["file"].get<std::string>().c_str());
  std::printf("%-20s %16s %16s %8s\n", "", "A", "B", "B / A");
  printRow("weights", result, "weight_bytes", formatBytes);
  printRow("perplexity", result, "perplexity", formatNumber);
  printRow("bits per byte", result, "bits_per_byte", formatNumber);
  printRow("prefill tokens/s", result, "prefill_tokens_per_second", formatNumber);
  printRow("decode tokens/s", result, "decode_tokens_per_second", formatNumber);
  printRow("load", result, "load_seconds", formatSeconds);
  printRow("peak memory", result, "peak_rss_bytes", formatBytes);
  if (result.contains("kl_mean"))
    std::printf("\nKL(A, B) mean %s, 99th percentile %s; the same most likely token: %s %%\n",
                formatNumber(result["kl_mean"]).c_str(), formatNumber(result["kl_p99"]).c_str(),
                formatNumber(100 * result["top1_agreement"].get<double>()).c_str());
  std::printf("\n%zu parameters differ; A has %zu\n", result["different"].size(),
              result["parameters"].get<size_t>());
  printDifferences(result["different"]);
}

void runCompare(CompareOptions options) {
  options.second.threads = options.first.threads;
  options.second.variant = options.first.variant;
  options.second.verify = options.first.verify;
  Json result = compare(options);
  if (options.json)
    std::printf("%s\n", result.dump(2).c_str());
  else
    printComparison(result);
}

} // namespace

void addCompareCommand(CLI::App &app) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App *command = app.add_subcommand("compare", "Set two programs side by side");
  command->add_option("A", options->first.path, "Artifact, the reference")->required();
  command->add_option("B", options->second.path, "Artifact to compare with it")->required();
  options->first.declareRunning(*command);
  options->text.declare(*command);
  options->speed.declare(*command);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { runCompare(*options); });
}

} // namespace llmc::driver
