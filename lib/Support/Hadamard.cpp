//===- Hadamard.cpp - orthogonal matrices of signs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Support/Hadamard.h"

#include "llvm/ADT/bit.h"

#include <cmath>

using namespace llmc;
using llvm::MutableArrayRef;

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

static bool isPrime(int64_t number) {
  if (number < 2)
    return false;
  for (int64_t factor = 2; factor * factor <= number; ++factor)
    if (number % factor == 0)
      return false;
  return true;
}

namespace {

/// The field of p or of p² elements for an odd prime p. Of the latter a + b·p stands for a + b·w,
/// where w² is a number of the field of p that is no square.
class Field {
public:
  static std::optional<Field> get(int64_t size) {
    if (size % 2 == 1 && isPrime(size))
      return Field(size, size);
    auto root = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(size))));
    if (root % 2 == 1 && root * root == size && isPrime(root))
      return Field(root, size);
    return std::nullopt;
  }

  /// 1 for squares, −1 for others, 0 for 0.
  int getCharacter(int64_t element) const { return characters[element]; }

  int64_t subtract(int64_t a, int64_t b) const {
    return (a % prime - b % prime + prime) % prime +
           (a / prime - b / prime + prime) % prime * prime;
  }

private:
  Field(int64_t prime, int64_t size) : prime(prime), characters(size, -1) {
    // The squares of the field of p come first: what is none of them makes that of p².
    std::vector<bool> isSquare(prime, false);
    for (int64_t a = 1; a < prime; ++a)
      isSquare[a * a % prime] = true;
    int64_t root = 1;
    while (root < prime && isSquare[root])
      ++root;
    for (int64_t element = 1; element < size; ++element) {
      int64_t a = element % prime, b = element / prime;
      int64_t square = (a * a + b * b % prime * root) % prime + 2 * a * b % prime * prime;
      characters[square] = 1;
    }
    characters[0] = 0;
  }

  int64_t prime;
  std::vector<int> characters;
};

} // namespace

//===----------------------------------------------------------------------===//
// Cores
//===----------------------------------------------------------------------===//

/// Paley's matrix Q[i, j] = χ(i − j), bordered by 0, a row of ones and a column of `side`.
static std::vector<int> borderedCharacters(const Field &field, int64_t order, int side) {
  std::vector<int> matrix(order * order, 0);
  for (int64_t i = 1; i < order; ++i) {
    matrix[i] = 1;
    matrix[i * order] = side;
    for (int64_t j = 1; j < order; ++j)
      matrix[i * order + j] = field.getCharacter(field.subtract(i - 1, j - 1));
  }
  return matrix;
}

/// I + Q with a border, for a field of order − 1 elements, 3 modulo 4.
static std::vector<int8_t> makeFirstKind(const Field &field, int64_t order) {
  std::vector<int> matrix = borderedCharacters(field, order, -1);
  for (int64_t i = 0; i < order; ++i)
    matrix[i * order + i] += 1;
  return {matrix.begin(), matrix.end()};
}

/// Each element of the bordered Q as 2 × 2 signs, for a field of order / 2 − 1 elements, 1
/// modulo 4.
static std::vector<int8_t> makeSecondKind(const Field &field, int64_t order) {
  static constexpr int ofSign[2][2] = {{1, 1}, {1, -1}}, ofZero[2][2] = {{1, -1}, {-1, -1}};
  const int64_t half = order / 2;
  std::vector<int> small = borderedCharacters(field, half, 1);
  std::vector<int8_t> matrix(order * order);
  for (int64_t i = 0; i < order; ++i)
    for (int64_t j = 0; j < order; ++j) {
      int sign = small[i / 2 * half + j / 2];
      matrix[i * order + j] =
          static_cast<int8_t>(sign == 0 ? ofZero[i % 2][j % 2] : sign * ofSign[i % 2][j % 2]);
    }
  return matrix;
}

static std::optional<std::vector<int8_t>> makeCore(int64_t order) {
  if (order == 1)
    return std::vector<int8_t>{1};
  if (order % 4 != 0)
    return std::nullopt;
  if (std::optional<Field> field = Field::get(order - 1)) // 3 modulo 4, as the order is 0
    return makeFirstKind(*field, order);
  if (std::optional<Field> field = Field::get(order / 2 - 1); field && (order / 2 - 1) % 4 == 1)
    return makeSecondKind(*field, order);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

std::optional<Hadamard> Hadamard::get(int64_t order) {
  if (order < 1)
    return std::nullopt;
  int64_t power = order & -order;
  // The smaller the core, the fewer operations.
  for (int64_t core = order / power; core <= maxCore && power >= 1; core *= 2, power /= 2)
    if (std::optional<std::vector<int8_t>> signs = makeCore(core))
      return Hadamard(core, power, std::move(*signs));
  return std::nullopt;
}

int Hadamard::getSign(int64_t row, int64_t column) const {
  int sign = signs[row / power * core + column / power] < 0 ? -1 : 1;
  uint64_t common = static_cast<uint64_t>(row % power) & static_cast<uint64_t>(column % power);
  return llvm::popcount(common) % 2 == 0 ? sign : -sign;
}

void Hadamard::apply(MutableArrayRef<double> x, bool transposed) const {
  const double scale = 1 / std::sqrt(static_cast<double>(getOrder()));
  for (int64_t half = 1; half < power; half *= 2)
    for (int64_t begin = 0; begin < getOrder(); begin += 2 * half)
      for (int64_t i = begin; i < begin + half; ++i) {
        double a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
  std::vector<double> mixed(x.size(), 0);
  for (int64_t from = 0; from < core; ++from)
    for (int64_t to = 0; to < core; ++to) {
      double factor = scale * (transposed ? signs[to * core + from] : signs[from * core + to]);
      for (int64_t i = 0; i < power; ++i)
        mixed[to * power + i] += factor * x[from * power + i];
    }
  llvm::copy(mixed, x.begin());
}

int64_t llmc::getHadamardBlock(int64_t width, int64_t maxCore) {
  for (int64_t count = 1; count < width; ++count) {
    if (width % count != 0)
      continue;
    std::optional<Hadamard> found = Hadamard::get(width / count);
    if (found && found->getCoreOrder() <= maxCore)
      return width / count;
  }
  return 1;
}
