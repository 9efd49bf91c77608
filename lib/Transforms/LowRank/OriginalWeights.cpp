//===- OriginalWeights.cpp - weights as they were before they were rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/OriginalWeights.h"
#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/ModuleFile.h"
#include "llmc/Support/ParameterPaths.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

/// Reads a module whose paths are made absolute. Reports at `module` what can't be read.
static OwningOpRef<ModuleOp> readModule(ModuleOp module, StringRef path) {
  auto fail = [&](llvm::Error error) -> OwningOpRef<ModuleOp> {
    module.emitError("original: ") << llvm::toString(std::move(error));
    return nullptr;
  };
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> contents = openModule(path);
  if (!contents)
    return fail(contents.takeError());
  if (llvm::Error error = checkIsModule((*contents)->getBuffer(), path))
    return fail(std::move(error));
  SmallString<256> absolute(path);
  if (std::error_code error = llvm::sys::fs::make_absolute(absolute))
    return fail(llvm::errorCodeToError(error));
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*contents), llvm::SMLoc());
  OwningOpRef<ModuleOp> parsed = parseSourceFile<ModuleOp>(sources, module.getContext());
  if (!parsed || failed(resolveParameterPaths(*parsed, llvm::sys::path::parent_path(absolute))))
    return nullptr;
  return parsed;
}

/// Lets a parameter take its original from `from`, where there is one of its name and shape.
static void takeOriginal(ParameterOp parameter, ModuleOp from) {
  auto found = from ? from.lookupSymbol<ParameterOp>(parameter.getSymName()) : ParameterOp();
  if (!found || found.getTensorType().getShape() != parameter.getTensorType().getShape())
    return;
  setOriginal(parameter, found);
}

LogicalResult llmc::findOriginals(ModuleOp module, StringRef path,
                                  SmallVectorImpl<SelectedWeight> &weights) {
  llvm::erase_if(weights, [](SelectedWeight &weight) {
    return !weight.parameter.getTensorType().getEncoding();
  });
  if (weights.empty())
    return module.emitError(
        "expected weights that were rounded or pruned before, found none: there is "
        "nothing to make up for");
  OwningOpRef<ModuleOp> from = path.empty() ? nullptr : readModule(module, path);
  if (!path.empty() && !from)
    return failure();
  for (SelectedWeight &weight : weights) {
    ParameterOp parameter = weight.parameter;
    if (!hasOriginal(parameter))
      takeOriginal(parameter, from ? *from : ModuleOp());
    if (!hasOriginal(parameter))
      return parameter.emitOpError(
          "expected weights of which it is known what they were before they "
          "were rounded: repair in the same run, or name a module that has "
          "them with original=, or leave them out with ignore=");
  }
  return success();
}

FailureOr<std::string> llmc::hashOriginals(ArrayRef<SelectedWeight> weights) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (const SelectedWeight &weight : weights) {
    FailureOr<OwningOpRef<ParameterOp>> found = getOriginal(weight.parameter);
    if (failed(found))
      return failure();
    ParameterOp original = **found;
    FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(original);
    if (failed(bytes))
      return failure();
    stream << original.getSymName() << original.getTensorType() << llvm::xxh3_64bits(*bytes);
    if (auto file = dyn_cast<FileAttr>(original.getData()))
      llvm::interleave(file.getStrides(), stream, ",");
    releaseFile(original);
  }
  return llvm::utohexstr(llvm::xxh3_64bits(text));
}

FailureOr<WeightValues> llmc::readOriginal(ParameterOp parameter) {
  FailureOr<OwningOpRef<ParameterOp>> original = getOriginal(parameter);
  if (failed(original))
    return failure();
  FailureOr<WeightValues> values = WeightValues::read(**original);
  releaseFile(**original);
  return values;
}
