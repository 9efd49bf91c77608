//===- Recipes.h - pipelines of compression passes with a name ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A recipe is a text file, NAME.recipe: comments, from # to the end of a line, of which the first
// line says what it is for, and a pipeline of passes, which may go over several lines. Those of
// lib/Pipelines/recipes are a part of llmc; a copy that was changed is read from its path.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_RECIPES_H
#define LLMC_PIPELINES_RECIPES_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llmc {

struct Recipe {
  llvm::StringRef name;
  llvm::StringRef text; ///< the whole file
};

/// Those that are a part of llmc; the first is the default of `llmc compile --compress`.
llvm::ArrayRef<Recipe> getRecipes();

/// The names of getRecipes(), "balanced, fast or small".
std::string getRecipeNames();

/// An error for what is neither the name of a recipe nor a path; files are not looked for.
llvm::Error checkRecipeName(llvm::StringRef nameOrPath);

/// The text of the recipe of that name, or of the file of that path, which has a '/' in it or ends
/// in ".recipe".
llvm::Expected<std::string> readRecipe(llvm::StringRef nameOrPath);

/// The pipeline in a recipe's text, without comments and spaces; an error where there is none.
llvm::Expected<std::string> getRecipePasses(llvm::StringRef text);

/// Registers the pipeline `recipe`: --recipe=NAME, or recipe{NAME} in a pipeline as text.
void registerRecipes();

} // namespace llmc

#endif // LLMC_PIPELINES_RECIPES_H
