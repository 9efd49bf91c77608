//===- RaisedProgram.cpp - a raised model compiled and run on this machine ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RaisedProgram.h"
#include "llmc/Conversion/Kernels/Kernels.h"

#include <numeric>

using namespace mlir;
using namespace llmc;

FailureOr<RaisedProgram> RaisedProgram::compile(ModuleOp module) {
  auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step)
    return module.emitError("expected a raised module");
  std::optional<Target> target = getHostTarget();
  if (!target)
    return module.emitError("expected a machine that llmc generates code for");
  llvm::Expected<Workers> workers = Workers::create(/*threads=*/0);
  if (!workers)
    return module.emitError() << llvm::toString(workers.takeError());
  RaisedProgram program(std::move(*workers));
  FailureOr<WeightTable> table = WeightTable::plan(module);
  if (failed(table))
    return failure();
  FailureOr<OwningOpRef<ModuleOp>> planned = lowerPartToCPU(step, *table, *target, maxRows);
  if (failed(planned))
    return failure();
  llvm::Expected<HostCode> code =
      HostCode::compile(std::move(*planned), chooseOptLevel(table->getByteSize(), maxRows));
  if (!code)
    return module.emitError() << llvm::toString(code.takeError());
  program.code = std::move(*code);
  for (Type type : step.getResultTypes())
    program.widths.push_back(cast<RankedTensorType>(type).getDimSize(1));
  program.weights = Pages(table->getByteSize());
  if (failed(table->pack({program.weights.data(), program.weights.size()})))
    return failure();
  program.arena = Pages(program.code.arenaBytes);
  program.workerArena = Pages(program.code.workerArenaBytes * program.workers.size());
  program.restart();
  return program;
}

void RaisedProgram::restart() {
  state = Pages(code.stateBytes);
  position = 0;
}

std::vector<std::vector<float>> RaisedProgram::step(ArrayRef<int32_t> tokens) {
  size_t rows = tokens.size();
  std::vector<int32_t> positions(rows), sequences(rows, 0), outputs(rows);
  std::iota(positions.begin(), positions.end(), static_cast<int32_t>(position));
  std::iota(outputs.begin(), outputs.end(), 0);
  std::vector<Pages> results;
  std::vector<float *> addresses;
  for (int64_t width : widths) {
    results.emplace_back(rows * getRowStride(width) * sizeof(float));
    addresses.push_back(results.back().floats());
  }
  uint8_t *states[] = {state.data()};
  llmc_step call{};
  call.weights = weights.data();
  call.arena = arena.data();
  call.worker_arena = workerArena.data();
  call.states = states;
  call.tokens = tokens.data();
  call.positions = positions.data();
  call.sequences = sequences.data();
  call.outputs = outputs.data();
  call.rows = call.output_rows = static_cast<int64_t>(rows);
  call.activations = addresses.data();
  workers.runStep(code.step, call);
  position += static_cast<int64_t>(rows);
  std::vector<std::vector<float>> values;
  for (auto [page, width] : llvm::zip(results, widths)) {
    std::vector<float> &matrix = values.emplace_back();
    for (size_t row = 0; row < rows; ++row) {
      const float *start = page.floats() + row * getRowStride(width);
      matrix.insert(matrix.end(), start, start + width);
    }
  }
  return values;
}
