//===- Target.cpp - targets as users name them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/Kernels/Target.h"

#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace llmc;

/// The C library makes no difference to the code, the size of a pointer does.
static bool hasKnownEnvironment(const llvm::Triple &triple) {
  llvm::StringRef name = triple.getEnvironmentName();
  return name.empty() || name == "gnu" || name == "musl";
}

/// The features of a CPU as LLVM spells them, or nothing where it knows no such CPU.
static std::optional<llvm::StringSet<>> getFeatures(const llvm::Triple &triple,
                                                    llvm::StringRef cpu) {
  llvm::StringSet<> features;
  if (triple.isAArch64()) {
    std::optional<llvm::AArch64::CpuInfo> info = llvm::AArch64::parseCpu(cpu);
    if (!info)
      return std::nullopt;
    llvm::AArch64::ExtensionSet extensions;
    extensions.addCPUDefaults(*info);
    std::vector<std::string> list;
    extensions.toLLVMFeatureList(list);
    for (llvm::StringRef feature : list)
      if (feature.consume_front("+"))
        features.insert(feature);
    return features;
  }
  if (llvm::X86::parseArchX86(cpu, /*Only64Bit=*/true) == llvm::X86::CK_None)
    return std::nullopt;
  llvm::SmallVector<llvm::StringRef> list;
  llvm::X86::getFeaturesForCPU(cpu, list);
  features.insert(list.begin(), list.end());
  return features;
}

/// The variant of that name, or the best one for the CPU of that name; null where there is none.
static const KernelTarget *findVariant(llvm::ArrayRef<KernelTarget> known,
                                       const llvm::Triple &triple, llvm::StringRef name) {
  for (const KernelTarget &variant : known)
    if (variant.name == name)
      return &variant;
  std::optional<llvm::StringSet<>> features = getFeatures(triple, name);
  if (!features)
    return nullptr;
  for (const KernelTarget &variant : known) {
    llvm::SmallVector<llvm::StringRef> needed;
    variant.llvmFeatures.split(needed, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    if (llvm::all_of(needed, [&](llvm::StringRef feature) {
          return !feature.consume_front("+") || features->contains(feature);
        }))
      return &variant;
  }
  return nullptr;
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
  llvm::SmallVector<llvm::StringRef> names;
  variantText.split(names, ',');
  llvm::SmallPtrSet<const KernelTarget *, 4> named;
  for (llvm::StringRef name : names) {
    const KernelTarget *variant = findVariant(known, target.triple, name);
    if (!variant)
      return llvm::createStringError(
          "expected variants among %s, or a CPU that LLVM knows, for %s, found '%s'",
          llvm::join(llvm::map_range(known, [](const KernelTarget &v) { return v.name.str(); }),
                     ", ")
              .c_str(),
          tripleText.str().c_str(), name.str().c_str());
    named.insert(variant);
  }
  // In the order of preference, whatever order they are named in.
  for (const KernelTarget &variant : known)
    if (named.contains(&variant))
      target.variants.push_back(&variant);
  return target;
}
