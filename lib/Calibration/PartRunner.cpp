//===- PartRunner.cpp - runs parts of a model over all samples ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PartRunner.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Support/Stopwatch.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

/// Rows of a batch, if samples are short enough: what is summed in fp32 before it goes to double.
static constexpr int64_t batchRows = 1024;
/// Rows of a step: enough for matrix products to run at full speed.
static constexpr int64_t maxStepRows = 256;

static int64_t getStride(Value value) {
  return getRowStride(cast<RankedTensorType>(value.getType()).getDimSize(1));
}

PartRunner::PartRunner(const CalibrationTokens &tokens, Workers &workers, RowStore &rows,
                       CalibrationTimes &times)
    : tokens(tokens), workers(workers), rows(rows), times(times) {
  samplesPerBatch = std::max<int64_t>(1, batchRows / tokens.length);
  stepRows = std::min(maxStepRows, tokens.length);
  batches = (tokens.getSamples() + samplesPerBatch - 1) / samplesPerBatch;
  positions.resize(tokens.length);
  std::iota(positions.begin(), positions.end(), 0);
  zeros.resize(tokens.length);
}

int64_t PartRunner::getRows(int64_t batch) const {
  return std::min(samplesPerBatch, tokens.getSamples() - batch * samplesPerBatch) * tokens.length;
}

FailureOr<const HostCode *> PartRunner::compile(Part &part, const WeightTable &table) {
  auto [entry, isNew] = codes.try_emplace(part.getStructure());
  if (!isNew)
    return &entry->second;
  TimedScope scope(times.compile);
  std::optional<Target> target = getHostTarget();
  if (!target)
    return emitError(part.function.getLoc(), "expected a machine that llmc generates code for");
  FailureOr<OwningOpRef<ModuleOp>> program =
      lowerPartToCPU(part.function, table, *target, stepRows);
  if (failed(program))
    return failure();
  llvm::Expected<HostCode> compiled =
      HostCode::compile(std::move(*program),
                        chooseOptLevel(table.getByteSize(), tokens.getSamples() * tokens.length));
  if (!compiled)
    return emitError(part.function.getLoc()) << llvm::toString(compiled.takeError());
  entry->second = std::move(*compiled);
  return &entry->second;
}

LogicalResult PartRunner::prepare(Part &part) {
  // Parts of the same structure share their code.
  FailureOr<WeightTable> table = WeightTable::planByTypes(*part.module);
  if (failed(table))
    return failure();
  FailureOr<const HostCode *> compiled = compile(part, *table);
  if (failed(compiled))
    return failure();
  code = *compiled;
  TimedScope scope(times.forward);
  weights = Pages(table->getByteSize());
  if (failed(table->pack({weights.data(), weights.size()})))
    return failure();
  arena = Pages(code->arenaBytes);
  workerArena = Pages(code->workerArenaBytes * workers.size());
  state = Pages(code->stateBytes);
  spares.clear();
  spares.resize(part.inputs.size() + part.results.size());
  strides.clear();
  for (Value value : part.inputs)
    strides.push_back(getStride(value));
  for (Value value : part.results)
    strides.push_back(getStride(value));
  return success();
}

void PartRunner::runSamples(int64_t batch) {
  std::vector<float *> addresses(activations.size());
  llmc_step step{};
  step.weights = weights.data();
  step.arena = arena.data();
  step.worker_arena = workerArena.data();
  uint8_t *states[] = {state.data()};
  step.states = states;
  step.sequences = zeros.data();
  step.activations = addresses.data();
  for (int64_t row = 0, count = getRows(batch); row < count;) {
    int64_t position = row % tokens.length;
    step.rows = std::min(stepRows, tokens.length - position);
    step.tokens = tokens.ids.data() + batch * samplesPerBatch * tokens.length + row;
    step.positions = positions.data() + position;
    for (auto [index, address] : llvm::enumerate(addresses))
      address = activations[index] + row * strides[index];
    workers.runStep(code->step, step);
    row += step.rows;
  }
}

LogicalResult PartRunner::runBatch(Part &part, int64_t batch) {
  TimedScope scope(times.forward);
  auto report = [&](llvm::Error error) -> LogicalResult {
    return emitError(part.function.getLoc()) << llvm::toString(std::move(error));
  };
  activations.clear();
  for (Value value : part.inputs) {
    llvm::Expected<const float *> input = rows.load(value, batch, spares[activations.size()]);
    if (!input)
      return report(input.takeError());
    activations.push_back(const_cast<float *>(*input));
  }
  for (Value value : part.results)
    activations.push_back(rows.prepare(value, batch,
                                       getRows(batch) * strides[activations.size()] * 4,
                                       spares[activations.size()]));
  runSamples(batch);
  for (auto [index, value] : llvm::enumerate(part.results))
    if (llvm::Error error = rows.store(value, batch, activations[part.inputs.size() + index]))
      return report(std::move(error));
  return success();
}

LogicalResult PartRunner::run(Part &part, int64_t samples,
                              function_ref<LogicalResult(int64_t batch, int64_t rows)> finish) {
  // Where nothing is left to compute, the values are there already.
  bool anything = !part.results.empty();
  if (anything && failed(prepare(part)))
    return failure();
  int64_t left =
      (samples ? std::min(samples, tokens.getSamples()) : tokens.getSamples()) * tokens.length;
  for (int64_t batch = 0; batch < batches && left > 0; ++batch) {
    int64_t count = std::min(getRows(batch), left);
    if ((anything && failed(runBatch(part, batch))) || failed(finish(batch, count)))
      return failure();
    left -= count;
  }
  for (Pages *buffer : {&weights, &arena, &workerArena, &state})
    *buffer = Pages();
  spares.clear();
  return success();
}
