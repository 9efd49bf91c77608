//===- Numbers.cpp - options that take a number ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Numbers.h"

namespace llmc::driver {

CLI::Option *addNumber(CLI::App &command, const std::string &name, float &value,
                       bool (*allowed)(float), const std::string &range,
                       const std::string &description) {
  auto check = [=](const std::string &text) -> std::string {
    float number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && allowed(number))
      return {};
    return "expected a number " + range + ", found '" + text + "'";
  };
  return command.add_option(name, value, description)->check(check);
}

} // namespace llmc::driver
