//===- QuantizeKVCache.cpp - keys and values in fewer bits ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Blocks.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace llmc;

namespace llmc {
#define GEN_PASS_DEF_QUANTIZEKVCACHE
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

static Type getElementType(MLIRContext *context, CacheFormat format) {
  Builder builder(context);
  return format == CacheFormat::F32 ? Type(builder.getF32Type()) : builder.getF16Type();
}

/// Bytes that a position of a sequence takes.
static int64_t getPositionBytes(KVCacheType type) {
  int64_t bits = type.getKeys().getIntOrFloatBitWidth() + type.getValues().getIntOrFloatBitWidth();
  return type.getHeads() * type.getHeadSize() * bits / 8;
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
  KVCacheType convert(KVCacheType type) const {
    MLIRContext *context = type.getContext();
    return KVCacheType::get(context, type.getHeads(), type.getHeadSize(), type.getCapacity(),
                            getElementType(context, keys), getElementType(context, values));
  }

  LogicalResult quantize(ModuleOp module) {
    auto step = module.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
    int64_t count = 0, before = 0, after = 0;
    if (step && !step.isExternal())
      for (BlockArgument argument : step.getArguments())
        if (auto type = dyn_cast<KVCacheType>(argument.getType())) {
          ++count;
          before += getPositionBytes(type);
          after += getPositionBytes(convert(type));
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
          argument.setType(convert(cast<KVCacheType>(argument.getType())));
      for (Operation &op : block)
        for (Value result : op.getResults())
          if (isCache(result))
            result.setType(convert(cast<KVCacheType>(result.getType())));
    }
    step.setFunctionType(FunctionType::get(
        module.getContext(), step.getBody().front().getArgumentTypes(), step.getResultTypes()));
    report(module, count, before, after);
    return success();
  }

  void report(ModuleOp module, int64_t count, int64_t before, int64_t after) {
    std::string spelled;
    llvm::raw_string_ostream(spelled) << "keys " << getElementType(module.getContext(), keys)
                                      << ", values " << getElementType(module.getContext(), values);
    auto options = remark::RemarkOpts::name(getArgument()).category("compression");
    remark::passed(module.getLoc(), options)
        << remark::metric("caches", count) << remark::metric("encoding", spelled)
        << remark::metric("bytes_per_position", after);
    if (table)
      llvm::errs() << getArgument() << ": " << count << " caches, " << spelled << ": " << after
                   << " bytes per position, " << before << " before\n";
  }
};

} // namespace
