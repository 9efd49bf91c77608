//===- PruningTest.cpp - pruning by what inputs were seen ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The algorithms of the papers, written plainly in fp64, and the laws of their errors.
//
//===----------------------------------------------------------------------===//

#include "TransformsTestSupport.h"
#include "llmc/Transforms/Pruning/Wanda.h"
#include "llmc/Transforms/Quantization/GPTQ.h"

#include "mlir/IR/Diagnostics.h"

#include <array>
#include <cmath>
#include <random>

using namespace llmc;

namespace {

using Matrix = std::vector<double>; // square, row-major

/// The upper factor U of H⁻¹ = Uᵀ·U, by elimination: row j is that of the inverse of what is left
/// of H once the inputs before j are known, divided by the root of its diagonal.
Matrix factorInverse(Matrix hessian, int64_t n) {
  Matrix inverse(n * n);
  for (int64_t i = 0; i < n; ++i)
    inverse[i * n + i] = 1;
  for (int64_t i = 0; i < n; ++i) {
    double pivot = hessian[i * n + i];
    for (int64_t j = 0; j < n; ++j) {
      hessian[i * n + j] /= pivot;
      inverse[i * n + j] /= pivot;
    }
    for (int64_t row = 0; row < n; ++row) {
      double factor = hessian[row * n + i];
      if (row == i || factor == 0)
        continue;
      for (int64_t j = 0; j < n; ++j) {
        hessian[row * n + j] -= factor * hessian[i * n + j];
        inverse[row * n + j] -= factor * inverse[i * n + j];
      }
    }
  }
  Matrix upper(n * n);
  for (int64_t i = 0; i < n; ++i) {
    double root = std::sqrt(inverse[i * n + i]);
    for (int64_t j = i; j < n; ++j)
      upper[i * n + j] = inverse[i * n + j] / root;
    for (int64_t r = i + 1; r < n; ++r)
      for (int64_t c = i + 1; c < n; ++c)
        inverse[r * n + c] -= upper[i * n + r] * upper[i * n + c];
  }
  return upper;
}

class PruningTest : public test::WeightsTest {
protected:
  static constexpr int64_t rows = 256, columns = 256;

  PruningTest() {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    std::vector<float> weights(rows * columns);
    for (float &weight : weights)
      weight = static_cast<float>(normal(random));
    parameter = makeParameter(weights, rows);
    values = *WeightValues::read(parameter);
    // Inputs that depend on each other, of different sizes: a random walk along the columns.
    hessian.resize(columns * columns);
    std::vector<double> x(columns);
    for (int sample = 0; sample < 1024; ++sample) {
      double state = 0;
      for (int64_t i = 0; i < columns; ++i) {
        state = 0.8 * state + normal(random);
        x[i] = state * (1 + 0.5 * static_cast<double>(i % 3));
      }
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j)
          hessian[i * columns + j] += 2 * x[i] * x[j] / 1024;
    }
  }

  mlir::Attribute getFloats() { return mlir::TypeAttr::get(builder.getF32Type()); }
  EncodingInterface getIntegers(int64_t group) {
    return GroupedAttr::get(&context, 4, group, ZeroPoint::Integer, builder.getF16Type());
  }

  PruningPattern parse(llvm::StringRef text) {
    return *PruningPattern::get(builder.getUnknownLoc(), text, std::nullopt);
  }
  EncodingInterface store(const PruningPattern &pattern, mlir::Attribute kept) {
    return pattern.store(kept, pattern.getKept(rows * columns),
                         [&] { return mlir::emitError(builder.getUnknownLoc()); });
  }

  std::vector<float> prune(const PruningPattern &pattern, mlir::Attribute kept,
                           GPTQResult *out = nullptr) {
    GPTQOptions options{store(pattern, kept)};
    auto prepared = llvm::cantFail(InverseHessian::create(hessian, columns, 0.01, false));
    WeightValues some = values;
    GPTQResult result = *pruneSparseGPT(parameter, some, prepared, options, pattern);
    std::vector<float> decoded = decode(result.weight.encoding, rows, columns, result.weight.bytes);
    for (size_t i = 0; i < decoded.size(); ++i)
      if (!some.kept[i])
        EXPECT_EQ(decoded[i], 0.0f);
    if (out)
      *out = std::move(result);
    return decoded;
  }

