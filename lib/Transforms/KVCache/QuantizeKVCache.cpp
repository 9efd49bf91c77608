//===- QuantizeKVCache.cpp - keys and values in fewer bits ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CacheLayout.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/KVCache/CacheFormat.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_QUANTIZEKVCACHE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

namespace {

/// What the caches of a model take.
struct CacheBytes {
  int64_t position = 0; ///< of a sequence
  int64_t state = 0;    ///< of all positions, with what keeps addresses aligned

  void add(KVCacheType type) {
    CacheLayout layout = CacheLayout::get(placeExactPositions(type, usualRowsOfStep));
    position += layout.getPositionBytes();
    state = llvm::alignTo(state, 64) + layout.size;
  }
};

} // namespace

namespace {

struct QuantizeKVCache : public llmc::impl::QuantizeKVCacheBase<QuantizeKVCache> {
  using QuantizeKVCacheBase::QuantizeKVCacheBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return quantize(module); })))
      signalPassFailure();
  }

private:
  struct Encodings {
    CacheEncodingInterface keys, values;
    int64_t residual, sinks;

    KVCacheType convert(KVCacheType type) const {
      return KVCacheType::get(type.getContext(), type.getHeads(), type.getHeadSize(),
                              type.getCapacity(), keys, values, residual, sinks, /*ring=*/0);
    }
    /// Reports why a cache can't be stored so, if so.
    LogicalResult check(KVCacheType type, Location location) const {
      auto emit = [&] { return emitError(location) << type << ": "; };
      return KVCacheType::verify(emit, type.getHeads(), type.getHeadSize(), type.getCapacity(),
                                 keys, values, residual, sinks, /*ring=*/0);
    }
  };

  /// What the options say.
  FailureOr<Encodings> findEncodings(Location location) {
    if (keysAlong != "channels" && keysAlong != "positions")
      return emitError(location) << "expected keys-along=channels or keys-along=positions, found '"
                                 << keysAlong << "'";
    auto foundKeys = keysAlong == "positions"
                         ? findPositionEncoding(location, "keys", keys, keysGroup)
                         : findCacheEncoding(location, "keys", keys, keysGroup);
    auto foundValues = findCacheEncoding(location, "values", values, valuesGroup);
    if (failed(foundKeys) || failed(foundValues))
      return failure();
    Encodings encodings{*foundKeys, *foundValues, residual, sinks};
    if (isa<PlainAttr>(*foundKeys) && isa<PlainAttr>(*foundValues))
      encodings.residual = encodings.sinks = 0;
    // What is not rounded yet is kept.
    else if (getCachePositions(*foundKeys) != 1 && residual == 0)
      encodings.residual = 1;
    return encodings;
  }

  LogicalResult quantize(ModuleOp module) {
    FailureOr<Encodings> found = findEncodings(module.getLoc());
    if (failed(found))
      return failure();
    const Encodings &encodings = *found;
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    int64_t count = 0;
    CacheBytes before, after;
    if (step && !step.isExternal())
      for (BlockArgument argument : step.getArguments())
        if (auto type = dyn_cast<KVCacheType>(argument.getType())) {
          if (failed(encodings.check(type, argument.getLoc())))
            return failure();
          ++count;
          before.add(type);
          after.add(encodings.convert(type));
        }
    if (count == 0)
      return module.emitError("expected a model with caches, found none");
    auto isCache = [](Value value) { return isa<KVCacheType>(value.getType()); };
    for (auto call : step.getOps<func::CallOp>())
      if (llvm::any_of(call.getOperands(), isCache))
        return call.emitOpError("expected caches to be used in @")
               << step.getName() << " and its blocks alone, found one that @" << call.getCallee()
               << " takes";
    for (Block &block : step.getBody()) {
      for (BlockArgument argument : block.getArguments())
        if (isCache(argument))
          argument.setType(encodings.convert(cast<KVCacheType>(argument.getType())));
      for (Operation &op : block)
        for (Value result : op.getResults())
          if (isCache(result))
            result.setType(encodings.convert(cast<KVCacheType>(result.getType())));
    }
    step.setFunctionType(FunctionType::get(
        module.getContext(), step.getBody().front().getArgumentTypes(), step.getResultTypes()));
    report(module, count, encodings, before, after);
    return success();
  }

  void report(ModuleOp module, int64_t count, const Encodings &encodings, CacheBytes before,
              CacheBytes after) {
    std::string spelled = "keys " + spellCacheEncoding(encodings.keys) + ", values " +
                          spellCacheEncoding(encodings.values);
    if (encodings.residual != 0)
      spelled += ", the newest " + std::to_string(encodings.residual) + " and the first " +
                 std::to_string(encodings.sinks) + " in f16";
    auto options = remark::RemarkOpts::name(getArgument()).category("compression");
    remark::passed(module.getLoc(), options)
        << remark::metric("caches", count) << remark::metric("encoding", spelled)
        << remark::metric("bytes_per_position", after.position)
        << remark::metric("state_bytes", after.state);
    if (table)
      llvm::errs() << getArgument() << ": " << count << " caches, " << spelled << ": "
                   << after.position << " bytes per position, " << before.position << " before; "
                   << after.state << " bytes of state per session, " << before.state << " before\n";
  }
};

} // namespace
