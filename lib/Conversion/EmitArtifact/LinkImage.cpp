//===- LinkImage.cpp - links an object into a shared image, in this process ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitArtifact/EmitArtifact.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llmc;

namespace {
/// A temporary file that is removed at the end, and where a signal or a fault ends the process.
class TemporaryFile {
public:
  llvm::Error create(llvm::StringRef suffix) {
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("llmc", suffix, path))
      return llvm::createStringError(error, "cannot make a temporary file: %s",
                                     error.message().c_str());
    llvm::sys::RemoveFileOnSignal(path);
    return llvm::Error::success();
  }
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile() {
    if (path.empty())
      return;
    (void)llvm::sys::fs::remove(path);
    llvm::sys::DontRemoveFileOnSignal(path);
  }

  llvm::SmallString<128> path;
};
} // namespace

llvm::Expected<llvm::SmallVector<char, 0>> llmc::linkImage(llvm::ArrayRef<char> object,
                                                           const llvm::Triple &triple) {
  TemporaryFile objectFile, imageFile;
  if (llvm::Error error = objectFile.create("o"))
    return std::move(error);
  if (llvm::Error error = imageFile.create("so"))
    return std::move(error);
  const char *objectPath = objectFile.path.c_str(), *imagePath = imageFile.path.c_str();
  std::error_code error;
  {
    llvm::raw_fd_ostream stream(objectPath, error);
    if (!error) {
      stream.write(object.data(), object.size());
      stream.flush();
      error = stream.error();
    }
    stream.clear_error();
  }
  if (error)
    return llvm::createStringError(error, "cannot write '%s'", objectPath);

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
  auto image = llvm::MemoryBuffer::getFile(imagePath, /*IsText=*/false,
                                           /*RequiresNullTerminator=*/false);
  if (!image)
    return llvm::createStringError(image.getError(), "cannot read '%s'", imagePath);
  return llvm::SmallVector<char, 0>((*image)->getBufferStart(), (*image)->getBufferEnd());
}
