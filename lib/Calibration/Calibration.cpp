//===- Calibration.cpp - what linears see while the model runs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/Calibration.h"
#include "CheckOptions.h"
#include "Fingerprint.h"
#include "SelfGeneration.h"
#include "StatisticsAccumulator.h"
#include "Walk.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/Stopwatch.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace llmc;

LogicalResult Walk::checkLength() {
  FailureOr<TokenLimits> found = TokenLimits::get(module);
  if (failed(found))
    return failure();
  limits = *found;
  if (options.statistics.empty() && options.sequenceLength > limits.context)
    return emitError(module.getLoc(),
                     "calibration: expected a sequence-length of at most the model's ")
           << limits.context << ", found " << options.sequenceLength;
  return success();
}

LogicalResult Walk::readSamples() {
  TimedScope scope(times.tokens);
  ownText = getTokenSource(options) == TokenSource::OwnText;
  if (!ownText) {
    llvm::Expected<std::optional<CalibrationTokens>> read = readTokens(module, limits, options);
    if (!read)
      return report(read.takeError());
    ownText = !*read;
    if (!ownText)
      tokens = std::move(**read);
  }
  if (!ownText)
    return success();
  llvm::Expected<std::vector<int32_t>> begin = readBeginTokens(module, options);
  if (!begin)
    return report(begin.takeError());
  beginTokens = std::move(*begin);
  return success();
}

LogicalResult Walk::writeSamples() {
  TimedScope scope(times.tokens);
  if (folder) {
    llvm::Expected<std::optional<std::vector<int32_t>>> saved = folder->readTokens();
    if (!saved)
      return report(saved.takeError());
    if (*saved) {
      tokens = {std::move(**saved), options.sequenceLength};
      int64_t expected = options.samples * options.sequenceLength;
      int64_t found = tokens.ids.size();
      if (found == expected)
        return success();
      return emitError(module.getLoc(), "calibration: expected ")
             << expected << " tokens in '" << options.resume << "', found " << found;
    }
  }
  FailureOr<CalibrationTokens> written = generateTokens(module, options, beginTokens, *workers);
  if (failed(written))
    return failure();
  tokens = std::move(*written);
  return folder ? report(folder->saveTokens(tokens.ids)) : success();
}

CalibrationSite Walk::makeSite(int64_t index) const {
  const Cut &cut = flat->getCuts()[index];
  CalibrationSite site;
  site.linears = cut.linears;
  site.parameters = cut.parameters;
  if (request.changesStructure) {
    site.index = site.count = visitedSites;
    for (auto [other, candidate] : llvm::enumerate(flat->getCuts()))
      site.count += !candidate.startsBlock && !isVisited(other);
    return site;
  }
  for (auto [other, candidate] : llvm::enumerate(flat->getCuts())) {
    site.index += !candidate.startsBlock && static_cast<int64_t>(other) < index;
    site.count += !candidate.startsBlock;
  }
  return site;
}

bool Walk::isVisited(int64_t index) const {
  return llvm::all_of(flat->getCuts()[index].parameters, [&](ParameterOp parameter) {
    return visited.contains(parameter.getSymName());
  });
}

