//===- Calibration.cpp - what linears see while the model runs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/Calibration.h"
#include "Fingerprint.h"
#include "FlatModel.h"
#include "PartRunner.h"
#include "StatisticsAccumulator.h"
#include "StatisticsFile.h"
#include "Stopwatch.h"
#include "Tokens.h"
#include "llmc/Conversion/Kernels/Kernels.h"

using namespace mlir;
using namespace llmc;

namespace {

class Walk {
public:
  Walk(ModuleOp module, const CalibrationOptions &options, const CalibrationRequest &request)
      : module(module), options(options), request(request), rows(options.memory) {}

  FailureOr<CalibrationTimes> run();

private:
  LogicalResult report(llvm::Error error) {
    if (!error)
      return success();
    return module.emitError() << llvm::toString(std::move(error));
  }
  LogicalResult checkOptions();
  LogicalResult readSamples();
  LogicalResult visitSaved();
  LogicalResult openWriter();

  /// The cuts of a block: [begin, end).
  struct Block {
    int64_t begin, end;
  };
  std::vector<Block> getBlocks() const;
  LogicalResult runBlock(Block block);
  /// Computes a part. Rows that it is the last to read are released, but not those of values older
  /// than part `keepBefore`.
  LogicalResult runPart(int64_t index, int64_t keepBefore, CalibrationSite *site);
  LogicalResult visit(int64_t index, CalibrationSite &site);
  CalibrationSite makeSite(int64_t index) const;

  ModuleOp module;
  const CalibrationOptions &options;
  const CalibrationRequest &request;
  CalibrationTimes times;
  RowStore rows;
  std::string modelFingerprint;
  CalibrationTokens tokens;
  std::optional<Workers> workers;
  std::optional<FlatModel> flat;
  std::optional<PartRunner> runner;
  std::unique_ptr<StatisticsWriter> writer;
};

} // namespace

LogicalResult Walk::checkOptions() {
  auto atLeastOne = [&](StringRef name, int64_t value) -> LogicalResult {
    if (value >= 1)
      return success();
    return module.emitError("calibration: expected ") << name << " of at least 1, found " << value;
  };
  if (failed(atLeastOne("samples", options.samples)) ||
      failed(atLeastOne("sequence-length", options.sequenceLength)))
    return failure();
  if (options.memory < 0)
    return module.emitError("calibration: expected a bound of memory that is not negative, found ")
           << options.memory;
  return success();
}

LogicalResult Walk::readSamples() {
  Stopwatch watch(times.tokens);
  FailureOr<TokenLimits> limits = TokenLimits::get(module);
  if (failed(limits))
    return failure();
  if (options.sequenceLength > limits->context)
    return module.emitError("calibration: expected a sequence-length of at most the model's ")
           << limits->context << ", found " << options.sequenceLength;
  llvm::Expected<CalibrationTokens> read = readTokens(module, *limits, options);
  if (!read)
    return report(read.takeError());
  tokens = std::move(*read);
  return success();
}

CalibrationSite Walk::makeSite(int64_t index) const {
  const Cut &cut = flat->getCuts()[index];
  CalibrationSite site;
  site.linears = cut.linears;
  site.parameters = cut.parameters;
  for (auto [other, candidate] : llvm::enumerate(flat->getCuts())) {
    site.index += !candidate.startsBlock && static_cast<int64_t>(other) < index;
    site.count += !candidate.startsBlock;
  }
  return site;
}

LogicalResult Walk::visit(int64_t index, CalibrationSite &site) {
  if (writer)
    if (failed(report(writer->write(flat->getCuts()[index], site.statistics))))
      return failure();
  Stopwatch watch(times.visit);
  return request.visit(site);
}

LogicalResult Walk::visitSaved() {
  std::string tokensFingerprint;
  if (!options.calibration.empty()) {
    if (failed(readSamples()))
      return failure();
    tokensFingerprint = getFingerprint(tokens);
  }
  llvm::Expected<StatisticsReader> reader =
      StatisticsReader::open(options.statistics, modelFingerprint, tokensFingerprint);
  if (!reader)
    return report(reader.takeError());
  for (auto [index, cut] : llvm::enumerate(flat->getCuts())) {
    if (cut.startsBlock)
      continue;
    CalibrationSite site = makeSite(index);
    llvm::Expected<InputStatistics> statistics = reader->read(cut, request.statistics);
    if (!statistics)
      return report(statistics.takeError());
    site.statistics = std::move(*statistics);
    if (failed(visit(index, site)))
      return failure();
  }
  return success();
}

std::vector<Walk::Block> Walk::getBlocks() const {
  std::vector<Block> blocks;
  for (auto [index, cut] : llvm::enumerate(flat->getCuts())) {
    int64_t position = index;
    if (position == 0 || cut.startsBlock)
      blocks.push_back({position, position});
    blocks.back().end = position + 1;
  }
  return blocks;
}

