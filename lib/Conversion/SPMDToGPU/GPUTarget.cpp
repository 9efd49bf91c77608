//===- GPUTarget.cpp - the GPUs that kernels are generated for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"

#include "llvm/ADT/StringExtras.h"

using namespace llmc;

namespace {
struct Architecture {
  llvm::StringLiteral name, feature;
};
} // namespace

/// With the first version of PTX that has each (PTX ISA, release notes).
static constexpr Architecture architectures[] = {
    {"sm_80", "+ptx70"},   {"sm_86", "+ptx71"},  {"sm_89", "+ptx78"},
    {"sm_90", "+ptx78"},   {"sm_90a", "+ptx80"}, {"sm_100", "+ptx86"},
    {"sm_100a", "+ptx86"}, {"sm_120", "+ptx87"}, {"sm_120a", "+ptx87"},
};

llvm::StringRef GPUTarget::getPTXFeature(llvm::StringRef architecture) {
  for (const Architecture &known : architectures)
    if (known.name == architecture)
      return known.feature;
  return {};
}

/// PTX ISA, cp.async.bulk: PTX 8.0 and sm_90.
bool GPUTarget::hasBulkCopies() const {
  llvm::StringRef feature = getPTXFeature(architecture);
  int version = 0;
  return architecture != "sm_80" && feature.consume_front("+ptx") &&
         !feature.getAsInteger(10, version) && version >= 80;
}

bool GPUTarget::isNamedBy(llvm::StringRef text) {
  return text == "cuda" || text.starts_with("cuda:") || text.starts_with("cuda,");
}

llvm::Expected<GPUTarget> GPUTarget::parse(llvm::StringRef text) {
  auto [kind, architecture] = text.split(':');
  if (kind != "cuda")
    return llvm::createStringError("expected cuda[:ARCHITECTURE], found '%s'", text.str().c_str());
  GPUTarget target;
  if (!text.contains(':'))
    return target;
  if (getPTXFeature(architecture).empty())
    return llvm::createStringError(
        "expected an architecture among %s, found '%s'",
        llvm::join(llvm::map_range(architectures,
                                   [](const Architecture &known) { return known.name.str(); }),
                   ", ")
            .c_str(),
        architecture.str().c_str());
  target.architecture = architecture.str();
  return target;
}
