//===- Target.cpp - targets as users name them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitObject/EmitObject.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"

using namespace llmc;

/// The C library makes no difference to the code, the size of a pointer does.
static bool hasKnownEnvironment(const llvm::Triple &triple) {
  llvm::StringRef name = triple.getEnvironmentName();
  return name.empty() || name == "gnu" || name == "musl";
}

llvm::Expected<Target> Target::parse(llvm::StringRef text) {
  auto [tripleText, variantText] = text.split(':');
  Target target;
  target.triple = llvm::Triple(llvm::Triple::normalize(
      tripleText == "host" ? llvm::sys::getDefaultTargetTriple() : tripleText.str()));
  llvm::ArrayRef<KernelTarget> known = getKernelTargets(target.triple);
  if (known.empty() || !target.triple.isOSLinux() || !hasKnownEnvironment(target.triple))
    return llvm::createStringError(
        "expected a target of x86_64-linux-gnu, aarch64-linux-gnu or host, found '%s'",
        tripleText.str().c_str());
  if (variantText.empty() && !text.contains(':')) {
    for (const KernelTarget &variant : known)
      target.variants.push_back(&variant);
    return target;
  }
  // In the order of preference, whatever order they are named in.
  llvm::SmallVector<llvm::StringRef> names;
  variantText.split(names, ',');
  for (llvm::StringRef name : names)
    if (llvm::none_of(known, [&](const KernelTarget &variant) { return variant.name == name; })) {
      std::string list = llvm::join(
          llvm::map_range(known, [](const KernelTarget &variant) { return variant.name.str(); }),
          ", ");
      return llvm::createStringError("expected variants among %s for %s, found '%s'", list.c_str(),
                                     tripleText.str().c_str(), name.str().c_str());
    }
  for (const KernelTarget &variant : known)
    if (llvm::is_contained(names, variant.name))
      target.variants.push_back(&variant);
  return target;
}
