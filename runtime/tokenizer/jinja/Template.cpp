//===- Template.cpp - a Jinja template that can be run --------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts lexer, parser and interpreter together, and turns their exception into a status.
//
//===----------------------------------------------------------------------===//

#include "Template.h"

#include "Error.h"
#include "Interpreter.h"
#include "Parser.h"
#include "Unicode.h"

namespace llmc::tokenizer::jinja {

namespace {

constexpr size_t maximumSourceSize = 1 << 20;
/// About a second, and far more than any conversation that fits a model takes.
constexpr uint64_t maximumSteps = 20'000'000;
constexpr uint64_t maximumBytes = 256 << 20;

llmc_status makeStatus(const Error &error, int line) {
  return llmc_make_status(error.code, "line %d: %s", line, error.what());
}

} // namespace

llmc_status Template::parse(std::string_view source) {
  if (source.size() > maximumSourceSize)
    return llmc_make_status(LLMC_UNSUPPORTED, "expected at most %zu bytes, found %zu",
                            maximumSourceSize, source.size());
  size_t invalid = findInvalidUtf8(source);
  if (invalid != source.size())
    return llmc_make_status(LLMC_CORRUPT,
                            "expected text in UTF-8, found something else at byte %zu", invalid);
  try {
    block = Parser(tokenize(source), symbols).parse();
  } catch (const Error &error) {
    return makeStatus(error, error.line);
  }
  return llmc_ok_status();
}

llmc_status Template::render(const std::function<Variables(Heap &)> &build, std::time_t now,
                             Text &output) const {
  Heap heap(maximumSteps, maximumBytes);
  Interpreter interpreter(symbols, heap, now);
  try {
    output.append(interpreter.run(block, build(heap)));
  } catch (const Error &error) {
    return makeStatus(error, error.line ? error.line : interpreter.getLine());
  }
  return llmc_ok_status();
}

} // namespace llmc::tokenizer::jinja
