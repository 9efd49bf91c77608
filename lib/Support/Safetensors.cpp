//===- Safetensors.cpp - files of named tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/Safetensors.h"

#include "llvm/Support/Endian.h"

using namespace llmc;

static int64_t countBytes(llvm::StringRef type, llvm::ArrayRef<int64_t> shape) {
  int64_t bytes = type == "F64" ? 8 : type == "F32" ? 4 : 1;
  for (int64_t dim : shape)
    bytes *= dim;
  return bytes;
}

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

void SafetensorsLayout::add(llvm::StringRef name, llvm::StringRef type,
                            llvm::ArrayRef<int64_t> shape) {
  int64_t end = size + countBytes(type, shape);
  tensors[name.str()] = llvm::json::Object{{"dtype", type},
                                           {"shape", llvm::json::Array(shape)},
                                           {"data_offsets", llvm::json::Array{size, end}}};
  offsets[name] = size;
  size = end;
}

std::string SafetensorsLayout::getHeader() const {
  llvm::json::Object header = tensors;
  header["__metadata__"] = llvm::json::Object(metadata);
  std::string text(8, '\0');
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(header));
  text.append((64 - text.size() % 64) % 64, ' ');
  llvm::support::endian::write64le(text.data(), text.size() - 8);
  return text;
}

std::optional<int64_t> SafetensorsLayout::find(llvm::StringRef name) const {
  auto found = offsets.find(name);
  return found == offsets.end() ? std::nullopt : std::optional(found->second);
}

//===----------------------------------------------------------------------===//
// File
//===----------------------------------------------------------------------===//

llvm::Error SafetensorsFile::fail(const llvm::Twine &what) const {
  return llvm::createStringError(llvm::Twine("'") + path + "': " + what);
}

llvm::Expected<SafetensorsFile> SafetensorsFile::open(llvm::StringRef path) {
  SafetensorsFile file;
  file.path = path.str();
  auto buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return file.fail("cannot read the file: " + buffer.getError().message());
  file.file = std::move(*buffer);
  llvm::StringRef bytes = file.file->getBuffer();
  uint64_t length = bytes.size() < 8 ? 0 : llvm::support::endian::read64le(bytes.data());
  if (bytes.size() < 8 || length > bytes.size() - 8)
    return file.fail("expected a safetensors file, found another or one that is cut short");
  llvm::Expected<llvm::json::Value> header = llvm::json::parse(bytes.substr(8, length));
  if (!header)
    llvm::consumeError(header.takeError());
  if (!header || !header->getAsObject())
    return file.fail("expected a safetensors file, found a header that is no JSON object");
  file.header = std::move(*header->getAsObject());
  file.data = llvm::arrayRefFromStringRef(bytes.drop_front(8 + length));
  return file;
}

llvm::StringRef SafetensorsFile::getMetadata(llvm::StringRef key) const {
  const llvm::json::Object *metadata = header.getObject("__metadata__");
  return metadata ? metadata->getString(key).value_or("") : llvm::StringRef();
}

llvm::Expected<llvm::json::Object> SafetensorsFile::getMetadataObject(llvm::StringRef key) const {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(getMetadata(key));
  if (!value)
    llvm::consumeError(value.takeError());
  if (!value || !value->getAsObject())
    return fail("expected a JSON object as '" + key + "' of the metadata");
  return std::move(*value->getAsObject());
}

llvm::Expected<llvm::ArrayRef<uint8_t>>
SafetensorsFile::getTensor(llvm::StringRef name, llvm::StringRef type,
                           llvm::ArrayRef<int64_t> shape) const {
  const llvm::json::Object *tensor = header.getObject(name);
  if (!tensor)
    return fail("expected a tensor '" + name + "', found none");
  const llvm::json::Array *dims = tensor->getArray("shape");
  const llvm::json::Array *ends = tensor->getArray("data_offsets");
  if (tensor->getString("dtype") != type || !dims || *dims != llvm::json::Array(shape))
    return fail("expected '" + name + "' to be of type " + type + " and another shape");
  std::optional<int64_t> begin, end;
  if (ends && ends->size() == 2) {
    begin = (*ends)[0].getAsInteger();
    end = (*ends)[1].getAsInteger();
  }
  if (!begin || !end || *begin < 0 || *end < *begin || *end - *begin != countBytes(type, shape))
    return fail("expected " + llvm::Twine(countBytes(type, shape)) + " bytes of '" + name + "'");
  if (*end > static_cast<int64_t>(data.size()))
    return fail("expected " + llvm::Twine(*end) + " bytes of tensors, found " +
                llvm::Twine(data.size()) + ": the file is cut short");
  return data.slice(*begin, *end - *begin);
}
