//===- QuantizeKVCache.cpp - keys and values in fewer bits ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/LLMC/IR/CacheLayout.h"
#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/KVCache/CacheFormat.h"
#include "llmc/Transforms/KVCache/CacheRules.h"
#include "llmc/Transforms/KVCache/CacheTypes.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_QUANTIZEKVCACHE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

static std::string spellEncodings(KVCacheType type) {
  std::string text = "keys " + spellCacheEncoding(type.getKeys()) + ", values " +
                     spellCacheEncoding(type.getValues());
  if (type.getResidual() != 0)
    text += ", the newest " + std::to_string(type.getResidual()) + " and the first " +
            std::to_string(type.getSinks()) + " in f16";
  return text;
}

namespace {

struct QuantizeKVCache : public llmc::impl::QuantizeKVCacheBase<QuantizeKVCache> {
  using QuantizeKVCacheBase::QuantizeKVCacheBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(changeFlat(module, [&] { return quantize(module); })))
      signalPassFailure();
  }

private:
  LogicalResult quantize(ModuleOp module) {
    Location location = module.getLoc();
    if (keysAlong != "channels" && keysAlong != "positions")
      return emitError(location) << "expected keys-along=channels or keys-along=positions, found '"
                                 << keysAlong << "'";
    std::vector<std::string> ofKeys(keysFormats.begin(), keysFormats.end()),
        ofValues(valuesFormats.begin(), valuesFormats.end());
    auto keyRules = CacheRules::get(
        location, {"keys", keys, keysGroup, ofKeys, /*alongPositions=*/keysAlong == "positions"});
    auto valueRules = CacheRules::get(
        location, {"values", values, valuesGroup, ofValues, /*alongPositions=*/false});
    if (failed(keyRules) || failed(valueRules))
      return failure();
    auto change = changeCaches(module, [&](int64_t number, BlockArgument cache) {
      return convert(cache, keyRules->getEncoding(number), valueRules->getEncoding(number));
    });
    if (failed(change))
      return failure();
    keyRules->warnOfUnused(module);
    valueRules->warnOfUnused(module);
    report(module, *change);
    return success();
  }

  /// The type of a cache whose keys and values are stored so. Reports why that can't be, if so.
  KVCacheType convert(BlockArgument cache, CacheEncodingInterface keys,
                      CacheEncodingInterface values) {
    auto type = cast<KVCacheType>(cache.getType());
    int64_t kept = residual, first = sinks;
    if (isa<PlainAttr>(keys) && isa<PlainAttr>(values))
      kept = first = 0;
    // What is not rounded yet is kept.
    else if (getCachePositions(keys) != 1 && kept == 0)
      kept = 1;
    auto fail = [&] { return emitError(cache.getLoc()) << type << ": "; };
    return type.withEncodings(fail, keys, values, kept, first);
  }

  void report(ModuleOp module, const CacheChange &change) {
    std::string spelled = change.spell(spellEncodings);
    auto options = remark::RemarkOpts::name(getArgument()).category("compression");
    remark::passed(module.getLoc(), options)
        << remark::metric("caches", static_cast<int64_t>(change.types.size()))
        << remark::metric("encoding", spelled)
        << remark::metric("bytes_per_position", change.after.position)
        << remark::metric("state_bytes", change.after.state);
    if (table)
      llvm::errs() << getArgument() << ": " << spelled << ": " << change.after.position
                   << " bytes per position, " << change.before.position << " before; "
                   << change.after.state << " bytes of state per session, " << change.before.state
                   << " before\n";
  }
};

} // namespace
