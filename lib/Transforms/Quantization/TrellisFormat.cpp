//===- TrellisFormat.cpp - rounding to paths through a trellis ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format `trellis`: the numbers of a table for normally distributed weights, for those of a
// matrix or of all, the scale of a row by its root mean square, or what a search finds, and the
// path through the states that loses least.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"
#include "TrellisTable.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <array>
#include <cmath>

using namespace mlir;
using namespace llmc;

/// The scale of a row by its root mean square.
static double fitVariance(const TrellisTable &table, ArrayRef<float> weights) {
  double squares = 0;
  for (float weight : weights)
    squares += static_cast<double>(weight) * weight;
  return weights.empty() ? 0
                         : table.scale * std::sqrt(squares / static_cast<double>(weights.size()));
}

namespace {

class TrellisQuantizer final : public WeightQuantizer {
public:
  TrellisQuantizer(TrellisAttr encoding, ArrayRef<int64_t> shape, const TrellisTable &table,
                   bool search)
      : encoding(encoding), search(search), columns(shape[1]), table(table),
        form(CanonicalForm::get(encoding, shape)), bytes(form.size) {
    llvm::copy(table.numbers, numbers.begin());
    for (int window = 0; window < trellisStates; ++window)
      form[TrellisAttr::table].write(
          bytes.data(), 0, window,
          static_cast<unsigned>(getNumber(window) + TrellisAttr::tableZero));
  }

  std::unique_ptr<Row> getRow(int64_t row) override {
    return std::make_unique<TrellisRow>(*this, row);
  }
  bool fitMatrix(ArrayRef<float>, ArrayRef<float>) override { return false; }
  /// A path of which only the first half is kept loses a quarter less than one of which all is.
  Lookahead getLookahead() const override { return {trellisBlock / 2, trellisBlock}; }
  std::vector<uint8_t> take() override { return std::move(bytes); }

private:
  class TrellisRow final : public Row {
  public:
    TrellisRow(TrellisQuantizer &owner, int64_t row)
        : owner(owner), row(row), states(owner.columns) {}

    bool fit(int64_t group, ArrayRef<float> weights, ArrayRef<float> importance) override;
    void choose(int64_t column, ArrayRef<float> weights, ErrorFeedback feedback) override;
    float round(int64_t column, float weight) override;

  private:
    /// Weights in units of the scale, so that no square is out of range.
    std::vector<float> unscale(ArrayRef<float> weights) const;
    /// The states of `weights`, which start the row.
    void chooseAlone(ArrayRef<float> weights, ArrayRef<float> importance);
    double fitToStates(ArrayRef<float> weights, ArrayRef<float> importance) const;

    TrellisQuantizer &owner;
    int64_t row;
    float scale = 0;
    std::vector<uint8_t> states; ///< that each weight leads to
    std::vector<uint8_t> back;
  };

  /// Of all that there are.
  unsigned getIndex() const { return encoding.getHalves() - leastTrellisHalves; }
  size_t getGroups() const { return trellisStates >> encoding.getBits(); }
  float roundScale(double exact) const {
    return roundToType(encoding.getScale(), static_cast<float>(exact));
  }
  /// A window has the bits of a state, the first of which is the highest, the other way round.
  static uint8_t reverse(int bits) { return llvm::reverseBits(static_cast<uint8_t>(bits)); }
  int getNumber(int window) const { return table.numbers[reverse(window)]; }

