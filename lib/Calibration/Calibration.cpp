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
#include "SelfGeneration.h"
#include "StatisticsAccumulator.h"
#include "StatisticsFile.h"
#include "Stopwatch.h"
#include "Tokens.h"
#include "WorkFolder.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/PassOutputs.h"
#include "llmc/Support/ProgressLine.h"

#include "llvm/Support/Format.h"

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
    return emitError(module.getLoc()) << llvm::toString(std::move(error));
  }
  LogicalResult checkOptions();
  LogicalResult checkLength();
  /// Reads the samples, or how those begin that the model is to write.
  LogicalResult readSamples();
  /// Lets the model write the samples, unless it has before an interruption.
  LogicalResult writeSamples();
  LogicalResult visitSaved();
  LogicalResult openFolder();
  LogicalResult openWriter();
  LogicalResult walkBlocks();

  /// The cuts of a block: [begin, end), of which the first may be its start.
  struct Block {
    int64_t begin, end;
  };
  std::vector<Block> getBlocks() const;
  /// The cuts of the block's sites: [getFirstSite(block), block.end).
  int64_t getFirstSite(Block block) const {
    return block.begin + flat->getCuts()[block.begin].startsBlock;
  }
  /// How often parts are run for these blocks.
  int64_t countRuns(ArrayRef<Block> blocks) const;
  /// From the block's start to that of the next one.
  LogicalResult runBlock(Block block, std::vector<CalibrationSite> &sites);
  LogicalResult restoreBlocks(ArrayRef<Block> blocks);
  LogicalResult restoreRows(Value value);
  LogicalResult saveBlock(ArrayRef<Block> blocks, int64_t index, ArrayRef<CalibrationSite> sites);
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
  TokenLimits limits;
  CalibrationTokens tokens;
  bool ownText = false; ///< the model writes the samples
  /// What texts that the model writes itself begin with.
  std::vector<int32_t> beginTokens;
  std::optional<Workers> workers;
  std::optional<FlatModel> flat;
  std::optional<PartRunner> runner;
  std::unique_ptr<StatisticsWriter> writer;
  std::unique_ptr<WorkFolder> folder;
  std::optional<ProgressLine> progress;
};

} // namespace

