//===- GPTQTest.cpp - rounding that makes up for its own errors ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The laws that GPTQ satisfies exactly, and a plain transcription of the paper's algorithm that
// shares nothing with the implementation but the fit of grids.
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/GPTQ.h"
#include "TransformsTestSupport.h"
#include "llmc/Transforms/Quantization/Grid.h"

#include "mlir/IR/Diagnostics.h"

#include <cmath>
#include <numeric>
#include <random>

using namespace llmc;

namespace {

using Matrix = std::vector<double>; // square, row-major

struct Case {
  unsigned bits = 4;
  int64_t group = 32;
  ZeroPoint zero = ZeroPoint::None;
  bool searchClip = false, staticGroups = false, actOrder = false;
  double damp = 0.01;
  int64_t rows = 37, columns = 160;
  bool dead = false; ///< some inputs are always zero

  std::string describe() const {
    return std::to_string(bits) + " bits, group " + std::to_string(group) + ", zero " +
           stringifyZeroPoint(zero).str() + (staticGroups ? ", static" : "") +
           (actOrder ? ", ordered" : "") + (searchClip ? ", mse" : "");
  }
};

std::vector<Case> getCases() {
  std::vector<Case> cases;
  for (unsigned bits : {2u, 3u, 4u, 8u})
    for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float})
      for (int64_t group : {int64_t(32), int64_t(48), int64_t(150), GroupedAttr::channelGroup,
                            GroupedAttr::tensorGroup})
        cases.push_back({bits, group, zero});
  Case odd{4, 32, ZeroPoint::Integer};
  odd.columns = 301; // a shorter last group, several batches
  cases.push_back(odd);
  odd.staticGroups = true;
  cases.push_back(odd);
  odd.actOrder = true;
  cases.push_back(odd);
  odd.dead = true;
  cases.push_back(odd);
  odd.searchClip = true;
  odd.zero = ZeroPoint::None;
  cases.push_back(odd);
  for (ZeroPoint zero : {ZeroPoint::None, ZeroPoint::Integer, ZeroPoint::Float}) {
    Case searched{3, 48, zero};
    searched.searchClip = true;
    cases.push_back(searched);
    searched.group = GroupedAttr::tensorGroup;
    cases.push_back(searched);
  }
  Case channel{4, GroupedAttr::channelGroup, ZeroPoint::None};
  channel.actOrder = channel.dead = true;
  cases.push_back(channel);
  return cases;
}

class GPTQTest : public test::WeightsTest {
protected:
  GroupedAttr encoding(const Case &c) {
    return GroupedAttr::get(&context, c.bits, c.group, c.zero, builder.getF16Type());
  }

  static WeightValues makeWeights(const Case &c, uint64_t seed = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    WeightValues values{c.rows, c.columns, std::vector<float>(c.rows * c.columns), {}};
    for (float &value : values.data)
      value = normal(random);
    return values;
  }

