//===- Import.cpp - the phase import: from a file to a module ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Import.h"
#include "llmc/Conversion/ImportONNX/ImportONNX.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/ModuleFile.h"
#include "llmc/Support/ModuleOutput.h"
#include "llmc/Support/ParameterPaths.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;

llvm::Expected<OwningOpRef<ModuleOp>> llmc::readModel(StringRef path, MLIRContext *context,
                                                      llvm::SourceMgr &sources) {
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = openModule(path);
  if (!file)
    return file.takeError();
  if (isONNXPath(path))
    return importONNX((*file)->getMemBufferRef(), context);
  if (llvm::Error error = checkIsModule((*file)->getBuffer(), path))
    return std::move(error);
  sources.AddNewSourceBuffer(std::move(*file), SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, context);
  SmallString<256> folder(path);
  if (std::error_code error = llvm::sys::fs::make_absolute(folder))
    return llvm::createStringError(error, "cannot find the current folder: " + error.message());
  if (module && failed(resolveParameterPaths(*module, llvm::sys::path::parent_path(folder))))
    return OwningOpRef<ModuleOp>();
  return module;
}

llvm::Error llmc::writeModel(ModuleOp module, StringRef path) {
  if (llvm::Error error = prepareForFile(module, path))
    return error;
  std::string text;
  llvm::raw_string_ostream(text) << module << "\n";
  return writeFileAtomically(path, text);
}

bool llmc::isCarrier(ModuleOp module) { return !module.getOps<carrier::GraphOp>().empty(); }

bool llmc::isONNXPath(StringRef path) {
  return llvm::sys::path::extension(path).equals_insensitive(".onnx");
}
