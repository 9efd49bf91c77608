//===- Options.cpp - the command line of llmc compile ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"
#include "llmc/Pipelines/Import.h"

#include "llvm/Support/Path.h"

using namespace llmc;

Phase llmc::getPhase(mlir::ModuleOp module) {
  return isCarrier(module) ? Phase::Import : getProgram(module) ? Phase::Lower : Phase::Raise;
}

static const char *getName(Phase phase) {
  static constexpr const char *names[] = {"import", "raise", "compress", "lower", "emit"};
  return names[static_cast<size_t>(phase)];
}

llvm::Expected<llvm::SmallVector<Target>> Options::getTargets() const {
  llvm::SmallVector<Target> parsed;
  std::vector<std::string> names(targets.begin(), targets.end());
  if (names.empty())
    names = {"host"};
  for (const std::string &name : names) {
    llvm::Expected<Target> target = Target::parse(name);
    if (!target)
      return target.takeError();
    parsed.push_back(std::move(*target));
  }
  return parsed;
}

std::string Options::getSymbol() const {
  return symbol.empty() ? llvm::sys::path::stem(output).str() : symbol.getValue();
}

llvm::SmallVector<Options::Use> Options::getUses() const {
  llvm::SmallVector<Use> uses;
  auto add = [&](const llvm::cl::Option &option, Phase phase) { uses.push_back({&option, phase}); };
  add(context, Phase::Raise);
  add(checkImport, Phase::Raise);
  add(passes, Phase::Compress);
  add(activation, Phase::Compress);
  add(targets, Phase::Lower);
  add(maxRows, Phase::Lower);
  add(object, Phase::Emit);
  add(symbol, Phase::Emit);
  return uses;
}

llvm::SmallVector<NamedPath> Options::getOutputs() const {
  llvm::SmallVector<NamedPath> outputs{{output, "output"}};
  if (object) {
    ObjectFiles files(output);
    outputs.push_back({files.header, "header"});
    outputs.push_back({files.weights, "file of weights"});
  }
  if (!depfile.empty())
    outputs.push_back({depfile, "depfile"});
  return outputs;
}

llvm::Error Options::check() const {
  if (maxRows < 1 || maxRows > maxRowsOfStep)
    return llvm::createStringError("--max-rows: expected 1 to %lld, found %lld",
                                   (long long)maxRowsOfStep, (long long)maxRows);
  for (auto [option, phase] : getUses())
    if (option->getNumOccurrences() > 0 && phase > compileTo)
      return llvm::createStringError("--%s: expected the phase '%s', which --compile-to=%s leaves "
                                     "out",
                                     option->ArgStr.str().c_str(), getName(phase),
                                     getName(compileTo));
  if (compileTo == Phase::Lower && targets.size() > 1)
    return llvm::createStringError("--compile-to=lower: expected one --target, found %zu",
                                   targets.size());
  if (!object && !symbol.empty())
    return llvm::createStringError("--symbol: expected --object with it");
  if (object && targets.size() > 1)
    return llvm::createStringError("--object: expected one --target, found %zu", targets.size());
  if (object && !tokenizer.empty())
    return llvm::createStringError(
        "--object: expected no --tokenizer: the application brings its own");
  if (!chatTemplate.empty() && (object || compileTo != Phase::Emit))
    return llvm::createStringError("--chat-template: expected an artifact to be written");
  if (!targets.empty()) {
    llvm::Expected<llvm::SmallVector<Target>> parsed = getTargets();
    if (!parsed)
      return parsed.takeError();
    if (llvm::Error error = checkArtifactTargets(*parsed))
      return error;
  }
  if (force && !object)
    return llvm::createStringError("--force: expected --object with it");
  if (object) {
    if (llvm::Error error = ObjectFiles(output).check(output))
      return error;
    if (llvm::Error error = checkCodeOptions({getSymbol(), 0}))
      return error;
  }
  if (llvm::Error error = checkOutputsApart(
          getOutputs(),
          {{input, isONNXPath(input) ? "the module's tensors lie in" : "is the input"}}))
    return error;
  return object && !force ? ObjectFiles(output).checkReplaceable() : llvm::Error::success();
}

llvm::Error Options::checkInput(Phase done) const {
  if (compileTo < done)
    return llvm::createStringError("--compile-to=%s: '%s' is past this phase already",
                                   getName(compileTo), input.c_str());
  // The tokenizer is for passes that read texts, and goes into the artifact.
  bool compresses = done < Phase::Compress && compileTo >= Phase::Compress;
  if (!tokenizer.empty() && !compresses && compileTo != Phase::Emit)
    return llvm::createStringError("--tokenizer: expected the phase 'compress' or 'emit' to run");
  for (auto [option, phase] : getUses())
    if (option->getNumOccurrences() > 0 && phase <= done)
      return llvm::createStringError("--%s: expected a model before the phase '%s', which '%s' is "
                                     "past",
                                     option->ArgStr.str().c_str(), getName(phase), input.c_str());
  return llvm::Error::success();
}
