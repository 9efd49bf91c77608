//===- Recipes.cpp - pipelines of compression passes with a name ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Recipes.h"
#include "llmc/Pipelines/Compress.h"

#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace llmc;

ArrayRef<Recipe> llmc::getRecipes() {
  static constexpr Recipe recipes[] = {
#include "Recipes.inc"
  };
  return recipes;
}

std::string llmc::getRecipeNames() {
  std::string names;
  ArrayRef<Recipe> recipes = getRecipes();
  for (const Recipe &recipe : recipes) {
    names += names.empty() ? "" : &recipe == &recipes.back() ? " or " : ", ";
    names += recipe.name;
  }
  return names;
}

static const Recipe *findRecipe(StringRef name) {
  ArrayRef<Recipe> recipes = getRecipes();
  const Recipe *found =
      llvm::find_if(recipes, [&](const Recipe &each) { return each.name == name; });
  return found == recipes.end() ? nullptr : found;
}

llvm::Error llmc::checkRecipeName(StringRef nameOrPath) {
  if (findRecipe(nameOrPath) || nameOrPath.contains('/') || nameOrPath.ends_with(".recipe"))
    return llvm::Error::success();
  return llvm::createStringError("expected " + getRecipeNames() +
                                 ", or the path of a file NAME.recipe, found '" + nameOrPath + "'");
}

llvm::Expected<std::string> llmc::readRecipe(StringRef nameOrPath) {
  if (const Recipe *recipe = findRecipe(nameOrPath))
    return recipe->text.str();
  if (llvm::Error error = checkRecipeName(nameOrPath))
    return error;
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(nameOrPath, /*IsText=*/true);
  if (!file)
    return llvm::createStringError("cannot read '" + nameOrPath +
                                   "': " + file.getError().message());
  return (*file)->getBuffer().str();
}

llvm::Expected<std::string> llmc::getRecipePasses(StringRef text) {
  std::string passes;
  for (StringRef line : llvm::split(text, '\n')) {
    StringRef code = line.split('#').first.trim();
    // Options are kept apart where a line ends between them.
    if (!passes.empty() && !code.empty() && !StringRef(",{}").contains(passes.back()) &&
        !StringRef(",{}").contains(code.front()))
      passes += ' ';
    passes += code;
  }
  if (passes.empty())
    return llvm::createStringError("expected passes, found none");
  return passes;
}

void llmc::registerRecipes() {
  registerPassPipeline(
      "recipe", "The passes of a recipe, of a name or in a file: --recipe=" + getRecipeNames(),
      [](OpPassManager &manager, StringRef name,
         llvm::function_ref<LogicalResult(const Twine &)> report) -> LogicalResult {
        if (name.empty())
          return report("--recipe: expected a name: " + getRecipeNames());
        if (llvm::Error error = buildCompressPipeline(manager, {name.str(), "", Activation::Keep}))
          return report(llvm::toString(std::move(error)));
        return success();
      },
      [](llvm::function_ref<void(const mlir::detail::PassOptions &)>) {});
}
