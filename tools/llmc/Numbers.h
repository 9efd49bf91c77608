//===- Numbers.h - options that take a number ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_NUMBERS_H
#define LLMC_TOOLS_NUMBERS_H

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

#include <charconv>
#include <concepts>
#include <limits>
#include <string>

namespace llmc::driver {

/// Declares an option that takes a whole number. CLI11 alone reads -1 as a huge one, and cuts what
/// is too large.
template <std::unsigned_integral T>
CLI::Option *addCount(CLI::App &command, const std::string &name, T &value,
                      const std::string &description) {
  auto check = [](const std::string &text) -> std::string {
    T number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size())
      return {};
    return "expected a whole number from 0 to " + std::to_string(std::numeric_limits<T>::max()) +
           ", found '" + text + "'";
  };
  return command.add_option(name, value, description)->check(check);
}

/// Declares an option that takes a number for which `allowed` holds, in words `range`.
CLI::Option *addNumber(CLI::App &command, const std::string &name, float &value,
                       bool (*allowed)(float), const std::string &range,
                       const std::string &description);

} // namespace llmc::driver

#endif // LLMC_TOOLS_NUMBERS_H
