//===- HostTensor.cpp - tensors as the raise sees them: shapes, and values where they are known
//---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate/HostTensor.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Of one constant; 1 GiB as fp64.
static constexpr int64_t maxLoadedElements = int64_t(1) << 27;

int64_t llmc::getProduct(ArrayRef<int64_t> shape) {
  int64_t product = 1;
  for (int64_t dim : shape) {
    std::optional<int64_t> next = llvm::checkedMul<int64_t>(product, dim);
    if (dim < 0 || !next)
      return -1;
    product = *next;
  }
  return product;
}

SmallVector<int64_t> llmc::getRowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t axis = static_cast<int64_t>(shape.size()) - 2; axis >= 0; --axis)
    strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

std::optional<SmallVector<int64_t>> llmc::broadcastShapes(ArrayRef<int64_t> a,
                                                          ArrayRef<int64_t> b) {
  size_t rank = std::max(a.size(), b.size());
  SmallVector<int64_t> shape(rank);
  for (size_t i = 0; i < rank; ++i) {
    int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
    int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1)
      return std::nullopt;
    shape[rank - 1 - i] = left == 1 ? right : left;
  }
  return shape;
}

std::vector<int64_t> llmc::getBroadcastIndices(ArrayRef<int64_t> from, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> own = getRowMajorStrides(from), strides(shape.size(), 0);
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1)
      strides[shape.size() - from.size() + i] = own[i];
  std::vector<int64_t> indices(getProduct(shape));
  SmallVector<int64_t> place(shape.size(), 0);
  int64_t index = 0;
  for (int64_t &entry : indices) {
    entry = index;
    for (int64_t axis = static_cast<int64_t>(shape.size()) - 1; axis >= 0; --axis) {
      index += strides[axis];
      if (++place[axis] < shape[axis])
        break;
      index -= strides[axis] * shape[axis];
      place[axis] = 0;
    }
  }
  return indices;
}

//===----------------------------------------------------------------------===//
// Constants of the file
//===----------------------------------------------------------------------===//

int64_t ConstantView::getNumElements() const { return getProduct(shape); }

bool ConstantView::isContiguous() const {
  SmallVector<int64_t> wanted = getRowMajorStrides(shape);
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1 && strides[i] != wanted[i])
      return false;
  return true;
}

ConstantView ConstantView::get(Attribute source, RankedTensorType type) {
  return {source, type.getElementType(), 0, SmallVector<int64_t>(type.getShape()),
          getRowMajorStrides(type.getShape())};
}

ConstantView ConstantView::transpose(ArrayRef<int64_t> permutation) const {
  ConstantView result = *this;
  for (auto [i, axis] : llvm::enumerate(permutation)) {
    result.shape[i] = shape[axis];
    result.strides[i] = strides[axis];
  }
  return result;
}

ConstantView ConstantView::slice(int64_t axis, int64_t start, int64_t size, int64_t step) const {
  ConstantView result = *this;
  result.offset += start * strides[axis];
  result.shape[axis] = size;
  if (size > 1)
    result.strides[axis] *= step;
  return result;
}

std::optional<ConstantView> ConstantView::reshape(ArrayRef<int64_t> newShape) const {
  ConstantView result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  if (isContiguous()) {
    result.strides = getRowMajorStrides(newShape);
    return result;
  }
  // Dimensions of size one come and go.
  SmallVector<int64_t> sizes, steps;
  for (auto [size, stride] : llvm::zip(shape, strides))
    if (size != 1) {
      sizes.push_back(size);
      steps.push_back(stride);
    }
  result.strides.assign(newShape.size(), 0);
  size_t used = 0;
  for (auto [i, size] : llvm::enumerate(newShape)) {
    if (size == 1)
      continue;
    if (used == sizes.size() || sizes[used] != size)
      return std::nullopt;
    result.strides[i] = steps[used++];
  }
  return result;
}

/// The bytes of a constant, and the type they hold.
static std::optional<ArrayRef<uint8_t>> getBytes(Attribute source) {
  if (auto file = dyn_cast<FileAttr>(source)) {
    llvm::Expected<ArrayRef<uint8_t>> contents =
        file.getContext()->getLoadedDialect<LLMCDialect>()->getMappedFiles().map(file.getPath());
    if (!contents) {
      llvm::consumeError(contents.takeError());
      return std::nullopt;
    }
    if (file.getOffset() > static_cast<int64_t>(contents->size()))
      return std::nullopt;
    return contents->drop_front(file.getOffset());
  }
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(source))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return ArrayRef(reinterpret_cast<const uint8_t *>(blob->getData().data()),
                      blob->getData().size());
  return std::nullopt;
}

