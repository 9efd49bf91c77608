//===- Options.cpp - the command line of llmc compile ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"
#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Support/CommandLine.h"

#include "llvm/Support/WithColor.h"

#include <cstdlib>

using namespace llmc;

CompileOptions Options::get() const {
  CompileOptions options;
  options.input = input;
  options.output = output;
  options.last = compileTo;
  options.raise = raise.get();
  options.compress = {compress ? getRecipes().front().name.str() : recipe.getValue(), passes,
                      activation, caches};
  options.lower = lower.get();
  options.emit = {object, emit.symbol, emit.force, {}, emit.ptxas};
  options.tokenizer = tokenizer;
  options.chatTemplate = chatTemplate;
  options.depfile = depfile;
  return options;
}

void Options::printAndExit(const std::string &recipe) {
  llvm::Expected<std::string> text = readRecipe(recipe);
  llvm::Error error =
      text ? writeStandardOutput(*text)
           : llvm::createStringError("--print-recipe: " + llvm::toString(text.takeError()));
  if (!error)
    std::exit(0);
  llvm::WithColor::error(llvm::errs(), "llmc compile") << llvm::toString(std::move(error)) << "\n";
  std::exit(1);
}

llvm::SmallVector<Options::Use> Options::getUses() const {
  llvm::SmallVector<Use> uses;
  auto add = [&](const llvm::cl::Option &option, Phase phase) { uses.push_back({&option, phase}); };
  add(raise.context, Phase::Raise);
  add(raise.checkImport, Phase::Raise);
  add(recipe, Phase::Compress);
  add(compress, Phase::Compress);
  add(passes, Phase::Compress);
  add(activation, Phase::Compress);
  add(caches, Phase::Compress);
  add(*lower.targets, Phase::Lower);
  add(lower.maxRows, Phase::Lower);
  add(lower.kernels, Phase::Lower);
  add(object, Phase::Emit);
  add(emit.symbol, Phase::Emit);
  add(emit.ptxas, Phase::Emit);
  return uses;
}

llvm::Error Options::checkTargets() const {
  llvm::Expected<LowerFlags::Targets> parsed = lower.getTargets();
  if (!parsed)
    return parsed.takeError();
  if (object && parsed->ofCPUs.size() != 1)
    return llvm::createStringError("--object: expected one --target of a CPU, found %zu",
                                   parsed->ofCPUs.size());
  if (emit.ptxas.getNumOccurrences() > 0 && parsed->ofGPUs.empty())
    return llvm::createStringError("--ptxas: expected --target=cuda with it");
  if (llvm::Error error = Assembler::find(emit.ptxas).takeError())
    return error;
  return checkArtifactTargets(parsed->ofCPUs);
}

llvm::Error Options::check() const {
  if (lower.maxRows < 1 || lower.maxRows > maxRowsOfStep)
    return llvm::createStringError("--max-rows: expected 1 to %lld, found %lld",
                                   (long long)maxRowsOfStep, (long long)lower.maxRows);
  for (auto [option, phase] : getUses())
    if (option->getNumOccurrences() > 0 && phase > compileTo)
      return llvm::createStringError("--%s: expected the phase '%s', which --compile-to=%s leaves "
                                     "out",
                                     option->ArgStr.str().c_str(), getName(phase).data(),
                                     getName(compileTo).data());
  size_t targets = lower.get().size();
  if (compileTo == Phase::Lower && targets > 1)
    return llvm::createStringError("--compile-to=lower: expected one --target, found %zu", targets);
  if (!object && !emit.symbol.empty())
    return llvm::createStringError("--symbol: expected --object with it");
  if (object && !tokenizer.empty())
    return llvm::createStringError(
        "--object: expected no --tokenizer: the application brings its own");
  if (!chatTemplate.empty() && (object || compileTo != Phase::Emit))
    return llvm::createStringError("--chat-template: expected an artifact to be written");
  if (llvm::Error error = checkTargets())
    return error;
  if (llvm::Error error = KernelChoice::parse(lower.kernels).takeError())
    return llvm::createStringError("--kernels: " + llvm::toString(std::move(error)));
  if (compress && !recipe.empty())
    return llvm::createStringError("--compress: expected no --recipe beside it");
  if (!recipe.empty())
    if (llvm::Error error = checkRecipeName(recipe))
      return llvm::createStringError("--recipe: " + llvm::toString(std::move(error)));
  CompileOptions options = get();
  if (options.emit.force && !object)
    return llvm::createStringError("--force: expected --object with it");
  if (object) {
    if (llvm::Error error = ObjectFiles(output).check(output))
      return error;
    if (llvm::Error error = checkCodeOptions({options.emit.getSymbol(output), 0}))
      return error;
  }
  if (llvm::Error error = checkOutputsApart(
          options.getOutputs(),
          {{input, isONNXPath(input) ? "the module's tensors lie in" : "is the input"}}))
    return error;
  return object && !options.emit.force ? ObjectFiles(output).checkReplaceable()
                                       : llvm::Error::success();
}

llvm::Error Options::checkInput(Phase done) const {
  if (compileTo < done)
    return llvm::createStringError("--compile-to=%s: '%s' is past this phase already",
                                   getName(compileTo).data(), input.c_str());
  // The tokenizer is for passes that read texts, and goes into the artifact.
  bool compresses = done < Phase::Compress && compileTo >= Phase::Compress;
  if (!tokenizer.empty() && !compresses && compileTo != Phase::Emit)
    return llvm::createStringError("--tokenizer: expected the phase 'compress' or 'emit' to run");
  for (auto [option, phase] : getUses())
    if (option->getNumOccurrences() > 0 && phase <= done)
      return llvm::createStringError("--%s: expected a model before the phase '%s', which '%s' is "
                                     "past",
                                     option->ArgStr.str().c_str(), getName(phase).data(),
                                     input.c_str());
  return llvm::Error::success();
}
