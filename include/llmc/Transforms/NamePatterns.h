//===- NamePatterns.h - regular expressions over the names of parameters ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_NAMEPATTERNS_H
#define LLMC_TRANSFORMS_NAMEPATTERNS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Regex.h"

#include <optional>
#include <string>
#include <vector>

namespace llmc {

/// Regular expressions over the names of parameters or others, given by one option.
class NamePatterns {
public:
  /// Reports at `location` what is no expression. They match a part of a name, or all of it where
  /// they are of `whole` names.
  static mlir::FailureOr<NamePatterns> get(mlir::Location location, llvm::StringRef option,
                                           llvm::ArrayRef<std::string> texts, bool whole = false);

  /// The first expression that matches, of which all are tried.
  std::optional<size_t> match(llvm::StringRef name);

  /// Warns at the module of expressions that have matched no name, which is `what`.
  void warnOfUnused(mlir::ModuleOp module, llvm::StringRef what = "weight's name") const;

private:
  std::string option;
  std::vector<std::string> texts;
  std::vector<llvm::Regex> expressions;
  std::vector<bool> used; ///< whether it has matched a name
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_NAMEPATTERNS_H
