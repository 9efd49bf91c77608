//===- Template.h - a Jinja template that can be run ----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the interpreter's interface: a template is read once and run any number of times, by
// any number of threads. Both templates and values are untrusted: running one ends with a message
// where it takes too much time or memory.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_TEMPLATE_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_TEMPLATE_H

#include "Syntax.h"
#include "Value.h"

#include "llmc/status.h"

#include <ctime>
#include <functional>
#include <string_view>
#include <utility>

namespace llmc::tokenizer::jinja {

using Variables = std::vector<std::pair<std::string, Value>>;

class Template {
public:
  /// Reads a template. Its errors, and those of `render`, begin with a line: "line 3: …".
  llmc_status parse(std::string_view source);

  /// Appends what the template makes of the variables that `build` gives. `now` is what the clock
  /// is said to show.
  llmc_status render(const std::function<Variables(Heap &)> &build, std::time_t now,
                     Text &output) const;

private:
  SymbolTable symbols;
  Block block;
};

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_TEMPLATE_H
