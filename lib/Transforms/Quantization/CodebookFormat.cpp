//===- CodebookFormat.cpp - rounding to numbers that are learned ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format `codebook`: tables of a row, or of several, as numbers of 8 bits times a scale of each
// row.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"
#include "llmc/Transforms/Quantization/Codebook.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Threading.h"

#include <algorithm>
#include <cmath>
#include <tuple>

using namespace mlir;
using namespace llmc;

/// The largest magnitude of a number of a table.
static constexpr float largestNumber = 127;

static float getRootMeanSquare(ArrayRef<float> weights) {
  double squares = 0;
  for (float weight : weights)
    squares += static_cast<double>(weight) * weight;
  return weights.empty()
             ? 0
             : static_cast<float>(std::sqrt(squares / static_cast<double>(weights.size())));
}

/// Numbers in ascending order as integers of a table, the largest of which is 127.
static std::vector<int> toTable(ArrayRef<float> numbers) {
  float largest = getLargestMagnitude(numbers);
  std::vector<int> table;
  table.reserve(numbers.size());
  for (float number : numbers)
    table.push_back(largest == 0 ? 0
                                 : static_cast<int>(std::nearbyint(static_cast<double>(number) /
                                                                   largest * largestNumber)));
  return table;
}

namespace {

/// Finds the nearest number of a table times a scale.
class NearestNumber {
public:
  NearestNumber() = default;
  NearestNumber(ArrayRef<int> table, float scale) : scale(scale) {
    for (size_t i = 0; i + 1 < table.size(); ++i)
      middles.push_back(static_cast<float>((table[i] + table[i + 1]) / 2.0 * scale));
  }

  unsigned find(float weight) const {
    if (scale == 0)
      return 0;
    return static_cast<unsigned>(llvm::lower_bound(middles, weight) - middles.begin());
  }

private:
  float scale = 0;
  std::vector<float> middles; ///< between each two numbers, times the scale
};

class CodebookQuantizer final : public WeightQuantizer {
public:
  CodebookQuantizer(CodebookAttr encoding, ArrayRef<int64_t> shape, ArrayRef<float> weights,
                    ArrayRef<float> importance)
      : encoding(encoding), form(CanonicalForm::get(encoding, shape)), bytes(form.size) {
    if (encoding.getRows() != 1)
      learnShared(shape, weights, importance);
  }

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<CodebookRow>(*this, row);
  }
  bool fitMatrix(ArrayRef<float>, ArrayRef<float>) override { return false; }
  std::vector<uint8_t> take() override { return std::move(bytes); }

private:
  class CodebookRow final : public Row {
  public:
    CodebookRow(CodebookQuantizer &owner, int64_t row) : owner(owner), row(row) {}

    bool fit(int64_t, ArrayRef<float> weights, ArrayRef<float> importance) override {
      float start;
      if (owner.encoding.getRows() == 1) {
        std::vector<float> numbers = owner.learnRow(weights, importance);
        table = toTable(numbers);
        owner.writeTable(row, table);
        start = getLargestMagnitude(numbers) / largestNumber;
      } else {
        table = owner.tables[owner.getTable(row)];
        start = getRootMeanSquare(weights) * owner.sharedScales[owner.getTable(row)];
      }
      scale = owner.roundScale(start);
      // The scale that is best for what the last one's weights become, again and again.
      constexpr int steps = 2;
      for (int step = 0; step < steps && std::isfinite(scale); ++step)
        scale = owner.roundScale(fitScale(weights, importance));
      nearest = NearestNumber(table, scale);
      owner.form[CodebookAttr::scales].write(owner.bytes.data(), row, 0, scale);
      return std::isfinite(scale);
    }
    float round(int64_t column, float weight) override {
      unsigned code = nearest.find(weight);
      owner.form[CodebookAttr::codes].write(owner.bytes.data(), row, column, code);
      return static_cast<float>(table[code]) * scale;
    }

  private:
    float fitScale(ArrayRef<float> weights, ArrayRef<float> importance) const {
      NearestNumber found(table, scale);
      double products = 0, squares = 0;
      for (auto [index, weight] : llvm::enumerate(weights)) {
        double number = table[found.find(weight)];
        double weighed = (importance.empty() ? 1.0 : importance[index]) * number;
        products += weighed * weight;
        squares += weighed * number;
      }
      // A scale that is not positive would turn the table round.
      return squares > 0 && products > 0 ? static_cast<float>(products / squares) : scale;
    }

    CodebookQuantizer &owner;
    int64_t row;
    std::vector<int> table;
    float scale = 0;
    NearestNumber nearest;
  };

  float roundScale(float exact) const { return roundToType(encoding.getScale(), exact); }
  /// The table of a row, of all that there are.
  int64_t getTable(int64_t row) const {
    return encoding.getRows() == CodebookAttr::allRows ? 0 : row / encoding.getRows();
  }

  void writeTable(int64_t index, ArrayRef<int> table) {
    for (auto [place, number] : llvm::enumerate(table))
      form[CodebookAttr::table].write(bytes.data(), index, static_cast<int64_t>(place),
                                      static_cast<unsigned>(number + CodebookAttr::tableZero));
  }

  std::vector<float> learnRow(ArrayRef<float> weights, ArrayRef<float> importance) const {
    std::vector<WeighedNumber> numbers;
    numbers.reserve(weights.size());
    for (auto [index, weight] : llvm::enumerate(weights))
      numbers.push_back({weight, importance.empty() ? 1 : importance[index]});
    return clusterNumbers(std::move(numbers), encoding.getTableSize());
  }

