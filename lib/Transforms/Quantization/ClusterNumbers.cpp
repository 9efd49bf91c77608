//===- ClusterNumbers.cpp - the numbers that lose least of others ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In one dimension clusters are intervals. With D(k, j) the least loss of the first j numbers in k
// clusters, D(k, j) = min over i of D(k − 1, i) + the loss of the numbers from i to j as one; where
// the last cluster starts grows with j, so that each k is found by halves.
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Quantization/Codebook.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <limits>
#include <tuple>

using namespace mlir;
using namespace llmc;

namespace {

class Clusters {
public:
  /// `numbers` are in ascending order, and there are more than `count`.
  Clusters(ArrayRef<WeighedNumber> numbers, unsigned count) : numbers(numbers), count(count) {
    // Around a number in the middle, sums of squares keep their digits.
    middle = numbers[numbers.size() / 2].value;
    sums.resize(numbers.size() + 1);
    for (auto [index, number] : llvm::enumerate(numbers)) {
      double value = number.value - middle, importance = number.importance;
      const Sums &before = sums[index];
      sums[index + 1] = {before.weight + importance, before.first + importance * value,
                         before.second + importance * value * value};
    }
  }

  std::vector<float> run() {
    size_t size = numbers.size();
    losses.resize(size + 1);
    for (size_t end = 1; end <= size; ++end)
      losses[end] = getLoss(0, end);
    next.resize(size + 1);
    starts.assign(static_cast<size_t>(count) * (size + 1), 0);
    for (unsigned cluster = 1; cluster < count; ++cluster) {
      // Every cluster has a number.
      find(cluster, cluster + 1, size, cluster, size - 1);
      std::swap(losses, next);
    }
    return trace();
  }

private:
  struct Sums {
    double weight, first, second;
  };

  /// Of numbers [begin, end) as one cluster.
  double getLoss(size_t begin, size_t end) const {
    double weight = sums[end].weight - sums[begin].weight;
    double first = sums[end].first - sums[begin].first;
    double second = sums[end].second - sums[begin].second;
    return weight > 0 ? std::max(second - first * first / weight, 0.0) : 0;
  }

  uint32_t &getStart(unsigned cluster, size_t end) {
    return starts[cluster * (numbers.size() + 1) + end];
  }

  /// Where the last cluster starts of the first `end` numbers, for all from `low` to `high`, which
  /// is from `least` to `most`.
  void find(unsigned cluster, size_t low, size_t high, size_t least, size_t most) {
    if (low > high)
      return;
    size_t end = low + (high - low) / 2, best = least;
    double loss = std::numeric_limits<double>::infinity();
    for (size_t start = least, last = std::min(most, end - 1); start <= last; ++start) {
      double here = losses[start] + getLoss(start, end);
      if (here < loss) {
        loss = here;
        best = start;
      }
    }
    next[end] = loss;
    getStart(cluster, end) = static_cast<uint32_t>(best);
    find(cluster, low, end - 1, least, best);
    find(cluster, end + 1, high, best, most);
  }

  std::vector<float> trace() {
    std::vector<float> result(count);
    size_t end = numbers.size();
    for (unsigned cluster = count; cluster-- > 0;) {
      size_t begin = cluster == 0 ? 0 : getStart(cluster, end);
      result[cluster] = getMean(begin, end);
      end = begin;
    }
    return result;
  }

  float getMean(size_t begin, size_t end) const {
    double weight = sums[end].weight - sums[begin].weight;
    if (!(weight > 0))
      return numbers[begin + (end - begin) / 2].value;
    double mean = middle + (sums[end].first - sums[begin].first) / weight;
    // What sums have lost doesn't lead out of the cluster.
    return std::clamp(static_cast<float>(mean), numbers[begin].value, numbers[end - 1].value);
  }

  ArrayRef<WeighedNumber> numbers;
  unsigned count;
  double middle = 0;
  std::vector<Sums> sums;           ///< of the first numbers
  std::vector<double> losses, next; ///< of the first numbers, in one cluster less, and in this one
  std::vector<uint32_t> starts;     ///< [count, size + 1]
};

} // namespace

std::vector<float> llmc::clusterNumbers(std::vector<WeighedNumber> numbers, unsigned count) {
  llvm::sort(numbers, [](const WeighedNumber &a, const WeighedNumber &b) {
    return std::tie(a.value, a.importance) < std::tie(b.value, b.importance);
  });
  // The same numbers are one.
  size_t size = 0;
  for (const WeighedNumber &number : numbers) {
    if (size > 0 && numbers[size - 1].value == number.value)
      numbers[size - 1].importance += number.importance;
    else
      numbers[size++] = number;
  }
  numbers.resize(size);
  if (size > count)
    return Clusters(numbers, count).run();
  std::vector<float> result;
  result.reserve(count);
  for (const WeighedNumber &number : numbers)
    result.push_back(number.value);
  result.resize(count, result.empty() ? 0 : result.back());
  return result;
}
