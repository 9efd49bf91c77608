//===- SparseImport.cpp - sparse ONNX tensors as dense attributes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorImport.h"
#include "llmc/Conversion/ImportONNX/ElementTypes.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace llmc;

/// A dense tensor is made in memory: a file of a few bytes may ask for no more than this.
static constexpr int64_t maxDenseBytes = int64_t(1) << 31;

/// The bytes of a tensor as a file holds them, or nothing where its file can't be read.
static std::optional<std::vector<uint8_t>> readBytes(const ImportedTensor &tensor, int64_t size) {
  if (auto file = dyn_cast<FileAttr>(tensor.data)) {
    auto mapped = tensor.data.getContext()->getLoadedDialect<LLMCDialect>()->getMappedFiles().map(
        file.getPath());
    if (!mapped || file.getOffset() > static_cast<int64_t>(mapped->size()) ||
        size > static_cast<int64_t>(mapped->size()) - file.getOffset())
      return std::nullopt;
    return mapped->slice(file.getOffset(), size).vec();
  }
  ArrayRef<char> raw;
  int64_t copies = 1;
  if (auto elements = dyn_cast<DenseElementsAttr>(tensor.data)) {
    if (elements.getElementType().isInteger(1)) {
      auto values = elements.getValues<bool>();
      return std::vector<uint8_t>(values.begin(), values.end());
    }
    raw = elements.getRawData();
    copies = elements.isSplat() ? elements.getNumElements() : 1;
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(tensor.data)) {
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      raw = blob->getData();
  }
  std::vector<uint8_t> bytes;
  for (int64_t i = 0; i < copies; ++i)
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  return static_cast<int64_t>(bytes.size()) == size ? std::optional(std::move(bytes))
                                                    : std::nullopt;
}

bool TensorImporter::haveSameContents(const ImportedTensor &a, const ImportedTensor &b) {
  if (a.type != b.type || a.data == b.data)
    return a.type == b.type;
  // Texts are lists, which are unique.
  if (isa<ArrayAttr>(a.data))
    return false;
  int64_t size = (a.type.getNumElements() * getStorageBits(a.type.getElementType()) + 7) / 8;
  auto left = readBytes(a, size), right = readBytes(b, size);
  return left && right && *left == *right;
}

/// Where the values stand in row-major order. Places are indices of that order already, or one
/// index for each dimension.
FailureOr<std::vector<int64_t>> TensorImporter::readPlaces(const onnx::SparseTensorProto &tensor,
                                                           StringRef name,
                                                           ArrayRef<int64_t> shape) {
  FailureOr<ImportedTensor> indices = import(tensor.indices(), (name + ".indices").str(), -1);
  if (failed(indices))
    return failure();
  int64_t count = tensor.values().dims_size() == 1 ? tensor.values().dims(0) : 0;
  int64_t rank = shape.size();
  ArrayRef<int64_t> found = indices->type.getShape();
  bool isFlat = found == ArrayRef<int64_t>{count};
  if (!indices->type.getElementType().isSignlessInteger(64) ||
      (!isFlat && found != ArrayRef<int64_t>{count, rank})) {
    fail(name) << "expected one index of 64 bits for each of " << count << " values, or " << rank
               << ", found " << indices->type;
    return failure();
  }
  auto bytes = readBytes(*indices, indices->type.getNumElements() * 8);
  if (!bytes) {
    fail(name) << "cannot read the indices of its values";
    return failure();
  }
  std::vector<int64_t> places(count);
  const auto *values = reinterpret_cast<const int64_t *>(bytes->data());
  int64_t elements = 1;
  for (int64_t dim : shape)
    elements *= dim;
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = isFlat ? values[i] : 0;
    bool isInside = !isFlat || (place >= 0 && place < elements);
    for (int64_t axis = 0; !isFlat && axis < rank; ++axis) {
      int64_t index = values[i * rank + axis];
      isInside &= index >= 0 && index < shape[axis];
      place = isInside ? place * shape[axis] + index : 0;
    }
    if (!isInside) {
      fail(name) << "expected indices inside its dimensions, found another for value " << i;
      return failure();
    }
    places[i] = place;
  }
  return places;
}

FailureOr<ImportedTensor> TensorImporter::importSparse(const onnx::SparseTensorProto &tensor,
                                                       StringRef name) {
  FailureOr<ImportedTensor> values = import(tensor.values(), name, -1);
  if (failed(values))
    return failure();
  Type element = values->type.getElementType();
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  std::optional<int64_t> count = 1;
  for (int64_t dim : shape)
    count = count && dim >= 0 ? llvm::checkedMul<int64_t>(*count, dim) : std::nullopt;
  if (!isa<FloatType, IntegerType>(element) || getStorageBits(element) % 8 != 0 ||
      values->type.getRank() != 1) {
    fail(name) << "expected a list of numbers as its values, found " << values->type;
    return failure();
  }
  int64_t size = getStorageBits(element) / 8;
  if (!count || shape.empty() || static_cast<int>(shape.size()) > maxRank ||
      *count > maxDenseBytes / size) {
    fail(name) << "expected dimensions of at most " << maxDenseBytes << " bytes, found dimensions "
               << ArrayRef(shape);
    return failure();
  }
  FailureOr<std::vector<int64_t>> places = readPlaces(tensor, name, shape);
  if (failed(places))
    return failure();
  auto bytes = readBytes(*values, values->type.getNumElements() * size);
  if (!bytes) {
    fail(name) << "cannot read its values";
    return failure();
  }
  std::string dense(*count * size, '\0');
  for (auto [i, place] : llvm::enumerate(*places))
    std::memcpy(dense.data() + place * size, bytes->data() + i * size, size);
  onnx::TensorProto result;
  result.set_data_type(tensor.values().data_type());
  for (int64_t dim : shape)
    result.add_dims(dim);
  result.set_raw_data(std::move(dense));
  return import(result, name, -1);
}
