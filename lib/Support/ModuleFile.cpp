//===- ModuleFile.cpp - reads the files that tools are given ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ModuleFile.h"

#include "llvm/Support/Alignment.h"
#include "llvm/Support/Path.h"

#include <cstring>

using namespace llmc;

/// Sections of bytecode hold resources at multiples of this many bytes.
static constexpr llvm::Align bytecodeAlignment = llvm::Align::Constant<64>();

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> llmc::openModule(llvm::StringRef path) {
  // The parser of IR wants a 0 after the text. A file of whole pages has no room for it, so it is
  // copied, which an ONNX file with its weights inside must not be.
  bool isONNX = llvm::sys::path::extension(path).equals_insensitive(".onnx");
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/!isONNX, bytecodeAlignment);
  if (!file)
    return llvm::createStringError(file.getError(), "cannot read '%s': %s", path.str().c_str(),
                                   file.getError().message().c_str());
  if ((*file)->getBuffer().starts_with("LLMC"))
    return llvm::createStringError("'%s': expected a model, found what llmc compiled from one",
                                   path.str().c_str());
  if (llvm::isAddrAligned(bytecodeAlignment, (*file)->getBufferStart()))
    return std::move(*file);
  auto copy = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(
      (*file)->getBufferSize(), (*file)->getBufferIdentifier(), bytecodeAlignment);
  if (!copy)
    return llvm::createStringError("cannot read '%s': no memory", path.str().c_str());
  std::memcpy(copy->getBufferStart(), (*file)->getBufferStart(), (*file)->getBufferSize());
  return copy;
}

llvm::Error llmc::checkIsModule(llvm::StringRef contents, llvm::StringRef path) {
  if (contents.empty())
    return llvm::createStringError("'%s': expected an MLIR module, found an empty file",
                                   path.str().c_str());
  if (contents.starts_with("ML\xefR") || !contents.take_front(4096).contains('\0'))
    return llvm::Error::success();
  if (llvm::sys::path::extension(path).equals_insensitive(".onnx"))
    return llvm::createStringError("'%s': expected an MLIR module, found an ONNX model: "
                                   "llmc-translate --import-onnx makes one of it",
                                   path.str().c_str());
  return llvm::createStringError(
      "'%s': expected an MLIR module, or an ONNX model named .onnx, found another file",
      path.str().c_str());
}
