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

/// Regular expressions over the names of parameters, given by one option.
class NamePatterns {
public:
  /// Reports at `location` what is no expression.
  static mlir::FailureOr<NamePatterns> get(mlir::Location location, llvm::StringRef option,
                                           llvm::ArrayRef<std::string> texts);

  /// The first expression that matches, of which all are tried.
  std::optional<size_t> match(llvm::StringRef name);

  /// Warns at the module of expressions that have matched no name.
  void warnOfUnused(mlir::ModuleOp module) const;

private:
  std::string option;
  std::vector<std::string> texts;
  std::vector<llvm::Regex> expressions;
  std::vector<bool> used; ///< whether it has matched a name
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_NAMEPATTERNS_H