LogicalResult Walk::checkOptions() {
  auto atLeastOne = [&](StringRef name, int64_t value) -> LogicalResult {
    if (value >= 1)
      return success();
    return emitError(module.getLoc(), "calibration: expected ")
           << name << " of at least 1, found " << value;
  };
  if (failed(atLeastOne("samples", options.samples)) ||
      failed(atLeastOne("sequence-length", options.sequenceLength)) ||
      failed(atLeastOne("first-token-weight", options.firstTokenWeight)))
    return failure();
  // Rows are counted in 32 bits, and there is a second moment to add each to.
  constexpr int64_t maxTokens = int64_t(1) << 30;
  if (options.samples > maxTokens / options.sequenceLength)
    return emitError(module.getLoc(), "calibration: expected at most ")
           << maxTokens << " tokens, found " << options.samples << " samples of "
           << options.sequenceLength;
  if (!options.statistics.empty() && !options.resume.empty())
    return emitError(module.getLoc(), "calibration: expected no folder to resume in where "
                                      "statistics are read: nothing is run");
  bool saves = !options.saveStatistics.empty() || !options.saveTokens.empty();
  if (!options.statistics.empty() && (saves || request.inputRows > 0))
    return emitError(module.getLoc(), "calibration: expected no statistics to read where ")
           << (request.inputRows > 0            ? "inputs are asked for"
               : options.saveStatistics.empty() ? "tokens are to be saved"
                                                : "statistics are to be saved");
  const CalibrationOptions defaults;
  if (!options.statistics.empty() && options.calibration.empty() &&
      (options.samples != defaults.samples || options.sequenceLength != defaults.sequenceLength ||
       options.seed != defaults.seed))
    return emitError(module.getLoc(), "calibration: expected no samples, sequence-length or seed "
                                      "where statistics are read and no text: nothing is run");
  if (!options.statistics.empty() && options.firstTokenWeight != defaults.firstTokenWeight)
    return emitError(module.getLoc(), "calibration: expected no first-token-weight where "
                                      "statistics are read: they have theirs");
  if (!(request.statistics & SecondMoment) && options.firstTokenWeight != defaults.firstTokenWeight)
    return emitError(module.getLoc(), "calibration: expected no first-token-weight where no second "
                                      "moments are asked for");
  TokenSource source = getTokenSource(options);
  if (!options.tokenizer.empty() &&
      (source == TokenSource::TokenFile || source == TokenSource::Statistics))
    return emitError(module.getLoc(), "calibration: expected a text to read with tokenizer '")
           << options.tokenizer << "', found "
           << (source == TokenSource::Statistics ? "none" : "a file of tokens");
  if (!options.statistics.empty() && source == TokenSource::OwnText)
    return emitError(module.getLoc(), "calibration: expected no calibration=self where statistics "
                                      "are read: nothing is run");
  if (options.memory < 0)
    return emitError(module.getLoc(),
                     "calibration: expected a bound of memory that is not negative, found ")
           << options.memory;
  return checkPassOutputs(
      module,
      {{options.saveStatistics, "file of statistics"}, {options.saveTokens, "file of tokens"}},
      {{source == TokenSource::OwnText ? "" : options.calibration, "is the calibration text"},
       {options.tokenizer, "is the tokenizer"},
       {options.statistics, "statistics are read from"}});
}

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
  Stopwatch watch(times.tokens);
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
  Stopwatch watch(times.tokens);
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
  if (progress)
    progress->clear();
  Stopwatch watch(times.visit);
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
  Pages spare;
  std::string name = site ? site->parameters.front().getSymName().str() : "between blocks";
  auto finish = [&](int64_t batch) -> LogicalResult {
    int64_t count = runner->getRows(batch);
    if (site) {
      Stopwatch watch(times.statistics);
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
    progress->advance(name);
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

LogicalResult Walk::runBlock(Block block, std::vector<CalibrationSite> &sites) {
  int64_t first = getFirstSite(block);
  bool isLast = block.end == static_cast<int64_t>(flat->getCuts().size());
  for (int64_t index = first; index < block.end; ++index) {
    sites.push_back(makeSite(index));
    CalibrationSite &site = sites.back();
    if (failed(runPart(index, options.trueSequential ? 0 : first, &site)) ||
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
// Going on after an interruption
//===----------------------------------------------------------------------===//

LogicalResult Walk::openFolder() {
  llvm::json::Object job{{"pass", request.key},
                         {"model", modelFingerprint},
                         {"calibration", ownText ? "self-generated" : getFingerprint(tokens)},
                         {"begin_tokens", llvm::json::Array(beginTokens)},
                         {"samples", options.samples},
                         {"sequence_length", options.sequenceLength},
                         {"first_token_weight", options.firstTokenWeight},
                         {"seed", std::to_string(options.seed)},
                         {"true_sequential", options.trueSequential},
                         {"statistics", request.statistics},
                         {"save_statistics", options.saveStatistics}};
  llvm::Expected<std::unique_ptr<WorkFolder>> opened = WorkFolder::open(options.resume, job);
  if (!opened)
    return report(opened.takeError());
  folder = std::move(*opened);
  folder->noteParameters(module);
  return success();
}

LogicalResult Walk::restoreBlocks(ArrayRef<Block> blocks) {
  for (auto [number, block] : llvm::enumerate(blocks)) {
    std::vector<CalibrationSite> sites;
    int64_t first = getFirstSite(block);
    for (int64_t index = first; index < block.end; ++index)
      sites.push_back(makeSite(index));
    if (failed(report(folder->restoreBlock(module, number, sites))))
      return failure();
    for (CalibrationSite &site : sites)
      if (failed(request.visit(site)))
        return failure();
  }
  return success();
}

/// Bytes of a batch of rows of `value`.
static int64_t countBytes(Value value, int64_t rows) {
  return rows * getRowStride(cast<RankedTensorType>(value.getType()).getDimSize(1)) * 4;
}

LogicalResult Walk::restoreRows(Value value) {
  Pages spare;
  int64_t offset = 0;
  for (int64_t batch = 0; batch < runner->getBatches(); ++batch) {
    int64_t bytes = countBytes(value, runner->getRows(batch));
    float *memory = rows.prepare(value, batch, bytes, spare);
    MutableArrayRef<uint8_t> out(reinterpret_cast<uint8_t *>(memory), bytes);
    if (failed(report(folder->readRows(offset, out))) ||
        failed(report(rows.store(value, batch, memory))))
      return failure();
    offset += bytes;
  }
  return success();
}

LogicalResult Walk::saveBlock(ArrayRef<Block> blocks, int64_t index,
                              ArrayRef<CalibrationSite> sites) {
  if (failed(report(folder->saveBlock(module, index, sites))))
    return failure();
  int64_t finished = index + 1, bytes = 0;
  Pages spare;
  auto next = [&](int64_t batch) -> llvm::Expected<ArrayRef<uint8_t>> {
    Value value = flat->getCuts()[blocks[finished].begin].value;
    llvm::Expected<const float *> piece = rows.load(value, batch, spare);
    if (!piece)
      return piece.takeError();
    return ArrayRef(reinterpret_cast<const uint8_t *>(*piece),
                    countBytes(value, runner->getRows(batch)));
  };
  if (finished < static_cast<int64_t>(blocks.size()))
    bytes = countBytes(flat->getCuts()[blocks[finished].begin].value, tokens.ids.size());
  return report(folder->saveRows(finished, bytes, next));
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
  const std::vector<Block> all = getBlocks();
  ArrayRef<Block> blocks = all;
  size_t finished = folder ? folder->getFinished() : 0;
  if (finished > blocks.size())
    return emitError(module.getLoc(), "calibration: expected at most ")
           << blocks.size() << " finished blocks in '" << options.resume << "', found " << finished;
  if (failed(restoreBlocks(blocks.take_front(finished))))
    return failure();
  progress.emplace(request.key, countRuns(blocks.drop_front(finished)) * runner->getBatches());
  if (finished == blocks.size())
    return success();
  int64_t begin = blocks[finished].begin;
  const Cut &start = flat->getCuts()[begin];
  if (start.startsBlock &&
      failed(finished ? restoreRows(start.value) : runPart(begin, /*keepBefore=*/0, nullptr)))
    return failure();
  for (size_t index = finished; index < blocks.size(); ++index) {
    std::vector<CalibrationSite> sites;
    if (failed(runBlock(blocks[index], sites)) ||
        (folder && failed(saveBlock(blocks, index, sites))))
      return failure();
  }
  return success();
}

FailureOr<CalibrationTimes> Walk::run() {
  FailureOr<FlatModel> flattened = FlatModel::create(module, request.select);
  if (failed(checkOptions()) || failed(flattened) || failed(checkLength()))
    return failure();
  flat.emplace(std::move(*flattened));
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
