//===- jinja_fuzzer.cpp - fuzzing of chat templates -----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads its input as a template and runs it on a conversation. Whatever it is, it gives a text
// whose marks lie in it, or a message.
//
//===----------------------------------------------------------------------===//

#include "Unicode.h"
#include "jinja/Template.h"

#include <cstdint>
#include <cstdlib>

using namespace llmc::tokenizer;
using namespace llmc::tokenizer::jinja;

static void require(bool condition) {
  if (!condition)
    std::abort();
}

static Variables makeVariables(Heap &heap) {
  Value messages = heap.list({});
  for (const char *role : {"system", "user", "assistant", "user"}) {
    Value message = heap.dict();
    setKey(message.getDict(), heap.string("role"), heap.string(role), heap);
    setKey(message.getDict(), heap.string("content"),
           heap.string(Text::fromMessage(" <|x|> \u00c9 \u03a3\n1,2 ")), heap);
    messages.getElements().push_back(message);
  }
  return {{"messages", messages},
          {"tools", Value()},
          {"add_generation_prompt", Value(true)},
          {"bos_token", heap.string("<s>")}};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Template compiled;
  llmc_status status = compiled.parse({reinterpret_cast<const char *>(data), size});
  require(status.code != LLMC_INTERNAL);
  if (status.code != LLMC_OK)
    return 0;
  Text text;
  status = compiled.render(makeVariables, 1741350896, text);
  require(status.code != LLMC_INTERNAL);
  require(findInvalidUtf8(text.str()) == text.size());
  size_t end = 0;
  for (const Run &run : text.getMarks()) {
    require(run.begin < run.end && run.begin >= end && run.end <= text.size());
    end = run.end;
  }
  return 0;
}
