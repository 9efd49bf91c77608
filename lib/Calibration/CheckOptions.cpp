//===- CheckOptions.cpp - options of a calibration that go together ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckOptions.h"
#include "Tokens.h"
#include "llmc/Support/PassOutputs.h"

using namespace mlir;
using namespace llmc;

LogicalResult llmc::checkOptions(ModuleOp module, const CalibrationOptions &options,
                                 const CalibrationRequest &request) {
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
  if (request.changesStructure && !options.saveStatistics.empty())
    return emitError(module.getLoc(),
                     "calibration: expected no statistics to save where operations "
                     "change: they would be of no model");
  bool saves = !options.saveStatistics.empty() || !options.saveTokens.empty();
  if (!options.statistics.empty() && request.evaluatesBlocks)
    return emitError(module.getLoc(),
                     "calibration: expected no statistics to read where blocks are "
                     "run with other weights");
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
