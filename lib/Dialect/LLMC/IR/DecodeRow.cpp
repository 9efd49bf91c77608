//===- DecodeRow.cpp - the values of an encoding on this machine ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs an encoding's arithmetic at once, each step for all units of a row. Reals are doubles: what
// fp32 holds exactly is exact, and the value is rounded at the end.
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"

#include <deque>
#include <vector>

using namespace mlir;
using namespace llmc;

namespace {

class RowDecoder final : public DecodeBuilder {
public:
  /// Decodes `count` units of `unit` weights.
  RowDecoder(int64_t count, int64_t unit) : count(count), unit(unit) {}

  /// What a plane has for the units of a row: in each, the elements from left to right.
  Operands load(const PlaneArray &plane, const uint8_t *bytes, int64_t row) {
    int64_t arrayRow = plane.rows == Plane::all ? 0 : row / plane.rows;
    if (plane.isTable())
      return {loadTable(plane, bytes, arrayRow)};
    int64_t columns = plane.columns, parts = 1;
    if (columns != Plane::all && columns < unit)
      parts = unit / columns;
    Operands elements;
    for (int64_t part = 0; part < parts; ++part) {
      auto column = [&](int64_t index) {
        return columns == Plane::all ? 0 : (index * unit) / columns + part;
      };
      elements.push_back(plane.isFloat()
                             ? makeReal([&](int64_t index) -> double {
                                 return plane.readReal(bytes, arrayRow, column(index));
                               })
                             : makeInteger([&](int64_t index) {
                                 return readInteger(plane, bytes, arrayRow, column(index));
                               }));
    }
    return elements;
  }

  /// The same of a plane of kept weights alone, which start at element `next`.
  Operands loadKept(const PlaneArray &mask, const PlaneArray &plane, const uint8_t *bytes,
                    int64_t row, int64_t next) {
    // A mask of more weights than there are has the last of them nowhere.
    auto take = [&](int64_t column, auto element) -> decltype(element(next)) {
      if (mask.readInteger(bytes, row, column) == 0 || next >= plane.kept)
        return {};
      return element(next++);
    };
    if (plane.isFloat())
      return {makeReal([&](int64_t column) {
        return take(column, [&](int64_t at) -> double { return plane.readReal(bytes, 0, at); });
      })};
    return {makeInteger([&](int64_t column) {
      return take(column, [&](int64_t at) {
        return static_cast<int32_t>(plane.readInteger(bytes, 0, at));
      });
    })};
  }

  /// What is listed for the weights of a row.
  Operands loadListed(const PlaneArray &positions, const PlaneArray &plane, const uint8_t *bytes,
                      int64_t row) {
    std::vector<double> sums(count);
    positions.visitListed(bytes, row, count, [&](int64_t column, int64_t element) {
      sums[column] += plane.readReal(bytes, row, element);
    });
    return {makeReal([&](int64_t column) { return sums[column]; })};
  }

  ArrayRef<double> reals(Operand operand) const { return get(operand).reals; }

  Operand integer(int32_t value) override {
    return makeInteger([=](int64_t) { return value; });
  }
  Operand add(Operand a, Operand b) override {
    const std::vector<int32_t> &left = get(a).integers, &right = get(b).integers;
    return makeInteger([&](int64_t i) {
      return static_cast<int32_t>(static_cast<uint32_t>(left[i]) + static_cast<uint32_t>(right[i]));
    });
  }
  Operand subtract(Operand a, Operand b) override {
    const std::vector<int32_t> &left = get(a).integers, &right = get(b).integers;
    return makeInteger([&](int64_t i) { return left[i] - right[i]; });
  }
  Operand bitAnd(Operand a, Operand b) override {
    const std::vector<int32_t> &left = get(a).integers, &right = get(b).integers;
    return makeInteger([&](int64_t i) { return left[i] & right[i]; });
  }
  Operand shiftRight(Operand a, unsigned bits) override {
    const std::vector<int32_t> &left = get(a).integers;
    return makeInteger(
        [&](int64_t i) { return static_cast<int32_t>(static_cast<uint32_t>(left[i]) >> bits); });
  }
  Operand shiftLeft(Operand a, Operand bits) override {
    const std::vector<int32_t> &left = get(a).integers, &right = get(bits).integers;
    return makeInteger([&](int64_t i) {
      return static_cast<int32_t>(static_cast<uint32_t>(left[i]) << right[i]);
    });
  }
  Operand takeBytes(Operand bytes, Operand places) override {
    const std::vector<int32_t> &from = get(bytes).integers, &at = get(places).integers;
    return makeInteger([&](int64_t i) {
      uint32_t result = 0;
      for (unsigned byte = 0; byte < 4; ++byte) {
        unsigned place = static_cast<uint32_t>(at[i]) >> (8 * byte) & 3;
        result |= (static_cast<uint32_t>(from[i]) >> (8 * place) & 255) << (8 * byte);
      }
      return static_cast<int32_t>(result);
    });
  }
  Operand lookUpInteger(ArrayRef<int32_t> table, Operand index) override {
    const std::vector<int32_t> &from = get(index).integers;
    return makeInteger([&](int64_t i) { return table[from[i]]; });
  }
  Operand selectEqual(Operand a, Operand b, Operand then, Operand otherwise) override {
    const std::vector<int32_t> &left = get(a).integers, &right = get(b).integers;
    const Numbers &first = get(then), &second = get(otherwise);
    if (!first.reals.empty())
      return makeReal(
          [&](int64_t i) { return left[i] == right[i] ? first.reals[i] : second.reals[i]; });
    return makeInteger(
        [&](int64_t i) { return left[i] == right[i] ? first.integers[i] : second.integers[i]; });
  }

