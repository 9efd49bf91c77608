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

int64_t llmc::getPackedNumbers(const Plane &plane) {
  constexpr unsigned byte = 8;
  if (plane.isFloat() || plane.getBits() >= byte)
    return 1;
  return byte % plane.getBits() == 0 ? byte / plane.getBits() : byte;
}

Type llmc::getUnpackedType(const Plane &plane) {
  // Bytes that hold floats are their codes.
  return plane.isOfCodes() ? IntegerType::get(plane.element.getContext(), 8) : plane.element;
}

/// Numbers of a vector of kernels.
static constexpr int64_t lanes = 16;

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

int64_t llmc::getCachePositions(CacheEncodingInterface encoding) {
  int64_t positions = 1;
  for (const Plane &plane : encoding.getPlanes({1, 1}))
    positions = std::max(positions, plane.rows);
  return positions;
}

static bool isSmallFloat(Type element) { return isa<Float8E4M3FNType, Float8E5M2Type>(element); }

static bool isOfNumbers(const Plane &plane) { return plane.columns == 1 && plane.rows == 1; }

/// Numbers in a byte of planes of numbers, 1 where none are packed.
static int64_t getPacked(ArrayRef<Plane> planes) {
  int64_t packed = 1;
  for (const Plane &plane : planes)
    if (isOfNumbers(plane))
      packed = std::max(packed, getPackedNumbers(plane));
  return packed;
}

/// Whether numbers of a head are 3 bits each.
static bool hasTriples(ArrayRef<Plane> planes) {
  return llvm::any_of(planes, [](const Plane &plane) {
    return isOfNumbers(plane) && CachePlane{plane, 0, 0, 0}.isTriple();
  });
}

/// Reports why caches can't have a plane of these elements, if so.
static LogicalResult verifyElement(const Plane &plane, Attribute encoding,
                                   function_ref<InFlightDiagnostic()> emitError) {
  Type element = plane.element;
  if (plane.isStream() || plane.kept != 0 || plane.isTable())
    return emitError() << "expected planes of numbers or groups in a cache encoding, found '"
                       << plane.name << "' of " << encoding;
  if (element.isF32() || element.isF16() || element.isBF16())
    return success();
  if (element.isInteger(8) ||
      (isOfNumbers(plane) &&
       (element.isInteger(4) || element.isInteger(3) || element.isInteger(2) ||
        element.isInteger(1) || isSmallFloat(element))))
    return success();
  return emitError() << "expected planes of floats or integers of 1, 2, 3, 4 or 8 bits in a cache "
                        "encoding, which groups share only if they have 8, found '"
                     << plane.name << "' of " << element << " in " << encoding;
}

