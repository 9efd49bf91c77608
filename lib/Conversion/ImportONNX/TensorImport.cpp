//===- TensorImport.cpp - ONNX tensors as attributes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorImport.h"
#include "llmc/Conversion/ImportONNX/ElementTypes.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;

/// Tensors of at most this many elements become elements in the IR.
static constexpr int64_t smallTensor = 32;

InFlightDiagnostic TensorImporter::fail(StringRef name) {
  return emitError(location) << "tensor '" << name << "': ";
}

FailureOr<ImportedTensor> TensorImporter::import(const onnx::TensorProto &tensor, StringRef name,
                                                 int64_t rawOffset) {
  Type element = getElementType(tensor.data_type(), context);
  if (!element) {
    fail(name) << "expected numbers, booleans or strings, found data type " << tensor.data_type();
    return failure();
  }
  if (tensor.dims_size() > maxRank) {
    fail(name) << "expected at most " << maxRank << " dimensions, found " << tensor.dims_size();
    return failure();
  }
  std::optional<int64_t> count = 1;
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  for (int64_t dim : shape) {
    if (dim < 0) {
      fail(name) << "expected dimensions of 0 or more, found " << dim;
      return failure();
    }
    count = llvm::checkedMul<int64_t>(*count, dim);
    if (!count)
      break;
  }
  if (isa<carrier::StringType>(element))
    return importStrings(tensor, name, count.value_or(-1));
  std::optional<int64_t> bits =
      count ? llvm::checkedMul<int64_t>(*count, getStorageBits(element)) : std::nullopt;
  if (!bits || *bits > (int64_t(1) << 60)) {
    fail(name) << "expected a size that fits 60 bits, found dimensions " << ArrayRef(shape);
    return failure();
  }
  int64_t bytes = (*bits + 7) / 8;
  auto type = RankedTensorType::get(shape, element);

  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    FailureOr<Attribute> data = importExternal(tensor, name, bytes);
    if (failed(data))
      return failure();
    return ImportedTensor{type, *data};
  }
  // In the file itself, by reference.
  if (*count > smallTensor && rawOffset >= 0 && !path.empty() &&
      static_cast<int64_t>(tensor.raw_data().size()) == bytes)
    return ImportedTensor{type, FileAttr::get(context, path, rawOffset, {})};

  FailureOr<std::vector<uint8_t>> contents = collectBytes(tensor, name, element, *count, bytes);
  if (failed(contents))
    return failure();
  if (*count <= smallTensor && getStorageBits(element) >= 8 && !isa<ComplexType>(element)) {
    if (element.isInteger(1)) {
      SmallVector<bool> values;
      for (uint8_t byte : *contents)
        values.push_back(byte != 0);
      return ImportedTensor{type, DenseElementsAttr::get(type, values)};
    }
    ArrayRef<char> raw(reinterpret_cast<const char *>(contents->data()), contents->size());
    return ImportedTensor{type, *count == 0 ? DenseElementsAttr::get(type, ArrayRef<Attribute>())
                                            : DenseElementsAttr::getFromRawBuffer(type, raw)};
  }
  return ImportedTensor{type, makeParameterData(context, name, std::move(*contents))};
}

FailureOr<ImportedTensor> TensorImporter::importStrings(const onnx::TensorProto &tensor,
                                                        StringRef name, int64_t count) {
  if (tensor.string_data_size() != count) {
    fail(name) << "expected as many strings as elements, found " << tensor.string_data_size();
    return failure();
  }
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  SmallVector<StringRef> texts(tensor.string_data().begin(), tensor.string_data().end());
  return ImportedTensor{RankedTensorType::get(shape, carrier::StringType::get(context)),
                        Builder(context).getStrArrayAttr(texts)};
}

/// Whether the file, links followed, lies in the folder of the model or of what it links to.
static bool isInside(StringRef file, StringRef model) {
  SmallString<256> realFile, realModel, folder;
  if (llvm::sys::fs::real_path(file, realFile) || llvm::sys::fs::real_path(model, realModel) ||
      llvm::sys::fs::real_path(llvm::sys::path::parent_path(model), folder))
    return false;
  for (StringRef inside : {StringRef(folder), llvm::sys::path::parent_path(realModel)}) {
    StringRef rest = realFile;
    if (rest.consume_front(inside) && (inside.ends_with("/") || rest.starts_with("/")))
      return true;
  }
  return false;
}