  Operand real(float value) override {
    return makeReal([=](int64_t) -> double { return value; });
  }
  Operand toReal(Operand integer) override {
    const std::vector<int32_t> &from = get(integer).integers;
    return makeReal([&](int64_t i) -> double { return from[i]; });
  }
  Operand multiply(Operand a, Operand b) override {
    ArrayRef<double> left = reals(a), right = reals(b);
    return makeReal([&](int64_t i) { return left[i] * right[i]; });
  }
  Operand multiplyAdd(Operand a, Operand b, Operand c) override {
    ArrayRef<double> left = reals(a), right = reals(b), added = reals(c);
    return makeReal([&](int64_t i) { return left[i] * right[i] + added[i]; });
  }
  Operand lookUp(ArrayRef<float> table, Operand index) override {
    const std::vector<int32_t> &from = get(index).integers;
    return makeReal([&](int64_t i) -> double { return table[from[i]]; });
  }

  Operand lookUpByte(Operand table, Operand index) override {
    const std::vector<int32_t> &from = get(table).integers, &places = get(index).integers;
    return makeInteger([&](int64_t i) { return from[places[i]]; });
  }

private:
  static int32_t readInteger(const PlaneArray &plane, const uint8_t *bytes, int64_t row,
                             int64_t column) {
    return static_cast<int32_t>(plane.isStream() ? plane.readWindow(bytes, row, column)
                                                 : plane.readInteger(bytes, row, column));
  }
  Operand loadTable(const PlaneArray &plane, const uint8_t *bytes, int64_t row) {
    std::vector<int32_t> integers(plane.count);
    for (int64_t place = 0; place < plane.count; ++place)
      integers[place] = static_cast<int32_t>(plane.readInteger(bytes, row, place));
    return Operand(&numbers.emplace_back(Numbers{std::move(integers), {}}));
  }

  struct Numbers {
    std::vector<int32_t> integers; ///< or
    std::vector<double> reals;
  };

  static const Numbers &get(Operand operand) {
    return *static_cast<const Numbers *>(operand.getHandle());
  }
  template <typename Function>
  Operand makeInteger(Function number) {
    std::vector<int32_t> integers(count);
    for (int64_t index = 0; index < count; ++index)
      integers[index] = number(index);
    return Operand(&numbers.emplace_back(Numbers{std::move(integers), {}}));
  }
  template <typename Function>
  Operand makeReal(Function number) {
    std::vector<double> reals(count);
    for (int64_t index = 0; index < count; ++index)
      reals[index] = number(index);
    return Operand(&numbers.emplace_back(Numbers{{}, std::move(reals)}));
  }

  int64_t count, unit;
  std::deque<Numbers> numbers; ///< grows without moving what operands point to
};

} // namespace

EncodedRows::EncodedRows(EncodingInterface encoding, ArrayRef<int64_t> shape,
                         ArrayRef<uint8_t> bytes)
    : encoding(encoding), columns(shape[1]), bytes(bytes.data()),
      form(CanonicalForm::get(encoding, shape)), starts(form.getRowStarts(bytes.data(), shape)) {}

void EncodedRows::decode(int64_t row, MutableArrayRef<float> values) const {
  int64_t unit = encoding.getUnit(), count = columns / unit;
  if (count == 0)
    return;
  RowDecoder decoder(count, unit);
  SmallVector<DecodeBuilder::Operands> elements;
  for (auto [index, plane] : llvm::enumerate(form.planes)) {
    if (plane.listed != 0 && !plane.isFloat())
      elements.emplace_back();
    else if (plane.listed != 0)
      elements.push_back(decoder.loadListed(form.planes[index - 1], plane, bytes, row));
    else if (plane.kept != 0)
      elements.push_back(decoder.loadKept(form[0], plane, bytes, row, starts[row]));
    else
      elements.push_back(decoder.load(plane, bytes, row));
  }
  for (auto [place, operand] : llvm::enumerate(encoding.decode(decoder, elements)))
    for (auto [index, value] : llvm::enumerate(decoder.reals(operand)))
      values[static_cast<int64_t>(index) * unit + static_cast<int64_t>(place)] =
          static_cast<float>(value);
}

void EncodingInterface::decodeRow(ArrayRef<uint8_t> bytes, ArrayRef<int64_t> shape, int64_t row,
                                  MutableArrayRef<float> values) const {
  EncodedRows(*this, shape, bytes).decode(row, values);
}