/// Reports why planes that several positions share can't stand in a cache, if so.
static LogicalResult verifyPositions(ArrayRef<Plane> planes, int64_t size, Attribute encoding,
                                     function_ref<InFlightDiagnostic()> emitError) {
  int64_t positions = 1;
  for (const Plane &plane : planes) {
    if (plane.rows == 1)
      continue;
    if (positions != 1 && plane.rows != positions)
      return emitError() << "expected groups of " << positions << " positions in all planes of "
                         << encoding << ", found " << plane.rows << " in '" << plane.name << "'";
    positions = plane.rows;
    if (positions <= 0 || positions % keyBlock != 0 || plane.columns != 1)
      return emitError() << "expected planes of a multiple of " << keyBlock
                         << " positions and one number in a cache encoding, found '" << plane.name
                         << "' of " << encoding;
    // Forks copy positions, each of whole bytes.
    if (int64_t bytes = size * (plane.getBits() / 8); bytes % positions != 0)
      return emitError() << "expected a multiple of " << positions << " bytes in '" << plane.name
                         << "' of " << encoding << ", found " << bytes << " for heads of " << size;
  }
  return success();
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
  int64_t bits = hasTriples(planes) ? 3 : 8 / packed;
  for (const Plane &plane : planes) {
    if (failed(verifyElement(plane, *this, emitError)))
      return failure();
    int64_t shared = getShared(plane, size);
    if (shared != 1 && shared != group)
      return emitError() << "expected groups of " << group << " numbers in all planes of " << *this
                         << ", found " << shared << " in '" << plane.name << "'";
    if (packed != 1 && isOfNumbers(plane) && (plane.isFloat() || plane.getBits() != bits))
      return emitError() << "expected integers of " << bits << " bits in all planes of " << *this
                         << " that are not shared, found '" << plane.name << "' of "
                         << plane.element;
  }
  if (failed(verifyPositions(planes, size, *this, emitError)))
    return failure();
  // Bytes are filled with numbers of whole vectors of one group.
  int64_t together = packed == 1 ? 1 : hasTriples(planes) ? lanes : lanes * packed;
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

/// `positions` of a head from `offset` on.
static CacheArray getArray(CacheVectors vectors, int64_t positions, int64_t block, int64_t offset) {
  auto [heads, size, encoding] = vectors;
  SmallVector<Plane> planes = encoding.getPlanes({1, size});
  int64_t group = getCacheGroup(encoding, size);
  CacheArray array{encoding,
                   {},
                   heads,
                   size,
                   group == 1 ? size : group,
                   getPacked(planes),
                   hasTriples(planes) ? 1 : lanes,
                   getCachePositions(encoding),
                   offset,
                   0};
  for (const Plane &plane : planes) {
    CachePlane placed{plane, plane.getElementsPerRow(size), plane.rows == 1 ? block : plane.rows,
                      array.headBytes};
    placed.elements = placed.elements / placed.getPackedNumbers() * placed.getLineElements();
    array.headBytes +=
        llvm::alignTo(llvm::alignTo(positions, placed.block) * placed.getStride(), 64);
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

/// Positions that stand in one block of some plane.
static int64_t getPositionUnit(KVCacheType type) {
  return std::max(keyBlock, getCachePositions(type.getKeys()));
}

/// The first `first` positions and the newest `turning` others, all where that is 0, in blocks of
/// `unit`.
static CacheRing getRing(int64_t first, int64_t turning, int64_t unit, int64_t capacity) {
  int64_t fixed = std::min<int64_t>(llvm::alignTo(first, unit), capacity),
          others = capacity - fixed;
  return {fixed, turning == 0 ? others : std::min(others, turning), capacity};
}

CacheLayout CacheLayout::get(KVCacheType type) {
  CacheLayout layout;
  layout.heads = type.getHeads();
  layout.capacity = llvm::alignTo(type.getCapacity(), keyBlock);
  layout.residual = type.getResidual();
  layout.sinks = type.getSinks();
  layout.first = type.getFirst() + type.getHeavy();
  layout.heavy = type.getHeavy();
  layout.observed = type.getObserved();
  if (type.evicts())
    layout.window = type.getWindow();
  layout.exact = getRing(layout.sinks, type.getRing(), keyBlock, layout.capacity);
  layout.stored = getRing(layout.first, type.getRolling(), getPositionUnit(type), layout.capacity);
  layout.size = 0;
  auto place = [&](const CacheVectors &vectors, int64_t positions, int64_t block) {
    CacheArray array = getArray(vectors, positions, block, layout.size);
    layout.size += array.heads * array.headBytes;
    return array;
  };
  CacheVectors keys = type.getKeyVectors(), values = type.getValueVectors();
  layout.keys = place(keys, layout.stored.size(), keyBlock);
  layout.values = place(values, layout.stored.size(), 1);
  bool keepsKeys = type.keepsExact(keys.encoding), keepsValues = type.keepsExact(values.encoding);
  keys.encoding = values.encoding =
      PlainAttr::get(type.getContext(), Float16Type::get(type.getContext()));
  if (keepsKeys)
    layout.exactKeys = place(keys, layout.exact.size(), keyBlock);
  if (keepsValues)
    layout.exactValues = place(values, layout.exact.size(), 1);
  layout.scores = layout.size;
  layout.size += layout.heads * layout.getScoreBytes();
  return layout;
}

KVCacheType llmc::placePositions(KVCacheType type, int64_t rows) {
  int64_t ring = 0, rolling = 0;
  if (type.getResidual() != 0)
    ring = llvm::alignTo(type.getRecentPositions() + rows, keyBlock);
  if (type.evicts())
    rolling = llvm::alignTo(type.getWindow() + rows, getPositionUnit(type));
  return type.withPlaces(ring, rolling);
}
