//===- DropLayers.cpp - leaves out layers of little influence ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/LayerPruning.h"
#include "llmc/Transforms/Pruning/StructureReport.h"

#include <cmath>

namespace llmc {
#define GEN_PASS_DEF_DROPLAYERS
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

/// The influence of each layer; none of those that could not be measured.
using Influences = std::vector<std::optional<double>>;

namespace {

struct DropLayers : CalibratedPass<llmc::impl::DropLayersBase<DropLayers>> {
  using CalibratedPass::CalibratedPass;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return drop(module); })))
      signalPassFailure();
  }

private:
  LogicalResult drop(ModuleOp module) {
    FailureOr<StructureReport> result =
        StructureReport::start(module, getArgument(), report, getNamedPaths());
    if (failed(result))
      return failure();
    FailureOr<std::vector<Layer>> found = findStepLayers(module);
    if (failed(found))
      return failure();
    FailureOr<int64_t> number = getCount(module, static_cast<int64_t>(found->size()));
    if (failed(number))
      return failure();
    Influences influences(found->size());
    if (layers.empty() && *number > 0 && failed(measure(module, *found, influences)))
      return failure();
    FailureOr<llvm::BitVector> dropped = choose(module, *found, influences, *number);
    if (failed(dropped))
      return failure();
    for (auto [index, layer] : llvm::enumerate(*found)) {
      StructureChange change{"layer " + std::to_string(index),
                             {{"weights", getFirstParameter(layer).str()}}};
      if (influences[index])
        change.figures.push_back({"influence", *influences[index]});
      change.figures.push_back({"left out", dropped->test(index)});
      result->add(std::move(change));
    }
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    for (unsigned index : dropped->set_bits())
      dropLayer(step, *found, index);
    return result->finish(table);
  }

  //===--------------------------------------------------------------------===//
  // How many
  //===--------------------------------------------------------------------===//

  /// Of `all` layers.
  FailureOr<int64_t> getCount(ModuleOp module, int64_t all) {
    if (!count.empty() + !ratio.empty() + !layers.empty() != 1)
      return module.emitError("expected one of count, ratio and layers");
    auto number = static_cast<int64_t>(layers.size());
    if (!count.empty() && (StringRef(count).getAsInteger(10, number) || number < 0))
      return module.emitError("count: expected a number of layers, found '") << count << "'";
    if (!ratio.empty()) {
      double share = 0;
      if (StringRef(ratio).getAsDouble(share) || !(share >= 0 && share < 1))
        return module.emitError("ratio: expected a number from 0 to less than 1, found '")
               << ratio << "'";
      number = std::llround(share * static_cast<double>(all));
    }
    const int64_t most = std::max<int64_t>(all - 2, 0);
    if (number > most)
      return module.emitError()
             << (!count.empty()   ? "count"
                 : !ratio.empty() ? "ratio"
                                  : "layers")
             << ": expected at most " << most << " of " << all
             << " layers to be left out, since the first and the last stay, found " << number;
    return number;
  }

  //===--------------------------------------------------------------------===//
  // Which
  //===--------------------------------------------------------------------===//

  /// Where a walk stands in each layer: at the last linear behind attention whose weight it has not
  /// met in a layer before.
  static llvm::DenseMap<Operation *, size_t> findPlaces(ArrayRef<Layer> found) {
    llvm::DenseMap<Operation *, size_t> layerOf;
    llvm::DenseSet<Operation *> seen;
    for (auto [index, layer] : llvm::enumerate(found)) {
      const auto *attention =
          llvm::find_if(llvm::reverse(layer.operations), llvm::IsaPred<AttentionOp>).base();
      const SmallVector<ParameterRead> reads = findParameterReads(layer);
      for (const ParameterRead &read : llvm::reverse(reads)) {
        bool isBehind =
            llvm::is_contained(llvm::make_range(attention, layer.operations.end()), read.op);
        if (!isBehind || !isa<LinearOp>(read.op) || !seen.insert(read.parameter).second)
          continue;
        layerOf[read.op] = index;
        break;
      }
    }
    return layerOf;
  }

  LogicalResult measure(ModuleOp module, ArrayRef<Layer> found, Influences &influences) {
    const llvm::DenseMap<Operation *, size_t> layerOf = findPlaces(found);
    CalibrationRequest request;
    request.statistics = 0;
    request.key = getArgument().str();
    request.evaluatesBlocks = true;
    request.select = [&](LinearOp linear, ParameterOp) { return layerOf.contains(linear); };
    request.visit = [&](CalibrationSite &site) -> LogicalResult {
      // What comes behind the last of these layers is the head's as well.
      if (site.index + 1 == site.count)
        return success();
      std::optional<double> &influence = influences[layerOf.lookup(site.linears.front())];
      if (site.restored) {
        std::optional<std::vector<double>> record = readNumbers(site.record, 1);
        if (!record)
          return site.parameters.front().emitOpError("resume: expected the influence of its layer, "
                                                     "found '")
                 << site.record << "'";
        influence = record->front();
        return success();
      }
      FailureOr<double> measured = site.block->getInfluence();
      if (failed(measured))
        return failure();
      const double value = *measured;
      influence = value;
      site.record = spellNumbers(value);
      return success();
    };
    return calibrate(module, getCalibrationOptions(), request);
  }

  FailureOr<llvm::BitVector> choose(ModuleOp module, ArrayRef<Layer> found,
                                    const Influences &influences, int64_t number) {
    const auto all = static_cast<int64_t>(found.size());
    SmallVector<int64_t> order(layers.begin(), layers.end());
    for (int64_t index : order)
      if (index < 1 || index > all - 2)
        return module.emitError("layers: expected numbers from 1 to ")
               << all - 2 << ", since the first and the last layer stay, found " << index;
    if (order.empty()) {
      for (int64_t index = 1; index < all - 1; ++index)
        if (influences[index])
          order.push_back(index);
      llvm::sort(order, [&](int64_t a, int64_t b) {
        return std::pair(*influences[a], a) < std::pair(*influences[b], b);
      });
      if (static_cast<int64_t>(order.size()) < number)
        return module.emitError("expected ")
               << number << " layers whose influence can be measured, found " << order.size()
               << ": others share their weights";
      order.truncate(number);
    }
    llvm::BitVector dropped(all);
    for (int64_t index : order) {
      if (dropped.test(index))
        return module.emitError("layers: expected each once, found ") << index << " twice";
      if (failed(checkDroppable(found[index])))
        return failure();
      dropped.set(index);
    }
    return dropped;
  }
};

} // namespace
