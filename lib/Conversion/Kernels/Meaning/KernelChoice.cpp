//===- KernelChoice.cpp - which operations run by their meaning ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/Kernels/Meaning.h"

using namespace mlir;
using namespace llmc;

llvm::Expected<KernelChoice> KernelChoice::parse(StringRef text) {
  KernelChoice choice;
  auto [kind, list] = text.split(':');
  bool hasList = text.contains(':');
  choice.always = kind == "meaning" && !hasList;
  if (choice.always || text == "all")
    return choice;
  SmallVector<StringRef> names;
  list.split(names, ',');
  if (kind != "meaning" || llvm::is_contained(names, ""))
    return llvm::createStringError("expected all, meaning or meaning:OP[,OP…], found '%s'",
                                   text.str().c_str());
  choice.names.assign(names.begin(), names.end());
  return choice;
}

std::string KernelChoice::explainUnknown(MLIRContext *context) const {
  for (const std::string &name : names)
    if (!RegisteredOperationName::lookup(name, context))
      return "expected the name of an operation, such as llmc.gate, found '" + name + "'";
  return "";
}

FailureOr<KernelChoice> KernelChoice::parseOption(ModuleOp module, StringRef text) {
  llvm::Expected<KernelChoice> choice = parse(text);
  if (!choice) {
    module.emitError("kernels: ") << llvm::toString(choice.takeError());
    return failure();
  }
  if (std::string unknown = choice->explainUnknown(module.getContext()); !unknown.empty()) {
    module.emitError("kernels: ") << unknown;
    return failure();
  }
  return *choice;
}

bool KernelChoice::usesMeaning(Operation *op) const {
  return always || llvm::is_contained(names, op->getName().getStringRef());
}
