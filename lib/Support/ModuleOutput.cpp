//===- ModuleOutput.cpp - modules made ready to be written to a file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ModuleOutput.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/ParameterPaths.h"
#include "llmc/Support/Safetensors.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;

/// The element type's name in a safetensors header.
static StringRef getTypeName(RankedTensorType type) {
  Type element = type.getElementType();
  if (type.getEncoding())
    return "U8";
  return element.isF32() ? "F32" : element.isF16() ? "F16" : element.isBF16() ? "BF16" : "U8";
}

/// What a file of weights that llmc wrote says of itself.
static constexpr llvm::StringLiteral writerKey = "writer", writerName = "llmc";

/// Whether nothing is lost where a file of weights is written there.
static llvm::Error checkReplaceable(StringRef path) {
  if (!llvm::sys::fs::exists(path))
    return llvm::Error::success();
  llvm::Expected<SafetensorsFile> file = SafetensorsFile::open(path);
  bool isOwn = file && file->getMetadata(writerKey) == writerName;
  llvm::consumeError(file.takeError());
  if (isOwn)
    return llvm::Error::success();
  return llvm::createStringError("'%s': expected no file, or one that llmc wrote: the module's "
                                 "weights go there",
                                 path.str().c_str());
}

/// Writes what is in memory beside `output`.
static llvm::Error spillParameters(ModuleOp module, StringRef output) {
  SmallString<256> path(output);
  llvm::sys::path::replace_extension(path, "safetensors");
  if (std::error_code error = llvm::sys::fs::make_absolute(path))
    return llvm::createStringError(error, "cannot find the current folder: " + error.message());
  SmallVector<ParameterOp> parameters;
  bool anyInMemory = false;
  module.walk([&](ParameterOp parameter) {
    auto file = dyn_cast<FileAttr>(parameter.getData());
    anyInMemory |= !file;
    // What lies in the file that is about to be replaced moves along.
    if (!file || file.getPath() == path)
      parameters.push_back(parameter);
  });
  if (!anyInMemory)
    return llvm::Error::success();
  if (llvm::Error error = checkReplaceable(path))
    return error;

  // The format: the header's length in 8 bytes, the header as JSON, then the tensors. The header
  // is padded so that tensors start at multiples of 64 bytes.
  std::vector<std::pair<int64_t, ArrayRef<uint8_t>>> tensors;
  int64_t size = 0;
  llvm::json::Object header;
  for (ParameterOp parameter : parameters) {
    FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
    if (failed(bytes))
      return llvm::createStringError("cannot read parameter '%s'",
                                     parameter.getSymName().str().c_str());
    int64_t length = bytes->size();
    RankedTensorType type = parameter.getTensorType();
    StringRef name = getTypeName(type);
    header[parameter.getSymName()] = llvm::json::Object{
        {"dtype", name},
        {"shape", name == "U8" ? llvm::json::Array{length} : llvm::json::Array(type.getShape())},
        {"data_offsets", llvm::json::Array{size, size + length}}};
    tensors.push_back({size, *bytes});
    size += length;
    if (int64_t rest = size % 64)
      size += 64 - rest;
  }
  // The format allows no gaps: what pads a tensor is a tensor too.
  for (size_t i = 0; i < tensors.size(); ++i) {
    int64_t end = tensors[i].first + tensors[i].second.size();
    int64_t next = i + 1 < tensors.size() ? tensors[i + 1].first : size;
    if (end != next)
      header["__padding__." + std::to_string(i)] =
          llvm::json::Object{{"dtype", "U8"},
                             {"shape", llvm::json::Array{next - end}},
                             {"data_offsets", llvm::json::Array{end, next}}};
  }
  header["__metadata__"] = llvm::json::Object{{writerKey, writerName}};
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(header));
  text.append((64 - (text.size() + 8) % 64) % 64, ' ');
  char length[8];
  llvm::support::endian::write64le(length, text.size());

  llvm::Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  auto bytesOf = [](StringRef string) { return llvm::arrayRefFromStringRef(string); };
  int64_t start = 8 + text.size();
  if (llvm::Error error = file->write(0, bytesOf(StringRef(length, 8))))
    return error;
  if (llvm::Error error = file->write(8, bytesOf(text)))
    return error;
  for (auto &[offset, bytes] : tensors)
    if (llvm::Error error = file->write(start + offset, bytes))
      return error;
  // The last tensor's padding.
  std::vector<uint8_t> rest(start + size -
                            (start + tensors.back().first + tensors.back().second.size()));
  if (llvm::Error error = file->write(start + size - rest.size(), rest))
    return error;
  if (llvm::Error error = file->commit())
    return error;
  for (auto [parameter, tensor] : llvm::zip(parameters, tensors))
    parameter.setDataAttr(
        FileAttr::get(module.getContext(), path, start + tensor.first, ArrayRef<int64_t>()));
  return llvm::Error::success();
}

llvm::Error llmc::prepareForFile(ModuleOp module, StringRef output) {
  SmallString<256> path(output);
  if (std::error_code error = llvm::sys::fs::make_absolute(path))
    return llvm::createStringError(error, "cannot find the current folder: " + error.message());
  for (const std::string &tensors : collectParameterPaths(module))
    if (llvm::sys::fs::equivalent(path, tensors))
      return llvm::createStringError("expected another output than '%s', which the module's "
                                     "tensors lie in",
                                     output.str().c_str());
  if (llvm::sys::path::extension(path) == ".safetensors")
    return llvm::createStringError("expected an output such as NAME.mlir, found '%s', where its "
                                   "weights would go",
                                   output.str().c_str());
  if (llvm::Error error = spillParameters(module, output))
    return error;
  relativizeParameterPaths(module, llvm::sys::path::parent_path(path));
  return llvm::Error::success();
}
