//===- CacheMemory.cpp - keys and values in a sequence's state, as meanings see them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheMemory.h"
#include "../CacheCodec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

/// Bits of a byte, and numbers of 3 bits that share three of them.
static constexpr int64_t byteBits = 8;

//===----------------------------------------------------------------------===//
// Integers in bodies
//===----------------------------------------------------------------------===//

namespace {

/// Where a number of a head stands among those that share bytes.
struct PackedPlace {
  Value line;  ///< the first of the bytes
  Value shift; ///< bits of these before it, i32
};

} // namespace

/// The bytes of a plane of numbers that have number `number` of a head (CachePlane).
static PackedPlace getPackedPlace(ImplicitLocOpBuilder &b, const CachePlane &plane, Value number) {
  IndexBuilder index(b);
  int64_t packed = plane.getPackedNumbers(), bits = plane.getBits();
  Value line, before;
  if (plane.isTriple()) {
    line = index.mul(index.div(number, packed), plane.getLineElements());
    before = index.rem(number, packed);
  } else {
    line = index.add(index.mul(index.div(number, lanes * packed), lanes), index.rem(number, lanes));
    before = index.rem(index.div(number, lanes), packed);
  }
  Value shift = arith::IndexCastOp::create(b, b.getI32Type(), index.mul(before, bits));
  return {line, shift};
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// As getPlace() of kernels has it, for single positions.
static Value getPlaceOf(ImplicitLocOpBuilder &b, const CacheRing &ring, Value position) {
  if (!ring.wraps())
    return position;
  IndexBuilder index(b);
  Value fixed = index.constant(ring.fixed);
  Value later =
      arith::MaxSIOp::create(b, index.add(position, -ring.fixed), index.constant(0)).getResult();
  Value turning = index.add(index.rem(later, ring.turning), ring.fixed);
  Value isFixed = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, position, fixed);
  return arith::SelectOp::create(b, isFixed, position, turning);
}

/// The type of elements in memory.
static Type getStoredType(const CachePlane &plane) { return getUnpackedType(plane); }

/// Memory of heads of `shape` each, whose elements are `strides` apart.
static MemRefType getHeadsMemory(const CacheArray &array, const CachePlane &plane,
                                 ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  SmallVector<int64_t> all{array.heads}, apart{array.headBytes / plane.getElementBytes()};
  llvm::append_range(all, shape);
  llvm::append_range(apart, strides);
  Type element = getStoredType(plane);
  return MemRefType::get(all, element, StridedLayoutAttr::get(element.getContext(), 0, apart));
}

/// A plane of all heads: [head, block of positions, element, position in the block], or, where the
/// positions of a block share elements, [head, block, element].
static MemRefType getMemory(const CacheArray &array, const CachePlane &plane,
                            const CacheRing &ring) {
  int64_t blocks = llvm::divideCeil(ring.size(), plane.block), elements = plane.elements;
  if (plane.rows != 1)
    return getHeadsMemory(array, plane, {blocks, elements}, {elements, 1});
  return getHeadsMemory(array, plane, {blocks, elements, plane.block},
                        {elements * plane.block, plane.block, 1});
}

CacheMemory::CacheMemory(PieceMeaning &piece, const CacheArray &array, const CacheRing &ring)
    : array(array), ring(ring) {
  for (const CachePlane &plane : array.planes)
    tensors.push_back(piece.readFound(getMemory(array, plane, ring)));
}

void CacheMemory::addAddresses(KernelBuilder &k, const CacheArray &array, Value cache,
                               SmallVectorImpl<Value> &addresses) {
  for (const CachePlane &plane : array.planes)
    addresses.push_back(k.offset(cache, array.offset + plane.offset));
}

