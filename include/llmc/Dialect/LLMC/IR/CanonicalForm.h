//===- CanonicalForm.h - planes as bytes ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes that a file or a resource holds of an encoded matrix: its planes one after the other,
// each starting at a multiple of 64 bytes. A plane is an array of elements, row by row; those of
// fewer than 8 bits stand least significant bit first with no gap inside a row, each row padded
// with zero bits to a whole byte. Elements of kept weights alone stand in one row. All numbers are
// little-endian.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_CANONICALFORM_H
#define LLMC_DIALECT_LLMC_IR_CANONICALFORM_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <vector>

namespace llmc {

/// The integer of `bits` bits, at most 8, or 16 of whole bytes, that starts at bit `start` of a
/// row.
unsigned readBits(const uint8_t *row, int64_t start, unsigned bits);
/// Sets it in a row whose bits there are still zero.
void writeBits(uint8_t *row, int64_t start, unsigned bits, unsigned code);

/// The integer at `column` of a row of integers of `bits` bits.
unsigned readCode(const uint8_t *row, int64_t column, unsigned bits);

/// Sets the integer at `column` in a row whose bits there are still zero.
void writeCode(uint8_t *row, int64_t column, unsigned bits, unsigned code);

/// The number at `index` of an array of f32, f16, bf16 or floats of a byte or less (SmallFloat.h),
/// widened to fp32.
float readFloat(const uint8_t *bytes, int64_t index, mlir::Type type);

/// Rounds `value` to such a type (half to even) and stores it at `index`, where the bits of floats
/// of a byte or less are still zero.
void writeFloat(uint8_t *bytes, int64_t index, mlir::Type type, float value);

/// Widens an IEEE half-precision number exactly.
float halfToFloat(uint16_t half);

/// A plane in its place. Elements are named by their row and column in the plane.
struct PlaneArray : Plane {
  int64_t arrayRows, arrayColumns;
  int64_t rowBytes; ///< from one row of the array to the next
  int64_t offset;   ///< in bytes

  int64_t getByteSize() const { return arrayRows * rowBytes; }

  unsigned readInteger(const uint8_t *bytes, int64_t row, int64_t column) const {
    return readBits(bytes + offset + row * rowBytes, getStart(column), getBitsAt(column));
  }
  /// Calls `visit(column, element)` for those of a row of a list that stand at a column of `width`.
  /// This is the plane of columns.
  template <typename Visit>
  void visitListed(const uint8_t *bytes, int64_t row, int64_t width, Visit visit) const {
    for (int64_t element = 0; element < listed; ++element)
      if (int64_t column = readInteger(bytes, row, element); column < width)
        visit(column, element);
  }
  /// What is decoded of an element of a stream.
  unsigned readWindow(const uint8_t *bytes, int64_t row, int64_t column) const;
  float readReal(const uint8_t *bytes, int64_t row, int64_t column) const {
    return readFloat(bytes + offset + row * rowBytes, column, element);
  }
  /// Once for each place of bytes that were zero.
  void write(uint8_t *bytes, int64_t row, int64_t column, unsigned value) const {
    writeBits(bytes + offset + row * rowBytes, getStart(column), getBitsAt(column), value);
  }
  void write(uint8_t *bytes, int64_t row, int64_t column, float value) const {
    writeFloat(bytes + offset + row * rowBytes, column, element, value);
  }
};

/// Where the planes of a matrix lie.
struct CanonicalForm {
  llvm::SmallVector<PlaneArray, 4> planes;
  int64_t size; ///< of all, in bytes

  /// `shape` is one that `encoding` can hold.
  static CanonicalForm get(EncodingInterface encoding, llvm::ArrayRef<int64_t> shape);
  /// The same for planes that are none of an encoding's, or not yet.
  static CanonicalForm place(llvm::ArrayRef<Plane> planes, llvm::ArrayRef<int64_t> shape);

  /// Where the kept weights of each row start among all, in elements, if there are such planes: how
  /// many rows before it have a 1 in the first plane, of integers of 1 bit. Else none.
  std::vector<int64_t> getRowStarts(const uint8_t *bytes, llvm::ArrayRef<int64_t> shape) const;

  const PlaneArray &operator[](unsigned plane) const { return planes[plane]; }
};

/// The rows of an encoded matrix as numbers. Bound to its canonical form, which must stay alive.
class EncodedRows {
public:
  /// `shape` is one that `encoding` can hold, `bytes` the whole canonical form.
  EncodedRows(EncodingInterface encoding, llvm::ArrayRef<int64_t> shape,
              llvm::ArrayRef<uint8_t> bytes);

  /// Writes the values of row `row` to `values`, one for each column, decoded exactly and rounded
  /// once to fp32.
  void decode(int64_t row, llvm::MutableArrayRef<float> values) const;

private:
  EncodingInterface encoding;
  int64_t columns;
  const uint8_t *bytes;
  CanonicalForm form;
  std::vector<int64_t> starts; ///< of kept weights
};

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_CANONICALFORM_H
