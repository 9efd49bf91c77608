//===- llmc-opt.cpp - runs passes over modules ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Like mlir-opt, for modules whose weights lie in files. Paths of weights are relative to the
// folder of the module; weights that passes make go to NAME.safetensors beside the output
// NAME.mlir, or, where the output is a pipe, along with the module. Outputs appear whole or not at
// all.
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/Passes.h"
#include "llmc/Conversion/CPUToLLVM/Passes.h"
#include "llmc/Conversion/LLMCToLinalg/LLMCToLinalg.h"
#include "llmc/Conversion/LLMCToSPMD/Passes.h"
#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"
#include "llmc/Conversion/SPMDToCPU/Passes.h"
#include "llmc/Conversion/SPMDToGPU/Passes.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Flags.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/CommandLine.h"
#include "llmc/Support/ModuleFile.h"
#include "llmc/Support/ModuleOutput.h"
#include "llmc/Support/ParameterPaths.h"
#include "llmc/Support/PassOptions.h"
#include "llmc/Support/ToolProcess.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Verification/CheckImport.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace llmc;

namespace {

std::string getFolder(StringRef path) {
  SmallString<256> folder(path);
  // Without a current folder, relative paths stay as they are and are not found.
  (void)llvm::sys::fs::make_absolute(folder);
  return llvm::sys::path::parent_path(folder).str();
}

/// Runs before all passes: paths are relative to where the module was read from.
struct ResolvePaths : PassWrapper<ResolvePaths, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ResolvePaths)
  explicit ResolvePaths(StringRef input) : folder(getFolder(input)) {}
  StringRef getName() const override { return "resolve-parameter-paths"; }
  void runOnOperation() override {
    if (failed(resolveParameterPaths(getOperation(), folder)))
      signalPassFailure();
  }

  std::string folder;
};

/// Runs after all passes: weights that they made go beside the output.
struct SpillParameters : PassWrapper<SpillParameters, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SpillParameters)
  explicit SpillParameters(StringRef output) : output(output.str()) {}
  StringRef getName() const override { return "spill-parameters"; }
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (llvm::Error error = prepareForFile(module, output)) {
      module.emitError(llvm::toString(std::move(error)));
      return signalPassFailure();
    }
  }

  std::string output;
};

/// The value of --pass-pipeline, "builtin.module(…)"; empty where passes are options of their own.
StringRef getPipelineText() {
  auto *option =
      static_cast<llvm::cl::opt<std::string> *>(llvm::cl::getRegisteredOptions()["pass-pipeline"]);
  return option->getValue();
}

/// Adds what the options ask for after `first`. A pipeline as text would take the place of all that
/// is there.
LogicalResult addPasses(PassManager &manager, std::unique_ptr<Pass> first,
                        const MlirOptMainConfig &asked) {
  StringRef text = getPipelineText().trim();
  if (text.empty()) {
    manager.addPass(std::move(first));
    return asked.setupPassPipeline(manager);
  }
  if (failed(asked.setupPassPipeline(manager)))
    return failure();
  // One of functions can't be run on the module, which MLIR says.
  if (manager.getOpAnchorName() != ModuleOp::getOperationName() &&
      manager.getOpAnchorName() != OpPassManager::getAnyOpAnchorName())
    return success();
  manager.clear();
  manager.addPass(std::move(first));
  StringRef passes = text.drop_front(text.find('(') + 1).drop_back();
  return passes.trim().empty() ? success() : parsePassPipeline(passes, manager);
}

LogicalResult fail(llvm::Error error) {
  if (!error)
    return success();
  llvm::WithColor::error(llvm::errs(), "llmc-opt") << llvm::toString(std::move(error)) << "\n";
  return failure();
}

LogicalResult run(StringRef input, StringRef output, DialectRegistry &registry) {
  if (llvm::Error error = checkGivenOnce())
    return fail(std::move(error));
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = openModule(input);
  if (!file)
    return fail(file.takeError());
  if (llvm::Error error = checkIsModule((*file)->getBuffer(), input))
    return fail(std::move(error));
  // Before passes that may take minutes.
  if (output != "-")
    if (llvm::Error error = AtomicFile::create(output).takeError())
      return fail(std::move(error));
  const MlirOptMainConfig asked = MlirOptMainConfig::createFromCLOptions();
  // Modules that are only checked or cut into pieces are no models with weights of their own.
  bool isFile = output != "-" && !asked.shouldVerifyDiagnostics();
  MlirOptMainConfig config = asked;
  config.setPassPipelineSetupFn([&](PassManager &manager) -> LogicalResult {
    // An error about a module would otherwise be followed by all of it, unless that is asked for.
    const char *printsOperations = "mlir-print-op-on-diagnostic";
    if (llvm::cl::getRegisteredOptions()[printsOperations]->getNumOccurrences() == 0)
      manager.getContext()->printOpOnDiagnostic(false);
    if (manager.getOpAnchorName() != ModuleOp::getOperationName())
      return asked.setupPassPipeline(manager);
    if (failed(addPasses(manager, std::make_unique<ResolvePaths>(input), asked)))
      return failure();
    if (isFile)
      manager.addPass(std::make_unique<SpillParameters>(output));
    return success();
  });
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (failed(MlirOptMain(stream, std::move(*file), registry, config)))
    return failure();
  if (output == "-")
    return fail(writeStandardOutput(text));
  return fail(writeFileAtomically(output, text));
}

} // namespace

int main(int argc, char **argv) {
  ToolProcess process("llmc-opt", argc, argv);
  DialectRegistry registry;
  insertAllDialects(registry);
  registerImportCheck(registry);
  mlir::registerTransformsPasses();
  registerConvertLLMCToLinalg();
  registerNormalizeONNX();
  registerRaiseONNX();
  registerLLMCToSPMDPasses();
  registerConvertSPMDToCPU();
  registerConvertSPMDToGPU();
  registerConvertCPUToLLVM();
  registerCalibrate();
  llmc::registerTransformsPasses();
  registerPipelines();
  auto [input, output] =
      registerAndParseCLIOptions(argc, argv, "llmc optimizer driver\n", registry);
  if (llvm::Error error = checkPassOptionsGivenOnce({argv + 1, argv + argc}))
    return failed(fail(std::move(error)));
  return failed(run(input, output, registry));
}
