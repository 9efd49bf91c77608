//===- llmc-compile.cpp - compiles a model into one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `llmc compile`: takes a model through the phases (Options.h) and writes an artifact, an object,
// or the module that a phase leaves.
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "TokenizerFiles.h"
#include "llmc/Calibration/Passes.h"
#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/CommandLine.h"
#include "llmc/Support/ParameterPaths.h"
#include "llmc/Support/PassOptions.h"
#include "llmc/Support/ToolProcess.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace llmc;

namespace {

/// Fails with a message for the user.
LogicalResult report(llvm::Error error) {
  if (!error)
    return success();
  llvm::WithColor::error(llvm::errs(), "llmc compile") << llvm::toString(std::move(error)) << "\n";
  return failure();
}

LogicalResult runPasses(ModuleOp module, StringRef pipeline) {
  if (pipeline.empty())
    return success();
  if (llvm::Error error = checkPassOptionsGivenOnce(pipeline))
    return report(
        llvm::createStringError("--passes: %s", llvm::toString(std::move(error)).c_str()));
  PassManager manager(module.getContext());
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (failed(parsePassPipeline(pipeline, manager, stream)))
    return report(llvm::createStringError("--passes: %s", StringRef(message).trim().str().c_str()));
  return manager.run(module);
}

/// A rule for make: the output depends on the model and on `paths`.
std::string makeRule(const Options &options, ArrayRef<std::string> paths) {
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

/// What goes through the phases.
class Compilation {
public:
  Compilation(const Options &options, MLIRContext &context) : options(options), context(context) {}

  LogicalResult run();

private:
  LogicalResult raise();
  llvm::Error checkOutputs(StringRef tokenizer) const;
  LogicalResult takeTokenizer();
  llvm::Error writeRule(std::optional<AtomicFile> &depfile);
  LogicalResult compress();
  LogicalResult lower();
  LogicalResult emit();

  /// Whether `phase` is between what the input has been through and where to stop.
  bool runs(Phase phase) const { return done < phase && phase <= options.compileTo; }

  const Options &options;
  MLIRContext &context;
  OwningOpRef<ModuleOp> module;
  Phase done = Phase::Import;                 ///< by the input
  std::vector<std::string> parameterFiles;    ///< of the input
  std::vector<ArtifactFile> files;            ///< of the artifact
  SmallVector<OwningOpRef<ModuleOp>> planned; ///< one for each target
};

LogicalResult Compilation::raise() {
  RaiseOptions raise;
  raise.context = options.context;
  FailureOr<ImportCheckResult> check = raiseAndCheck(*module, raise, options.checkImport);
  if (succeeded(check) && check->rows > 0)
    llvm::WithColor::remark(llvm::errs(), "llmc compile")
        << llvm::formatv("the program computes what the graph says: {0} rows of logits differ by "
                         "at most {1:e1} of the largest ({2:f1} s)\n",
                         check->rows, check->difference, check->seconds);
  return check;
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
  bool emitsArtifact = options.compileTo == Phase::Emit && !options.object;
  std::string path = findTokenizer(options.input, parameterFiles, options.tokenizer);
  if (llvm::Error error = checkOutputs(path))
    return report(std::move(error));
  if (!path.empty() && runs(Phase::Compress))
    (*module)->setAttr(LLMCDialect::tokenizerAttributeName, StringAttr::get(&context, path));
  if (emitsArtifact && !path.empty()) {
    std::vector<std::string> warnings;
    if (failed(report(addTokenizer(path, options.chatTemplate, files, warnings))))
      return failure();
    for (const std::string &warning : warnings)
      llvm::WithColor::warning(llvm::errs(), "llmc compile") << warning << "\n";
    return success();
  }
  if (!options.chatTemplate.empty())
    return report(llvm::createStringError("--chat-template: expected a tokenizer to use it with, "
                                          "found none (--tokenizer names one)"));
  if (emitsArtifact)
    llvm::WithColor::warning(llvm::errs(), "llmc compile")
        << "no tokenizer.json beside '" << options.input
        << "': the artifact reads and writes token ids alone (--tokenizer names one)\n";
  return success();
}

LogicalResult Compilation::compress() {
  if (failed(runPasses(*module, options.passes)))
    return failure();
  (*module)->removeAttr(LLMCDialect::tokenizerAttributeName);
  if (options.activation == Activation::None)
    module->walk([](LinearOp linear) { linear.removeActivationAttr(); });
  return success();
}

LogicalResult Compilation::lower() {
  llvm::Expected<SmallVector<Target>> targets = options.getTargets();
  if (!targets)
    return report(targets.takeError());
  for (const Target &target : *targets) {
    FailureOr<OwningOpRef<ModuleOp>> program =
        planProgram(*module, target, options.maxRows, {options.input, options.passes});
    if (failed(program))
      return failure();
    planned.push_back(std::move(*program));
  }
  return success();
}

LogicalResult Compilation::emit() {
  // Linking resets all command line options in the process: the path is copied before.
  const std::string output = options.output;
  if (options.object)
    return report(
        emitObjectFiles(*planned.front(), {options.getSymbol(), 0}, output, options.force));
  SmallVector<ModuleOp> modules;
  for (OwningOpRef<ModuleOp> &program : planned)
    modules.push_back(*program);
  return report(emitArtifact(modules, files, output));
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

LogicalResult Compilation::run() {
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  llvm::Expected<OwningOpRef<ModuleOp>> input = readModel(options.input, &context, sources);
  if (!input)
    return report(input.takeError());
  if (!*input)
    return failure();
  module = std::move(*input);
  done = getPhase(*module);
  if (failed(report(options.checkInput(done))))
    return failure();
  if (runs(Phase::Raise) && failed(raise()))
    return failure();
  parameterFiles = collectParameterPaths(*module);
  if (failed(takeTokenizer()))
    return failure();
  if (runs(Phase::Compress) && failed(compress()))
    return failure();
  if (done == Phase::Lower)
    planned.push_back(std::move(module));
  else if (runs(Phase::Lower) && failed(lower()))
    return failure();
  // Both files appear, or neither.
  std::optional<AtomicFile> depfile;
  if (!options.depfile.empty() && failed(report(writeRule(depfile))))
    return failure();
  if (failed(
          options.compileTo == Phase::Emit
              ? emit()
              : report(writeModel(planned.empty() ? *module : *planned.front(), options.output))))
    return failure();
  return depfile ? report(depfile->commit()) : success();
}

} // namespace

int main(int argc, char **argv) {
  ToolProcess process("llmc compile", argc, argv);
  llmc::registerCalibrate();
  llmc::registerTransformsPasses();
  Options options;
  llvm::cl::HideUnrelatedOptions(options.category);
  llvm::cl::ParseCommandLineOptions(argc, argv, "llmc compile: a model in one file\n");
  if (failed(report(checkGivenOnce())) || failed(report(options.check())) ||
      // Before passes that may take minutes.
      failed(report(AtomicFile::create(options.output).takeError())))
    return 1;
  DialectRegistry registry;
  insertAllDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  return failed(Compilation(options, context).run());
}