  /// The second moment of inputs that depend on each other: a random walk along the columns.
  static Matrix makeHessian(const Case &c, uint64_t seed = 2) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    int64_t n = c.columns, samples = 2 * n;
    Matrix hessian(n * n);
    std::vector<double> x(n);
    for (int64_t sample = 0; sample < samples; ++sample) {
      double state = 0;
      for (int64_t i = 0; i < n; ++i) {
        state = 0.9 * state + normal(random);
        x[i] = c.dead && i % 7 == 3 ? 0 : state * (1 + i % 5);
      }
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j)
          hessian[i * n + j] += 2 * x[i] * x[j] / samples;
    }
    return hessian;
  }

  InverseHessian prepare(const Case &c, Matrix hessian) {
    llvm::Expected<InverseHessian> prepared =
        InverseHessian::create(std::move(hessian), c.columns, c.damp, c.actOrder);
    EXPECT_TRUE(bool(prepared));
    return std::move(*prepared);
  }

  GPTQResult run(const Case &c, const WeightValues &values, const InverseHessian &hessian) {
    ParameterOp parameter = makeParameter(values.data, values.rows);
    auto result =
        quantizeGPTQ(parameter, values, hessian, {encoding(c), c.searchClip, c.staticGroups});
    EXPECT_TRUE(mlir::succeeded(result)) << c.describe();
    parameter.erase();
    return std::move(*result);
  }

  std::vector<float> decode(const Case &c, llvm::ArrayRef<uint8_t> bytes) {
    return WeightsTest::decode(encoding(c), c.rows, c.columns, bytes);
  }

  /// The inverse of a positive definite matrix by elimination.
  static Matrix invert(Matrix a, int64_t n) {
    Matrix inverse(n * n);
    for (int64_t i = 0; i < n; ++i)
      inverse[i * n + i] = 1;
    for (int64_t i = 0; i < n; ++i) {
      double pivot = a[i * n + i];
      for (int64_t j = 0; j < n; ++j) {
        a[i * n + j] /= pivot;
        inverse[i * n + j] /= pivot;
      }
      for (int64_t row = 0; row < n; ++row) {
        double factor = a[row * n + i];
        if (row == i || factor == 0)
          continue;
        for (int64_t j = 0; j < n; ++j) {
          a[row * n + j] -= factor * a[i * n + j];
          inverse[row * n + j] -= factor * inverse[i * n + j];
        }
      }
    }
    return inverse;
  }

  /// The upper Cholesky factor U of a matrix Uᵀ·U.
  static Matrix factor(const Matrix &a, int64_t n) {
    Matrix u(n * n);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = i; j < n; ++j) {
        double sum = a[i * n + j];
        for (int64_t k = 0; k < i; ++k)
          sum -= u[k * n + i] * u[k * n + j];
        u[i * n + j] = i == j ? std::sqrt(sum) : sum / u[i * n + i];
      }
    return u;
  }

  /// H with what the algorithm adds to it, in the original order, and its dead columns.
  static Matrix dampen(const Case &c, Matrix hessian, std::vector<bool> &dead) {
    int64_t n = c.columns;
    dead.assign(n, false);
    double mean = 0;
    for (int64_t i = 0; i < n; ++i) {
      dead[i] = hessian[i * n + i] == 0;
      if (dead[i])
        hessian[i * n + i] = 1;
      mean += hessian[i * n + i] / n;
    }
    for (int64_t i = 0; i < n; ++i)
      hessian[i * n + i] += c.damp * mean;
    return hessian;
  }

  /// The algorithm, one weight after another; gives the decoded values.
  std::vector<float> reference(const Case &c, const WeightValues &values, const Matrix &hessian) {
    int64_t n = c.columns;
    std::vector<bool> dead;
    Matrix damped = dampen(c, hessian, dead);
    std::vector<int64_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    if (c.actOrder)
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return std::pair(-damped[a * n + a], a) < std::pair(-damped[b * n + b], b);
      });
    Matrix permuted(n * n);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        permuted[i * n + j] = damped[order[i] * n + order[j]];
    Matrix u = factor(invert(permuted, n), n);
    GroupedAttr attr = encoding(c);
    int64_t group = attr.getGroupSize(n);
    bool oneGrid = c.group == GroupedAttr::tensorGroup;
    bool fixed = c.staticGroups || group == n;
    // What an error in a column costs once the later ones have made up for it.
    std::vector<double> costs(n);
    for (int64_t step = 0; step < n; ++step)
      costs[order[step]] = dead[order[step]] ? 0 : std::pow(u[step * n + step], -2);
    double largest = *std::max_element(costs.begin(), costs.end());
    std::vector<float> importance;
    for (double cost : costs)
      importance.push_back(static_cast<float>(cost / largest));
    auto fitGroup = [&](llvm::ArrayRef<float> group, llvm::ArrayRef<float> costsOfGroup) {
      return c.searchClip ? searchGrid(attr, group, costsOfGroup) : fitGrid(attr, group);
    };
    std::vector<float> ofAll;
    for (int64_t row = 0; row < c.rows; ++row)
      ofAll.insert(ofAll.end(), importance.begin(), importance.end());
    Grid shared = oneGrid ? fitGroup(values.data, ofAll) : Grid();
    std::vector<float> result(values.data.size());
    for (int64_t row = 0; row < c.rows; ++row) {
      std::vector<double> w(n);
      for (int64_t i = 0; i < n; ++i)
        w[i] = dead[i] ? 0 : values.row(row)[i];
      std::vector<Grid> grids((n + group - 1) / group, shared);
      auto fit = [&](int64_t index) {
        std::vector<float> part(w.begin() + index * group,
                                w.begin() + std::min(n, (index + 1) * group));
        if (!oneGrid)
          grids[index] =
              fitGroup(part, llvm::ArrayRef<float>(importance).slice(index * group, part.size()));
      };
      for (int64_t index = 0; fixed && index < int64_t(grids.size()); ++index)
        fit(index);
      for (int64_t step = 0; step < n; ++step) {
        int64_t column = order[step];
        if (!fixed && column % group == 0)
          fit(column / group);
        const Grid &grid = grids[column / group];
        float q = grid.decode(grid.encode(static_cast<float>(w[column])));
        double e = (w[column] - q) / u[step * n + step];
        for (int64_t next = step + 1; next < n; ++next)
          w[order[next]] -= e * u[step * n + next];
        result[row * n + column] = q;
      }
    }
    return result;
  }

  /// tr(ΔW·A·ΔWᵀ)
  static double weigh(const Case &c, llvm::ArrayRef<double> change, const Matrix &a) {
    double sum = 0;
    for (int64_t row = 0; row < c.rows; ++row)
      for (int64_t i = 0; i < c.columns; ++i)
        for (int64_t j = 0; j < c.columns; ++j)
          sum += change[row * c.columns + i] * a[i * c.columns + j] * change[row * c.columns + j];
    return sum;
  }
};

} // namespace

