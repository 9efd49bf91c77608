//===- Rotation.cpp - rows whose columns are turned by angles that grow with the position ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Rotation.h"
#include "Raise/Angles.h"
#include "Raise/Raise.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

FailureOr<Matrix> llmc::emitRotation(Raise &raise, const View &view) {
  int64_t size = view.shape.empty() ? 0 : view.shape.back();
  int64_t width = view.columns.size();
  if (size < 2 || view.rowsAxis == static_cast<int>(view.shape.size()) - 1 || width % size != 0)
    return raise.fail("expected rotated heads with the head size as last axis");
  int64_t heads = width / size, count = raise.getSizes().rows;
  for (const Column &column : view.columns)
    if (column.first.factor >= 0)
      count = raise.factors[column.first.factor].values.size();
  // Keys are rotated before they enter the cache, or all of them after.
  int64_t first = raise.getSizes().total() - count;
  int64_t rotated = 0;
  while (rotated < size && view.columns[rotated].second.column >= 0)
    ++rotated;
  if (rotated < 2 || rotated % 2 != 0)
    return raise.fail("expected an even number of rotated columns, found " + Twine(rotated));
  int64_t pairs = rotated / 2;

  View plain = view;
  std::vector<LengthRecord::Angle> angles;
  std::vector<float> frequencies(pairs, 0.0f);
  std::vector<double> fitted, uncertainties;
  double scaling = 0, rest = 0, roundoff = 0;
  for (const Column &column : view.columns)
    for (const Column::Term &term : {column.first, column.second})
      if (term.factor >= 0)
        roundoff = std::max(roundoff, raise.factors[term.factor].roundoff);
  bool interleaved = false;
  for (int64_t head = 0; head < heads; ++head) {
    ArrayRef<Column> columns = ArrayRef(view.columns).slice(head * size, size);
    int64_t start = INT64_MAX;
    for (const Column &column : columns) {
      start = std::min<int64_t>(start, column.first.column);
      if (column.second.column >= 0)
        start = std::min<int64_t>(start, column.second.column);
    }
    // The term of column i is its own, the other its partner's.
    auto getTerms = [&](int64_t i) -> std::optional<std::pair<Column::Term, Column::Term>> {
      Column::Term own = columns[i].first, other = columns[i].second;
      if (own.column != start + i)
        std::swap(own, other);
      if (own.column != start + i || (own.factor < 0 && other.factor < 0))
        return std::nullopt;
      return std::pair(own, other);
    };
    auto scaled = [&](const Column::Term &term) {
      // A factor that does not change over the probe's rows became part of the number.
      std::vector<double> values =
          term.factor < 0 ? std::vector<double>(count, 1.0) : raise.factors[term.factor].values;
      for (double &value : values)
        value *= term.coefficient;
      return values;
    };
    for (int64_t pair = 0; pair < pairs; ++pair) {
      auto probeTerms = getTerms(0);
      if (!probeTerms)
        return raise.fail("expected columns that are rotated in pairs");
      interleaved = pairs > 1 && probeTerms->second.column == start + 1;
      int64_t i = interleaved ? 2 * pair : pair, j = interleaved ? i + 1 : i + pairs;
      auto low = getTerms(i), high = getTerms(j);
      if (!low || !high || low->second.column != start + j || high->second.column != start + i)
        return raise.fail("expected columns that are rotated in pairs");
      std::vector<double> cosine = scaled(low->first), sine = scaled(high->second);
      std::vector<double> cosine2 = scaled(high->first), sine2 = scaled(low->second);
      bool turns = cosine.size() == sine.size() && cosine.size() == cosine2.size() &&
                   cosine.size() == sine2.size();
      for (size_t row = 0; turns && row < cosine.size(); ++row)
        turns = std::fabs(cosine[row] - cosine2[row]) <= 1e-6 &&
                std::fabs(sine[row] + sine2[row]) <= 1e-6;
      if (!turns)
        return raise.fail("expected a rotation of each pair of columns");
      std::optional<Angle> angle = fitAngle(cosine, sine, first, roundoff);
      if (!angle || (scaling != 0 && std::fabs(angle->scaling - scaling) > 1e-5 + roundoff))
        return raise.fail("expected angles that are a frequency times the position");
      if (head == 0) {
        frequencies[pair] = static_cast<float>(angle->frequency);
        fitted.push_back(angle->frequency);
        uncertainties.push_back(angle->uncertainty);
        for (auto [term, isSine] : {std::pair(low->first, false), std::pair(high->second, true)})
          if (term.factor >= 0)
            angles.push_back(
                {term.factor, isSine, angle->frequency, angle->scaling / term.coefficient});
      } else if (std::fabs(angle->frequency - frequencies[pair]) > 1e-6 * frequencies[pair]) {
        return raise.fail("expected the same frequencies in every head");
      }
      scaling = scaling == 0 ? angle->scaling : scaling;
      plain.columns[head * size + i] = {{static_cast<int32_t>(start + i), -1, 1}, {}};
      plain.columns[head * size + j] = {{static_cast<int32_t>(start + j), -1, 1}, {}};
    }
    for (int64_t i = rotated; i < size; ++i) {
      if (!columns[i].isPlain())
        return raise.fail("expected the columns that are not rotated to stand last");
      rest = columns[i].first.coefficient;
      plain.columns[head * size + i].first.coefficient = 1;
    }
  }
  FailureOr<Value> input = materializeExactly(raise, plain);
  if (failed(input))
    return failure();
  // A factor of all columns is the caller's, for the scores.
  double coefficient = rotated == size ? scaling : rest;
  double own = rotated == size ? 1 : scaling / rest;
  if (std::fabs(coefficient - 1) < 1e-7)
    coefficient = 1;
  if (std::fabs(own - 1) < 1e-6)
    own = 1;
  if (roundoff > 0) {
    std::vector<double> measured = fitted;
    snapToSeries(fitted, uncertainties);
    llvm::transform(fitted, frequencies.begin(), [](double f) { return static_cast<float>(f); });
    for (LengthRecord::Angle &angle : angles)
      angle.frequency = fitted[llvm::find(measured, angle.frequency) - measured.begin()];
  }
  raise.lengths.angles.insert(angles.begin(), angles.end());
  snapToPowers(frequencies);
  auto rope = RopeOp::create(raise.builder, raise.location, input->getType(), *input,
                             raise.step.getRows(), raise.builder.getI64IntegerAttr(heads),
                             raise.builder.getDenseF32ArrayAttr(frequencies),
                             raise.builder.getF32FloatAttr(static_cast<float>(own)),
                             interleaved ? raise.builder.getUnitAttr() : UnitAttr());
  return Matrix{rope.getResult(), coefficient};
}