  std::vector<float> pruneWanda(const PruningPattern &pattern, QuantizedWeight *out = nullptr) {
    QuantizedWeight result = *pruneByWanda(parameter, values, hessian, pattern);
    std::vector<float> decoded = decode(result.encoding, rows, columns, result.bytes);
    if (out)
      *out = std::move(result);
    return decoded;
  }

  /// ‖(W − W')X‖ / ‖WX‖
  double getError(llvm::ArrayRef<float> decoded) const {
    double error = 0, whole = 0;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t j = 0; j < columns; ++j) {
          auto weight = [&](int64_t at) -> double { return values.row(row)[at]; };
          auto change = [&](int64_t at) { return weight(at) - decoded[row * columns + at]; };
          error += change(i) * hessian[i * columns + j] * change(j);
          whole += weight(i) * hessian[i * columns + j] * weight(j);
        }
    return std::sqrt(error / whole);
  }

  /// Rounds what `decoded` keeps to the nearest.
  std::vector<float> roundKept(llvm::ArrayRef<float> decoded, EncodingInterface encoding,
                               const PruningPattern &pattern) {
    WeightValues pruned{rows, columns, decoded.vec(), {}};
    for (float value : decoded)
      pruned.kept.push_back(value != 0);
    EncodingInterface sparse = store(pattern, encoding);
    QuantizedWeight rounded = *roundToNearest(parameter, pruned, sparse, false);
    return decode(sparse, rows, columns, rounded.bytes);
  }

  ParameterOp parameter;
  WeightValues values;
  Matrix hessian;
};

} // namespace

// Of scores that are the same the first are kept.
TEST_F(PruningTest, LargestScoresAreKept) {
  const std::vector<double> scores{3, 1, -2, 3, 0, 1, 1, 3};
  auto keep = [&](int64_t count) {
    std::array<bool, 8> kept;
    keepLargest(scores, count, kept);
    return kept;
  };
  EXPECT_EQ(keep(0), (std::array<bool, 8>{}));
  EXPECT_EQ(keep(2), (std::array<bool, 8>{true, false, false, true}));
  EXPECT_EQ(keep(5), (std::array<bool, 8>{true, true, false, true, false, true, false, true}));
  EXPECT_EQ(keep(7), (std::array<bool, 8>{true, true, false, true, true, true, true, true}));
  EXPECT_EQ(keep(8), (std::array<bool, 8>{true, true, true, true, true, true, true, true}));
}

TEST_F(PruningTest, SparseGPTIsTheAlgorithmOfThePaper) {
  Matrix damped = hessian;
  double mean = 0;
  for (int64_t i = 0; i < columns; ++i)
    mean += hessian[i * columns + i] / columns;
  for (int64_t i = 0; i < columns; ++i)
    damped[i * columns + i] += 0.01 * mean;
  Matrix u = factorInverse(damped, columns);
  for (auto [text, count, of] : {std::tuple("2:4", 2, 4), std::tuple("1:8", 1, 8)}) {
    GPTQResult result;
    std::vector<float> decoded = prune(parse(text), getFloats(), &result);
    double loss = 0;
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<double> w(values.row(row).begin(), values.row(row).end());
      std::vector<bool> kept(columns);
      for (int64_t column = 0; column < columns; ++column) {
        if (column % of == 0) {
          std::vector<std::pair<double, int64_t>> order;
          for (int64_t i = column; i < column + of; ++i)
            order.push_back({-std::pow(w[i] / u[i * columns + i], 2), i});
          std::sort(order.begin(), order.end());
          for (int64_t i = 0; i < count; ++i)
            kept[order[i].second] = true;
        }
        double q = kept[column] ? static_cast<float>(w[column]) : 0;
        double e = (w[column] - q) / u[column * columns + column];
        for (int64_t next = column + 1; next < columns; ++next)
          w[next] -= e * u[column * columns + next];
        loss += e * e / 2;
        ASSERT_NEAR(decoded[row * columns + column], q, 1e-5) << text << row << "," << column;
      }
    }
    EXPECT_NEAR(result.loss, loss, 1e-6 * loss);
    EXPECT_NEAR(*result.weight.outputError, getError(decoded), 1e-6);
  }
}