/// A float type of 4 or 8 bits.
static bool isNarrowFloat(Type element) {
  auto type = dyn_cast<FloatType>(element);
  return type && (type.getWidth() == 4 || type.getWidth() == 8);
}

/// The values of all codes of such a type.
static std::vector<double> getNarrowValues(FloatType type) {
  unsigned bits = type.getWidth();
  std::vector<double> values;
  for (unsigned code = 0; code < 1u << bits; ++code) {
    APFloat value(type.getFloatSemantics(), APInt(bits, code));
    bool lossy;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
    values.push_back(value.convertToDouble());
  }
  return values;
}

/// The code at `index` of codes of 2, 4 or 8 bits, the first in the lowest bits of its byte.
static unsigned readPacked(const uint8_t *bytes, int64_t index, unsigned bits) {
  int64_t perByte = 8 / bits;
  return bytes[index / perByte] >> (index % perByte * bits) & ((1u << bits) - 1);
}

/// Whether readRun knows elements of this type.
static bool isReadable(Type element) {
  if (auto integer = dyn_cast<IntegerType>(element))
    return llvm::is_contained({1u, 2u, 4u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return isNarrowFloat(element) || element.isF32() || element.isF16() || element.isBF16() ||
         element.isF64();
}

static double readElement(const uint8_t *bytes, int64_t index, Type element) {
  using namespace llvm::support::endian;
  if (element.isF32() || element.isF16() || element.isBF16())
    return readFloat(bytes, index, element);
  if (element.isF64())
    return llvm::bit_cast<double>(read64le(bytes + 8 * index));
  auto integer = cast<IntegerType>(element);
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return bytes[index] != 0;
  case 2:
  case 4: {
    int size = 1 << integer.getWidth();
    int code = static_cast<int>(readPacked(bytes, index, integer.getWidth()));
    return isUnsigned || code < size / 2 ? code : code - size;
  }
  case 8:
    return isUnsigned ? bytes[index] : static_cast<int8_t>(bytes[index]);
  case 16:
    return isUnsigned ? read16le(bytes + 2 * index)
                      : static_cast<int16_t>(read16le(bytes + 2 * index));
  case 32:
    // Each as a number of its own: together they would be unsigned.
    return isUnsigned ? static_cast<double>(read32le(bytes + 4 * index))
                      : static_cast<double>(static_cast<int32_t>(read32le(bytes + 4 * index)));
  default:
    return isUnsigned ? static_cast<double>(read64le(bytes + 8 * index))
                      : static_cast<double>(static_cast<int64_t>(read64le(bytes + 8 * index)));
  }
}

/// Reads elements that are `apart` from each other. The common types have loops of their own;
/// `narrow` is getNarrowValues of narrow floats.
static void readRun(const uint8_t *bytes, int64_t index, int64_t apart, Type element,
                    ArrayRef<double> narrow, MutableArrayRef<double> out) {
  auto read = [&](auto get) {
    for (double &value : out) {
      value = get(index);
      index += apart;
    }
  };
  using namespace llvm::support::endian;
  if (element.isF32())
    read([&](int64_t i) { return llvm::bit_cast<float>(read32le(bytes + 4 * i)); });
  else if (element.isF16())
    read([&](int64_t i) { return halfToFloat(read16le(bytes + 2 * i)); });
  else if (element.isSignlessInteger(8) || element.isSignedInteger(8))
    read([&](int64_t i) { return static_cast<int8_t>(bytes[i]); });
  else if (element.isUnsignedInteger(8))
    read([&](int64_t i) { return bytes[i]; });
  else if (!narrow.empty())
    read([&](int64_t i) { return narrow[readPacked(bytes, i, element.getIntOrFloatBitWidth())]; });
  else
    read([&](int64_t i) { return readElement(bytes, i, element); });
}

std::optional<std::vector<double>> ConstantView::load() const {
  int64_t count = getNumElements();
  if (count < 0 || count > maxLoadedElements)
    return std::nullopt;
  // A file may have been cut since it was imported: check the reach again. Reversed axes count
  // down from the offset.
  std::optional<int64_t> last = offset;
  for (auto [size, stride] : llvm::zip(shape, strides))
    if (last && size > 1 && stride > 0) {
      std::optional<int64_t> reach = llvm::checkedMul<int64_t>(size - 1, stride);
      last = reach ? llvm::checkedAdd<int64_t>(*last, *reach) : std::nullopt;
    }
  if (!last || *last > INT64_MAX / 128 || offset < 0)
    return std::nullopt;
  SmallVector<double> elements;
  ArrayRef<uint8_t> bytes;
  if (auto dense = dyn_cast<DenseElementsAttr>(source)) {
    if (!isa<FloatType, IntegerType>(element) || dense.getElementType() != element ||
        (count > 0 && *last >= dense.getNumElements()))
      return std::nullopt;
    if (isa<FloatType>(element))
      for (APFloat value : dense.getValues<APFloat>()) {
        bool lossy;
        value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
        elements.push_back(value.convertToDouble());
      }
    else
      for (APInt value : dense.getValues<APInt>())
        elements.push_back(element.isUnsignedInteger() || element.isInteger(1)
                               ? static_cast<double>(value.getZExtValue())
                               : static_cast<double>(value.getSExtValue()));
  } else {
    if (!isReadable(element))
      return std::nullopt;
    std::optional<ArrayRef<uint8_t>> found = getBytes(source);
    int64_t bits = element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
    if (!found || (count > 0 && (*last + 1) * bits > static_cast<int64_t>(found->size()) * 8))
      return std::nullopt;
    bytes = *found;
  }
  std::vector<double> values(count), narrow;
  if (elements.empty() && isNarrowFloat(element))
    narrow = getNarrowValues(cast<FloatType>(element));
  // The last axis is read as one run.
  int64_t run = shape.empty() ? 1 : shape.back(), apart = shape.empty() ? 1 : strides.back();
  SmallVector<int64_t> place(shape.size(), 0);
  int64_t index = offset;
  for (int64_t done = 0; done < count; done += run) {
    if (elements.empty())
      readRun(bytes.data(), index, apart, element, narrow,
              MutableArrayRef(values).slice(done, run));
    else
      for (int64_t i = 0; i < run; ++i)
        values[done + i] = elements[index + i * apart];
    for (int64_t axis = static_cast<int64_t>(shape.size()) - 2; axis >= 0; --axis) {
      index += strides[axis];
      if (++place[axis] < shape[axis])
        break;
      index -= strides[axis] * shape[axis];
      place[axis] = 0;
    }
  }
  return values;
}

std::optional<std::vector<uint8_t>> ConstantView::loadBytes() const {
  std::optional<ArrayRef<uint8_t>> found = getBytes(source);
  int64_t count = getNumElements();
  if (found && isContiguous() && element.isInteger(8) && offset >= 0 && count >= 0 &&
      offset <= static_cast<int64_t>(found->size()) &&
      count <= static_cast<int64_t>(found->size()) - offset) {
    ArrayRef<uint8_t> bytes = found->slice(offset, count);
    return std::vector<uint8_t>(bytes.begin(), bytes.end());
  }
  std::optional<std::vector<double>> values = load();
  if (!values || !element.isInteger(8))
    return std::nullopt;
  std::vector<uint8_t> bytes;
  for (double value : *values)
    bytes.push_back(static_cast<uint8_t>(static_cast<int>(value)));
  return bytes;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

float llmc::getRoundoff(Type element) {
  auto type = dyn_cast<FloatType>(element);
  return type && type.getWidth() < 32
             ? std::ldexp(1.0f, -static_cast<int>(type.getFPMantissaWidth()))
             : 0;
}

int64_t HostTensor::getNumElements() const { return getProduct(shape); }

HostTensor HostTensor::known(ArrayRef<int64_t> shape, std::vector<double> values, bool isInteger) {
  HostTensor tensor = unknown(shape, isInteger);
  tensor.data = std::make_shared<const std::vector<double>>(std::move(values));
  return tensor;
}

HostTensor HostTensor::unknown(ArrayRef<int64_t> shape, bool isInteger) {
  HostTensor tensor;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.isInteger = isInteger;
  return tensor;
}
