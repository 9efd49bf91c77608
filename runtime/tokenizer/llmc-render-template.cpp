//===- llmc-render-template.cpp - templates on the command line -----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs many templates, for comparing what they give with what Python's Jinja gives.
//
//===----------------------------------------------------------------------===//

#include "jinja/JsonValue.h"
#include "jinja/Template.h"

#include <iostream>
#include <string>

using namespace llmc::tokenizer::jinja;
using nlohmann::ordered_json;

constexpr const char *usage = R"(usage: llmc-render-template

Reads lines with a JSON object {"template": TEXT, "variables": {…}, "now": SECONDS} and writes for
each a line with {"text": TEXT, "marks": [[BEGIN, END], …]} or {"error": MESSAGE}. What comes from
the variable "messages" is marked: the ranges are those of the text's bytes.
)";

static ordered_json run(const ordered_json &request) {
  Template compiled;
  llmc_status status = compiled.parse(request["template"].get_ref<const std::string &>());
  Text text;
  if (llmc_status_ok(&status))
    status = compiled.render(
        [&](Heap &heap) {
          Variables variables;
          for (const auto &item : request["variables"].items())
            variables.emplace_back(item.key(),
                                   makeValue(item.value(), item.key() == "messages", heap));
          return variables;
        },
        request.value("now", std::time_t(0)), text);
  if (!llmc_status_ok(&status))
    return {{"error", status.message}, {"code", status.code}};
  ordered_json marks = ordered_json::array();
  for (const Run &run : text.getMarks())
    marks.push_back({run.begin, run.end});
  return {{"text", text.str()}, {"marks", marks}};
}

int main(int argc, char **argv) {
  if (argc > 1) {
    bool help = argc == 2 && std::string(argv[1]) == "--help";
    (help ? std::cout : std::cerr) << usage;
    return help ? 0 : 1;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    auto request = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    bool isValid = request.is_object() && request.contains("template") &&
                   request["template"].is_string() && request.contains("variables") &&
                   request["variables"].is_object();
    if (!isValid) {
      std::cerr << "llmc-render-template: error: standard input: expected an object with a "
                   "template and variables\n";
      return 1;
    }
    std::cout << run(request).dump() << "\n" << std::flush;
  }
  return 0;
}
