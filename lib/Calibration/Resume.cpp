//===- Resume.cpp - a walk that goes on where it was interrupted ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Walk.h"
#include "llmc/Conversion/Kernels/Kernels.h"

using namespace mlir;
using namespace llmc;

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
                         {"changes_structure", request.changesStructure},
                         {"save_statistics", options.saveStatistics}};
  llvm::Expected<std::unique_ptr<WorkFolder>> opened = WorkFolder::open(options.resume, job);
  if (!opened)
    return report(opened.takeError());
  folder = std::move(*opened);
  folder->noteParameters(module);
  return success();
}

LogicalResult Walk::restoreBlocks(size_t finished) {
  for (auto [number, block] : llvm::enumerate(ArrayRef(blocks).take_front(finished))) {
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

LogicalResult Walk::saveBlock(ArrayRef<CalibrationSite> sites) {
  const int64_t index = current;
  if (failed(report(request.changesStructure ? folder->saveStructure(module, index, namedSites)
                                             : folder->saveBlock(module, index, sites))))
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
