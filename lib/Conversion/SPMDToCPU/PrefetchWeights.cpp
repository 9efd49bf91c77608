//===- PrefetchWeights.cpp - weights that are asked for before a wait ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PrefetchWeights.h"
#include "llmc/Conversion/Kernels/NextWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace llmc;

/// Bytes of a line of the cache, and what is asked for of each matrix: that with which kernels
/// begin, which ask for all that comes later.
static constexpr int64_t cacheLineBytes = 64, startBytes = 4096;

/// A stage of its own, whose share is that of the linear's stage.
static void prefetch(NextWeights weights) {
  OpBuilder builder(weights.barrier);
  Location location = weights.barrier.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(value));
  };
  auto stage = cpu::StageOp::create(builder, location, "prefetch", weights.barrier.getStep(),
                                    constant(weights.tiles.count));
  Block &body = stage.getBody().emplaceBlock();
  Value begin = body.addArgument(builder.getI64Type(), location),
        end = body.addArgument(builder.getI64Type(), location);
  builder.setInsertionPointToStart(&body);
  Value tileBytes = constant(weights.tiles.bytes);
  Value first = arith::MulIOp::create(builder, location, begin, tileBytes);
  Value tiles = arith::SubIOp::create(builder, location, end, begin);
  Value bytes = arith::MulIOp::create(builder, location, tiles, tileBytes);
  bytes = arith::MinUIOp::create(builder, location, bytes, constant(startBytes));
  Type pointer = weights.address.getType();
  auto offset = [&](Value base, Value count) -> Value {
    return LLVM::GEPOp::create(builder, location, pointer, builder.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>{count});
  };
  first = arith::AddIOp::create(builder, location, first, constant(weights.tiles.offset));
  Value start = offset(weights.address, first);
  scf::ForOp::create(
      builder, location, constant(0), bytes, constant(cacheLineBytes), ValueRange(),
      [&](OpBuilder &nested, Location, Value line, ValueRange) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPoint(nested.getInsertionBlock(), nested.getInsertionPoint());
        LLVM::Prefetch::create(builder, location, offset(start, line), builder.getI32IntegerAttr(0),
                               builder.getI32IntegerAttr(2), builder.getI32IntegerAttr(1));
        scf::YieldOp::create(builder, location);
      });
}

void llmc::prefetchNextWeights(ModuleOp code, func::FuncOp function) {
  for (const NextWeights &weights : findNextWeights(code, function))
    prefetch(weights);
}
