//===- RegisterImportONNX.cpp - registers --import-onnx ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Directions.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Import.h"
#include "llmc/Support/ModuleOutput.h"
#include "llmc/Verification/CheckImport.h"

#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace llmc;

namespace {
struct ImportFlags {
  llvm::cl::opt<int64_t> context{
      "context",
      llvm::cl::desc("Positions that caches hold; default: as many as the model's tables allow, at "
                     "most 2048"),
      llvm::cl::init(0), llvm::cl::cat(getOptionCategory())};
  llvm::cl::opt<bool> carrier{"carrier", llvm::cl::desc("With --import-onnx: stop at the carrier"),
                              llvm::cl::cat(getOptionCategory())};
  ImportCheckOption check{getOptionCategory(), ImportCheck::Off};
};
} // namespace

static ImportFlags &getFlags() {
  static ImportFlags flags;
  return flags;
}

static OwningOpRef<Operation *> import(llvm::SourceMgr &sources, MLIRContext *context) {
  ImportOptions options;
  options.context = getFlags().context;
  options.raise = false;
  const llvm::MemoryBuffer *file = sources.getMemoryBuffer(sources.getMainFileID());
  OwningOpRef<ModuleOp> module = importModel(file->getMemBufferRef(), context, options);
  if (!module || (!getFlags().carrier && failed(raiseAndCheck(*module, options, getFlags().check))))
    return nullptr;
  // Through a pipe weights stay in the text; a file has its own beside it.
  if (std::optional<std::string> output = getOutputPath())
    if (failed(report(prepareForFile(*module, *output))))
      return nullptr;
  return module.release().getOperation();
}

void llmc::registerImportONNX() {
  (void)getFlags();
  TranslateToMLIRRegistration registration(
      "import-onnx", "Import an ONNX model and raise it to the language of models",
      [](llvm::SourceMgr &sources, MLIRContext *context) { return import(sources, context); },
      insertAllDialects);
}
