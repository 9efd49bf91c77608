//===- Angles.cpp - the frequencies behind cosines and sines ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Angles.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace llmc;

static constexpr double turn = 2 * M_PI;

//===----------------------------------------------------------------------===//
// One angle
//===----------------------------------------------------------------------===//

/// Least squares over all positions, of which each alone says what its rounding leaves.
static void refine(Angle &angle, ArrayRef<double> cosine, ArrayRef<double> sine, int64_t first,
                   double roundoff) {
  double moment = 0, squares = 0, noise = 0, scaling = 0;
  for (size_t i = 0; i < cosine.size(); ++i) {
    double position = static_cast<double>(first) + static_cast<double>(i);
    double phase = angle.frequency * position;
    double residual = std::remainder(std::atan2(sine[i], cosine[i]) - phase, turn);
    // With cos and sin each rounded by a factor of 1 ± roundoff; what fp16 can't say of small
    // numbers; and the phase itself, which was a product in fp32.
    double error = roundoff * std::fabs(std::sin(2 * phase)) + 0x1p-25 + phase * 0x1p-23;
    moment += position * residual;
    squares += position * position;
    noise += position * error;
    scaling += std::hypot(cosine[i], sine[i]);
  }
  angle.frequency += moment / squares;
  angle.uncertainty = noise / squares;
  angle.scaling = scaling / static_cast<double>(cosine.size());
  if (std::fabs(angle.scaling - 1) <= roundoff)
    angle.scaling = 1;
}

std::optional<Angle> llmc::fitAngle(ArrayRef<double> cosine, ArrayRef<double> sine, int64_t first,
                                    double roundoff) {
  int64_t count = cosine.size();
  if (count < 2 || static_cast<int64_t>(sine.size()) != count)
    return std::nullopt;
  double scaling = std::hypot(cosine[0], sine[0]);
  if (!(scaling > 0))
    return std::nullopt;
  double start = std::atan2(sine[0], cosine[0]);
  double frequency = std::remainder(std::atan2(sine[1], cosine[1]) - start, turn);
  if (frequency < -1e-9 - 4 * roundoff)
    frequency += turn;
  // Each position pins the frequency down further.
  for (int64_t i = 0; i < count; ++i) {
    int64_t position = first + i;
    if (position == 0)
      continue;
    double angle = std::atan2(sine[i], cosine[i]);
    frequency += std::remainder(angle - frequency * position, turn) / position;
  }
  Angle angle{frequency, scaling, 0};
  if (roundoff > 0)
    refine(angle, cosine, sine, first, roundoff);
  double tolerance = getAngleTolerance(roundoff) * angle.scaling;
  for (int64_t i = 0; i < count; ++i) {
    double phase = angle.frequency * (first + i);
    // Written so that what is no number does not pass.
    if (!(std::fabs(cosine[i] - angle.scaling * std::cos(phase)) <= tolerance &&
          std::fabs(sine[i] - angle.scaling * std::sin(phase)) <= tolerance))
      return std::nullopt;
  }
  return angle;
}

//===----------------------------------------------------------------------===//
// Series of frequencies
//===----------------------------------------------------------------------===//

/// base^(-i / pairs).
static double getPower(double base, int64_t i, int64_t pairs) {
  return std::pow(base, -static_cast<double>(i) / static_cast<double>(pairs));
}

void llmc::snapToPowers(MutableArrayRef<float> frequencies) {
  int64_t pairs = frequencies.size();
  for (int64_t from = pairs - 1; from > 0; --from) {
    double base = std::round(
        std::pow(frequencies[from], -static_cast<double>(pairs) / static_cast<double>(from)));
    if (!(base > 1 && base < 1e12))
      continue;
    // 2e-9 is a hundred-thousandth of a turn after a few thousand positions.
    bool fits = true;
    for (int64_t i = 0; fits && i < pairs; ++i)
      fits = std::fabs(frequencies[i] - getPower(base, i, pairs)) <= 1e-6 * frequencies[i] + 2e-9;
    if (!fits)
      continue;
    for (int64_t i = 0; i < pairs; ++i)
      frequencies[i] = static_cast<float>(getPower(base, i, pairs));
    return;
  }
}

namespace {

/// What several measurements leave of a number: the interval that all allow, and their mean.
struct Interval {
  double low = 0, high = INFINITY, sum = 0, weight = 0;

  /// Takes a measurement in; false, and nothing changes, where it contradicts the others.
  bool narrow(double newLow, double value, double newHigh) {
    if (!(std::max(low, newLow) <= std::min(high, newHigh)))
      return false;
    low = std::max(low, newLow);
    high = std::min(high, newHigh);
    double own = 1 / std::max((newHigh - newLow) * (newHigh - newLow), 1e-300);
    sum += own * value;
    weight += own;
    return true;
  }

  /// The number of at most 4 digits in the interval, the shortest there is; else the mean.
  double get() const {
    double mean = weight > 0 ? std::clamp(sum / weight, low, high) : low;
    double unit = std::pow(10, std::floor(std::log10(mean)));
    for (int digits = 1; digits <= 4; ++digits, unit /= 10) {
      double shorter = std::round(mean / unit) * unit;
      if (shorter >= low && shorter <= high)
        return shorter;
    }
    return mean;
  }
};

} // namespace

void llmc::snapToSeries(MutableArrayRef<double> frequencies, ArrayRef<double> uncertainties) {
  int64_t pairs = frequencies.size();
  auto low = [&](int64_t i) { return frequencies[i] - uncertainties[i]; };
  auto high = [&](int64_t i) { return frequencies[i] + uncertainties[i]; };
  for (int64_t i = 0; i < pairs; ++i)
    if (!(low(i) > 0))
      return;
  Interval factor, base;
  factor.narrow(1 / high(0), 1 / frequencies[0], 1 / low(0));
  double first = factor.get();
  int64_t end = 1;
  for (; end < pairs; ++end) {
    auto getBase = [&](double frequency) {
      return std::pow(frequency * first, -static_cast<double>(pairs) / static_cast<double>(end));
    };
    if (!base.narrow(getBase(high(end)), getBase(frequencies[end]), getBase(low(end))))
      break;
  }
  double number = base.get();
  if (end < 2 || !(number > 1) || !std::isfinite(number))
    return;
  Interval last;
  int64_t begin = pairs;
  for (; begin > end; --begin) {
    int64_t i = begin - 1;
    double power = getPower(number, i, pairs);
    if (!last.narrow(power / high(i), power / frequencies[i], power / low(i)))
      break;
  }
  for (int64_t i = 0; i < end; ++i)
    frequencies[i] = getPower(number, i, pairs) / first;
  for (int64_t i = begin; i < pairs; ++i)
    frequencies[i] = getPower(number, i, pairs) / last.get();
}
