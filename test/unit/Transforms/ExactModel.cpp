//===- ExactModel.cpp - a model computed in fp64 ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExactModel.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"
#include "llmc/Dialect/LLMC/IR/Nonlinearities.h"
#include "llmc/Support/Hadamard.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

struct Rows {
  int64_t count = 0, width = 0;
  std::vector<double> data;

  Rows() = default;
  Rows(int64_t count, int64_t width) : count(count), width(width), data(count * width, 0) {}
  double &at(int64_t row, int64_t column) { return data[row * width + column]; }
  double at(int64_t row, int64_t column) const { return data[row * width + column]; }
};

class ExactModel {
public:
  ExactModel(const ParameterRewrite &rewrite, ArrayRef<int32_t> tokens)
      : rewrite(rewrite), tokens(tokens) {}

  std::optional<std::vector<double>> run(func::FuncOp step, std::string &unknown) {
    for (Operation &op : step.getBody().front().without_terminator())
      if (!compute(&op)) {
        unknown = op.getName().getStringRef();
        return std::nullopt;
      }
    return rows[step.getBody().front().getTerminator()->getOperand(0)].data;
  }

private:
  struct Cache {
    Rows keys, values;
  };

  /// Whether the operation is known.
  bool compute(Operation *op) {
    return llvm::TypeSwitch<Operation *, bool>(op)
        .Case<ParameterValueOp, PositionsOp, tensor::DimOp, arith::ConstantOp>(
            [](Operation *) { return true; })
        .Case([&](EmbeddingOp embedding) { return set(op, embed(embedding)); })
        .Case([&](LinearOp linear) { return set(op, apply(linear)); })
        .Case([&](RMSNormOp norm) { return set(op, normalize(norm)); })
        .Case([&](LayerNormOp norm) { return set(op, normalize(norm)); })
        .Case([&](RopeOp rope) { return set(op, rotate(rope)); })
        .Case([&](HadamardOp hadamard) { return set(op, rotate(hadamard)); })
        .Case([&](TakeColumnsOp taken) { return set(op, take(taken)); })
        .Case([&](ClearColumnsOp cleared) { return set(op, clear(cleared)); })
        .Case([&](AttentionOp attention) { return set(op, attend(attention)); })
        .Case([&](CacheAppendOp append) {
          caches[append.getResult()] = {get(append.getKeys()), get(append.getValues())};
          return true;
        })
        .Case([&](OutputRowsOp output) { return set(op, get(output.getInput())); })
        .Case([&](ScaleOp scale) {
          double factor = scale.getFactor().convertToDouble();
          return map(op, [&](double x, double) { return x * factor; });
        })
        .Case([&](ActivationOp activation) {
          return map(
              op, [&](double x, double) { return applyNonlinearity(activation.getFunction(), x); });
        })
        .Case([&](GateOp gate) {
          return map(
              op, [&](double x, double y) { return applyNonlinearity(gate.getFunction(), x) * y; });
        })
        .Case([&](arith::AddFOp) { return map(op, [](double x, double y) { return x + y; }); })
        .Case([&](tensor::ExtractSliceOp slice) { return set(op, cut(slice)); })
        .Default(false);
  }

  bool set(Operation *op, Rows value) {
    rows[op->getResult(0)] = std::move(value);
    return true;
  }
  const Rows &get(Value value) { return rows[value]; }
  ExactValues parameter(Value value) { return *rewrite.evaluate(getParameterOf(value)); }

  /// Of one or two operands, element by element.
  template <typename Function>
  bool map(Operation *op, Function function) {
    Rows result = get(op->getOperand(0));
    const Rows &second = get(op->getOperand(op->getNumOperands() - 1));
    for (size_t i = 0; i < result.data.size(); ++i)
      result.data[i] = function(result.data[i], second.data[i]);
    return set(op, std::move(result));
  }

