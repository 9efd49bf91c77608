//===- ParameterPaths.cpp - paths of parameters' files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ParameterPaths.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

#include <filesystem>

using namespace mlir;
using namespace llmc;

/// Replaces every path, in whatever attribute it stands, by what `change` makes of it.
static void changePaths(ModuleOp module, function_ref<std::string(StringRef)> change) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FileAttr file) -> std::optional<Attribute> {
    return FileAttr::get(module.getContext(), change(file.getPath()), file.getOffset(),
                         file.getStrides());
  });
  replacer.recursivelyReplaceElementsIn(module);
}

void llmc::resolveParameterPaths(ModuleOp module, StringRef folder) {
  changePaths(module, [&](StringRef path) {
    if (llvm::sys::path::is_absolute(path))
      return path.str();
    SmallString<256> absolute(folder);
    llvm::sys::path::append(absolute, path);
    llvm::sys::path::remove_dots(absolute, /*remove_dot_dot=*/true);
    return absolute.str().str();
  });
}

void llmc::relativizeParameterPaths(ModuleOp module, StringRef folder) {
  changePaths(module, [&](StringRef path) {
    std::filesystem::path relative =
        std::filesystem::path(path.str()).lexically_relative(folder.str());
    return relative.empty() ? path.str() : relative.generic_string();
  });
}

std::vector<std::string> llmc::collectParameterPaths(ModuleOp module) {
  std::vector<std::string> paths;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    op->getAttrDictionary().walk([&](FileAttr file) {
      if (!llvm::is_contained(paths, file.getPath()))
        paths.push_back(file.getPath().str());
    });
  });
  return paths;
}
