//===- RotaryOperators.cpp - operators that rotate rows, and their tables of angles ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Angles.h"
#include "Raise/Matchers.h"
#include "Raise/Raise.h"
#include "Raise/Rotation.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// Frequencies of a pair of tables: row p holds cos and sin of position p.
static std::optional<std::vector<float>> getTableFrequencies(Raise &raise, const HostTensor &cosine,
                                                             const HostTensor &sine,
                                                             double &scaling) {
  if (cosine.shape.size() != 2 || cosine.shape != sine.shape || !cosine.data || !sine.data)
    return std::nullopt;
  int64_t pairs = cosine.shape[1], count = std::min(cosine.shape[0], raise.step.getCapacity());
  double roundoff = std::max(cosine.roundoff, sine.roundoff);
  // A table rounds its angles; what a long one says of the far end is the less exact. Where the
  // numbers themselves were rounded more coarsely, more of them tell more.
  int64_t used = std::min<int64_t>(count, roundoff > 0 ? 4096 : 512);
  raise.spend(cosine.getNumElements());
  auto getColumn = [&](const HostTensor &table, int64_t pair, int64_t rowCount) {
    std::vector<double> values(rowCount);
    for (int64_t p = 0; p < rowCount; ++p)
      values[p] = table[p * pairs + pair];
    return values;
  };
  std::vector<double> frequencies, uncertainties;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    std::optional<Angle> angle =
        fitAngle(getColumn(cosine, pair, used), getColumn(sine, pair, used), 0, roundoff);
    if (!angle || (pair > 0 && std::fabs(angle->scaling - scaling) > 1e-5 + roundoff))
      return std::nullopt;
    scaling = pair == 0 || roundoff == 0 ? angle->scaling : scaling;
    frequencies.push_back(angle->frequency);
    uncertainties.push_back(angle->uncertainty);
  }
  if (roundoff > 0)
    snapToSeries(frequencies, uncertainties);
  double tolerance = roundoff > 0 ? getFarTolerance(roundoff) * scaling : 5e-3;
  for (int64_t pair = 0; pair < pairs; ++pair)
    for (int64_t p = 0; p < count; ++p) {
      double angle = frequencies[pair] * static_cast<double>(p);
      if (!(std::fabs(cosine[p * pairs + pair] - scaling * std::cos(angle)) <= tolerance &&
            std::fabs(sine[p * pairs + pair] - scaling * std::sin(angle)) <= tolerance))
        return std::nullopt;
    }
  std::vector<float> result(pairs);
  llvm::transform(frequencies, result.begin(), [](double f) { return static_cast<float>(f); });
  return result;
}

FailureOr<AngleTables> llmc::getTableAngles(Raise &raise, Value cosine, Value sine,
                                            ArrayRef<double> places) {
  double scaling = 0;
  std::optional<std::vector<float>> frequencies;
  if (raise.probe.load(cosine) && raise.probe.load(sine))
    frequencies =
        getTableFrequencies(raise, raise.getTensor(cosine), raise.getTensor(sine), scaling);
  if (!frequencies)
    return raise.fail("expected tables of angles that are a frequency times the position");
  int64_t pairs = frequencies->size(), count = places.size();
  std::vector<double> c, s;
  for (double place : places)
    for (float frequency : *frequencies) {
      double angle = frequency * place;
      c.push_back(scaling * std::cos(angle));
      s.push_back(scaling * std::sin(angle));
    }
  return AngleTables{HostTensor::known({count, pairs}, std::move(c), false),
                     HostTensor::known({count, pairs}, std::move(s), false),
                     {},
                     {}};
}

/// Heads of rows under an operator that says how many there are where the shape doesn't.
static int64_t getHeads(const Node &node, const View &view) {
  bool split = view.shape.size() == 4 && view.shape[3] > 0;
  return split ? static_cast<int64_t>(view.columns.size()) / view.shape[3]
               : node.getInt("num_heads", 0);
}

/// Rows of tables at the positions that an operand gives: each row's, or the first one's.
static FailureOr<AngleTables> readTables(Raise &raise, Node &node, Value cosine, Value sine,
                                         unsigned positions) {
  using Kind = LengthRecord::Count::Kind;
  ProbeSizes sizes = raise.getSizes();
  bool single = raise.getTensor(node, positions).getNumElements() == 1;
  if (failed(raise.expectCount(node, positions, single ? Kind::Past : Kind::Positions,
                               "expected known positions that count up from the past")))
    return failure();
  if (raise.getTensor(cosine).shape[0] < sizes.total())
    return raise.fail("expected positions inside the tables");
  SmallVector<double> places;
  for (int64_t i = 0; i < sizes.rows; ++i)
    places.push_back(static_cast<double>(sizes.past + i));
  return getTableAngles(raise, cosine, sine, places);
}

/// Opset 23's operator. With positions the tables are indexed by them, else they fit the rows.
LogicalResult llmc::raiseRotaryEmbedding(Raise &raise, Node &node) {
  std::optional<View> view = raise.getView(node, 0);
  if (!view)
    return failure();
  Value cosine = raise.getOperand(node, 1), sine = raise.getOperand(node, 2);
  AngleTables tables{raise.getTensor(cosine), raise.getTensor(sine), cosine, sine};
  if (raise.has(node, 3)) {
    ArrayRef<int64_t> shape = tables.cosine.shape;
    if (!raise.probe.load(cosine) || !raise.probe.load(sine) || shape.size() != 2 ||
        shape != ArrayRef(tables.sine.shape))
      return raise.fail("expected constant tables");
    FailureOr<AngleTables> found = readTables(raise, node, cosine, sine, 3);
    if (failed(found))
      return failure();
    tables = std::move(*found);
  }
  int64_t heads = getHeads(node, *view);
  int64_t size = static_cast<int64_t>(view->columns.size()) / std::max<int64_t>(heads, 1);
  int64_t rotated = node.getInt("rotary_embedding_dim", 0);
  FailureOr<View> result = rotate(raise, *view, tables, heads, rotated == 0 ? size : rotated,
                                  node.getInt("interleaved", 0) != 0);
  if (failed(result))
    return failure();
  raise.set(node, 0, std::move(*result));
  return success();
}

/// com.microsoft's operator: positions, then tables of all positions.
LogicalResult llmc::raiseContribRotaryEmbedding(Raise &raise, Node &node) {
  std::optional<View> view = raise.getView(node, 0);
  if (!view)
    return failure();
  Value cosine = raise.getOperand(node, 2), sine = raise.getOperand(node, 3);
  ArrayRef<int64_t> shape = raise.getShape(node, 2);
  if (!raise.probe.load(cosine) || !raise.probe.load(sine) || shape.size() != 2 ||
      raise.getShape(node, 3) != shape || shape[1] < 1)
    return raise.fail("expected constant tables");
  int64_t width = shape[1];
  FailureOr<AngleTables> tables = readTables(raise, node, cosine, sine, 1);
  if (failed(tables))
    return failure();
  int64_t heads = getHeads(node, *view);
  if (heads == 0)
    heads = static_cast<int64_t>(view->columns.size()) / (2 * width);
  FailureOr<View> result =
      rotate(raise, *view, *tables, heads, 2 * width, node.getInt("interleaved", 0) != 0);
  if (failed(result))
    return failure();
  raise.set(node, 0, std::move(*result));
  return success();
}