TEST_F(GPTQTest, RoundsLikeTheAlgorithmOfThePaper) {
  for (const Case &c : getCases()) {
    WeightValues values = makeWeights(c);
    Matrix hessian = makeHessian(c);
    GPTQResult result = run(c, values, prepare(c, hessian));
    std::vector<float> expected = reference(c, values, hessian);
    EXPECT_EQ(decode(c, result.weight.bytes), expected) << c.describe();
  }
}

// Law: Σ e² / 2 = tr(ΔW·H·ΔWᵀ) / 2, with H as dampened.
TEST_F(GPTQTest, LossIsThatOfTheOutputs) {
  for (const Case &c : getCases()) {
    WeightValues values = makeWeights(c);
    Matrix hessian = makeHessian(c);
    GPTQResult result = run(c, values, prepare(c, hessian));
    std::vector<float> decoded = decode(c, result.weight.bytes);
    std::vector<bool> dead;
    Matrix damped = dampen(c, hessian, dead);
    std::vector<double> change(decoded.size()), kept(decoded.size());
    for (size_t i = 0; i < change.size(); ++i) {
      kept[i] = dead[i % c.columns] ? 0 : values.data[i];
      change[i] = kept[i] - decoded[i];
    }
    double expected = weigh(c, change, damped) / 2;
    EXPECT_NEAR(result.loss, expected, 1e-10 * expected) << c.describe();
    double outputs = std::sqrt(weigh(c, change, hessian) / weigh(c, kept, hessian));
    EXPECT_NEAR(*result.weight.outputError, outputs, 1e-7 * outputs) << c.describe();
  }
}

// Law: with grids that are fixed and clip nothing, a weight is at most half a step away when it is
// rounded, so that the loss is at most Σ s² / (8·U_jj²).
TEST_F(GPTQTest, LossIsBoundedByTheSteps) {
  for (bool actOrder : {false, true}) {
    Case c{8, GroupedAttr::channelGroup, ZeroPoint::None};
    c.staticGroups = true;
    c.actOrder = actOrder;
    WeightValues values = makeWeights(c);
    InverseHessian hessian = prepare(c, makeHessian(c));
    // The column that is rounded first is never moved. Its large weights make the grids wide, so
    // that no other weight is moved beyond their ends.
    for (int64_t row = 0; row < c.rows; ++row)
      values.row(row)[hessian.order[0]] = 100;
    GPTQResult result = run(c, values, hessian);
    double bound = 0;
    for (int64_t row = 0; row < c.rows; ++row) {
      Grid grid = fitGrid(encoding(c), values.row(row));
      for (int64_t step = 0; step < c.columns; ++step)
        bound += std::pow(grid.scale / hessian.inverse[step * c.columns + step], 2) / 8;
    }
    EXPECT_LE(result.loss, bound);
    // Errors that are spread evenly give a third of it.
    EXPECT_GT(result.loss, 0.2 * bound);
  }
}

TEST_F(GPTQTest, ScalingTheSecondMomentChangesNothing) {
  for (const Case &c : getCases()) {
    WeightValues values = makeWeights(c);
    Matrix hessian = makeHessian(c), scaled = hessian;
    // A dead column's 1 is no multiple of anything.
    if (c.dead)
      continue;
    for (double &value : scaled)
      value *= 3;
    EXPECT_EQ(run(c, values, prepare(c, hessian)).weight.bytes,
              run(c, values, prepare(c, scaled)).weight.bytes)
        << c.describe();
  }
}

