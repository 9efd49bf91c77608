//===- Calibration.h - what linears see while the model runs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a model on calibration tokens, site by site, and hands statistics of the linears' inputs to
// a pass, which may change the weights as it goes: what follows is computed with the new ones.
//
// A *site* is a value that linears read: the normalized rows under q, k and v, the attention's
// output under o, and so on. The model is cut there into parts that the compiler lowers as it
// lowers programs, each for all samples before the next; only what the rest needs of the rows is
// kept. Nothing depends on the number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CALIBRATION_CALIBRATION_H
#define LLMC_CALIBRATION_CALIBRATION_H

#include "llmc/Calibration/BlockEvaluator.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"

#include <functional>
#include <string>
#include <vector>

namespace llmc {

/// What can be known of a site's rows x: bits of a set.
enum Statistics : unsigned {
  SecondMoment = 1,  ///< Σ x·xᵀ, where a sample's first row counts firstTokenWeight times
  Mean = 2,          ///< mean of x
  MeanMagnitude = 4, ///< mean of |x|
  MaxMagnitude = 8,  ///< max of |x|
  Variance = 16      ///< mean of (x − mean)²
};

/// As CalibrationOptions::calibration: the model writes its own text.
inline constexpr llvm::StringLiteral selfCalibration = "self";

/// Where tokens come from, and what the walk may take.
struct CalibrationOptions {
  /// A text (UTF-8), or a .npy file of int32 or int64 token ids, which are taken as they are;
  /// `selfCalibration`: the model writes its own; empty: the text that is a part of llmc, or, where
  /// there is no tokenizer to read it with, what the model writes, with a warning.
  std::string calibration;
  /// tokenizer.json, or the folder that holds it; empty: the one that the module names, or beside
  /// the files of the parameters.
  std::string tokenizer;
  int64_t samples = 128;
  int64_t sequenceLength = 512;
  /// How often a sample's first token counts in second moments, at least 1. Models keep what
  /// attention rests on when nothing else fits at that token, in a few activations of a thousand
  /// times the usual size (Sun et al. 2024, "Massive Activations in Large Language Models",
  /// arXiv:2402.17762, sections 2 and 4): all later tokens see an error there, and a sum over equal
  /// tokens does not say so (Sung et al. 2025, "RSQ", arXiv:2503.01820, weighs tokens by the
  /// attention that they get).
  int64_t firstTokenWeight = 16;
  /// Chooses the samples, or the text that the model writes.
  uint64_t seed = 0;
  /// Bytes of rows that are kept in memory; what is beyond lies in a temporary file.
  int64_t memory = int64_t(1) << 30;
  /// Parts of a block see the earlier parts' new weights; else the earlier blocks' only.
  bool trueSequential = true;
  /// A file that `saveStatistics` wrote: nothing is run.
  std::string statistics;
  std::string saveStatistics;
  /// A .npy file to write the samples to: int32, [samples, sequenceLength].
  std::string saveTokens;
  /// A folder in which finished blocks are kept until the walk is done, so that it goes on where
  /// it was interrupted. Empty: it starts anew.
  std::string resume;
  /// 0: as many as the process may run on.
  unsigned threads = 0;
};

/// Statistics of one site's rows, those that were asked for.
struct InputStatistics {
  int64_t width = 0;
  int64_t rows = 0;                 ///< how many were seen
  std::vector<double> secondMoment; ///< as Statistics says, width × width, symmetric
  std::vector<float> mean, meanMagnitude, maxMagnitude, variance;
  /// Rows spread evenly over all samples, as many as the request says, side by side.
  std::vector<float> inputs;
};

/// What a pass is given of one site.
struct CalibrationSite {
  /// Those of the linears reading the site that the pass selected, in the order of the program.
  llvm::SmallVector<LinearOp> linears;
  /// Their weights, each at the first site that reads it. May be given another type and data.
  llvm::SmallVector<ParameterOp> parameters;
  InputStatistics statistics;
  int64_t index = 0, count = 0; ///< of all sites

  /// The work at this site was done before an interruption: the weights are in place, `record` is
  /// what was left there, and there are no statistics.
  bool restored = false;
  /// Whatever the pass wants to find again when the site is restored.
  std::string record;

  /// Runs the block in hand with other weights, where the request asks for it; null where the site
  /// is restored or nothing is run. Valid during the visit.
  BlockEvaluator *block = nullptr;
};

/// What a pass asks.
struct CalibrationRequest {
  unsigned statistics = SecondMoment; ///< of Statistics
  int64_t inputRows = 0;              ///< of inputs to hand out; needs a model that is run
  /// Whether the pass works on a linear. All others are only run.
  std::function<bool(LinearOp, ParameterOp)> select;
  /// The pass and its options: work that was interrupted goes on for an equal key only.
  std::string key;
  /// Called for every site in the order of the program. It may change types and data of parameters
  /// that are read from this site on, and `activation` of linears; it must not erase operations.
  /// Readers of a parameter need not agree with its type before the walk ends.
  std::function<mlir::LogicalResult(CalibrationSite &)> visit;

  /// Visits call evaluateBlock(). The rows that enter a block are then kept until it is done.
  bool evaluatesBlocks = false;
  /// Visits may change all that the block in hand computes of what enters it: operations of @step,
  /// which has to be flat, types of weights and activations, parameters that earlier sites read.
  /// They may add a branch beside a linear, fold a scale into what comes before, remove channels.
  /// Where they do, the block is built anew from the module and run again from its start, and the
  /// walk goes on with the first site some weight of which has not been visited, by name; `select`
  /// is asked about new linears, too. Between visits operations agree with each other's types.
  bool changesStructure = false;
};

/// Where the time went, in seconds.
struct CalibrationTimes {
  double tokens = 0, compile = 0, forward = 0, statistics = 0, visit = 0;
};

/// "tokens 0.1 s, compile 2.0 s, …".
std::string describe(const CalibrationTimes &times);

/// Adds the dialects of the code that a walk compiles.
void insertCalibrationDialects(mlir::DialectRegistry &registry);

/// Walks over `module`, whose function @step computes the model, with or without outlined blocks.
/// Errors are reported in its context.
mlir::FailureOr<CalibrationTimes> calibrate(mlir::ModuleOp module,
                                            const CalibrationOptions &options,
                                            const CalibrationRequest &request);

} // namespace llmc

#endif // LLMC_CALIBRATION_CALIBRATION_H
