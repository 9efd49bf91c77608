//===- MakeTrellisTables.cpp - trains tables for normally distributed weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes TrellisTables.inc to standard output; takes minutes.
//
//===----------------------------------------------------------------------===//

#include "TrellisTable.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <vector>

using namespace llmc;

namespace {

/// Normally distributed numbers, the same everywhere (Marsaglia's polar method).
class NormalNumbers {
public:
  float next() {
    if (hasSpare) {
      hasSpare = false;
      return spare;
    }
    double x, y, square;
    do {
      x = 2 * uniform() - 1;
      y = 2 * uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double factor = std::sqrt(-2 * std::log(square) / square);
    spare = static_cast<float>(y * factor);
    hasSpare = true;
    return static_cast<float>(x * factor);
  }

private:
  /// From 0 to 1 (xorshift64, Marsaglia 2003).
  double uniform() {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return static_cast<double>(seed >> 11) * 0x1p-53;
  }

  uint64_t seed = 0x9e3779b97f4a7c15;
  float spare = 0;
  bool hasSpare = false;
};

} // namespace

static TrellisTable trainOnNormalNumbers(unsigned halves) {
  constexpr int64_t columns = 1024, rows = 1024;
  NormalNumbers normal;
  std::vector<float> samples(rows * columns);
  for (float &sample : samples)
    sample = normal.next();
  return trainTrellisTable(halves, samples, columns, [&] { return normal.next(); });
}

int main() {
  llvm::raw_ostream &out = llvm::outs();
  out << "//===- TrellisTables.inc - numbers of trellises for normally distributed weights "
         "---===//\n"
         "//\n"
         "// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.\n"
         "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n"
         "//\n"
         "//===----------------------------------------------------------------------===//\n"
         "//\n"
         "// Made by MakeTrellisTables.cpp (ninja make-trellis-tables): for 2, 2.5 … 5 bits a "
         "weight the\n"
         "// scale for weights of variance 1, and the numbers by state.\n"
         "//\n"
         "//===----------------------------------------------------------------------===//\n\n"
         "// clang-format off\n";
  for (unsigned halves = leastTrellisHalves; halves < leastTrellisHalves + trellisRates; ++halves) {
    TrellisTable table = trainOnNormalNumbers(halves);
    out << llvm::format("LLMC_TRELLIS_TABLE(%.9gf", table.scale);
    for (int state = 0; state < trellisStates; ++state)
      out << (state % 16 == 0 ? ",\n  " : ", ") << int(table.numbers[state]);
    out << ")\n";
    out.flush();
  }
  out << "// clang-format on\n#undef LLMC_TRELLIS_TABLE\n";
  return 0;
}
