//===- ParameterPaths.cpp - paths of parameters' files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ParameterPaths.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Host/ContentHash.h"

#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
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

static MappedFiles &getMappedFiles(ModuleOp module) {
  return module.getContext()->getOrLoadDialect<LLMCDialect>()->getMappedFiles();
}

static std::string makeAbsolute(StringRef path, StringRef folder) {
  if (llvm::sys::path::is_absolute(path))
    return path.str();
  SmallString<256> absolute(folder);
  llvm::sys::path::append(absolute, path);
  llvm::sys::path::remove_dots(absolute, /*remove_dot_dot=*/true);
  return absolute.str().str();
}

static std::string makeRelative(StringRef path, StringRef folder) {
  std::filesystem::path relative =
      std::filesystem::path(path.str()).lexically_relative(folder.str());
  return relative.empty() ? path.str() : relative.generic_string();
}

static bool isHash(StringRef text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == StringRef::npos;
}

/// Tells the context what files have to hold.
static LogicalResult resolveHashes(ModuleOp module, StringRef folder) {
  Attribute attribute = module->getAttr(fileHashesAttributeName);
  if (!attribute)
    return success();
  auto hashes = dyn_cast<DictionaryAttr>(attribute);
  if (!hashes)
    return module.emitError("expected a dictionary as ")
           << fileHashesAttributeName << ", found " << attribute;
  NamedAttrList absolute;
  for (NamedAttribute entry : hashes) {
    auto hash = dyn_cast<StringAttr>(entry.getValue());
    if (!hash || !isHash(hash))
      return module.emitError("expected 32 digits 0 to 9 and a to f as the hash of '")
             << entry.getName().getValue() << "', found " << entry.getValue();
    std::string path = makeAbsolute(entry.getName(), folder);
    if (!getMappedFiles(module).expectHash(path, hash))
      return module.emitError("expected one hash of '") << path << "', found several";
    absolute.set(path, hash);
  }
  module->setAttr(fileHashesAttributeName, absolute.getDictionary(module.getContext()));
  return success();
}

/// The hash of a file's contents, or nothing.
static std::string hashFile(StringRef path) {
  llvm::Expected<llvm::sys::fs::file_t> file = llvm::sys::fs::openNativeFileForRead(path);
  if (!file) {
    llvm::consumeError(file.takeError());
    return "";
  }
  std::optional<std::string> hash = ContentHash::ofFile(*file);
  (void)llvm::sys::fs::closeFile(*file);
  return hash.value_or("");
}

LogicalResult llmc::resolveParameterPaths(ModuleOp module, StringRef folder) {
  changePaths(module, [&](StringRef path) { return makeAbsolute(path, folder); });
  return resolveHashes(module, folder);
}

void llmc::relativizeParameterPaths(ModuleOp module, StringRef folder, FileHash written) {
  NamedAttrList hashes;
  for (const std::string &path : collectParameterPaths(module)) {
    std::string hash =
        path == written.path ? written.hash.str() : getMappedFiles(module).getExpectedHash(path);
    if (hash.empty())
      hash = hashFile(path);
    if (!hash.empty())
      hashes.set(makeRelative(path, folder), StringAttr::get(module.getContext(), hash));
  }
  module->removeAttr(fileHashesAttributeName);
  if (!hashes.empty())
    module->setAttr(fileHashesAttributeName, hashes.getDictionary(module.getContext()));
  changePaths(module, [&](StringRef path) { return makeRelative(path, folder); });
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