FailureOr<Attribute> TensorImporter::importExternal(const onnx::TensorProto &tensor, StringRef name,
                                                    int64_t bytes) {
  StringRef location, offsetText = "0", lengthText;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      offsetText = entry.value();
    else if (entry.key() == "length")
      lengthText = entry.value();
  }
  if (path.empty()) {
    fail(name)
        << "expected a model in a file, with its external data beside it, found it in a pipe";
    return failure();
  }
  if (location.empty() || location.contains('\0')) {
    fail(name) << "expected a location of its external data";
    return failure();
  }
  bool escapes = llvm::sys::path::is_absolute(location) || location.contains('\\');
  for (auto part = llvm::sys::path::begin(location); part != llvm::sys::path::end(location); ++part)
    escapes |= *part == "..";
  if (escapes) {
    fail(name) << "expected external data inside the model's folder, found location '" << location
               << "'";
    return failure();
  }
  int64_t offset, length = bytes;
  if (offsetText.getAsInteger(10, offset) || offset < 0) {
    fail(name) << "expected an offset of 0 or more, found '" << offsetText << "'";
    return failure();
  }
  if (!lengthText.empty() && (lengthText.getAsInteger(10, length) || length != bytes)) {
    fail(name) << "expected external data of " << bytes << " bytes, found a length of '"
               << lengthText << "'";
    return failure();
  }
  SmallString<256> file(llvm::sys::path::parent_path(path));
  llvm::sys::path::append(file, location);
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(file, status)) {
    fail(name) << "cannot read its external data '" << file << "': " << error.message();
    return failure();
  }
  if (status.type() != llvm::sys::fs::file_type::regular_file) {
    fail(name) << "expected '" << file << "' to be a regular file";
    return failure();
  }
  if (!isInside(file, path)) {
    fail(name) << "expected external data inside the model's folder, found '" << file
               << "' that links outside";
    return failure();
  }
  int64_t size = status.getSize();
  if (offset > size || bytes > size - offset) {
    fail(name) << "expected " << bytes << " bytes at offset " << offset << " of '" << file
               << "', found a file of " << size << " bytes";
    return failure();
  }
  return Attribute(FileAttr::get(context, file, offset, {}));
}

/// Appends `values`, each narrowed to T.
template <typename T, typename Values>
static void appendAs(std::vector<uint8_t> &bytes, const Values &values) {
  for (auto value : values) {
    T narrow = static_cast<T>(value);
    const auto *raw = reinterpret_cast<const uint8_t *>(&narrow);
    bytes.insert(bytes.end(), raw, raw + sizeof(T));
  }
}

FailureOr<std::vector<uint8_t>> TensorImporter::collectBytes(const onnx::TensorProto &tensor,
                                                             StringRef name, Type element,
                                                             int64_t count, int64_t bytes) {
  std::vector<uint8_t> contents;
  if (tensor.has_raw_data()) {
    contents.assign(tensor.raw_data().begin(), tensor.raw_data().end());
  } else if (element.isF32()) {
    appendAs<float>(contents, tensor.float_data());
  } else if (element.isF64()) {
    appendAs<double>(contents, tensor.double_data());
  } else if (element.isInteger(64) && !element.isUnsignedInteger()) {
    appendAs<int64_t>(contents, tensor.int64_data());
  } else if (element.isInteger(64)) {
    appendAs<uint64_t>(contents, tensor.uint64_data());
  } else if (element.isInteger(32) && element.isUnsignedInteger()) {
    appendAs<uint32_t>(contents, tensor.uint64_data());
  } else if (auto complex = dyn_cast<ComplexType>(element)) {
    if (complex.getElementType().isF32())
      appendAs<float>(contents, tensor.float_data());
    else
      appendAs<double>(contents, tensor.double_data());
  } else if (getStorageBits(element) == 32) {
    appendAs<int32_t>(contents, tensor.int32_data());
  } else if (getStorageBits(element) == 16) {
    appendAs<uint16_t>(contents, tensor.int32_data());
  } else {
    appendAs<uint8_t>(contents, tensor.int32_data());
  }
  if (static_cast<int64_t>(contents.size()) != bytes) {
    fail(name) << "expected " << bytes << " bytes for " << count << " elements, found "
               << contents.size();
    return failure();
  }
  return contents;
}
