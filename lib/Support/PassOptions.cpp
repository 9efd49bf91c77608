//===- PassOptions.cpp - the options in the text of a pipeline ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/PassOptions.h"

#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace llmc;

using llvm::StringRef;

/// Takes from `text` what stands before the first of `ends`, leaving out what is quoted or in
/// braces as MLIR does.
static StringRef takeUntil(StringRef &text, llvm::function_ref<bool(char)> ends) {
  size_t depth = 0, place = 0;
  for (; place < text.size() && (depth != 0 || !ends(text[place])); ++place) {
    char c = text[place];
    if (c == '\'' || c == '"')
      place = std::min(text.find(c, place + 1), text.size() - 1);
    else if (c == '{')
      ++depth;
    else if (c == '}' && depth != 0)
      --depth;
  }
  StringRef taken = text.take_front(place);
  text = text.drop_front(place);
  return taken;
}

static llvm::Error checkOptions(StringRef pass, StringRef options) {
  llvm::StringSet<> given;
  while (!options.empty()) {
    StringRef option = takeUntil(options, [](char c) { return llvm::isSpace(c); });
    options = options.ltrim();
    StringRef name = option.take_until([](char c) { return c == '='; });
    if (!name.empty() && !given.insert(name).second)
      return llvm::createStringError("%s: %s: expected it once, found it twice", pass.str().c_str(),
                                     name.str().c_str());
  }
  return llvm::Error::success();
}

llvm::Error llmc::checkPassOptionsGivenOnce(StringRef pipeline) {
  while (!pipeline.empty()) {
    StringRef name =
        takeUntil(pipeline, [](char c) { return StringRef(",(){").contains(c); }).trim();
    if (!pipeline.consume_front("{")) {
      pipeline = pipeline.drop_front(pipeline.empty() ? 0 : 1);
      continue;
    }
    StringRef options = takeUntil(pipeline, [](char c) { return c == '}'; });
    pipeline.consume_front("}");
    if (llvm::Error error = checkOptions(name, options))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error llmc::checkPassOptionsGivenOnce(llvm::ArrayRef<const char *> arguments) {
  for (StringRef argument : arguments) {
    auto [name, value] = argument.ltrim('-').split('=');
    llvm::Error error = llvm::Error::success();
    if (!argument.starts_with("-"))
      continue;
    if (name == "pass-pipeline")
      error = checkPassOptionsGivenOnce(value);
    else if (mlir::PassInfo::lookup(name) || mlir::PassPipelineInfo::lookup(name))
      error = checkOptions(name, value);
    if (error)
      return error;
  }
  return llvm::Error::success();
}
