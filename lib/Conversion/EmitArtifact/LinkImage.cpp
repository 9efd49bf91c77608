//===- LinkImage.cpp - links an object into a shared image, in this process ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"
#include "llmc/Support/TemporaryFile.h"

#include "lld/Common/Driver.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llmc;

llvm::Expected<llvm::SmallVector<char, 0>> llmc::linkImage(llvm::ArrayRef<char> object,
                                                           const llvm::Triple &triple) {
  TemporaryFile objectFile, imageFile;
  if (llvm::Error error = objectFile.create("o"))
    return std::move(error);
  if (llvm::Error error = imageFile.create("so"))
    return std::move(error);
  const char *objectPath = objectFile.path.c_str(), *imagePath = imageFile.path.c_str();
  if (llvm::Error error = objectFile.write(object))
    return std::move(error);

  const char *emulation = triple.getArch() == llvm::Triple::aarch64 ? "aarch64linux" : "elf_x86_64";
  std::string messages;
  llvm::raw_string_ostream diagnostics(messages);
  // lld keeps state between calls; it is reset after each, but two must not run at once.
  static std::mutex turn;
  std::lock_guard<std::mutex> lock(turn);
  const char *arguments[] = {
      "ld.lld",      "-m", emulation, "--shared", "--gc-sections", "--build-id=none", "-z",
      "noexecstack", "-z", "defs",    "-o",       imagePath,       objectPath};
  lld::Result result =
      lld::lldMain(arguments, diagnostics, diagnostics, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("cannot link the program: %s", messages.c_str());
  return imageFile.read();
}
