//===- PrefetchWeights.cpp - weights that are asked for before a wait ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a group will read of weights after a wait (NextWeights.h) is brought into the second level
// of the cache: a block asks for the start of its part.
//
//===----------------------------------------------------------------------===//

#include "GridProgram.h"
#include "llmc/Conversion/Kernels/NextWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace llmc;

/// Bytes of a line of the cache, and lines of a matrix that each thread asks for: 64 KiB for a
/// block of 256 threads, which memory brings in a few microseconds, about as long as blocks wait.
static constexpr int64_t cacheLineBytes = 128, linesOfThread = 2;

namespace {

/// The weights of a linear kernel.
struct Matrix {
  Value address;
  TilesAttribute tiles;
  int64_t threads; ///< that have a share of the tiles together
};

class WeightPrefetcher {
public:
  WeightPrefetcher(ModuleOp code, func::FuncOp function, const GPUTarget &target)
      : code(code), function(function), target(target), builder(code.getContext()),
        b(builder, function.getLoc()) {}

  void run() {
    for (const NextWeights &weights : findNextWeights(code, function)) {
      Matrix matrix{weights.address, weights.tiles,
                    isOfBlock(weights.kernel) ? target.threads : groupThreads};
      prefetch(matrix, weights.barrier);
    }
  }

private:
  Value constant(int64_t value) { return b.integer(b.i64(), value); }
  Value isBelow(Value number, Value bound) {
    return arith::CmpIOp::create(builder, b.location, arith::CmpIPredicate::ult, number, bound);
  }

  /// The start of the group's share of a matrix.
  void prefetch(const Matrix &matrix, spmd::BarrierOp place) {
    builder.setInsertionPoint(place);
    auto [begin, end] = b.groupShare(constant(matrix.tiles.count), matrix.threads, target.threads);
    Value tileBytes = constant(matrix.tiles.bytes);
    Value before = arith::MulIOp::create(builder, b.location, begin, tileBytes);
    before = arith::AddIOp::create(builder, b.location, before, constant(matrix.tiles.offset));
    Value count = arith::SubIOp::create(builder, b.location, end, begin);
    Value bytes = arith::MulIOp::create(builder, b.location, count, tileBytes);
    Value address = b.offset(matrix.address, before);
    if (target.hasBulkCopies())
      prefetchAtOnce(address, bytes, matrix.threads);
    else
      prefetchLines(address, bytes, matrix.threads);
  }

  Value threadOfGroup(int64_t threads) {
    Value index = b.threadIndex();
    if (threads != target.threads)
      index = arith::AndIOp::create(builder, b.location, index, b.integer(b.i32(), threads - 1));
    return arith::ExtUIOp::create(builder, b.location, b.i64(), index);
  }

  /// By the first thread of a group.
  void prefetchAtOnce(Value address, Value bytes, int64_t threads) {
    Value first = isBelow(threadOfGroup(threads), constant(1));
    Value any = isBelow(constant(0), bytes);
    Value both = arith::AndIOp::create(builder, b.location, first, any);
    ifThen(both, [&] {
      Value most = constant(cacheLineBytes * linesOfThread * threads);
      Value size = arith::MinUIOp::create(builder, b.location, bytes, most);
      size = arith::TruncIOp::create(builder, b.location, b.i32(), size);
      NVVM::CpAsyncBulkPrefetchOp::create(builder, b.location, address, size, Value());
    });
  }

  /// A line by each thread, and then the next.
  void prefetchLines(Value address, Value bytes, int64_t threads) {
    Value first = arith::MulIOp::create(builder, b.location, threadOfGroup(threads),
                                        constant(cacheLineBytes));
    for (int64_t line = 0; line < linesOfThread; ++line) {
      Value offset = arith::AddIOp::create(builder, b.location, first,
                                           constant(line * cacheLineBytes * threads));
      ifThen(isBelow(offset, bytes), [&] {
        LLVM::Prefetch::create(builder, b.location, b.offset(address, offset),
                               builder.getI32IntegerAttr(0), builder.getI32IntegerAttr(2),
                               builder.getI32IntegerAttr(1));
      });
    }
  }

  void ifThen(Value condition, function_ref<void()> body) {
    OpBuilder::InsertionGuard guard(builder);
    auto branch = scf::IfOp::create(builder, b.location, condition, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
    body();
  }

  ModuleOp code;
  func::FuncOp function;
  const GPUTarget &target;
  OpBuilder builder;
  ThreadBuilder b;
};

} // namespace

void llmc::prefetchWeights(ModuleOp code, func::FuncOp function, const GPUTarget &target) {
  WeightPrefetcher(code, function, target).run();
}