  Rows embed(EmbeddingOp op) {
    ExactValues table = parameter(op.getTable());
    bool ofPositions = op.getIndices().getDefiningOp<PositionsOp>() != nullptr;
    Rows result(tokens.size(), table.columns);
    for (int64_t row = 0; row < result.count; ++row)
      llvm::copy(table.row(ofPositions ? row : tokens[row]), &result.at(row, 0));
    return result;
  }

  Rows apply(LinearOp op) {
    const Rows &input = get(op.getInput());
    ExactValues weight = parameter(op.getWeight());
    Rows result(input.count, weight.rows);
    std::vector<double> bias =
        op.getBias() ? parameter(op.getBias()).data : std::vector<double>(weight.rows, 0);
    for (int64_t row = 0; row < input.count; ++row)
      for (int64_t out = 0; out < weight.rows; ++out) {
        double sum = bias[out];
        for (int64_t in = 0; in < weight.columns; ++in)
          sum += input.at(row, in) * weight.data[out * weight.columns + in];
        result.at(row, out) = sum;
      }
    return result;
  }

  Rows normalize(RMSNormOp op) {
    Rows result = get(op.getInput());
    ExactValues gain = parameter(op.getGain());
    int64_t part = result.width / static_cast<int64_t>(op.getGroups());
    for (int64_t begin = 0; begin < static_cast<int64_t>(result.data.size()); begin += part) {
      double squares = 0;
      for (int64_t i = begin; i < begin + part; ++i)
        squares += result.data[i] * result.data[i];
      double factor =
          1 / std::sqrt(squares / static_cast<double>(part) + op.getEpsilon().convertToDouble());
      for (int64_t i = 0; i < part; ++i)
        result.data[begin + i] *= factor * gain.data[i];
    }
    return result;
  }

  Rows normalize(LayerNormOp op) {
    Rows result = get(op.getInput());
    ExactValues gain = parameter(op.getGain());
    std::vector<double> bias =
        op.getBias() ? parameter(op.getBias()).data : std::vector<double>(result.width, 0);
    for (int64_t row = 0; row < result.count; ++row) {
      double mean = 0, variance = 0;
      for (int64_t i = 0; i < result.width; ++i)
        mean += result.at(row, i) / static_cast<double>(result.width);
      for (int64_t i = 0; i < result.width; ++i)
        variance += (result.at(row, i) - mean) * (result.at(row, i) - mean) /
                    static_cast<double>(result.width);
      double factor = 1 / std::sqrt(variance + op.getEpsilon().convertToDouble());
      for (int64_t i = 0; i < result.width; ++i)
        result.at(row, i) = (result.at(row, i) - mean) * factor * gain.data[i] + bias[i];
    }
    return result;
  }

  Rows rotate(RopeOp op) {
    Rows result = get(op.getInput());
    int64_t size = result.width / static_cast<int64_t>(op.getHeads());
    ArrayRef<float> frequencies = op.getFrequencies();
    int64_t pairs = frequencies.size();
    double scaling = op.getScaling().convertToDouble();
    for (int64_t row = 0; row < result.count; ++row)
      for (int64_t head = 0; head < result.width; head += size)
        for (int64_t i = 0; i < pairs; ++i) {
          double angle = static_cast<float>(row) * frequencies[i];
          double &x = result.at(row, head + (op.getInterleaved() ? 2 * i : i));
          double &y = result.at(row, head + (op.getInterleaved() ? 2 * i + 1 : i + pairs));
          double before = x;
          x = scaling * (before * std::cos(angle) - y * std::sin(angle));
          y = scaling * (y * std::cos(angle) + before * std::sin(angle));
        }
    return result;
  }

  Rows rotate(HadamardOp op) {
    Rows result = get(op.getInput());
    int64_t order = op.getOrder();
    Hadamard matrix = *Hadamard::get(order);
    for (int64_t i = 0; i < static_cast<int64_t>(result.data.size()); i += order) {
      MutableArrayRef<double> block = MutableArrayRef<double>(result.data).slice(i, order);
      op.getTransposed() ? matrix.applyTransposed(block) : matrix.apply(block);
    }
    return result;
  }