TEST_F(GPTQTest, RowsAreIndependent) {
  Case c{4, 32, ZeroPoint::Integer};
  c.rows = 70;
  WeightValues values = makeWeights(c);
  InverseHessian hessian = prepare(c, makeHessian(c));
  std::vector<float> all = decode(c, run(c, values, hessian).weight.bytes);
  Case part = c;
  part.rows = 5;
  for (int64_t first : {int64_t(0), int64_t(31), int64_t(65)}) {
    WeightValues some{5,
                      c.columns,
                      std::vector<float>(values.data.begin() + first * c.columns,
                                         values.data.begin() + (first + 5) * c.columns),
                      {}};
    std::vector<float> found = decode(part, run(part, some, hessian).weight.bytes);
    EXPECT_TRUE(std::equal(found.begin(), found.end(), all.begin() + first * c.columns));
  }
}

TEST_F(GPTQTest, TheSameBytesWithAndWithoutThreads) {
  Case c{3, 32, ZeroPoint::None};
  c.rows = 130;
  WeightValues values = makeWeights(c);
  InverseHessian hessian = prepare(c, makeHessian(c));
  context.disableMultithreading(true);
  std::vector<uint8_t> one = run(c, values, hessian).weight.bytes;
  context.disableMultithreading(false);
  EXPECT_EQ(run(c, values, hessian).weight.bytes, one);
}

TEST_F(GPTQTest, LosesLessThanRoundingToTheNearest) {
  for (unsigned bits : {3u, 4u}) {
    Case c{bits, 32, ZeroPoint::Integer};
    WeightValues values = makeWeights(c);
    Matrix hessian = makeHessian(c);
    GPTQResult result = run(c, values, prepare(c, hessian));
    ParameterOp parameter = makeParameter(values.data, values.rows);
    QuantizedWeight rounded = *roundToNearest(parameter, values, encoding(c), false);
    auto getLoss = [&](llvm::ArrayRef<uint8_t> bytes) {
      std::vector<float> decoded = decode(c, bytes);
      std::vector<double> change(decoded.size());
      for (size_t i = 0; i < change.size(); ++i)
        change[i] = double(values.data[i]) - decoded[i];
      return weigh(c, change, hessian);
    };
    EXPECT_LT(getLoss(result.weight.bytes), 0.6 * getLoss(rounded.bytes));
    parameter.erase();
  }
}

TEST_F(GPTQTest, RaisesTheDampingUntilTheMatrixIsPositiveDefinite) {
  Case c;
  c.columns = 64;
  Matrix hessian(64 * 64, 1.0); // rank 1
  for (int64_t i = 0; i < 64; ++i)
    hessian[i * 64 + i] = 1.0 - 0.02; // and indefinite by a little
  InverseHessian prepared = prepare(c, hessian);
  EXPECT_GT(prepared.damp, 0.02);
  EXPECT_LE(prepared.damp, 1.0);
}

TEST_F(GPTQTest, RefusesMatricesThatNoDampingHelps) {
  Matrix hessian(64 * 64, 100.0);
  for (int64_t i = 0; i < 64; ++i)
    hessian[i * 64 + i] = 1;
  llvm::Expected<InverseHessian> prepared = InverseHessian::create(hessian, 64, 0.01, false);
  ASSERT_FALSE(bool(prepared));
  EXPECT_NE(llvm::toString(prepared.takeError()).find("positive definite"), std::string::npos);
  hessian[0] = std::nan("");
  prepared = InverseHessian::create(hessian, 64, 0.01, false);
  ASSERT_FALSE(bool(prepared));
  EXPECT_NE(llvm::toString(prepared.takeError()).find("finite"), std::string::npos);
}

TEST_F(GPTQTest, RefusesGroupsOutOfOrderAndOtherWidths) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  Case c;
  c.actOrder = true;
  WeightValues values = makeWeights(c);
  InverseHessian hessian = prepare(c, makeHessian(c));
  ParameterOp parameter = makeParameter(values.data, values.rows);
  EXPECT_TRUE(mlir::failed(quantizeGPTQ(parameter, values, hessian, {encoding(c), false, false})));
  EXPECT_NE(message.find("expected static groups for columns out of order"), std::string::npos);
  c.columns /= 2;
  values = makeWeights(c);
  parameter = makeParameter(values.data, values.rows);
  EXPECT_TRUE(mlir::failed(quantizeGPTQ(parameter, values, hessian, {encoding(c), true, false})));
  EXPECT_NE(message.find("expected weights for " + std::to_string(hessian.width) +
                         " inputs, found " + std::to_string(c.columns)),
            std::string::npos);
}
