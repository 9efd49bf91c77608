//===- InspectCommand.cpp - what a file holds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Format.h"
#include "Model.h"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace llmc::driver {

namespace {

struct InspectOptions {
  std::string path;
  bool verify = false, json = false;
};

void printParameters(const nlohmann::json &description) {
  auto parameters = description.find("parameters");
  if (parameters == description.end() || !parameters->is_array())
    return;
  std::printf("\n%-36s %-14s %-68s %-33s %11s %s\n", "parameter", "shape", "encoding", "inputs",
              "bits/weight", "size");
  double bytes = 0, bits = 0, weights = 0;
  for (const nlohmann::json &parameter : *parameters) {
    std::string shape;
    double elements = 1;
    for (const nlohmann::json &dim : parameter.value("shape", nlohmann::json::array())) {
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
                formatBytes(parameter.value("bytes", 0.0)).c_str());
  }
  if (weights > 0)
    std::printf("%zu parameters, %.0f weights of %.3f bits, %s\n", parameters->size(), weights,
                bits / weights, formatBytes(bytes).c_str());
}

void runInspect(const InspectOptions &options) {
  ModelOptions modelOptions;
  modelOptions.path = options.path;
  modelOptions.threads = 1;
  modelOptions.verify = options.verify;
  Model model(modelOptions);
  llmc_model_info info = model.getInfo();
  auto description = nlohmann::json::parse(info.description, nullptr, /*allow_exceptions=*/false);
  if (!description.is_object())
    throw std::runtime_error("'" + options.path + "': the description is not a JSON object");
  nlohmann::json variants = nlohmann::json::array();
  const char *name = nullptr;
  uint64_t missing = 0;
  for (uint32_t i = 0;; ++i) {
    llmc_status status = llmc_model_get_variant(model.get(), i, &name, &missing);
    if (!llmc_status_ok(&status))
      break;
    variants.push_back({{"name", name}, {"runs_here", missing == 0}});
  }
  description["variants"] = variants;
  description["weight_bytes"] = info.weights_bytes;
  description["context"] = info.context;
  description["vocabulary"] = info.vocabulary;
  description["state_bytes"] = info.state_bytes;
  description["arena_bytes"] = info.arena_bytes;
  if (options.json) {
    std::printf("%s\n", description.dump(2).c_str());
    return;
  }
  for (const auto &[key, value] : description.items())
    if (key != "parameters" && key != "variants")
      std::printf("%-14s %s\n", key.c_str(),
                  value.is_string() ? value.get<std::string>().c_str() : value.dump().c_str());
  for (const nlohmann::json &variant : variants)
    std::printf("%-14s %s%s\n", "variant", variant["name"].get<std::string>().c_str(),
                variant["runs_here"].get<bool>() ? "" : " (not on this CPU)");
  printParameters(description);
}

} // namespace

void addInspectCommand(CLI::App &app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App *command = app.add_subcommand("inspect", "Show layers, encodings and sizes");
  command->add_option("FILE", options->path, "Artifact that `llmc compile` wrote")->required();
  command->add_flag("--verify", options->verify, "Check that the weights are undamaged");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { runInspect(*options); });
}

} // namespace llmc::driver
