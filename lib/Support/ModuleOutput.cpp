//===- ModuleOutput.cpp - modules made ready to be written to a file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/ModuleOutput.h"
#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Host/ContentHash.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/ParameterPaths.h"
#include "llmc/Support/Safetensors.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
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

namespace {

/// The tensors of a file of weights, one after the other.
class SafetensorsContents {
public:
  /// Tensors start at multiples of this many bytes.
  static constexpr uint64_t alignment = 64;

  void add(ParameterOp parameter, ArrayRef<uint8_t> bytes) {
    int64_t length = bytes.size(), end = size + length;
    RankedTensorType type = parameter.getTensorType();
    StringRef name = getTypeName(type);
    tensors.push_back({size, bytes});
    addEntry(parameter.getSymName(), name,
             name == "U8" ? llvm::json::Array{length} : llvm::json::Array(type.getShape()), size,
             end);
    size = llvm::alignTo(end, alignment);
    // The format allows no gaps: what pads a tensor is a tensor too.
    if (end != size)
      addEntry("__padding__." + std::to_string(tensors.size() - 1), "U8",
               llvm::json::Array{size - end}, end, size);
  }

  /// The header's length in 8 bytes, and the header as JSON, padded so that tensors are aligned.
  std::string getHeader() const {
    llvm::json::Object entries = header;
    entries["__metadata__"] = llvm::json::Object{{writerKey, writerName}};
    std::string text(8, '\0');
    llvm::raw_string_ostream(text) << llvm::json::Value(std::move(entries));
    text.resize(llvm::alignTo(text.size(), alignment), ' ');
    llvm::support::endian::write64le(text.data(), text.size() - 8);
    return text;
  }

  /// Each with its offset from the end of the header.
  ArrayRef<std::pair<int64_t, ArrayRef<uint8_t>>> getTensors() const { return tensors; }

private:
  void addEntry(StringRef name, StringRef type, llvm::json::Array shape, int64_t begin,
                int64_t end) {
    header[name.str()] = llvm::json::Object{{"dtype", type},
                                            {"shape", std::move(shape)},
                                            {"data_offsets", llvm::json::Array{begin, end}}};
  }

  llvm::json::Object header;
  std::vector<std::pair<int64_t, ArrayRef<uint8_t>>> tensors;
  int64_t size = 0;
};

/// Writes a file from its begin to its end, and hashes what goes by.
class HashedOutput {
public:
  explicit HashedOutput(AtomicFile &file) : file(file) {}

  llvm::Error append(ArrayRef<uint8_t> bytes) {
    // In pieces that are still in the CPU's cache when they are written.
    for (constexpr size_t piece = size_t(1) << 18; !bytes.empty();) {
      ArrayRef<uint8_t> next = bytes.take_front(piece);
      hash.update(next.data(), next.size());
      if (llvm::Error error = file.write(offset, next))
        return error;
      offset += next.size();
      bytes = bytes.drop_front(next.size());
    }
    return llvm::Error::success();
  }
  std::string getHash() const { return hash.get(); }

private:
  AtomicFile &file;
  ContentHash hash;
  uint64_t offset = 0;
};

} // namespace

/// Writes what is in memory to `path`; `hash` is that of the new file, or nothing.
static llvm::Error spillParameters(ModuleOp module, StringRef path, std::string &hash) {
  SmallVector<ParameterOp> parameters;
  bool anyInMemory = false;
  module.walk([&](ParameterOp parameter) {
    auto file = dyn_cast<FileAttr>(parameter.getData());
    anyInMemory |= !file;
    // What lies in the file that is about to be replaced moves along.
    if (!file || file.getPath() == path)
      parameters.push_back(parameter);
  });
  forgetOriginals(module, anyInMemory ? path : "");
  if (!anyInMemory)
    return llvm::Error::success();
  if (llvm::Error error = checkReplaceable(path))
    return error;

  SafetensorsContents contents;
  for (ParameterOp parameter : parameters) {
    FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter);
    if (failed(bytes))
      return llvm::createStringError("cannot read parameter '%s'",
                                     parameter.getSymName().str().c_str());
    contents.add(parameter, *bytes);
  }
  std::string header = contents.getHeader();
  llvm::Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  HashedOutput writer(*file);
  if (llvm::Error error = writer.append(llvm::arrayRefFromStringRef(header)))
    return error;
  for (const auto &[offset, bytes] : contents.getTensors()) {
    if (llvm::Error error = writer.append(bytes))
      return error;
    static constexpr uint8_t zeros[SafetensorsContents::alignment] = {};
    uint64_t padded = llvm::alignTo(bytes.size(), SafetensorsContents::alignment);
    if (llvm::Error error = writer.append(ArrayRef(zeros, padded - bytes.size())))
      return error;
  }
  if (llvm::Error error = file->commit())
    return error;
  for (auto [parameter, tensor] : llvm::zip(parameters, contents.getTensors()))
    parameter.setDataAttr(FileAttr::get(module.getContext(), path, header.size() + tensor.first,
                                        ArrayRef<int64_t>()));
  hash = writer.getHash();
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
  SmallString<256> weights(path);
  llvm::sys::path::replace_extension(weights, "safetensors");
  std::string hash;
  if (llvm::Error error = spillParameters(module, weights, hash))
    return error;
  relativizeParameterPaths(module, llvm::sys::path::parent_path(path), {weights, hash});
  return llvm::Error::success();
}
