//===- ClipByInputs.cpp - clipping groups so that outputs change least ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With D = W − W' of a row and H the second moment of its inputs, the row's outputs are off by
// D·H·Dᵀ. One group after the other gets the clip that makes this least beside the errors of the
// others as they are by then: it never grows, and starts without clips.
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/ClipByInputs.h"
#include "llmc/Support/LinearAlgebra.h"
#include "llmc/Transforms/OutputError.h"

#include "mlir/IR/Threading.h"

#include <algorithm>
#include <cmath>
#include <memory>

using namespace mlir;
using namespace llmc;

/// The largest magnitudes that are left, as parts of a group's largest; the first clips nothing.
static constexpr double clipStep = 0.05;
static constexpr unsigned clips = 10;

/// A group's weights, clipped.
static std::vector<float> clip(ArrayRef<float> weights, unsigned choice) {
  float largest = 0;
  for (float weight : weights)
    largest = std::max(largest, std::fabs(weight));
  auto bound = static_cast<float>(largest * (1 - clipStep * choice));
  std::vector<float> clipped = weights.vec();
  if (choice > 0)
    for (float &weight : clipped)
      weight = std::clamp(weight, -bound, bound);
  return clipped;
}

namespace {

/// Searches the clips of some rows of a matrix.
class RowClipper {
public:
  RowClipper(const WeightValues &values, int64_t group, ArrayRef<double> secondMoment,
             MutableArrayRef<std::unique_ptr<WeightQuantizer>> quantizers, int64_t firstRow,
             int64_t rowCount)
      : values(values), group(group), width(values.columns),
        moment(secondMoment.data(), width, width), firstRow(firstRow), rowCount(rowCount) {
    for (unsigned choice = 0; choice < clips; ++choice)
      for (int64_t row = 0; row < rowCount; ++row)
        rows[choice].push_back(quantizers[choice]->getRow(firstRow + row));
  }

  /// Writes the choice of each group of each row that may be clipped. The first row whose scales
  /// can't be held, if any.
  std::optional<int64_t> run(ArrayRef<char> clipped, MutableArrayRef<uint8_t> choices) {
    errors.resize(rowCount * width);
    products.resize(rowCount * width);
    for (int64_t begin = 0; begin < width; begin += group)
      if (std::optional<int64_t> beyond = round(begin, 0, errors.data() + begin, width))
        return beyond;
    addProduct({products.data(), rowCount, width}, 1, {errors.data(), rowCount, width}, moment);
    for (int64_t begin = 0; begin < width; begin += group)
      if (std::optional<int64_t> beyond = choose(begin, clipped, choices))
        return beyond;
    return std::nullopt;
  }

private:
  int64_t getSize(int64_t begin) const { return std::min(group, width - begin); }

  /// Errors of the group that starts at a column, with a clip, in all rows, `stride` apart.
  std::optional<int64_t> round(int64_t begin, unsigned choice, double *out, int64_t stride) {
    int64_t size = getSize(begin);
    for (int64_t row = 0; row < rowCount; ++row) {
      ArrayRef<float> weights = values.row(firstRow + row).slice(begin, size);
      WeightQuantizer::Row &quantizer = *rows[choice][row];
      if (!quantizer.fit(begin / group, clip(weights, choice), {}))
        return firstRow + row;
      for (auto [index, weight] : llvm::enumerate(weights))
        out[row * stride + static_cast<int64_t>(index)] =
            static_cast<double>(weight) -
            quantizer.round(begin + static_cast<int64_t>(index), weight);
    }
    return std::nullopt;
  }

