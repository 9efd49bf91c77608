//===- PassOutputs.cpp - files that passes write beside the module ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/PassOutputs.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/ParameterPaths.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;

/// Adds the files that a tokenizer consists of where it lies beside a file, or in a folder that is
/// named.
static void addTokenizers(SmallVector<NamedPath> &files) {
  for (size_t index = 0, count = files.size(); index < count; ++index)
    for (StringRef name : {"tokenizer.json", "tokenizer_config.json"}) {
      SmallString<256> path(files[index].path);
      if (!llvm::sys::fs::is_directory(path))
        llvm::sys::path::remove_filename(path);
      llvm::sys::path::append(path, name);
      files.push_back({path.str().str(), "is a file of the tokenizer"});
    }
}

LogicalResult llmc::checkPassOutputs(ModuleOp module, ArrayRef<NamedPath> outputs,
                                     ArrayRef<NamedPath> inputs) {
  auto hasPath = [](const NamedPath &file) { return !file.path.empty(); };
  SmallVector<NamedPath> written = llvm::to_vector(llvm::make_filter_range(outputs, hasPath));
  if (written.empty())
    return success();
  SmallVector<NamedPath> read = llvm::to_vector(llvm::make_filter_range(inputs, hasPath));
  if (auto location = module.getLoc()->findInstanceOf<FileLineColLoc>())
    read.push_back({location.getFilename().str(), "is the input"});
  for (const std::string &path : collectParameterPaths(module))
    read.push_back({path, "the module's tensors lie in"});
  if (auto named = module->getAttrOfType<StringAttr>(LLMCDialect::tokenizerAttributeName))
    read.push_back({named.str(), "is the model's tokenizer"});
  addTokenizers(read);
  if (llvm::Error error = checkOutputsApart(written, read))
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  return success();
}