  TrellisAttr encoding;
  bool search;
  int64_t columns;
  TrellisTable table;
  std::array<float, trellisStates> numbers; ///< of the table
  CanonicalForm form;
  std::vector<uint8_t> bytes;
};

std::vector<float> TrellisQuantizer::TrellisRow::unscale(ArrayRef<float> weights) const {
  std::vector<float> result;
  result.reserve(weights.size());
  for (float weight : weights)
    result.push_back(scale == 0 ? 0 : static_cast<float>(weight / static_cast<double>(scale)));
  return result;
}

bool TrellisQuantizer::TrellisRow::fit(int64_t, ArrayRef<float> weights,
                                       ArrayRef<float> importance) {
  scale = owner.roundScale(fitVariance(owner.table, weights));
  // The scale that is best for the path of the last one, again and again.
  constexpr int steps = 2;
  for (int step = 0; owner.search && step < steps && std::isfinite(scale); ++step) {
    chooseAlone(weights, importance);
    scale = owner.roundScale(fitToStates(weights, importance));
  }
  owner.form[TrellisAttr::scales].write(owner.bytes.data(), row, 0, scale);
  return std::isfinite(scale);
}

double TrellisQuantizer::TrellisRow::fitToStates(ArrayRef<float> weights,
                                                 ArrayRef<float> importance) const {
  double products = 0, squares = 0;
  for (auto [index, weight] : llvm::enumerate(weights)) {
    double number = owner.numbers[states[index]];
    double weighed = (importance.empty() ? 1.0 : importance[index]) * number;
    products += weighed * weight;
    squares += weighed * number;
  }
  return squares > 0 ? products / squares : scale;
}

void TrellisQuantizer::TrellisRow::chooseAlone(ArrayRef<float> weights,
                                               ArrayRef<float> importance) {
  std::vector<float> unscaled = unscale(weights), ones;
  if (importance.empty())
    ones.assign(weights.size(), 1.0f);
  back.resize(weights.size() * owner.getGroups());
  getTrellisKernels().choose[owner.getIndex()](
      {owner.numbers.data(), unscaled.data(), importance.empty() ? ones.data() : importance.data(),
       nullptr, static_cast<long>(weights.size()), 0, 0, back.data(), states.data()});
}

void TrellisQuantizer::TrellisRow::choose(int64_t column, ArrayRef<float> weights,
                                          ErrorFeedback feedback) {
  if (!feedback)
    return chooseAlone(weights, {});
  // Errors are divided by the diagonal; what a squared error costs, up to a factor.
  auto count = static_cast<int64_t>(weights.size());
  alignas(64) float factors[trellisBlock * trellisBlock] = {}, importance[trellisBlock];
  double least = INFINITY;
  for (int64_t i = 0; i < count; ++i)
    least = std::min(least, feedback(i, i));
  for (int64_t i = 0; i < count; ++i) {
    double diagonal = feedback(i, i), ratio = least / diagonal;
    importance[i] = static_cast<float>(ratio * ratio);
    for (int64_t j = i + 1; j < count; ++j)
      factors[i * trellisBlock + j] = static_cast<float>(feedback(i, j) / diagonal);
  }
  std::vector<float> unscaled = unscale(weights);
  back.resize(trellisBlock * owner.getGroups());
  getTrellisKernels().chooseFed[owner.getIndex()](
      {owner.numbers.data(), unscaled.data(), importance, factors, static_cast<long>(count), column,
       column == 0 ? 0 : states[column - 1], back.data(), states.data() + column});
}

float TrellisQuantizer::TrellisRow::round(int64_t column, float) {
  uint8_t state = states[column];
  const PlaneArray &codes = owner.form[TrellisAttr::codes];
  unsigned code = reverse(state) >> (TrellisAttr::windowBits - codes.getBitsAt(column));
  codes.write(owner.bytes.data(), row, column, code);
  return owner.numbers[state] * scale;
}

class TrellisFormat final : public WeightFormat {
public:
  StringRef getName() const override { return "trellis"; }
  bool hasHalfBits() const override { return true; }

  FailureOr<EncodingInterface> getEncoding(Location location,
                                           const FormatOptions &options) const override {
    auto fail = [&] { return emitError(location); };
    constexpr unsigned defaultBits = 4;
    WeightBits bits = options.bits.value_or(defaultBits);
    if (bits.halves < TrellisAttr::leastHalves || bits.halves > TrellisAttr::mostHalves)
      return fail() << "bits: expected 2 to 5 with format=trellis, found " << bits.str();
    if (!options.symmetric)
      return fail() << "symmetric: expected symmetric=true with format=trellis, which has no zero "
                       "points, found symmetric=false";
    if (options.group && *options.group != GroupedAttr::channelGroup)
      return fail() << "group-size: expected 'channel' with format=trellis, which has one scale a "
                       "row, found "
                    << (*options.group == GroupedAttr::tensorGroup
                            ? "'tensor'"
                            : std::to_string(*options.group));
    MLIRContext *context = location.getContext();
    return EncodingInterface(TrellisAttr::ofHalves(
        context, bits.halves, options.scale ? options.scale : Float16Type::get(context)));
  }

  bool has(EncodingInterface encoding) const override { return isa<TrellisAttr>(encoding); }

  std::unique_ptr<WeightQuantizer> getQuantizer(EncodingInterface encoding, ArrayRef<int64_t> shape,
                                                ArrayRef<float> weights,
                                                const FitOptions &fit) const override {
    auto trellis = cast<TrellisAttr>(encoding);
    unsigned halves = trellis.getHalves();
    auto getTable = [&] {
      if (fit.learnsTable)
        return learnTrellisTable(halves, weights, shape[1]);
      return fit.tables ? fit.tables->get(halves) : getNormalTrellisTable(halves);
    };
    return std::make_unique<TrellisQuantizer>(trellis, shape, getTable(), fit.search);
  }

  bool holds(EncodingInterface encoding, ArrayRef<float> weights) const override {
    auto trellis = cast<TrellisAttr>(encoding);
    auto exact =
        static_cast<float>(fitVariance(getNormalTrellisTable(trellis.getHalves()), weights));
    float rounded = roundToType(trellis.getScale(), exact);
    // What the far end of the numbers is moved by, against half of what is between two.
    return std::fabs(rounded - exact) * TrellisAttr::tableZero <= exact / 2;
  }

  EncodingInterface widen(EncodingInterface encoding) const override {
    MLIRContext *context = encoding.getContext();
    return TrellisAttr::ofHalves(context, cast<TrellisAttr>(encoding).getHalves(),
                                 Float32Type::get(context));
  }
};

} // namespace

const WeightFormat *llmc::getTrellisFormat() {
  static const TrellisFormat format;
  return &format;
}
