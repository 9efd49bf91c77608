//===- Compile.cpp - a model on its way through the phases ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Compile.h"
#include "TokenizerFiles.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/ParameterPaths.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;

/// A rule for make: the output depends on the model and on `paths`.
static std::string makeRule(const CompileOptions &options, ArrayRef<std::string> paths) {
  auto quote = [](StringRef path) {
    std::string quoted;
    for (char c : path) {
      if (c == ' ' || c == '#' || c == '\\')
        quoted += '\\';
      else if (c == '$')
        quoted += '$';
      quoted += c;
    }
    return quoted;
  };
  std::string text = quote(options.output) + ": " + quote(options.input);
  for (const std::string &path : paths)
    text += " \\\n  " + quote(path);
  return text + "\n";
}

llvm::SmallVector<NamedPath> CompileOptions::getOutputs() const {
  llvm::SmallVector<NamedPath> outputs{{output, "output"}};
  if (emit.object) {
    ObjectFiles files(output);
    outputs.push_back({files.header, "header"});
    outputs.push_back({files.weights, "file of weights"});
  }
  if (!depfile.empty())
    outputs.push_back({depfile, "depfile"});
  return outputs;
}

LogicalResult Compilation::report(llvm::Error error) const {
  if (!error)
    return success();
  return emitError(UnknownLoc::get(&context)) << llvm::toString(std::move(error));
}

LogicalResult Compilation::read(llvm::SourceMgr &sources) {
  llvm::Expected<OwningOpRef<ModuleOp>> input = readModel(options.input, &context, sources);
  if (!input)
    return report(input.takeError());
  if (!*input)
    return failure();
  module = std::move(*input);
  done = llmc::getPhase(*module);
  return success();
}

/// Whether all outputs leave alone what the model is made of.
llvm::Error Compilation::checkOutputs(StringRef tokenizer) const {
  SmallVector<NamedPath> inputs;
  for (const std::string &path : parameterFiles)
    inputs.push_back({path, "the module's tensors lie in"});
  if (!options.chatTemplate.empty())
    inputs.push_back({options.chatTemplate, "is the chat template"});
  if (!tokenizer.empty()) {
    inputs.push_back({tokenizer.str(), "is the model's tokenizer"});
    for (StringRef name : {"tokenizer_config.json", "generation_config.json", "config.json",
                           "chat_template.jinja", "chat_template.json"}) {
      SmallString<256> configuration(llvm::sys::path::parent_path(tokenizer));
      llvm::sys::path::append(configuration, name);
      inputs.push_back({configuration.str().str(), "is the tokenizer's configuration"});
    }
  }
  return checkOutputsApart(options.getOutputs(), inputs);
}

/// Adds the tokenizer to the artifact, and names it in the module for passes that read texts.
LogicalResult Compilation::takeTokenizer() {
  bool emitsArtifact = options.last == Phase::Emit && !options.emit.object;
  std::string path = findTokenizer(options.input, parameterFiles, options.tokenizer);
  if (llvm::Error error = checkOutputs(path))
    return report(std::move(error));
  if (!path.empty() && runs(Phase::Compress))
    (*module)->setAttr(LLMCDialect::tokenizerAttributeName, StringAttr::get(&context, path));
  if (emitsArtifact && !path.empty()) {
    std::vector<std::string> warnings;
    if (failed(report(addTokenizer(path, options.chatTemplate, options.emit.files, warnings))))
      return failure();
    for (const std::string &warning : warnings)
      emitWarning(UnknownLoc::get(&context)) << warning;
    return success();
  }
  if (!options.chatTemplate.empty())
    return report(llvm::createStringError("--chat-template: expected a tokenizer to use it with, "
                                          "found none (--tokenizer names one)"));
  if (emitsArtifact)
    emitWarning(UnknownLoc::get(&context))
        << "no tokenizer.json beside '" << options.input
        << "': the artifact reads and writes token ids alone (--tokenizer names one)";
  return success();
}

LogicalResult Compilation::compress() {
  if (failed(compressModel(*module, options.compress)))
    return failure();
  (*module)->removeAttr(LLMCDialect::tokenizerAttributeName);
  return success();
}

LogicalResult Compilation::lower() {
  for (const LowerOptions &target : options.lower) {
    programs.push_back(lowerModel(*module, target));
    if (!programs.back())
      return failure();
  }
  return success();
}

/// Writes what the output depends on, to appear once it is committed.
llvm::Error Compilation::writeRule(std::optional<AtomicFile> &depfile) {
  llvm::Expected<AtomicFile> file = AtomicFile::create(options.depfile);
  if (!file)
    return file.takeError();
  depfile.emplace(std::move(*file));
  std::string rule = makeRule(options, parameterFiles);
  return depfile->write(0, llvm::arrayRefFromStringRef(rule));
}

LogicalResult Compilation::write() {
  // Both files appear, or neither.
  std::optional<AtomicFile> depfile;
  if (!options.depfile.empty() && failed(report(writeRule(depfile))))
    return failure();
  if (options.last == Phase::Emit) {
    SmallVector<ModuleOp> modules;
    for (OwningOpRef<ModuleOp> &program : programs)
      modules.push_back(*program);
    if (failed(report(emitProgram(modules, options.emit, options.output))))
      return failure();
  } else if (failed(report(
                 writeModel(programs.empty() ? *module : *programs.front(), options.output)))) {
    return failure();
  }
  return depfile ? report(depfile->commit()) : success();
}

LogicalResult Compilation::run() {
  if (runs(Phase::Raise) && failed(raiseModel(*module, options.raise)))
    return failure();
  parameterFiles = collectParameterPaths(*module);
  if (failed(takeTokenizer()))
    return failure();
  if (runs(Phase::Compress) && failed(compress()))
    return failure();
  if (done == Phase::Lower)
    programs.push_back(std::move(module));
  else if (runs(Phase::Lower) && failed(lower()))
    return failure();
  return write();
}