Value CacheMemory::readElement(ImplicitLocOpBuilder &b, const CachePlane &plane, Value tensor,
                               const CachePlace &place) const {
  IndexBuilder index(b);
  Value position = getPlaceOf(b, ring, place.position), block = index.div(position, plane.block);
  if (plane.rows != 1)
    return tensor::ExtractOp::create(b, tensor, ValueRange{place.head, block, place.element});
  Value inBlock = index.rem(position, plane.block);
  auto load = [&](Value element) -> Value {
    return tensor::ExtractOp::create(b, tensor, ValueRange{place.head, block, element, inBlock});
  };
  if (!plane.isOfNumbers())
    return load(plane.columns == Plane::all ? index.constant(0)
                                            : index.div(place.element, plane.columns));
  if (plane.getPackedNumbers() == 1)
    return load(place.element);
  PackedPlace packed = getPackedPlace(b, plane, place.element);
  Type i32 = b.getI32Type();
  Value word = arith::ConstantIntOp::create(b, i32, 0);
  for (int64_t byte = 0; byte < plane.getLineElements(); ++byte) {
    Value bits = arith::ExtUIOp::create(b, i32, load(index.add(packed.line, byte)));
    Value shift = arith::ConstantIntOp::create(b, i32, byte * byteBits);
    word = arith::OrIOp::create(b, word, arith::ShLIOp::create(b, bits, shift));
  }
  Value mask = arith::ConstantIntOp::create(b, i32, (1 << plane.getBits()) - 1);
  Value number =
      arith::AndIOp::create(b, arith::ShRUIOp::create(b, word, packed.shift), mask).getResult();
  return arith::TruncIOp::create(b, b.getI8Type(), number);
}

