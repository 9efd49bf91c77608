//===- SelfGeneration.cpp - text that a model writes itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SelfGeneration.h"
#include "llmc/Support/ProgressLine.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace mlir;
using namespace llmc;

/// Sequences that are written side by side at most: enough that the weights, which are read once
/// for all of them, no longer matter.
static constexpr int64_t maxSequences = 64;
/// A sample is several texts of this length, each from a new beginning: what a model samples drifts
/// away from what it was trained on, the more so the longer it goes on.
static constexpr int64_t textTokens = 128;
/// The most likely tokens after the first one of a text.
static constexpr int64_t greedyTokens = 4;

namespace {

class Generator {
public:
  Generator(const CalibrationOptions &options, std::vector<int32_t> beginTokens, Workers &workers)
      : options(options), beginTokens(std::move(beginTokens)), workers(workers) {}

  LogicalResult compile(ModuleOp module);
  CalibrationTokens run();

private:
  /// Sequences whose caches the memory bound allows side by side. Their number changes no bit.
  int64_t countSequences() const;
  /// Writes samples [begin, begin + count) side by side.
  void writeBatch(int64_t begin, int64_t count, CalibrationTokens &tokens, ProgressLine &progress);
  int32_t choose(const float *row, bool greedy, std::mt19937_64 &random) const;

  const CalibrationOptions &options;
  std::vector<int32_t> beginTokens;
  Workers &workers;
  HostCode code;
  int64_t vocabulary = 0, context = 0;
  Pages weights, arena, workerArena, logits;
};

} // namespace

LogicalResult Generator::compile(ModuleOp module) {
  std::optional<Target> target = getHostTarget();
  if (!target)
    return emitError(module.getLoc(), "expected a machine that llmc generates code for");
  FailureOr<WeightTable> table = WeightTable::plan(module);
  if (failed(table))
    return failure();
  FailureOr<OwningOpRef<ModuleOp>> program = lowerToCPU(module, *table, *target, maxSequences);
  if (failed(program))
    return failure();
  spmd::SizesAttr sizes = getProgram(**program).getSizes();
  vocabulary = sizes.getVocabulary();
  context = sizes.getPositions();
  for (int32_t token : beginTokens)
    if (token >= vocabulary)
      return emitError(module.getLoc(), "calibration: expected a token that begins texts below ")
             << vocabulary << ", found " << token;
  llvm::Expected<HostCode> compiled = HostCode::compile(std::move(*program));
  if (!compiled)
    return emitError(module.getLoc()) << llvm::toString(compiled.takeError());
  code = std::move(*compiled);
  weights = Pages(table->getByteSize());
  arena = Pages(code.arenaBytes);
  workerArena = Pages(code.workerArenaBytes * workers.size());
  logits = Pages(maxSequences * vocabulary * sizeof(float));
  return table->pack({weights.data(), weights.size()});
}

int64_t Generator::countSequences() const {
  // A cache takes memory for the positions that are written.
  int64_t positions = std::min(options.sequenceLength, textTokens);
  int64_t bytes = llvm::divideCeil(code.stateBytes * positions, context);
  int64_t allowed = options.memory / std::max<int64_t>(bytes, 1);
  return std::clamp<int64_t>(std::min(allowed, options.samples), 1, maxSequences);
}

int32_t Generator::choose(const float *row, bool greedy, std::mt19937_64 &random) const {
  const float *largest = std::max_element(row, row + vocabulary);
  if (greedy)
    return static_cast<int32_t>(largest - row);
  std::vector<double> sums(vocabulary);
  double sum = 0;
  for (int64_t token = 0; token < vocabulary; ++token)
    sums[token] = sum += std::exp(static_cast<double>(row[token]) - *largest);
  // 53 random bits: a double in [0, 1).
  double drawn = static_cast<double>(random() >> 11) * 0x1p-53 * sum;
  auto found = std::upper_bound(sums.begin(), sums.end(), drawn);
  return static_cast<int32_t>(std::min<int64_t>(found - sums.begin(), vocabulary - 1));
}

void Generator::writeBatch(int64_t begin, int64_t count, CalibrationTokens &tokens,
                           ProgressLine &progress) {
  int64_t stateBytes = llvm::alignTo(code.stateBytes, LLMC_ALIGNMENT);
  Pages memory(stateBytes * count);
  std::vector<uint8_t *> states;
  std::vector<std::mt19937_64> randoms;
  std::vector<int32_t> sequences, positions(count), current(count);
  for (int64_t i = 0; i < count; ++i) {
    states.push_back(memory.data() + i * stateBytes);
    sequences.push_back(i);
    // Seeds side by side give unrelated numbers: the generator mixes what it is seeded with.
    std::seed_seq seed{static_cast<uint32_t>(options.seed),
                       static_cast<uint32_t>(options.seed >> 32), static_cast<uint32_t>(begin + i)};
    randoms.emplace_back(seed);
  }
  llmc_step step{};
  step.weights = weights.data();
  step.arena = arena.data();
  step.worker_arena = workerArena.data();
  step.states = states.data();
  step.sequences = step.outputs = sequences.data();
  step.tokens = current.data();
  step.positions = positions.data();
  step.logits = logits.floats();
  step.rows = step.output_rows = count;
  const int64_t first = beginTokens.size();
  for (int64_t place = 0; place < tokens.length; ++place) {
    // A new text begins at position 0, where it overwrites the one before.
    int64_t position = place % textTokens;
    if (position > 0)
      workers.runStep(code.step, step);
    workers.run(count, [&](int64_t i, unsigned) {
      if (position < first)
        current[i] = beginTokens[position];
      else if (position == first)
        current[i] = static_cast<int32_t>(randoms[i]() % vocabulary);
      else
        current[i] =
            choose(logits.floats() + i * vocabulary, position - first <= greedyTokens, randoms[i]);
    });
    for (int64_t i = 0; i < count; ++i)
      tokens.ids[(begin + i) * tokens.length + place] = current[i];
    std::fill(positions.begin(), positions.end(), position);
    progress.advance("text");
  }
}

CalibrationTokens Generator::run() {
  CalibrationTokens tokens;
  tokens.length = options.sequenceLength;
  tokens.ids.resize(options.samples * tokens.length);
  int64_t batches = llvm::divideCeil(options.samples, countSequences());
  // As many in each batch as in any other, but for the last.
  int64_t size = llvm::divideCeil(options.samples, batches);
  ProgressLine progress("calibration text", batches * tokens.length);
  for (int64_t begin = 0; begin < options.samples; begin += size)
    writeBatch(begin, std::min(size, options.samples - begin), tokens, progress);
  return tokens;
}

FailureOr<CalibrationTokens> llmc::generateTokens(ModuleOp module,
                                                  const CalibrationOptions &options,
                                                  std::vector<int32_t> beginTokens,
                                                  Workers &workers) {
  Generator generator(options, std::move(beginTokens), workers);
  if (failed(generator.compile(module)))
    return failure();
  return generator.run();
}
