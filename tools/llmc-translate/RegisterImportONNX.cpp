//===- RegisterImportONNX.cpp - registers --import-onnx ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Directions.h"
#include "llmc/Conversion/ImportONNX/ImportONNX.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Flags.h"
#include "llmc/Support/ModuleOutput.h"
#include "llmc/Verification/CheckImport.h"

#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace llmc;

namespace {
struct ImportFlags {
  llvm::cl::opt<bool> carrier{"carrier", llvm::cl::desc("With --import-onnx: stop at the carrier"),
                              llvm::cl::cat(getOptionCategory())};
  RaiseFlags raise{getOptionCategory(), ImportCheck::Off};
};
} // namespace

static ImportFlags &getImportFlags() {
  static ImportFlags flags;
  return flags;
}

static OwningOpRef<Operation *> import(llvm::SourceMgr &sources, MLIRContext *context) {
  const llvm::MemoryBuffer *file = sources.getMemoryBuffer(sources.getMainFileID());
  OwningOpRef<ModuleOp> module = importONNX(file->getMemBufferRef(), context);
  if (!module ||
      (!getImportFlags().carrier && failed(raiseModel(*module, getImportFlags().raise.get()))))
    return nullptr;
  // Through a pipe weights stay in the text; a file has its own beside it.
  if (std::optional<std::string> output = getOutputPath())
    if (failed(report(prepareForFile(*module, *output))))
      return nullptr;
  return module.release().getOperation();
}

void llmc::registerImportONNX() {
  (void)getImportFlags();
  TranslateToMLIRRegistration registration(
      "import-onnx", "Import an ONNX model and raise it to the language of models",
      [](llvm::SourceMgr &sources, MLIRContext *context) { return import(sources, context); },
      [](DialectRegistry &registry) {
        insertAllDialects(registry);
        registerImportCheck(registry);
      });
}