FailureOr<View> llmc::rotate(Raise &raise, const View &view, const AngleTables &tables,
                             int64_t heads, int64_t rotated, bool interleaved) {
  const HostTensor &cosine = tables.cosine, &sine = tables.sine;
  int64_t width = view.columns.size(), size = width / std::max<int64_t>(heads, 1);
  int64_t count = raise.getSizes().rows, pairs = rotated / 2;
  if (heads < 1 || width % heads != 0 || rotated < 2 || rotated % 2 != 0 || rotated > size)
    return raise.fail("expected heads of which an even number of columns is rotated");
  if (!cosine.isKnown() || !sine.isKnown() || cosine.shape != sine.shape ||
      cosine.getNumElements() != count * pairs || cosine.shape.back() != pairs || view.past >= 0)
    return raise.fail("expected known angles of rows × " + Twine(pairs));
  auto factorOf = [&](const HostTensor &table, Value value, int64_t pair) {
    std::vector<double> values(count);
    for (int64_t row = 0; row < count; ++row)
      values[row] = table[row * pairs + pair];
    return raise.factors.add(std::move(values), table.roundoff, {value, pair});
  };
  View result = view;
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t pair = 0; pair < pairs; ++pair) {
      int64_t i = head * size + (interleaved ? 2 * pair : pair);
      int64_t j = interleaved ? i + 1 : i + pairs;
      Column low = view.columns[i], high = view.columns[j];
      if (!low.isPlain() || !high.isPlain())
        return raise.fail("expected rows that are rotated once");
      int32_t c = factorOf(cosine, tables.cosineValue, pair),
              s = factorOf(sine, tables.sineValue, pair);
      double a = low.first.coefficient, b = high.first.coefficient;
      result.columns[i] = {{low.first.column, c, a}, {high.first.column, s, -b}};
      result.columns[j] = {{high.first.column, c, b}, {low.first.column, s, a}};
    }
  return result;
}
