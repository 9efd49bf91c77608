//===- InspectCommand.cpp - what a file holds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Description.h"
#include "Format.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace llmc::driver {

namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string path;
  bool verify = false, json = false;
};

/// "a 1, b 2" of {"a": 1, "b": 2}, and a text without quotes.
std::string spell(const Json &value) {
  if (value.is_string())
    return value.get<std::string>();
  if (!value.is_object())
    return value.dump();
  std::string text;
  for (const auto &[key, element] : value.items())
    text += (text.empty() ? "" : ", ") + key + " " + spell(element);
  return text;
}

/// The elements of a list; those that differ in numbers of their names alone, such as a layer's,
/// together: "past.*.key: f32[…] (30 times)".
std::vector<std::string> spellElements(const Json &list) {
  std::vector<std::pair<std::string, size_t>> groups;
  for (const Json &element : list) {
    std::string text = spell(element), common;
    size_t end = std::min(text.find(':'), text.size());
    for (size_t i = 0; i < text.size(); ++i)
      if (i >= end || !std::isdigit(static_cast<unsigned char>(text[i])))
        common += text[i];
      else if (common.empty() || common.back() != '*')
        common += '*';
    auto same = std::find_if(groups.begin(), groups.end(),
                             [&](const auto &group) { return group.first == common; });
    if (same == groups.end())
      groups.emplace_back(common, 1);
    else
      ++same->second;
  }
  std::vector<std::string> elements;
  elements.reserve(groups.size());
  for (const auto &[text, count] : groups)
    elements.push_back(count == 1 ? text : text + " (" + std::to_string(count) + " times)");
  return elements;
}

std::string spellBytes(const Json &object, const char *key) {
  return formatBytes(object.value(key, 0.0));
}

/// One line a fact. What has lines of its own is left out.
void printFacts(const Json &description) {
  for (const auto &[key, value] : description.items()) {
    if (key == "parameters" || key == "programs" || key == "variants" || key == "images" ||
        key == "files" || key == "models")
      continue;
    if (value.is_array()) {
      for (const std::string &element : spellElements(value))
        std::printf("%-18s %s\n", key.c_str(), element.c_str());
      continue;
    }
    std::printf("%-18s %s", key.c_str(), spell(value).c_str());
    if (key.ends_with("_bytes") && value.is_number())
      std::printf(" (%s)", formatBytes(value.get<double>()).c_str());
    std::printf("\n");
  }
}

void printPrograms(const Json &description) {
  for (const Json &file : description.value("files", Json::array()))
    std::printf("%-18s %s, %s\n", "file", file.value("name", "").c_str(),
                spellBytes(file, "bytes").c_str());
  for (const Json &program : description.value("programs", Json::array()))
    std::printf("%-18s %s, code %s, scratch %s + %s a thread, steps of %s tokens\n", "program",
                program.value("architecture", "").c_str(),
                spellBytes(program, "code_bytes").c_str(),
                spellBytes(program, "arena_bytes").c_str(),
                spellBytes(program, "worker_arena_bytes").c_str(),
                program.value("max_rows", Json()).dump().c_str());
  for (const Json &variant : description.value("variants", Json::array()))
    std::printf("%-18s %s, %s%s\n", "variant", variant.value("architecture", "").c_str(),
                variant.value("name", "").c_str(),
                variant.value("runs_here", false) ? "" : " (not on this CPU)");
}

/// One line for code for a GPU: what its assembler did not say is left out.
void printImages(const Json &description) {
  for (const Json &image : description.value("images", Json::array())) {
    std::printf("%-18s %s, %s, code %s, blocks of %s threads, scratch %s a block", "image",
                image.value("name", "").c_str(), image.value("code", "").c_str(),
                spellBytes(image, "code_bytes").c_str(),
                image.value("threads", Json()).dump().c_str(),
                spellBytes(image, "worker_arena_bytes").c_str());
    if (image.contains("registers"))
      std::printf(", %s registers", image["registers"].dump().c_str());
    for (const auto &[key, what] : {std::pair("shared_bytes", "shared memory"),
                                    {"stack_bytes", "stack"},
                                    {"spill_bytes", "spills"}})
      if (image.contains(key) && image[key].is_number())
        std::printf(", %s %s", formatBytes(image[key].get<double>()).c_str(), what);
    std::printf("\n");
  }
}

void printParameters(const Json &description) {
  auto parameters = description.find("parameters");
  if (parameters == description.end() || !parameters->is_array() || parameters->empty())
    return;
  std::printf("\n%-36s %-14s %-68s %-33s %11s %s\n", "parameter", "shape", "encoding", "inputs",
              "bits/weight", "size");
  double bytes = 0, bits = 0, weights = 0;
  for (const Json &parameter : *parameters) {
    std::string shape;
    double elements = 1;
    for (const Json &dim : parameter.value("shape", Json::array())) {
      shape += (shape.empty() ? "" : "x") + dim.dump();
      elements *= dim.is_number() ? dim.get<double>() : 0;
    }
    double perWeight = parameter.value("bits_per_weight", 0.0);
    bytes += parameter.value("bytes", 0.0);
    bits += perWeight * elements;
    weights += elements;
    std::printf("%-36s %-14s %-68s %-33s %11.3f %s\n", parameter.value("name", "").c_str(),
                shape.c_str(), parameter.value("encoding", "").c_str(),
                parameter.value("activation", "").c_str(), perWeight,
                spellBytes(parameter, "bytes").c_str());
  }
  if (weights > 0)
    std::printf("%zu parameters, %.0f weights of %.3f bits, %s\n", parameters->size(), weights,
                bits / weights, formatBytes(bytes).c_str());
}

void printDescription(const Json &description) {
  printFacts(description);
  printPrograms(description);
  printImages(description);
  printParameters(description);
  for (const Json &model : description.value("models", Json::array())) {
    std::printf("\n");
    printDescription(model);
  }
}

void runInspect(const InspectOptions &options) {
  Json description = describeFile(options.path, options.verify);
  if (options.json)
    std::printf("%s\n", description.dump(2).c_str());
  else
    printDescription(description);
}

} // namespace

void addInspectCommand(CLI::App &app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App *command = app.add_subcommand("inspect", "Show layers, encodings and sizes");
  command
      ->add_option(
          "FILE", options->path,
          "Artifact or object that llmc made, for any architecture, MLIR module (.mlir) or "
          "ONNX model (.onnx)")
      ->required();
  command->add_flag("--verify", options->verify,
                    "Check that the weights of an artifact are undamaged");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { runInspect(*options); });
}

} // namespace llmc::driver