TEST_F(PruningTest, WandaKeepsTheLargestProducts) {
  QuantizedWeight result;
  std::vector<float> decoded = pruneWanda(parse("2:4"), &result);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t first = 0; first < columns; first += 4) {
      std::vector<std::pair<double, int64_t>> order;
      for (int64_t i = first; i < first + 4; ++i)
        order.push_back({-std::fabs(values.row(row)[i]) * std::sqrt(hessian[i * columns + i]), i});
      std::sort(order.begin(), order.end());
      for (int64_t place = 0; place < 4; ++place) {
        int64_t i = order[place].second;
        ASSERT_EQ(decoded[row * columns + i], place < 2 ? values.row(row)[i] : 0.0f);
      }
    }
  EXPECT_NEAR(*result.outputError, getError(decoded), 1e-6);
}

TEST_F(PruningTest, ErrorsAreThoseOfThePapers) {
  for (bool free : {false, true}) {
    PruningPattern pattern = free ? PruningPattern{0, 0, 0.5} : parse("2:4");
    double wanda = getError(pruneWanda(pattern));
    std::vector<float> pruned = prune(pattern, getFloats());
    double sparseGPT = getError(pruned);
    double joint = getError(prune(pattern, getIntegers(128)));
    double separate = getError(roundKept(pruned, getIntegers(128), pattern));
    std::printf("%s: SparseGPT / Wanda %.3f (%.3f), joint / separate %.3f\n", free ? "50 %" : "2:4",
                sparseGPT / wanda, sparseGPT, joint / separate);
    EXPECT_LT(sparseGPT, 0.82 * wanda);
    // Of 2:4 pruning loses far more than rounding to 4 bits does.
    EXPECT_LT(joint, separate);
  }
}

TEST_F(PruningTest, SharesAreThoseAskedFor) {
  for (double sparsity : {0.25, 0.5, 0.9}) {
    PruningPattern pattern{0, 0, sparsity};
    auto count = [](llvm::ArrayRef<float> values) {
      return values.size() - llvm::count(values, 0.0f);
    };
    EXPECT_EQ(count(prune(pattern, getFloats())), std::lround((1 - sparsity) * rows * columns));
    std::vector<float> ofRows = pruneWanda(pattern);
    for (int64_t row = 0; row < rows; ++row)
      EXPECT_EQ(count(llvm::ArrayRef(ofRows).slice(row * columns, columns)),
                std::lround((1 - sparsity) * columns));
  }
}

// What is chosen among all rows of 128 columns or so, by what they are then.
TEST_F(PruningTest, SharesOfColumnsAreThoseOfThePaper) {
  Matrix damped = hessian;
  double mean = 0;
  for (int64_t i = 0; i < columns; ++i)
    mean += hessian[i * columns + i] / columns;
  for (int64_t i = 0; i < columns; ++i)
    damped[i * columns + i] += 0.01 * mean;
  Matrix u = factorInverse(damped, columns);
  std::vector<float> decoded = prune({0, 0, 0.5}, getFloats());
  std::vector<double> w(values.data.begin(), values.data.end());
  for (int64_t begin = 0; begin < columns; begin += 128) {
    std::vector<std::pair<double, int64_t>> order;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = begin; i < begin + 128; ++i)
        order.push_back(
            {std::pow(w[row * columns + i] / u[i * columns + i], 2), row * columns + i});
    std::sort(order.begin(), order.end());
    std::vector<bool> pruned(rows * columns);
    for (size_t i = 0; i < order.size() / 2; ++i)
      pruned[order[i].second] = true;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = begin; i < begin + 128; ++i) {
        double weight = w[row * columns + i], q = pruned[row * columns + i] ? 0 : weight;
        for (int64_t next = i + 1; next < columns; ++next)
          w[row * columns + next] -= (weight - q) / u[i * columns + i] * u[i * columns + next];
        ASSERT_NEAR(decoded[row * columns + i], q, 1e-5) << row << ", " << i;
      }
  }
}

TEST_F(PruningTest, ColumnsOutOfOrderAreRefused) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    message = diagnostic.str();
    return mlir::success();
  });
  auto prepared = llvm::cantFail(InverseHessian::create(hessian, columns, 0.01, true));
  PruningPattern pattern = parse("2:4");
  GPTQOptions options{store(pattern, getFloats())};
  EXPECT_TRUE(mlir::failed(pruneSparseGPT(parameter, values, prepared, options, pattern)));
  EXPECT_NE(message.find("expected columns in order"), std::string::npos) << message;
}
