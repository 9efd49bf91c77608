//===- CacheLayout.cpp - how keys and values lie in a sequence's state ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CacheLayout.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// What can be laid out
//===----------------------------------------------------------------------===//

int64_t llmc::getNumbersPerElement(const Plane &plane) {
  return plane.isFloat() || plane.getBits() >= 8 ? 1 : 8 / plane.getBits();
}

Type llmc::getUnpackedType(const Plane &plane) {
  return plane.getBits() < 8 ? IntegerType::get(plane.element.getContext(), 8) : plane.element;
}

/// Numbers of a row of `size` that share an element of this plane.
static int64_t getShared(const Plane &plane, int64_t size) {
  return plane.columns == Plane::all ? size : std::min(plane.columns, size);
}

int64_t llmc::getCacheGroup(CacheEncodingInterface encoding, int64_t size) {
  int64_t group = 1;
  for (const Plane &plane : encoding.getPlanes({1, size}))
    group = std::max(group, getShared(plane, size));
  return group;
}

/// Numbers in a byte of planes of numbers, 1 where none are packed.
static int64_t getPacked(ArrayRef<Plane> planes) {
  int64_t packed = 1;
  for (const Plane &plane : planes)
    if (plane.columns == 1)
      packed = std::max(packed, getNumbersPerElement(plane));
  return packed;
}

/// Reports why caches can't have a plane of these elements, if so.
static LogicalResult verifyElement(const Plane &plane, Attribute encoding,
                                   function_ref<InFlightDiagnostic()> emitError) {
  Type element = plane.element;
  if (plane.rows != 1 || plane.isStream() || plane.kept != 0)
    return emitError() << "expected planes of one position in a cache encoding, found '"
                       << plane.name << "' of " << encoding;
  if (element.isF32() || element.isF16() || element.isBF16())
    return success();
  if (element.isInteger(8) ||
      (plane.columns == 1 &&
       (element.isInteger(4) || element.isInteger(2) || element.isInteger(1))))
    return success();
  return emitError() << "expected planes of floats or integers of 1, 2, 4 or 8 bits in a cache "
                        "encoding, which groups share only if they have 8, found '"
                     << plane.name << "' of " << element << " in " << encoding;
}

LogicalResult
CacheEncodingInterface::verifyCache(int64_t size,
                                    function_ref<InFlightDiagnostic()> emitError) const {
  if (failed(CacheEncodingInterface(*this).verifyHeadSize(size, emitError)))
    return failure();
  if (int64_t unit = getUnit(); unit != 1)
    return emitError() << "expected a cache encoding that decodes numbers one by one, found "
                       << *this << ", which decodes " << unit << " together";
  SmallVector<Plane> planes = getPlanes({1, size});
  int64_t group = getCacheGroup(*this, size), packed = getPacked(planes);
  for (const Plane &plane : planes) {
    if (failed(verifyElement(plane, *this, emitError)))
      return failure();
    int64_t shared = getShared(plane, size);
    if (shared != 1 && shared != group)
      return emitError() << "expected groups of " << group << " numbers in all planes of " << *this
                         << ", found " << shared << " in '" << plane.name << "'";
    if (plane.columns == 1 && getNumbersPerElement(plane) != packed)
      return emitError() << "expected integers of " << 8 / packed << " bits in all planes of "
                         << *this << " that are not shared, found '" << plane.name << "' of "
                         << plane.element;
  }
  // Bytes are filled with numbers of whole vectors of one group.
  int64_t together = packed == 1 ? 1 : 16 * packed;
  if (size % together != 0)
    return emitError() << "expected heads of a multiple of " << together << " numbers for " << *this
                       << ", found " << size;
  if (group != 1 && group % together != 0)
    return emitError() << "expected groups of a multiple of " << together << " numbers for "
                       << *this << ", found " << group;
  return success();
}

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

static CacheArray getArray(CacheEncodingInterface encoding, const CacheLayout &layout,
                           int64_t block, int64_t offset) {
  SmallVector<Plane> planes = encoding.getPlanes({1, layout.headSize});
  int64_t group = getCacheGroup(encoding, layout.headSize);
  CacheArray array{
      encoding, {}, layout.headSize, group == 1 ? layout.headSize : group, getPacked(planes),
      offset,   0};
  for (const Plane &plane : planes) {
    int64_t elements = plane.getElementsPerRow(layout.headSize) / getNumbersPerElement(plane);
    CachePlane placed{plane, elements, block, array.headBytes};
    array.headBytes += llvm::alignTo(layout.capacity * placed.getStride(), 64);
    array.planes.push_back(placed);
  }
  return array;
}

int64_t CacheArray::getStride() const {
  int64_t bytes = 0;
  for (const CachePlane &plane : planes)
    bytes += plane.getStride();
  return bytes;
}

CacheLayout CacheLayout::get(KVCacheType type) {
  CacheLayout layout;
  layout.heads = type.getHeads();
  layout.headSize = type.getHeadSize();
  layout.capacity = llvm::alignTo(type.getCapacity(), keyBlock);
  layout.keys = getArray(type.getKeys(), layout, keyBlock, 0);
  int64_t valueOffset = layout.heads * layout.keys.headBytes;
  layout.values = getArray(type.getValues(), layout, 1, valueOffset);
  layout.size = valueOffset + layout.heads * layout.values.headBytes;
  return layout;
}