  Rows take(TakeColumnsOp op) {
    const Rows &input = get(op.getInput());
    Rows result(input.count, op.getType().getDimSize(1));
    for (int64_t row = 0; row < input.count; ++row)
      for (auto [place, column] : llvm::enumerate(op.getColumns()))
        result.at(row, static_cast<int64_t>(place)) = input.at(row, column);
    return result;
  }

  Rows clear(ClearColumnsOp op) {
    Rows result = get(op.getInput());
    for (int64_t row = 0; row < result.count; ++row)
      for (int32_t column : op.getColumns())
        result.at(row, column) = 0;
    return result;
  }

  Rows cut(tensor::ExtractSliceOp op) {
    const Rows &input = get(op.getSource());
    int64_t begin = op.getStaticOffsets()[1], size = op.getStaticSizes()[1];
    Rows result(input.count, size);
    for (int64_t row = 0; row < input.count; ++row)
      for (int64_t i = 0; i < size; ++i)
        result.at(row, i) = input.at(row, begin + i);
    return result;
  }

  double getScore(AttentionOp op, const Cache &cache, int64_t head, int64_t row, int64_t at) {
    const Rows &query = get(op.getQuery());
    int64_t size = query.width / static_cast<int64_t>(op.getHeads());
    int64_t shared = static_cast<int64_t>(op.getHeads()) / (cache.keys.width / size);
    double score = 0;
    for (int64_t i = 0; i < size; ++i)
      score += query.at(row, head * size + i) * cache.keys.at(at, head / shared * size + i);
    score *= op.getScale().convertToDouble();
    if (op.getSoftcap()) {
      double cap = op.getSoftcap()->convertToDouble();
      score = cap * std::tanh(score / cap);
    }
    if (op.getSlopes())
      score += (*op.getSlopes())[head] * static_cast<double>(at - row);
    return score;
  }

  Rows attend(AttentionOp op) {
    const Cache &cache = caches[op.getCache()];
    const Rows &query = get(op.getQuery());
    auto heads = static_cast<int64_t>(op.getHeads());
    int64_t valueHeads = op.getCache().getType().getValueHeads();
    int64_t size = cache.values.width / valueHeads, shared = heads / valueHeads;
    Rows result(query.count, heads * size);
    for (int64_t row = 0; row < query.count; ++row)
      for (int64_t head = 0; head < heads; ++head) {
        double total = op.getSinks() ? std::exp(parameter(op.getSinks()).data[head]) : 0;
        int64_t first = op.getWindow() ? std::max<int64_t>(0, row - *op.getWindow() + 1) : 0;
        for (int64_t at = first; at <= row; ++at) {
          double weight = std::exp(getScore(op, cache, head, row, at));
          total += weight;
          for (int64_t i = 0; i < size; ++i)
            result.at(row, head * size + i) +=
                weight * cache.values.at(at, head / shared * size + i);
        }
        for (int64_t i = 0; i < size; ++i)
          result.at(row, head * size + i) /= total;
      }
    return result;
  }

  const ParameterRewrite &rewrite;
  ArrayRef<int32_t> tokens;
  llvm::DenseMap<Value, Rows> rows;
  llvm::DenseMap<Value, Cache> caches;
};

} // namespace

std::optional<std::vector<double>> llmc::test::computeLogits(func::FuncOp step,
                                                             const ParameterRewrite &rewrite,
                                                             ArrayRef<int32_t> tokens,
                                                             std::string &unknown) {
  return ExactModel(rewrite, tokens).run(step, unknown);
}

double llmc::test::getRelativeDifference(ArrayRef<double> expected, ArrayRef<double> found) {
  double largest = 0, difference = 0;
  for (auto [a, b] : llvm::zip_equal(expected, found)) {
    largest = std::max(largest, std::fabs(a));
    // What is not a number differs from everything.
    difference = std::fabs(a - b) <= difference ? difference : std::fabs(a - b);
  }
  return difference / largest;
}