  /// Chooses the clips of a group, in all rows.
  std::optional<int64_t> choose(int64_t begin, ArrayRef<char> clipped,
                                MutableArrayRef<uint8_t> choices) {
    int64_t size = getSize(begin), all = rowCount * size;
    // Changes of the errors by each clip, and what the second moment of the group makes of them.
    std::vector<double> changes(clips * all), curved(clips * all), taken(all);
    for (unsigned choice = 1; choice < clips; ++choice) {
      double *change = changes.data() + choice * all;
      if (std::optional<int64_t> beyond = round(begin, choice, change, size))
        return beyond;
      for (int64_t row = 0; row < rowCount; ++row)
        for (int64_t i = 0; i < size; ++i)
          change[row * size + i] -= errors[row * width + begin + i];
    }
    addProduct({curved.data(), clips * rowCount, size}, 1, {changes.data(), clips * rowCount, size},
               moment.block(begin, begin, size, size));
    int64_t groups = (width + group - 1) / group;
    for (int64_t row = 0; row < rowCount; ++row) {
      if (!clipped[firstRow + row])
        continue;
      const double *outside = products.data() + row * width + begin;
      double least = 0;
      uint8_t best = 0;
      for (unsigned choice = 1; choice < clips; ++choice) {
        const int64_t at = choice * all + row * size;
        double lost = 0;
        for (int64_t i = 0; i < size; ++i)
          lost += changes[at + i] * (2 * outside[i] + curved[at + i]);
        if (lost < least) {
          least = lost;
          best = static_cast<uint8_t>(choice);
        }
      }
      choices[(firstRow + row) * groups + begin / group] = best;
      std::copy_n(changes.begin() + best * all + row * size, size, taken.begin() + row * size);
    }
    // Groups before this one are decided.
    int64_t rest = width - begin;
    addProduct({products.data() + begin, rowCount, rest, width}, 1, {taken.data(), rowCount, size},
               moment.block(begin, begin, size, rest));
    return std::nullopt;
  }

  const WeightValues &values;
  int64_t group, width;
  MatrixView<const double> moment;
  int64_t firstRow, rowCount;
  std::vector<std::unique_ptr<WeightQuantizer::Row>> rows[clips];
  std::vector<double> errors;   ///< W − W' as it is by now, [rowCount, width]
  std::vector<double> products; ///< errors · H, [rowCount, width]
};

/// Fits the groups of another quantizer's rows to clipped weights.
class ClippingQuantizer final : public WeightQuantizer {
public:
  ClippingQuantizer(std::unique_ptr<WeightQuantizer> inner, ArrayRef<uint8_t> choices,
                    int64_t groups)
      : inner(std::move(inner)), choices(choices), groups(groups) {}

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<ClippingRow>(inner->getRow(row), choices.slice(row * groups, groups));
  }
  bool fitMatrix(ArrayRef<float>, ArrayRef<float>) override { return false; }
  std::vector<uint8_t> take() override { return inner->take(); }

private:
  class ClippingRow final : public Row {
  public:
    ClippingRow(std::unique_ptr<Row> inner, ArrayRef<uint8_t> choices)
        : inner(std::move(inner)), choices(choices) {}

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override {
      return inner->fit(group, clip(weights, choices[group]), importance);
    }
    float round(int64_t column, float weight) override { return inner->round(column, weight); }

  private:
    std::unique_ptr<Row> inner;
    ArrayRef<uint8_t> choices;
  };

  std::unique_ptr<WeightQuantizer> inner;
  ArrayRef<uint8_t> choices; ///< [rows, groups]
  int64_t groups;
};

} // namespace

bool llmc::canClip(EncodingInterface encoding) {
  const WeightFormat *format = findWeightFormat(encoding);
  return format && !format->sharesRows() && !isOneGroup(encoding) && !isSequential(encoding);
}

FailureOr<QuantizedWeight> llmc::roundClipped(ParameterOp parameter, const WeightValues &values,
                                              EncodingInterface encoding,
                                              ArrayRef<double> secondMoment,
                                              ArrayRef<char> clipped) {
  int64_t size = std::min(getGroupSize(encoding, values.columns), values.columns);
  int64_t groups = (values.columns + size - 1) / size;
  std::vector<uint8_t> choices(values.rows * groups);
  std::unique_ptr<WeightQuantizer> quantizers[clips];
  for (std::unique_ptr<WeightQuantizer> &quantizer : quantizers)
    quantizer = getQuantizer(values, encoding, FitOptions());
  std::vector<std::optional<int64_t>> beyond((values.rows + chunkRows - 1) / chunkRows);
  parallelFor(parameter.getContext(), 0, beyond.size(), [&](size_t chunk) {
    int64_t begin = static_cast<int64_t>(chunk) * chunkRows;
    RowClipper search(values, size, secondMoment, quantizers, begin,
                      std::min(chunkRows, values.rows - begin));
    beyond[chunk] = search.run(clipped, choices);
  });
  for (std::optional<int64_t> row : beyond)
    if (row)
      return reportScale(parameter, encoding, *row);
  ClippingQuantizer quantizer(getQuantizer(values, encoding, FitOptions()), choices, groups);
  FailureOr<QuantizedWeight> rounded = roundToNearest(parameter, values, encoding, quantizer);
  if (succeeded(rounded))
    rounded->outputError = getOutputError(parameter.getContext(), *rounded, values, secondMoment);
  return rounded;
}
