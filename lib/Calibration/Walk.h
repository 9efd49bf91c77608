//===- Walk.h - goes through a model block by block ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_WALK_H
#define LLMC_LIB_CALIBRATION_WALK_H

#include "BlockRunner.h"
#include "FlatModel.h"
#include "PartRunner.h"
#include "StatisticsFile.h"
#include "Tokens.h"
#include "WorkFolder.h"
#include "llmc/Support/ProgressLine.h"

#include "llvm/ADT/StringSet.h"

namespace llmc {

/// What calibrate() does: Calibration.cpp, but blocks whose operations change (ChangingBlocks.cpp)
/// and going on after an interruption (Resume.cpp).
class Walk {
public:
  Walk(mlir::ModuleOp module, const CalibrationOptions &options, const CalibrationRequest &request)
      : module(module), options(options), request(request), rows(options.memory) {}

  mlir::FailureOr<CalibrationTimes> run();

private:
  mlir::LogicalResult report(llvm::Error error) {
    if (!error)
      return mlir::success();
    return mlir::emitError(module.getLoc()) << llvm::toString(std::move(error));
  }
  mlir::LogicalResult checkLength();
  /// Reads the samples, or how those begin that the model is to write.
  mlir::LogicalResult readSamples();
  /// Lets the model write the samples, unless it has before an interruption.
  mlir::LogicalResult writeSamples();
  mlir::LogicalResult visitSaved();
  mlir::LogicalResult checkStructure();
  mlir::LogicalResult openFolder();
  mlir::LogicalResult openWriter();
  mlir::LogicalResult walkBlocks();

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
  int64_t countRuns(llvm::ArrayRef<Block> blocks) const;
  /// The value whose rows enter the block in hand; null: it starts with the program.
  mlir::Value getStart() const;
  /// From the block's start to that of the next one.
  mlir::LogicalResult runBlock(std::vector<CalibrationSite> &sites);
  /// The same where visits change operations.
  mlir::LogicalResult runChangingBlock();
  mlir::LogicalResult visitSequentially(int64_t keepBefore);
  mlir::LogicalResult visitTogether(int64_t keepBefore);
  mlir::LogicalResult restoreBlocks(size_t finished);
  mlir::LogicalResult restoreStructure();
  mlir::LogicalResult restoreRows(mlir::Value value);
  mlir::LogicalResult saveBlock(llvm::ArrayRef<CalibrationSite> sites);
  /// Computes a part. Rows that it is the last to read are released, but not those of values older
  /// than part `keepBefore`.
  mlir::LogicalResult runPart(int64_t index, int64_t keepBefore, CalibrationSite *site);
  mlir::LogicalResult visit(int64_t index, CalibrationSite &site);
  /// Visits a site, and takes in the block as it is afterwards. Tells whether it has changed.
  mlir::FailureOr<bool> visitAndRebuild(int64_t index, CalibrationSite &site);
  CalibrationSite makeSite(int64_t index) const;
  bool isVisited(int64_t index) const;
  bool hasUnvisitedSites() const;

  mlir::ModuleOp module;
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
  std::optional<BlockRunner> evaluator;
  std::vector<Block> blocks;
  size_t current = 0; ///< the block in hand
  /// Where operations change: the parameters of sites that were visited, and the sites of the block
  /// in hand.
  llvm::StringSet<> visited;
  std::vector<WorkFolder::NamedSite> namedSites;
  int64_t visitedSites = 0;
  bool isDone = false; ///< nothing is left to visit
  std::unique_ptr<StatisticsWriter> writer;
  std::unique_ptr<WorkFolder> folder;
  std::optional<ProgressLine> progress;
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_WALK_H
