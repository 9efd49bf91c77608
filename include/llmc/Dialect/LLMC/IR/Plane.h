//===- Plane.h - what an encoding is made of ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An encoding is a list of planes, and the arithmetic from a weight's elements to its value. Sizes,
// the canonical form, tiles, the meaning as linalg and the decode steps of kernels follow from the
// two, once for all encodings. One of caches has the way back as well: numbers are stored while a
// model runs.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_PLANE_H
#define LLMC_DIALECT_LLMC_IR_PLANE_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace llmc {

/// One of the arrays that a matrix is stored as. An element belongs to `rows` × `columns` weights
/// that stand side by side; at the ends of the matrix there may be fewer.
struct Plane {
  /// All rows, or all columns, however many there are.
  static constexpr int64_t all = 0;

  llvm::StringRef name; ///< "codes", "scales" …
  mlir::Type element;   ///< unsigned integers of 1 to 8 bits (i1 … i8), f32, f16, bf16, or floats
                        ///< of a byte or less (SmallFloat.h); in a list i16 too
  int64_t rows = 1, columns = 1;
  /// Elements that stand side by side where there is otherwise one: a table, which `rows` rows
  /// share: all of them, one, or a multiple of 16 (columns are `all`).
  int64_t count = 1;
  /// Where it is not 0, integers of a row are a stream, first bits first, and what is decoded of an
  /// element are that many bits, the last of which are its own: it sees those before it. Before a
  /// row's first bit there are zeros. At most 8; one element for each weight.
  unsigned window = 0;
  /// Of a stream: every second element of a row, the second one first, has a bit more.
  bool alternates = false;
  /// Where it is not 0, the plane has elements of so many weights alone, row by row: of those whose
  /// element of the first plane is 1. What is decoded of the others is an element of zero bits.
  int64_t kept = 0;
  /// Where it is not 0, the plane has so many elements in each row, of some of its weights alone
  /// (columns are `all`). Two such planes follow each other, a list: of i16, the columns of these
  /// weights, and of floats of more than a byte. What is decoded of the first is nothing; of the
  /// second, for every weight, the sum of the floats that stand beside its column.
  int64_t listed = 0;

  unsigned getBits() const { return element.getIntOrFloatBitWidth(); }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(element); }
  /// Whether elements are codes of at most 8 bits: integers or floats.
  bool isOfCodes() const { return getBits() <= 8; }
  /// Elements of one row of a matrix of this width.
  int64_t getElementsPerRow(int64_t width) const {
    if (columns == all)
      return listed != 0 ? listed : count;
    return (width + columns - 1) / columns;
  }
  bool isTable() const { return count > 1; }
  /// Whether the whole matrix has one table.
  bool isSharedTable() const { return isTable() && rows == all; }
  bool isStream() const { return window != 0; }
  /// Bits of a row before an element, and of a whole row of as many.
  int64_t getStart(int64_t element) const {
    return element * getBits() + (alternates ? element / 2 : 0);
  }
  /// Bits of an element of a row.
  unsigned getBitsAt(int64_t element) const {
    return static_cast<unsigned>(getStart(element + 1) - getStart(element));
  }
};

/// Builds the arithmetic from elements of planes to values of weights. Encodings write it once;
/// who implements this decides whether it runs at once, or becomes linalg or a kernel.
///
/// Integers have 32 bits. Reals are fp32 numbers, but that nothing is rounded before the value is:
/// a formula that has at most one operation whose result fp32 does not hold, the last one, gives
/// the same bits everywhere.
class DecodeBuilder {
public:
  /// An integer or a real, one for each weight that is decoded at a time.
  class Operand {
  public:
    Operand() = default;
    explicit Operand(const void *handle) : handle(handle) {}
    const void *getHandle() const { return handle; }

  private:
    const void *handle = nullptr; ///< what the builder makes of it
  };
  using Operands = llvm::SmallVector<Operand, 4>;