/// Takes rows of a batch into what is handed out as inputs.
static void takeInputs(const float *batch, int64_t count, int64_t stride, int64_t seen,
                       int64_t total, int64_t wanted, InputStatistics &statistics) {
  // Row i · total / wanted for every i.
  for (int64_t row = 0; row < count; ++row) {
    int64_t index = seen + row, next = index + 1;
    if ((next * wanted + total - 1) / total == (index * wanted + total - 1) / total)
      continue;
    const float *x = batch + row * stride;
    statistics.inputs.insert(statistics.inputs.end(), x, x + statistics.width);
  }
}

LogicalResult Walk::runPart(int64_t index, int64_t keepBefore, CalibrationSite *site) {
  Part part = flat->buildPart(index);
  Value value = flat->getCuts()[index].value;
  int64_t width = cast<RankedTensorType>(value.getType()).getDimSize(1);
  std::optional<StatisticsAccumulator> accumulator;
  InputStatistics inputs;
  inputs.width = width;
  if (site)
    accumulator.emplace(request.statistics, width, *workers);
  int64_t total = tokens.ids.size();
  int64_t wanted = std::min(request.inputRows, total), seen = 0;
  AlignedBuffer spare;
  auto finish = [&](int64_t batch) -> LogicalResult {
    int64_t count = runner->getRows(batch);
    if (site) {
      Stopwatch watch(times.statistics);
      llvm::Expected<const float *> x = rows.load(value, batch, spare);
      if (!x)
        return report(x.takeError());
      accumulator->add(*x, count, getRowStride(width));
      if (wanted)
        takeInputs(*x, count, getRowStride(width), seen, total, wanted, inputs);
      seen += count;
    }
    auto release = [&](Value used) {
      if (flat->getLastUse(used) <= index && flat->getLevel(used) >= keepBefore)
        rows.release(used, batch);
    };
    llvm::for_each(part.inputs, release);
    llvm::for_each(part.results, release);
    return success();
  };
  if (failed(runner->run(part, finish)))
    return failure();
  if (site) {
    site->statistics = accumulator->finish();
    site->statistics.inputs = std::move(inputs.inputs);
  }
  return success();
}

LogicalResult Walk::runBlock(Block block) {
  ArrayRef<Cut> cuts = flat->getCuts();
  bool hasStart = cuts[block.begin].startsBlock;
  if (hasStart && failed(runPart(block.begin, /*keepBefore=*/0, nullptr)))
    return failure();
  int64_t first = block.begin + hasStart;
  if (options.trueSequential) {
    for (int64_t index = first; index < block.end; ++index) {
      CalibrationSite site = makeSite(index);
      if (failed(runPart(index, /*keepBefore=*/0, &site)) || failed(visit(index, site)))
        return failure();
    }
    return success();
  }
  // All sites with the weights that the block had, then the block again with the new ones.
  std::vector<CalibrationSite> sites;
  for (int64_t index = first; index < block.end; ++index) {
    sites.push_back(makeSite(index));
    if (failed(runPart(index, /*keepBefore=*/first, &sites.back())))
      return failure();
  }
  for (auto [index, site] : llvm::enumerate(sites))
    if (failed(visit(first + index, site)))
      return failure();
  if (block.end == static_cast<int64_t>(cuts.size()))
    return success();
  for (int64_t index = first; index < block.end; ++index)
    if (failed(runPart(index, /*keepBefore=*/0, nullptr)))
      return failure();
  return success();
}

FailureOr<CalibrationTimes> Walk::run() {
  FailureOr<FlatModel> flattened = FlatModel::create(module, request.select);
  if (failed(checkOptions()) || failed(flattened))
    return failure();
  flat.emplace(std::move(*flattened));
  if (flat->getCuts().empty())
    return times;
  FailureOr<std::string> fingerprint = getFingerprint(module);
  if (failed(fingerprint))
    return failure();
  modelFingerprint = *fingerprint;
  if (!options.statistics.empty()) {
    if (failed(visitSaved()))
      return failure();
    return times;
  }
  llvm::Expected<Workers> created = Workers::create(options.threads);
  if (!created)
    return report(created.takeError());
  workers.emplace(std::move(*created));
  if (failed(readSamples()))
    return failure();
  if (!options.saveStatistics.empty()) {
    auto opened = StatisticsWriter::create(options.saveStatistics, flat->getCuts(),
                                           request.statistics, modelFingerprint,
                                           getFingerprint(tokens), tokens.ids.size(), false);
    if (!opened)
      return report(opened.takeError());
    writer = std::move(*opened);
  }
  runner.emplace(tokens, *workers, rows, times);
  for (Block block : getBlocks())
    if (failed(runBlock(block)))
      return failure();
  if (writer && failed(report(writer->finish())))
    return failure();
  return times;
}

FailureOr<CalibrationTimes> llmc::calibrate(ModuleOp module, const CalibrationOptions &options,
                                            const CalibrationRequest &request) {
  return Walk(module, options, request).run();
}
