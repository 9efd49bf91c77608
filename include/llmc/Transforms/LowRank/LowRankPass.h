//===- LowRankPass.h - what low-rank passes do around their methods ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands between the base class that TableGen makes of a pass and the pass itself, where its
// options are `factorizeOptions` or `repairOptions` of LowRankOptions.td:
//
//   struct FactorizeSVD : FactorizePass<impl::FactorizeSVDBase<FactorizeSVD>> { …
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_LOWRANK_LOWRANKPASS_H
#define LLMC_TRANSFORMS_LOWRANK_LOWRANKPASS_H

#include "llmc/Calibration/CalibratedPass.h"
#include "llmc/Transforms/CompressionPass.h"
#include "llmc/Transforms/LowRank/LowRankWalk.h"
#include "llmc/Transforms/LowRank/OriginalWeights.h"

namespace llmc {

/// What both kinds have in common.
template <typename PassBase>
struct LowRankPass : CompressionPass<PassBase> {
  using CompressionPass<PassBase>::CompressionPass;

protected:
  /// Reads the options of the method beside those of ranks, and reports what can't be done.
  virtual mlir::LogicalResult readOptions(mlir::ModuleOp) { return mlir::success(); }

  /// What the options say of ranks.
  virtual mlir::FailureOr<RankPlan> getPlan(mlir::ModuleOp module) = 0;

  /// Takes from `weights` those that it has no factors for; reports what can't be done with others.
  virtual mlir::LogicalResult check(mlir::ModuleOp module,
                                    llvm::SmallVectorImpl<SelectedWeight> &weights) = 0;

  /// Gives the weights factors.
  virtual mlir::LogicalResult factorize(mlir::ModuleOp module, const RankPlan &plan,
                                        llvm::ArrayRef<SelectedWeight> weights,
                                        LowRankWeights &layers, CompressionReport &result) = 0;

  virtual FactorsPlace getPlace() const = 0;

  /// What decides which bytes come out, besides the model, the tokens, and what a method adds.
  std::string spellKey(const RankPlan &plan, const llvm::Twine &method) const {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << this->getArgument() << " rank=" << plan.rank << " keep=" << plan.keep
           << " allocation=" << static_cast<int>(plan.allocation) << " multiple=" << plan.multiple
           << " type=" << static_cast<int>(this->type.getValue())
           << " true-sequential=" << this->trueSequential << " " << method << " ";
    this->spellSelection(stream);
    return text;
  }

private:
  bool takesRounded() const final { return true; }

  mlir::FailureOr<bool> takesHead(mlir::ModuleOp module) final {
    mlir::FailureOr<RankPlan> found = getPlan(module);
    if (failed(found) || failed(readOptions(module)))
      return mlir::failure();
    if constexpr (requires { this->trueSequential; })
      if (failed(CompressionReport::checkPath(module, this->report, this->getNamedPaths())))
        return mlir::failure();
    plan = *found;
    return false;
  }

  mlir::LogicalResult compress(mlir::ModuleOp module,
                               llvm::SmallVectorImpl<SelectedWeight> &weights,
                               CompressionReport &result) final {
    if (weights.empty())
      return module.emitError(
          "expected weights of linears that `only` and `ignore` leave, found none");
    if (failed(check(module, weights)))
      return mlir::failure();
    LowRankWeights layers(module, getPlace(), this->type, weights, result);
    if (failed(layers.setRanks(plan)))
      return mlir::failure();
    return factorize(module, plan, weights, layers, result);
  }

  RankPlan plan;
};

/// A pass that replaces linears by factors.
template <typename PassBase>
struct FactorizePass : LowRankPass<PassBase> {
  using LowRankPass<PassBase>::LowRankPass;

private:
  FactorsPlace getPlace() const final { return FactorsPlace::Instead; }

  mlir::FailureOr<RankPlan> getPlan(mlir::ModuleOp module) final {
    return RankPlan::get(module, this->rank, this->keep, this->allocation, this->multiple);
  }

  mlir::LogicalResult check(mlir::ModuleOp, llvm::SmallVectorImpl<SelectedWeight> &weights) final {
    for (SelectedWeight &weight : weights)
      if (mlir::Attribute encoding = weight.parameter.getTensorType().getEncoding())
        return weight.parameter.emitOpError("expected weights that are not rounded yet, found ")
               << encoding << ": factors are rounded after they are made";
    return mlir::success();
  }
};

/// A pass that puts factors beside linears.
template <typename PassBase>
struct RepairPass : LowRankPass<PassBase> {
  using LowRankPass<PassBase>::LowRankPass;

protected:
  /// Adds to a key what the weights were, where work is resumed.
  mlir::FailureOr<std::string> addOriginals(std::string key,
                                            llvm::ArrayRef<SelectedWeight> weights) const {
    if (this->resume.empty())
      return key;
    mlir::FailureOr<std::string> hash = hashOriginals(weights);
    if (failed(hash))
      return mlir::failure();
    return key + " original=" + *hash;
  }

private:
  FactorsPlace getPlace() const final { return FactorsPlace::Beside; }

  mlir::FailureOr<RankPlan> getPlan(mlir::ModuleOp module) final {
    if (this->rank < 1)
      return module.emitError("rank: expected at least 1, found ") << this->rank.getValue();
    return RankPlan::get(module, this->rank, "", RankAllocation::Uniform, 1);
  }

  mlir::LogicalResult check(mlir::ModuleOp module,
                            llvm::SmallVectorImpl<SelectedWeight> &weights) final {
    return findOriginals(module, this->original, weights);
  }
};

} // namespace llmc

#endif // LLMC_TRANSFORMS_LOWRANK_LOWRANKPASS_H