  virtual ~DecodeBuilder() = default;

  virtual Operand integer(int32_t value) = 0;
  virtual Operand add(Operand a, Operand b) = 0;
  virtual Operand subtract(Operand a, Operand b) = 0;
  virtual Operand bitAnd(Operand a, Operand b) = 0;
  /// Logical shifts by fewer than 32 bits.
  virtual Operand shiftRight(Operand a, unsigned bits) = 0;
  virtual Operand shiftLeft(Operand a, Operand bits) = 0;
  /// Byte i of an integer becomes the byte of `bytes` that byte i of `places` says, from 0 to 3.
  virtual Operand takeBytes(Operand bytes, Operand places) = 0;
  /// The integer at `index` of a table of 2, 4, 8 or 16; the index is below its size.
  virtual Operand lookUpInteger(llvm::ArrayRef<int32_t> table, Operand index) = 0;
  /// a == b ? then : otherwise, of integers and reals.
  virtual Operand selectEqual(Operand a, Operand b, Operand then, Operand otherwise) = 0;

  virtual Operand real(float value) = 0;
  virtual Operand toReal(Operand integer) = 0;
  virtual Operand multiply(Operand a, Operand b) = 0;
  /// a · b + c, rounded once where a target can.
  virtual Operand multiplyAdd(Operand a, Operand b, Operand c) = 0;
  /// The real at `index` of a table of 2, 4, 8 or 16; the index is below its size.
  virtual Operand lookUp(llvm::ArrayRef<float> table, Operand index) = 0;
  /// The integer at `index` of a table of bytes that is a plane: its one operand among the
  /// elements. The index is below its size. Not of caches, which have no tables.
  virtual Operand lookUpByte(Operand table, Operand index) = 0;
};

/// Builds the arithmetic from a number to the elements of planes that stand for it. Where numbers
/// share an element of a plane, these are a group; without such a plane each is alone.
///
/// Reals are fp32 numbers and every operation is rounded, multiplyAdd() twice: the elements are the
/// same bits everywhere.
class EncodeBuilder : public DecodeBuilder {
public:
  virtual Operand absolute(Operand a) = 0;
  virtual Operand divide(Operand a, Operand b) = 0;
  virtual Operand squareRoot(Operand a) = 0;
  /// The largest of a real over the number's group.
  virtual Operand largest(Operand a) = 0;
  /// The sum of a real over the number's group, which is of a multiple of 16: of the numbers at i,
  /// i + 16, i + 32 … one after the other, then of the 16 sums that i with that i + 8, i + 4, i + 2
  /// and i + 1.
  virtual Operand sum(Operand a) = 0;
  /// How many of `limits`, which ascend, are below a real: none where it is no number.
  virtual Operand countBelow(llvm::ArrayRef<float> limits, Operand a) = 0;
  /// The real that a plane of this type of floats holds of one: the nearest, half to even.
  virtual Operand roundTo(Operand a, mlir::Type element) = 0;
  /// The nearest integer, half to even, of a real cut to [low, high], which hold less than 2^22;
  /// low for what is no number.
  virtual Operand roundToInteger(Operand a, int32_t low, int32_t high) = 0;
};

/// Says of an encoding that its weights are linear functions of unsigned codes, so that their
/// products with rounded activations are integers: (code − zero) · scale + minimum. Numbers of
/// planes; each of one column an element for codes.
struct LinearCodes {
  unsigned codes, scales;
  std::optional<unsigned> zeros;  ///< integers
  std::optional<unsigned> minima; ///< floats
  int32_t zero = 0;               ///< where there are neither
  std::optional<unsigned> table;  ///< of codes of 8 bits; elements of `codes` are places in it
  bool packed = false;            ///< codes are what decodeCodes() makes of the planes
  bool masked = false;            ///< weights whose element of the first plane is 0 are zero
};

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_PLANE_H