  void learnShared(ArrayRef<int64_t> shape, ArrayRef<float> weights, ArrayRef<float> importance) {
    int64_t count = form[CodebookAttr::table].arrayRows;
    int64_t rows = encoding.getRows() == CodebookAttr::allRows ? shape[0] : encoding.getRows();
    tables.resize(count);
    sharedScales.resize(count);
    parallelFor(encoding.getContext(), 0, count, [&](size_t index) {
      int64_t begin = static_cast<int64_t>(index) * rows, end = std::min(begin + rows, shape[0]);
      std::vector<float> numbers = learnRows(
          weights.slice(begin * shape[1], (end - begin) * shape[1]), shape[1], importance);
      tables[index] = toTable(numbers);
      sharedScales[index] = getLargestMagnitude(numbers) / largestNumber;
    });
    for (auto [index, table] : llvm::enumerate(tables))
      writeTable(static_cast<int64_t>(index), table);
  }

  /// The numbers of rows in units of their root mean squares.
  std::vector<float> learnRows(ArrayRef<float> weights, int64_t columns,
                               ArrayRef<float> importance) const {
    std::vector<WeighedNumber> numbers;
    numbers.reserve(weights.size());
    for (; !weights.empty(); weights = weights.drop_front(columns)) {
      ArrayRef<float> row = weights.take_front(columns);
      float unit = getRootMeanSquare(row);
      if (unit == 0)
        continue;
      for (auto [index, weight] : llvm::enumerate(row)) {
        float counts = importance.empty() ? 1 : importance[index];
        numbers.push_back({weight / unit, counts * unit * unit});
      }
    }
    return clusterNumbers(gather(std::move(numbers)), encoding.getTableSize());
  }

  /// Many numbers as groups, of about as many each, of those side by side.
  static std::vector<WeighedNumber> gather(std::vector<WeighedNumber> numbers) {
    constexpr size_t most = 4096;
    if (numbers.size() <= most)
      return numbers;
    llvm::sort(numbers, [](const WeighedNumber &a, const WeighedNumber &b) {
      return std::tie(a.value, a.importance) < std::tie(b.value, b.importance);
    });
    std::vector<WeighedNumber> groups;
    for (size_t group = 0; group < most; ++group) {
      ArrayRef<WeighedNumber> some = ArrayRef(numbers).slice(numbers.size() * group / most,
                                                             numbers.size() * (group + 1) / most -
                                                                 numbers.size() * group / most);
      double sum = 0, total = 0;
      for (const WeighedNumber &number : some) {
        sum += static_cast<double>(number.importance) * number.value;
        total += number.importance;
      }
      groups.push_back({total > 0 ? static_cast<float>(sum / total) : some.front().value,
                        static_cast<float>(total)});
    }
    return groups;
  }

  CodebookAttr encoding;
  CanonicalForm form;
  std::vector<uint8_t> bytes;
  std::vector<std::vector<int>> tables; ///< that rows share
  std::vector<float> sharedScales;      ///< of each, for rows of a root mean square of 1
};

class CodebookFormat final : public WeightFormat {
public:
  StringRef getName() const override { return "codebook"; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    auto fail = [&] { return emitError(location); };
    if (!options.symmetric)
      return fail() << "symmetric: expected symmetric=true with format=codebook, which has no zero "
                       "points, found symmetric=false";
    if (options.group && *options.group != GroupedAttr::channelGroup)
      return fail() << "group-size: expected 'channel' with format=codebook, which has one scale a "
                       "row, found "
                    << (*options.group == GroupedAttr::tensorGroup
                            ? "'tensor'"
                            : std::to_string(*options.group));
    constexpr unsigned defaultBits = 4;
    MLIRContext *context = location.getContext();
    auto encoding = CodebookAttr::getChecked(
        fail, context, options.getWholeBits(defaultBits), options.sharing.value_or(1),
        options.scale ? options.scale : Float16Type::get(context));
    if (!encoding)
      return failure();
    return EncodingInterface(encoding);
  }

  bool has(EncodingInterface encoding) const override { return isa<CodebookAttr>(encoding); }
  bool sharesRows() const override { return true; }

  std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape,
                                                ArrayRef<float> weights,
                                                const FitOptions &) const override {
    return makeCodebookQuantizer(cast<CodebookAttr>(encoding), shape, weights, {});
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    // What the largest number is moved by, against half of what is between two.
    float exact = getLargestMagnitude(weights) / largestNumber;
    float rounded = roundToType(cast<CodebookAttr>(encoding).getScale(), exact);
    return std::fabs(rounded - exact) * largestNumber <= exact / 2;
  }

  EncodingInterface widen(EncodingInterface encoding) const override {
    auto codebook = cast<CodebookAttr>(encoding);
    MLIRContext *context = encoding.getContext();
    return CodebookAttr::get(context, codebook.getBits(), codebook.getRows(),
                             Float32Type::get(context));
  }
};

} // namespace

std::unique_ptr<WeightQuantizer> llmc::makeCodebookQuantizer(CodebookAttr encoding,
                                                             ArrayRef<int64_t> shape,
                                                             ArrayRef<float> weights,
                                                             ArrayRef<float> importance) {
  return std::make_unique<CodebookQuantizer>(encoding, shape, weights, importance);
}

const WeightFormat *llmc::getCodebookFormat() {
  static const CodebookFormat format;
  return &format;
}
