//===- Options.h - the command line of llmc compile ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_COMPILE_OPTIONS_H
#define LLMC_TOOLS_LLMC_COMPILE_OPTIONS_H

#include "llmc/Conversion/Kernels/Target.h"
#include "llmc/Support/ChoiceParser.h"
#include "llmc/Support/OutputPaths.h"
#include "llmc/Verification/CheckImport.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llmc {

/// The phases of compiling, in their order. Each leaves a module but the last.
enum class Phase { Import, Raise, Compress, Lower, Emit };

/// The last phase that a module has been through: import for the carrier, lower for a planned
/// program; a module in the language of models may be compressed further, so raise for others.
Phase getPhase(mlir::ModuleOp module);

/// What is done about the roundings of activations that a model and its passes state.
enum class Activation { Keep, None };

struct Options {
  llvm::cl::OptionCategory category{"llmc compile"};
  llvm::cl::opt<std::string> input{llvm::cl::Positional, llvm::cl::Required,
                                   llvm::cl::desc("MODEL.onnx|.mlir"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> output{"o", llvm::cl::Required, llvm::cl::desc("Output file"),
                                    llvm::cl::value_desc("file"), llvm::cl::cat(category)};
  llvm::cl::opt<Phase, /*ExternalStorage=*/false, ChoiceParser<Phase>> compileTo{
      "compile-to",
      llvm::cl::desc("Write the module (-o NAME.mlir) that this phase leaves; compiling goes on "
                     "from it"),
      llvm::cl::values(clEnumValN(Phase::Import, "import", "the ONNX model as it is"),
                       clEnumValN(Phase::Raise, "raise", "in the language of models"),
                       clEnumValN(Phase::Compress, "compress", "after --passes"),
                       clEnumValN(Phase::Lower, "lower", "planned and with kernels for a target"),
                       clEnumValN(Phase::Emit, "emit", "compile to the end (default)")),
      llvm::cl::init(Phase::Emit), llvm::cl::cat(category)};
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
      llvm::cl::desc("tokenizer.json, or the folder that holds it, beside the files that say how "
                     "texts begin and end; default: beside the model, or the files of its weights"),
      llvm::cl::value_desc("path"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> chatTemplate{
      "chat-template",
      llvm::cl::desc(
          "Chat template (Jinja) of the artifact's conversations; default: "
          "chat_template.jinja or chat_template.json beside the tokenizer, or the one in "
          "tokenizer_config.json"),
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
  llvm::cl::opt<bool> force{
      "force",
      llvm::cl::desc("With --object: replace NAME.h and NAME.weights that llmc did not write"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> depfile{
      "depfile", llvm::cl::desc("Write what the output depends on, for make and ninja"),
      llvm::cl::value_desc("file"), llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> context{
      "context",
      llvm::cl::desc("Positions that caches hold; default: as many as the model's tables allow, at "
                     "most 2048"),
      llvm::cl::init(0), llvm::cl::cat(category)};
  ImportCheckOption checkImport{category, ImportCheck::Quick};
  llvm::cl::opt<Activation, /*ExternalStorage=*/false, ChoiceParser<Activation>> activation{
      "activation", llvm::cl::desc("Roundings of activations that the model and the passes state"),
      llvm::cl::values(clEnumValN(Activation::Keep, "keep", "as they are stated (default)"),
                       clEnumValN(Activation::None, "none", "compute without them")),
      llvm::cl::init(Activation::Keep), llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> maxRows{"max-rows", llvm::cl::desc("Tokens of a step"),
                                 llvm::cl::init(128), llvm::cl::cat(category)};

  /// The targets named, or this machine.
  llvm::Expected<llvm::SmallVector<Target>> getTargets() const;
  /// The program's name with --object.
  std::string getSymbol() const;

  /// Whether the options go together, and with the phase to compile to.
  llvm::Error check() const;
  /// What is written: the output, the files beside it, and the depfile.
  llvm::SmallVector<NamedPath> getOutputs() const;
  /// Whether there is something left to do for a module that has been through `done`, and for each
  /// option that is given.
  llvm::Error checkInput(Phase done) const;

private:
  /// An option that says how a phase is done.
  struct Use {
    const llvm::cl::Option *option;
    Phase phase;
  };
  llvm::SmallVector<Use> getUses() const;
};

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_COMPILE_OPTIONS_H
