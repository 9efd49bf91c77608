//===- llmc-compile.cpp - compiles a model into one file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `llmc compile`: reads a module, runs the compression passes asked for, and writes an artifact.
//
//===----------------------------------------------------------------------===//

#include "TokenizerFiles.h"
#include "llmc/Calibration/Passes.h"
#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"
#include "llmc/Conversion/EmitObject/Description.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/ChoiceParser.h"
#include "llmc/Support/CommandLine.h"
#include "llmc/Support/ParameterPaths.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

#include <csignal>

using namespace mlir;
using namespace llmc;

namespace {

/// The command line.
struct Options {
  llvm::cl::OptionCategory category{"llmc compile"};
  llvm::cl::opt<std::string> input{llvm::cl::Positional, llvm::cl::Required,
                                   llvm::cl::desc("MODEL.onnx|.mlir"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> output{"o", llvm::cl::Required, llvm::cl::desc("Output file"),
                                    llvm::cl::value_desc("file"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> passes{
      "passes", llvm::cl::desc("Compression passes, e.g. \"quantize-rtn{bits=4}\""),
      llvm::cl::value_desc("pipeline"), llvm::cl::cat(category)};
  llvm::cl::list<std::string> targets{
      "target",
      llvm::cl::desc("TRIPLE[:VARIANT|CPU,…], e.g. x86_64-linux-gnu:avx2; repeat for several "
                     "architectures; default: host"),
      llvm::cl::value_desc("target"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> tokenizer{
      "tokenizer",
      llvm::cl::desc("tokenizer.json, or the folder that holds it and tokenizer_config.json; "
                     "default: beside the model, or the files of its weights"),
      llvm::cl::value_desc("path"), llvm::cl::cat(category)};
  llvm::cl::opt<bool> object{
      "object",
      llvm::cl::desc("Write an object (-o NAME.o), a header (NAME.h) and the weights "
                     "(NAME.weights) to link into an application, for one target"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> symbol{
      "symbol",
      llvm::cl::desc("With --object: C name of the llmc_program; default: the output file's name"),
      llvm::cl::value_desc("name"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> depfile{
      "depfile", llvm::cl::desc("Write what the output depends on, for make and ninja"),
      llvm::cl::value_desc("file"), llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> context{
      "context",
      llvm::cl::desc("Positions that caches hold; default: as many as the model's tables allow, at "
                     "most 2048"),
      llvm::cl::init(0), llvm::cl::cat(category)};
  enum class Activation { Keep, None };
  llvm::cl::opt<Activation, /*ExternalStorage=*/false, ChoiceParser<Activation>> activation{
      "activation", llvm::cl::desc("Roundings of activations that the model and the passes state"),
      llvm::cl::values(clEnumValN(Activation::Keep, "keep", "as they are stated (default)"),
                       clEnumValN(Activation::None, "none", "compute without them")),
      llvm::cl::init(Activation::Keep), llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> maxRows{"max-rows", llvm::cl::desc("Tokens of a step"),
                                 llvm::cl::init(128), llvm::cl::cat(category)};
};

/// Fails with a message for the user.
LogicalResult report(llvm::Error error) {
  if (!error)
    return success();
  llvm::WithColor::error(llvm::errs(), "llmc compile") << llvm::toString(std::move(error)) << "\n";
  return failure();
}

/// Reads the model and raises it where it is not raised yet.
OwningOpRef<ModuleOp> readModule(const Options &options, MLIRContext &context,
                                 llvm::SourceMgr &sources) {
  llvm::Expected<OwningOpRef<ModuleOp>> module = readModel(options.input, &context, sources);
  if (!module) {
    (void)report(module.takeError());
    return nullptr;
  }
  if (!*module)
    return nullptr;
  if (isCarrier(**module)) {
    RaiseOptions raise;
    raise.context = options.context;
    return succeeded(raiseModel(**module, raise)) ? std::move(*module) : nullptr;
  }
  if (options.context != 0) {
    (void)report(llvm::createStringError("--context: expected an ONNX model, found '%s', whose "
                                         "caches say how long a text may be",
                                         options.input.c_str()));
    return nullptr;
  }
  return std::move(*module);
}

LogicalResult runPasses(ModuleOp module, StringRef pipeline) {
  if (pipeline.empty())
    return success();
  PassManager manager(module.getContext());
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (failed(parsePassPipeline(pipeline, manager, stream)))
    return report(llvm::createStringError("--passes: %s", StringRef(message).trim().str().c_str()));
  return manager.run(module);
}

/// Writes a rule for make: the output depends on the model and on `paths`.
LogicalResult writeDepfile(const Options &options, ArrayRef<std::string> paths) {
  if (options.depfile.empty())
    return success();
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
  return report(writeFileAtomically(options.depfile, text + "\n"));
}

/// An object is for one target and carries no files.
LogicalResult checkObjectOptions(const Options &options) {
  if (!options.object && !options.symbol.empty())
    return report(llvm::createStringError("--symbol: expected --object with it"));
  if (options.object && options.targets.size() > 1)
    return report(llvm::createStringError("--object: expected one --target, found %zu",
                                          options.targets.size()));
  if (options.object && !options.tokenizer.empty())
    return report(llvm::createStringError(
        "--object: expected no --tokenizer: the application brings its own"));
  return success();
}

/// Adds the tokenizer to the artifact, and names it in the module for passes that read texts.
llvm::Error addTokenizer(ModuleOp module, const Options &options, ArrayRef<std::string> files,
                         ArtifactOptions &artifact) {
  llvm::Expected<std::string> path =
      addTokenizer(options.input, files, options.tokenizer, artifact);
  if (path && !path->empty())
    module->setAttr(LLMCDialect::tokenizerAttributeName,
                    StringAttr::get(module.getContext(), *path));
  return path.takeError();
}

LogicalResult compile(const Options &options) {
  ArtifactOptions artifact;
  artifact.maxRows = options.maxRows;
  std::vector<std::string> names(options.targets.begin(), options.targets.end());
  if (names.empty())
    names = {"host"};
  for (const std::string &name : names) {
    llvm::Expected<Target> target = Target::parse(name);
    if (!target)
      return report(target.takeError());
    artifact.targets.push_back(*target);
  }
  if (failed(checkObjectOptions(options)) ||
      // Before passes that may take minutes.
      failed(report(AtomicFile::create(options.output).takeError())))
    return failure();

  DialectRegistry registry;
  registry.insert<LLMCDialect, carrier::ONNXDialect, arith::ArithDialect, func::FuncDialect>();
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  OwningOpRef<ModuleOp> module = readModule(options, context, sources);
  if (!module)
    return failure();
  const std::vector<std::string> read = collectParameterPaths(*module);
  if (!options.object && failed(report(addTokenizer(*module, options, read, artifact))))
    return failure();
  if (failed(runPasses(*module, options.passes)))
    return failure();
  if (options.activation == Options::Activation::None)
    module->walk([](LinearOp linear) { linear.removeActivationAttr(); });
  llvm::json::Object description = describe(*module, options.input, options.passes);
  if (options.object) {
    CodeOptions code{artifact.maxRows, options.symbol, std::move(description), 0};
    if (code.programSymbol.empty())
      code.programSymbol = llvm::sys::path::stem(options.output).str();
    if (failed(report(emitObjectFiles(*module, artifact.targets.front(), code, options.output))))
      return failure();
    return writeDepfile(options, read);
  }
  artifact.description = std::move(description);
  // Linking resets all command line options in the process: the path is copied before.
  const std::string output = options.output;
  if (failed(writeDepfile(options, read)))
    return failure();
  return report(emitArtifact(*module, artifact, output));
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // A limit on the size of files then fails like a full disk, and not with LLVM's stack trace.
  std::signal(SIGXFSZ, SIG_IGN);
  llmc::registerCalibrate();
  llmc::registerTransformsPasses();
  Options options;
  llvm::cl::HideUnrelatedOptions(options.category);
  llvm::cl::ParseCommandLineOptions(argc, argv, "llmc compile: a model in one file\n");
  return failed(report(checkGivenOnce())) || failed(compile(options));
}
