//===- llmc-translate.cpp - translates models into llmc's IR and out of it ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Like mlir-translate, with outputs that appear whole or not at all, and with translations that
// write more than one file.
//
//===----------------------------------------------------------------------===//

#include "Directions.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/CommandLine.h"
#include "llmc/Support/ModuleFile.h"
#include "llmc/Support/OutputPaths.h"
#include "llmc/Support/ToolProcess.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;

static llvm::cl::OptionCategory category("llmc-translate");
static llvm::cl::opt<std::string> input(llvm::cl::Positional, llvm::cl::desc("<input file>"),
                                        llvm::cl::init("-"), llvm::cl::cat(category));
static llvm::cl::opt<std::string> output("o", llvm::cl::desc("Output file; default: -"),
                                         llvm::cl::value_desc("file"), llvm::cl::init("-"),
                                         llvm::cl::cat(category));
static bool outputIsClaimed = false;

static std::string getFolder(StringRef path) {
  SmallString<256> folder(path);
  // Without a current folder, relative paths stay as they are and are not found.
  (void)llvm::sys::fs::make_absolute(folder);
  return llvm::sys::path::parent_path(folder).str();
}

llvm::cl::OptionCategory &llmc::getOptionCategory() { return category; }
StringRef llmc::getInputPath() { return input.getValue(); }
std::string llmc::getInputFolder() { return getFolder(input.getValue()); }

std::optional<std::string> llmc::getOutputPath() {
  return output == "-" ? std::nullopt : std::optional(output.getValue());
}

llvm::Expected<std::string> llmc::claimOutputPath() {
  if (output == "-")
    return llvm::createStringError("expected -o FILE: files are written beside it");
  outputIsClaimed = true;
  return output.getValue();
}

LogicalResult llmc::report(llvm::Error error) {
  if (!error)
    return success();
  llvm::WithColor::error(llvm::errs(), "llmc-translate")
      << llvm::toString(std::move(error)) << "\n";
  return failure();
}

using TranslationOption = llvm::cl::opt<const Translation *, false, TranslationParser>;

/// The name of the chosen direction.
static StringRef getDirection(TranslationOption &option) {
  TranslationParser &parser = option.getParser();
  for (unsigned i = 0; i < parser.getNumOptions(); ++i) {
    using Value = llvm::cl::OptionValue<const Translation *>;
    if (static_cast<const Value &>(parser.getOptionValue(i)).compare(option.getValue()))
      return parser.getOption(i);
  }
  return "";
}

static LogicalResult translate(const Translation &translation, bool fromModule) {
  if (input != "-" && output != "-")
    if (llvm::Error error = llmc::checkOutputsApart(
            {{output, "output"}},
            {{input, llmc::isONNXPath(input) ? "the module's tensors lie in" : "is the input"}}))
      return llmc::report(std::move(error));
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = llmc::openModule(input);
  if (!file)
    return llmc::report(file.takeError());
  if (fromModule &&
      failed(llmc::report(llmc::checkIsModule((*file)->getBuffer(), input.getValue()))))
    return failure();
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(*file), SMLoc());
  MLIRContext context;
  context.printOpOnDiagnostic(false);
  SourceMgrDiagnosticHandler diagnostics(*sources, &context);
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (failed(translation(sources, stream, &context)))
    return failure();
  if (outputIsClaimed)
    return success();
  if (output == "-")
    return llmc::report(llmc::writeStandardOutput(text));
  return llmc::report(llmc::writeFileAtomically(output, text));
}

int main(int argc, char **argv) {
  llmc::ToolProcess process("llmc-translate", argc, argv);
  llmc::registerExportONNX();
  llmc::registerImportONNX();
  llmc::registerToLLVMIR();
  llmc::registerToObject();
  llmc::registerToPTX();
  TranslationOption translation("", llvm::cl::desc("Directions:"), llvm::cl::cat(category));
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  registerTranslationCLOptions();
  llvm::cl::HideUnrelatedOptions(category);
  llvm::cl::ParseCommandLineOptions(argc, argv, "llmc-translate: models in and out of llmc's IR\n");
  if (translation.getNumOccurrences() > 1)
    return failed(llmc::report(llvm::createStringError("expected one direction, found %d",
                                                       translation.getNumOccurrences())));
  if (failed(llmc::report(llmc::checkGivenOnce())))
    return 1;
  if (!translation)
    return failed(llmc::report(llvm::createStringError(
        "expected a direction, such as --mlir-to-object; --help lists them")));
  return failed(translate(*translation, getDirection(translation) != "import-onnx"));
}
