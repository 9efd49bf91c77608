//===- TensorExport.cpp - attributes as ONNX tensors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorExport.h"
#include "llmc/Conversion/ImportONNX/ElementTypes.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"
#include "llmc/Support/AtomicFile.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

/// Tensors of more bytes are external data, at multiples of the alignment.
static constexpr int64_t inlineBytes = 1024, alignment = 64;

/// The bytes of elements as a file holds them: booleans take one each, and splats are spelled out.
static std::string spellElements(DenseElementsAttr elements) {
  std::string bytes;
  if (elements.getElementType().isInteger(1)) {
    for (bool value : elements.getValues<bool>())
      bytes.push_back(static_cast<char>(value));
    return bytes;
  }
  ArrayRef<char> raw = elements.getRawData();
  int64_t copies = elements.isSplat() ? elements.getNumElements() : 1;
  for (int64_t i = 0; i < copies; ++i)
    bytes.append(raw.begin(), raw.end());
  return bytes;
}

/// The bytes of a file or resource.
static FailureOr<ArrayRef<uint8_t>> findBytes(Attribute data, int64_t size, Location where) {
  if (auto file = dyn_cast<FileAttr>(data)) {
    MappedFiles &files = data.getContext()->getLoadedDialect<LLMCDialect>()->getMappedFiles();
    llvm::Expected<ArrayRef<uint8_t>> mapped = files.map(file.getPath());
    if (!mapped)
      return emitError(where) << llvm::toString(mapped.takeError());
    int64_t found = mapped->size();
    if (file.getOffset() > found || size > found - file.getOffset())
      return emitError(where) << "expected " << size << " bytes at offset " << file.getOffset()
                              << " of '" << file.getPath() << "', found a file of " << found
                              << " bytes";
    return mapped->slice(file.getOffset(), size);
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(data);
  if (!resource)
    return emitError(where) << "expected #llmc.file or elements as data, found " << data;
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  int64_t found = blob ? blob->getData().size() : 0;
  if (found != size)
    return emitError(where) << "expected a resource of " << size << " bytes, found " << found;
  return ArrayRef(reinterpret_cast<const uint8_t *>(blob->getData().data()), size);
}

LogicalResult TensorExporter::exportTensor(RankedTensorType type, Attribute data, Location where,
                                           onnx::TensorProto &tensor) {
  int32_t dataType = getDataType(type.getElementType());
  if (!dataType || !type.hasStaticShape())
    return emitError(where)
           << "expected a tensor of static shape with elements that ONNX has, found " << type;
  tensor.set_data_type(dataType);
  for (int64_t dim : type.getShape())
    tensor.add_dims(dim);
  if (isa<carrier::StringType>(type.getElementType())) {
    auto texts = dyn_cast<ArrayAttr>(data);
    if (!texts || !llvm::all_of(texts, [](Attribute text) { return isa<StringAttr>(text); }) ||
        static_cast<int64_t>(texts.size()) != type.getNumElements())
      return emitError(where) << "expected a string for each element of " << type << ", found "
                              << data;
    for (auto text : texts.getAsRange<StringAttr>())
      tensor.add_string_data(text.str());
    return success();
  }
  if (auto elements = dyn_cast<DenseElementsAttr>(data)) {
    tensor.set_raw_data(spellElements(elements));
    return success();
  }
  // The importer's bounds hold for what it made, not for what was written by hand.
  int64_t bits = getStorageBits(type.getElementType());
  bool overflows = false;
  for (int64_t dim : type.getShape())
    overflows |= llvm::MulOverflow(bits, dim, bits);
  if (overflows)
    return emitError(where) << "expected a size that fits 63 bits, found " << type;
  int64_t length = llvm::divideCeil(bits, int64_t(8));
  FailureOr<ArrayRef<uint8_t>> bytes = findBytes(data, length, where);
  if (failed(bytes))
    return failure();
  if (length <= inlineBytes) {
    tensor.set_raw_data(bytes->data(), bytes->size());
    return success();
  }
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  size = llvm::alignTo(size, alignment);
  auto add = [&](const char *key, std::string value) {
    onnx::StringStringEntryProto *entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(std::move(value));
  };
  add("location", location);
  add("offset", std::to_string(size));
  add("length", std::to_string(length));
  pieces.push_back({size, *bytes});
  size += length;
  return success();
}

llvm::Error TensorExporter::write(StringRef path) const {
  llvm::Expected<AtomicFile> file = AtomicFile::create(path);
  if (!file)
    return file.takeError();
  for (const Piece &piece : pieces)
    if (llvm::Error error = file->write(piece.offset, piece.bytes))
      return error;
  return file->commit();
}