Value CacheMemory::read(ImplicitLocOpBuilder &b, const CachePlace &place) const {
  SmallVector<Value> elements;
  for (auto [plane, tensor] : llvm::zip_equal(array.planes, tensors))
    elements.push_back(readElement(b, plane, tensor, place));
  SmallVector<Plane> planes(array.planes.begin(), array.planes.end());
  return EncodingInterface(array.encoding).buildValue(b, planes, elements);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Byte `line` of numbers that share bytes (CachePlane), i8. `read` gives those of a head, as
/// bytes.
static Value packByte(ImplicitLocOpBuilder &b, const CachePlane &plane, Value line,
                      function_ref<Value(Value number)> read) {
  IndexBuilder index(b);
  int64_t packed = plane.getPackedNumbers(), apart = plane.isTriple() ? 1 : lanes;
  Value first = plane.isTriple() ? index.mul(index.div(line, plane.getLineElements()), packed)
                                 : index.add(index.mul(index.div(line, lanes), lanes * packed),
                                             index.rem(line, lanes));
  Type i32 = b.getI32Type();
  Value word = arith::ConstantIntOp::create(b, i32, 0);
  for (int64_t i = 0; i < packed; ++i) {
    Value number = arith::ExtUIOp::create(b, i32, read(index.add(first, i * apart)));
    Value shift = arith::ConstantIntOp::create(b, i32, i * plane.getBits());
    word = arith::OrIOp::create(b, word, arith::ShLIOp::create(b, number, shift));
  }
  if (plane.isTriple()) {
    Value byte = index.mul(index.rem(line, plane.getLineElements()), byteBits);
    word = arith::ShRUIOp::create(b, word, arith::IndexCastOp::create(b, i32, byte));
  }
  return arith::TruncIOp::create(b, b.getI8Type(), word);
}

/// What element `element` of a head's memory is, of the elements that `read` gives.
static Value packElement(ImplicitLocOpBuilder &b, const CachePlane &plane, Value element,
                         function_ref<Value(Value number)> read) {
  bool packs = plane.isOfNumbers() && plane.getPackedNumbers() != 1;
  return packs ? packByte(b, plane, element, read) : read(element);
}

void llmc::writePosition(PieceMeaning &piece, const CacheArray &array, Value numbers) {
  Formula formula(piece.function.builder, piece.function.location);
  SmallVector<Value> planes = array.encoding.buildPlanes(formula, numbers);
  for (const auto &[plane, elements] : llvm::zip_equal(array.planes, planes)) {
    Value packed = formula.forEach(
        {formula.size(array.heads), formula.size(plane.elements)}, getStoredType(plane), {},
        [&, &plane = plane, &elements = elements](ImplicitLocOpBuilder &b, ValueRange) {
          Value zero = arith::ConstantIndexOp::create(b, 0), head = linalg::IndexOp::create(b, 0);
          return packElement(b, plane, linalg::IndexOp::create(b, 1), [&](Value number) -> Value {
            return tensor::ExtractOp::create(b, elements, ValueRange{zero, head, number});
          });
        });
    piece.writeFound(packed, getHeadsMemory(array, plane, {plane.elements}, {plane.block}));
  }
}

void llmc::addPositionAddresses(KernelBuilder &k, const CacheArray &array, Value cache, Value place,
                                SmallVectorImpl<Value> &addresses) {
  Value memory = k.offset(cache, array.offset);
  for (const CachePlane &plane : array.planes)
    addresses.push_back(getElementAddress(k, plane, memory, place, k.integer(0)));
}

/// What positions share of a plane, [1, numbers, 1], as a group's memory has it: [heads, size].
static Value packShared(Formula &formula, int64_t heads, int64_t size, Type element,
                        Value ofGroup) {
  AffineExpr h = formula.dim(0), e = formula.dim(1);
  AffineExpr zero = formula.getBuilder().getAffineConstantExpr(0);
  return formula.forEach({formula.size(heads), formula.size(size)}, element,
                         {{ofGroup, {zero, h * size + e, zero}}},
                         [](ImplicitLocOpBuilder &, ValueRange v) { return v[0]; });
}

/// Numbers of a group, [1, numbers, positions], as its memory has them: [heads, block of positions,
/// element, position in the block].
static Value packGroup(Formula &formula, const CachePlane &plane, int64_t heads, int64_t size,
                       Value numbers) {
  int64_t positions = cast<RankedTensorType>(numbers.getType()).getDimSize(2);
  return formula.forEach(
      {formula.size(heads), formula.size(positions / plane.block), formula.size(plane.elements),
       formula.size(plane.block)},
      getStoredType(plane), {}, [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexBuilder index(b);
        Value zero = index.constant(0);
        Value first = index.mul(linalg::IndexOp::create(b, 0), size);
        Value position = index.add(index.mul(linalg::IndexOp::create(b, 1), plane.block),
                                   Value(linalg::IndexOp::create(b, 3)));
        return packElement(b, plane, linalg::IndexOp::create(b, 2), [&](Value number) -> Value {
          return tensor::ExtractOp::create(b, numbers,
                                           ValueRange{zero, index.add(first, number), position});
        });
      });
}

void llmc::writeGroup(PieceMeaning &piece, const CacheArray &array, ValueRange planes) {
  Formula formula(piece.function.builder, piece.function.location);
  for (auto [plane, elements] : llvm::zip_equal(array.planes, planes)) {
    if (plane.rows != 1) {
      Value packed =
          packShared(formula, array.heads, array.headSize, getStoredType(plane), elements);
      piece.writeFound(packed, getHeadsMemory(array, plane, {array.headSize}, {1}));
      continue;
    }
    int64_t block = plane.block, ofBlock = plane.elements * block;
    Value packed = packGroup(formula, plane, array.heads, array.headSize, elements);
    piece.writeFound(packed,
                     getHeadsMemory(array, plane, {array.positions / block, plane.elements, block},
                                    {ofBlock, block, 1}));
  }
}

void llmc::addGroupAddresses(KernelBuilder &k, const CacheArray &array, Value cache, Value place,
                             SmallVectorImpl<Value> &addresses) {
  Value memory = k.offset(cache, array.offset);
  for (const CachePlane &plane : array.planes) {
    if (plane.rows == 1) {
      addresses.push_back(getElementAddress(k, plane, memory, place, k.integer(0)));
      continue;
    }
    Value before = k.mul(k.div(place, plane.rows), plane.elements * plane.getElementBytes());
    addresses.push_back(k.offset(memory, k.add(before, plane.offset)));
  }
}
