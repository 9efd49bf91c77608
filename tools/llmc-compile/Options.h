//===- Options.h - the command line of llmc compile ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_LLMC_COMPILE_OPTIONS_H
#define LLMC_TOOLS_LLMC_COMPILE_OPTIONS_H

#include "llmc/Pipelines/Compile.h"
#include "llmc/Pipelines/Flags.h"
#include "llmc/Pipelines/Recipes.h"
#include "llmc/Support/ChoiceParser.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llmc {

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
                       clEnumValN(Phase::Compress, "compress", "after --recipe and --passes"),
                       clEnumValN(Phase::Lower, "lower", "planned and with kernels for a target"),
                       clEnumValN(Phase::Emit, "emit", "compile to the end (default)")),
      llvm::cl::init(Phase::Emit), llvm::cl::cat(category)};
  std::string recipeText = "Compression passes by a name: " + getRecipeNames() +
                           ", or the path of a file NAME.recipe; before --passes";
  llvm::cl::opt<std::string> recipe{"recipe", llvm::cl::desc(recipeText),
                                    llvm::cl::value_desc("name"), llvm::cl::cat(category)};
  std::string compressText = ("--recipe=" + getRecipes().front().name).str();
  llvm::cl::opt<bool> compress{"compress", llvm::cl::desc(compressText), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> printRecipe{
      "print-recipe", llvm::cl::desc("Print the file of a recipe, to be copied and changed"),
      llvm::cl::value_desc("name"),
      llvm::cl::callback([](const std::string &name) { printAndExit(name); }),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> passes{
      "passes", llvm::cl::desc("Compression passes, e.g. \"quantize-rtn{bits=4}\""),
      llvm::cl::value_desc("pipeline"), llvm::cl::cat(category)};
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
                     "(NAME.weights) to link into an application, for one CPU"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> depfile{
      "depfile", llvm::cl::desc("Write what the output depends on, for make and ninja"),
      llvm::cl::value_desc("file"), llvm::cl::cat(category)};
  llvm::cl::opt<Activation, /*ExternalStorage=*/false, ChoiceParser<Activation>> activation{
      "activation", llvm::cl::desc("Roundings of activations that the model and the passes state"),
      llvm::cl::values(clEnumValN(Activation::Keep, "keep", "as they are stated (default)"),
                       clEnumValN(Activation::None, "none", "compute without them")),
      llvm::cl::init(Activation::Keep), llvm::cl::cat(category)};
  llvm::cl::opt<Caches, /*ExternalStorage=*/false, ChoiceParser<Caches>> caches{
      "caches", llvm::cl::desc("Keys and values, where no pass says how they are stored"),
      llvm::cl::values(clEnumValN(Caches::Auto, "auto",
                                  "in f16 where a pass rounds weights, else in fp32 (default)"),
                       clEnumValN(Caches::Keep, "keep", "in fp32")),
      llvm::cl::init(Caches::Auto), llvm::cl::cat(category)};
  RaiseFlags raise{category, ImportCheck::Quick};
  LowerFlags lower{category};
  EmitFlags emit{category};

  /// What they ask for, once they have been checked.
  CompileOptions get() const;

  /// Whether the options go together, and with the phase to compile to.
  llvm::Error check() const;
  /// Whether there is something left to do for a module that has been through `done`, and for each
  /// option that is given.
  llvm::Error checkInput(Phase done) const;

private:
  /// Whether each --target is one, and the targets go together.
  llvm::Error checkTargets() const;

  /// Prints the file of a recipe, or says why not, and ends the process.
  static void printAndExit(const std::string &recipe);

  /// An option that says how a phase is done.
  struct Use {
    const llvm::cl::Option *option;
    Phase phase;
  };
  llvm::SmallVector<Use> getUses() const;
};

} // namespace llmc

#endif // LLMC_TOOLS_LLMC_COMPILE_OPTIONS_H
