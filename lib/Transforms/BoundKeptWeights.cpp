//===- BoundKeptWeights.cpp - matrices that keep different shares as one type ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_BOUNDKEPTWEIGHTS
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

static RankedTensorType withKept(RankedTensorType type, int64_t kept) {
  Attribute inner = cast<MaskedAttr>(type.getEncoding()).getInner();
  return RankedTensorType::get(type.getShape(), type.getElementType(),
                               MaskedAttr::get(type.getContext(), kept, inner));
}

namespace {

/// The masked types of a module that differ in how many weights are kept alone.
class KeptBounds {
public:
  explicit KeptBounds(ModuleOp module) {
    module.walk([&](ParameterValueOp value) {
      if (!isMasked(value))
        return;
      auto [most, isNew] = bounds.try_emplace(getKey(value), getKept(value));
      differ |= !isNew && most->second != getKept(value);
      most->second = std::max(most->second, getKept(value));
    });
  }

  /// Whether some of them keep more than others.
  bool areOfUse() const { return differ; }

  void apply(ModuleOp module) const {
    module.walk([&](ParameterValueOp value) {
      if (isMasked(value))
        value.getResult().setType(withKept(value.getType(), bounds.lookup(getKey(value))));
    });
  }

private:
  static bool isMasked(ParameterValueOp value) {
    return isa_and_nonnull<MaskedAttr>(value.getType().getEncoding());
  }
  static int64_t getKept(ParameterValueOp value) {
    return cast<MaskedAttr>(value.getType().getEncoding()).getKept();
  }
  static Type getKey(ParameterValueOp value) { return withKept(value.getType(), 1); }

  llvm::DenseMap<Type, int64_t> bounds;
  bool differ = false;
};

struct BoundKeptWeightsPass : llmc::impl::BoundKeptWeightsBase<BoundKeptWeightsPass> {
  using BoundKeptWeightsBase::BoundKeptWeightsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const KeptBounds bounds(module);
    if (!bounds.areOfUse())
      return;
    // Functions take weights as arguments, whose types follow where they are made anew.
    if (failed(inlineBlocks(module)))
      return signalPassFailure();
    bounds.apply(module);
    outlineBlocks(module);
  }
};

} // namespace