LogicalResult Walk::visit(int64_t index, CalibrationSite &site) {
  if (writer)
    if (failed(report(writer->write(flat->getCuts()[index], site.statistics))))
      return failure();
  if (progress)
    progress->clear();
  if (evaluator && request.evaluatesBlocks) {
    bool isLast = current + 1 == blocks.size();
    evaluator->enterBlock(*flat, getStart(),
                          isLast ? flat->getLastOutput()
                                 : flat->getCuts()[blocks[current + 1].begin].value);
    site.block = &*evaluator;
  }
  const double running = times.compile + times.forward;
  llvm::scope_exit leave([&] {
    site.block = nullptr;
    // What was run meanwhile has been counted.
    times.visit -= times.compile + times.forward - running;
  });
  TimedScope scope(times.visit);
  // What a pass reads of a file it reads once.
  SmallVector<ArrayRef<uint8_t>> files;
  for (ParameterOp parameter : site.parameters)
    if (isa<FileAttr>(parameter.getData()))
      if (FailureOr<ArrayRef<uint8_t>> bytes = getParameterBytes(parameter); succeeded(bytes))
        files.push_back(*bytes);
  LogicalResult done = request.visit(site);
  for (ArrayRef<uint8_t> bytes : files)
    module.getContext()->getLoadedDialect<LLMCDialect>()->getMappedFiles().release(bytes);
  return done;
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
  for (size_t index = 0; index < flat->getCuts().size(); ++index) {
    const Cut &cut = flat->getCuts()[index];
    if (cut.startsBlock || (request.changesStructure && isVisited(index)))
      continue;
    CalibrationSite site = makeSite(index);
    llvm::Expected<InputStatistics> statistics = reader->read(cut, request.statistics);
    if (!statistics)
      return report(statistics.takeError());
    site.statistics = std::move(*statistics);
    if (!request.changesStructure) {
      if (failed(visit(index, site)))
        return failure();
      continue;
    }
    FailureOr<bool> changed = visitAndRebuild(index, site);
    if (failed(changed))
      return failure();
    if (*changed)
      index = -1; // the next is the first
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
  Pages spare;
  std::string name = site ? site->parameters.front().getSymName().str() : "between blocks";
  auto finish = [&](int64_t batch, int64_t count) -> LogicalResult {
    if (site) {
      TimedScope scope(times.statistics);
      llvm::Expected<const float *> x = rows.load(value, batch, spare);
      if (!x)
        return report(x.takeError());
      int64_t stride = getRowStride(width), length = tokens.length;
      accumulator->add(*x, count, stride);
      int64_t first = llvm::alignTo(seen, length) - seen;
      accumulator->repeat(*x + first * stride,
                          llvm::divideCeil(std::max<int64_t>(count - first, 0), length),
                          length * stride, static_cast<double>(options.firstTokenWeight - 1));
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
    release(value); // which an earlier part may have computed
    progress->advance(name);
    return success();
  };
  if (failed(runner->run(part, /*samples=*/0, finish)))
    return failure();
  if (site) {
    site->statistics = accumulator->finish();
    site->statistics.inputs = std::move(inputs.inputs);
  }
  return success();
}

Value Walk::getStart() const {
  const Cut &cut = flat->getCuts()[blocks[current].begin];
  return cut.startsBlock ? cut.value : Value();
}

LogicalResult Walk::runBlock(std::vector<CalibrationSite> &sites) {
  const Block block = blocks[current];
  int64_t first = getFirstSite(block);
  bool isLast = block.end == static_cast<int64_t>(flat->getCuts().size());
  int64_t keepBefore = options.trueSequential && !request.evaluatesBlocks ? 0 : first;
  for (int64_t index = first; index < block.end; ++index) {
    sites.push_back(makeSite(index));
    CalibrationSite &site = sites.back();
    if (failed(runPart(index, keepBefore, &site)) ||
        (options.trueSequential && failed(visit(index, site))))
      return failure();
    if (options.trueSequential)
      site.statistics = InputStatistics();
  }
  if (!options.trueSequential) {
    // All sites have seen the weights that the block had; what follows sees the new ones.
    for (auto [index, site] : llvm::enumerate(sites)) {
      if (failed(visit(first + index, site)))
        return failure();
      site.statistics = InputStatistics();
    }
    for (int64_t index = first; index < block.end && !isLast; ++index)
      if (failed(runPart(index, /*keepBefore=*/0, nullptr)))
        return failure();
  }
  return isLast ? success() : runPart(block.end, /*keepBefore=*/0, nullptr);
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

int64_t Walk::countRuns(ArrayRef<Block> blocks) const {
  int64_t runs = 0;
  for (Block block : blocks)
    runs += 1 + (block.end - getFirstSite(block)) * (options.trueSequential ? 1 : 2);
  return runs;
}

LogicalResult Walk::openWriter() {
  if (options.saveStatistics.empty())
    return success();
  auto mode = folder ? StatisticsWriter::Mode::Resumed : StatisticsWriter::Mode::New;
  auto opened =
      StatisticsWriter::create(options.saveStatistics, flat->getCuts(), request.statistics,
                               modelFingerprint, getFingerprint(tokens), tokens.ids.size(), mode,
                               /*expectPartial=*/folder && folder->getFinished() > 0);
  if (!opened)
    return report(opened.takeError());
  writer = std::move(*opened);
  return success();
}

LogicalResult Walk::walkBlocks() {
  runner.emplace(tokens, *workers, rows, times);
  evaluator.emplace(module, *runner, rows);
  size_t finished = folder ? folder->getFinished() : 0;
  if (request.changesStructure && finished) {
    if (failed(restoreStructure()))
      return failure();
    if (!hasUnvisitedSites())
      return success();
  }
  blocks = getBlocks();
  if (finished > blocks.size())
    return emitError(module.getLoc(), "calibration: expected at most ")
           << blocks.size() << " finished blocks in '" << options.resume << "', found " << finished;
  if (!request.changesStructure && failed(restoreBlocks(finished)))
    return failure();
  progress.emplace(request.key,
                   countRuns(ArrayRef(blocks).drop_front(finished)) * runner->getBatches());
  if (finished == blocks.size())
    return success();
  int64_t begin = blocks[finished].begin;
  const Cut &start = flat->getCuts()[begin];
  if (start.startsBlock &&
      failed(finished ? restoreRows(start.value) : runPart(begin, /*keepBefore=*/0, nullptr)))
    return failure();
  for (current = finished; current < blocks.size(); ++current) {
    std::vector<CalibrationSite> sites;
    if (failed(request.changesStructure ? runChangingBlock() : runBlock(sites)))
      return failure();
    evaluator->leaveBlock();
    if (isDone)
      return folder ? saveBlock(sites) : success();
    // What is kept for visits no part reads any more.
    if (Value start = getStart())
      for (int64_t batch = 0; batch < runner->getBatches(); ++batch)
        rows.release(start, batch);
    if (folder && failed(saveBlock(sites)))
      return failure();
  }
  return success();
}

FailureOr<CalibrationTimes> Walk::run() {
  FailureOr<FlatModel> flattened = FlatModel::create(module, request.select);
  if (failed(checkOptions(module, options, request)) || failed(flattened) || failed(checkLength()))
    return failure();
  flat.emplace(std::move(*flattened));
  if (request.changesStructure && failed(checkStructure()))
    return failure();
  if (flat->getCuts().empty()) {
    if (options.saveStatistics.empty())
      return times;
    return emitError(module.getLoc(),
                     "calibration: expected linears to save statistics of, found none");
  }
  FailureOr<std::string> fingerprint = getFingerprint(*flat);
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
  if (failed(readSamples()) || (!options.resume.empty() && failed(openFolder())) ||
      (ownText && failed(writeSamples())))
    return failure();
  if (!options.saveTokens.empty() && failed(report(saveTokens(tokens, options.saveTokens))))
    return failure();
  if (failed(openWriter()) || failed(walkBlocks()))
    return failure();
  progress.reset();
  if (writer && failed(report(writer->finish())))
    return failure();
  if (folder)
    folder->remove();
  return times;
}

std::string llmc::describe(const CalibrationTimes &times) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto add = [&](const char *name, double seconds) {
    stream << (text.empty() ? "" : ", ") << name << llvm::format(" %.1f s", seconds);
  };
  add("tokens", times.tokens);
  add("compile", times.compile);
  add("forward", times.forward);
  add("statistics", times.statistics);
  add("visit", times.visit);
  return text;
}

FailureOr<CalibrationTimes> llmc::calibrate(ModuleOp module, const CalibrationOptions &options,
                                            const CalibrationRequest &request) {
  return Walk(module, options, request).run();
}
