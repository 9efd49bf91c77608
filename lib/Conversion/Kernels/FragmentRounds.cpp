//===- FragmentRounds.cpp - matrix products of up to 8 rows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bound by the bytes of weights, of which many have to be on their way from memory at once: the
// warps of a block share out the inputs of one tile. In a round each warp multiplies a few blocks
// of 32 inputs and leaves their sums of integers, as exact floats, in the memory that the block's
// threads share. Then each output is one thread's, which adds what the round has left for it in the
// order of blocks: that of CPUs, and the same bits. Rounds take turns in two buffers, so that one
// wait is enough for each.
//
// What a block of inputs leaves is an entry, all floats: the sums, [16 weights' rows][8 rows]; the
// scales of the 16 and of the 8; and where there are minima, these, [16], and scale · sum of codes
// of the 8. Where a row is one sum of integers, a warp leaves one of all that it has multiplied,
// [16][8], and the codes' sums of the 8.
//
//===----------------------------------------------------------------------===//

#include "FragmentEmitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace llmc;

/// LLVM's number for the memory that a block's threads share, and what all GPUs have of it for a
/// block, in bytes.
static constexpr unsigned sharedMemory = 3;
static constexpr int64_t mostShared = 48 << 10;
/// Sums of a tile and a fragment.
static constexpr int64_t entrySums = tileRows * 8;
/// Where the parts of an entry start, in floats.
static constexpr int64_t weightScales = entrySums, rowScales = weightScales + tileRows,
                         minima = rowScales + 8, rowSums = minima + tileRows;
/// Blocks of a warp in a round.
static constexpr int64_t mostBlocks = 4;
/// Lines of the second level of the cache, and how many bytes before they are loaded they are asked
/// for: as many as a block has asked for before the stage (PrefetchWeights.cpp).
static constexpr int64_t cacheLineBytes = 128, bytesAhead = 64 << 10;

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

static constexpr StringLiteral sharedName = "shared";

/// One for all kernels, as large as the largest needs.
void FragmentEmitter::reserveShared(int64_t bytes) {
  auto module = begin.getParentBlock()->getParentOp()->getParentOfType<ModuleOp>();
  auto existing = module.lookupSymbol<LLVM::GlobalOp>(sharedName);
  if (!existing) {
    OpBuilder::InsertionGuard guard(k.builder);
    k.builder.setInsertionPointToStart(module.getBody());
    existing = LLVM::GlobalOp::create(k.builder, k.location, LLVM::LLVMArrayType::get(k.i8(), 0),
                                      /*isConstant=*/false, LLVM::Linkage::Internal, sharedName,
                                      Attribute(), /*alignment=*/16, sharedMemory);
  }
  auto type = cast<LLVM::LLVMArrayType>(existing.getGlobalType());
  existing.setGlobalType(
      LLVM::LLVMArrayType::get(k.i8(), std::max<int64_t>(type.getNumElements(), bytes)));
}

Value FragmentEmitter::shared(Value bytes) {
  Type pointer = LLVM::LLVMPointerType::get(k.builder.getContext(), sharedMemory);
  Value base = LLVM::AddressOfOp::create(k.builder, k.location, pointer, sharedName);
  return LLVM::GEPOp::create(k.builder, k.location, pointer, k.i8(), base,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

void FragmentEmitter::waitForBlock() { NVVM::Barrier0Op::create(k.builder, k.location); }

int64_t FragmentEmitter::getEntryBytes() const {
  return (codes->hasMinima() ? rowSums + fragmentRows : minima) * 4;
}

int64_t FragmentEmitter::getBlocksOfWarp() const {
  return std::clamp<int64_t>(mostShared / (2 * k.target.warps * getEntryBytes()), 1, mostBlocks);
}

int64_t FragmentEmitter::getOutputs() const {
  return llvm::divideCeil(entrySums, k.target.warps * warpThreads);
}

Value FragmentEmitter::getOutput(int64_t index) {
  return k.add(thread, index * k.target.warps * warpThreads);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

void FragmentEmitter::emitTogether(Value tile, Value first) {
  // For those who still add what was left before; and warps multiply with all their threads.
  waitForBlock();
  Value firstRow = k.mul(first, fragmentRows);
  Places places = findPlaces(tile, firstRow, /*fragments=*/1);
  storeOutputs(tile, firstRow,
               isOneSum() ? addInOneTogether(places, firstRow) : addRounds(places, tile));
}

void FragmentEmitter::storeOutputs(Value tile, Value firstRow, ArrayRef<Value> sums) {
  for (auto [index, sum] : llvm::enumerate(sums)) {
    Value output = getOutput(static_cast<int64_t>(index));
    Value row = k.add(firstRow, k.rem(output, k.integer(fragmentRows)));
    k.ifThen(k.lessInteger(output, k.integer(entrySums)), [&] {
      k.ifThen(k.lessInteger(row, rows),
               [&] { storeSum(sum, tile, row, k.div(output, fragmentRows)); });
    });
  }
}

/// Asks for what the block reads of its tiles later, a line by each thread.
void FragmentEmitter::prefetch(Value tile, Value block) {
  int64_t ofBlock = layout.tileBytes / layout.getBlocks();
  int64_t lines = llvm::divideCeil(getBlocksOfWarp() * k.target.warps * ofBlock, cacheLineBytes);
  Value left = k.mul(k.sub(end, tile), layout.tileBytes);
  Value line = k.mul(k.min(thread, k.integer(lines - 1)), cacheLineBytes);
  Value ahead = k.add(k.add(k.mul(block, ofBlock), line), bytesAhead);
  k.prefetch(k.offset(getTile(tile), k.min(ahead, k.add(left, -1))));
}

//===----------------------------------------------------------------------===//
// Rounds
//===----------------------------------------------------------------------===//

LinearFunction::Values FragmentEmitter::addRounds(const Places &places, Value tile) {
  int64_t round = getBlocksOfWarp() * k.target.warps, blocks = layout.getBlocks();
  int64_t whole = blocks / round * round;
  reserveShared(2 * round * getEntryBytes());
  Values sums(getOutputs(), k.real(k.f32(), 0.0));
  if (whole > 0)
    sums = k.loop(k.integer(0), k.integer(whole), round, sums, [&](Value block, ValueRange before) {
      prefetch(tile, block);
      Value buffer = k.rem(k.div(block, round), k.integer(2));
      return addRound(places, block, round, buffer, before);
    });
  if (whole < blocks)
    sums = addRound(places, k.integer(whole), blocks - whole, k.integer(whole / round % 2), sums);
  return sums;
}

LinearFunction::Values FragmentEmitter::addRound(const Places &places, Value block, int64_t count,
                                                 Value buffer, ValueRange before) {
  int64_t ofWarp = getBlocksOfWarp(), entryBytes = getEntryBytes();
  Value start = k.mul(buffer, ofWarp * k.target.warps * entryBytes);
  Value first = k.mul(warp, ofWarp);
  for (int64_t n = 0; n < ofWarp; ++n) {
    // Beyond the last block it is multiplied again, and nobody adds that.
    Value inRound = k.add(first, n);
    Value at = k.min(k.add(block, inRound), k.integer(layout.getBlocks() - 1));
    multiplyBlock(places, at, k.add(start, k.mul(inRound, entryBytes)));
  }
  waitForBlock();
  Values sums(before);
  int64_t step = count % mostBlocks == 0 ? mostBlocks : 1;
  for (auto [index, sum] : llvm::enumerate(sums)) {
    Value output = getOutput(static_cast<int64_t>(index));
    Value is = k.lessInteger(output, k.integer(entrySums));
    sum = k.loop(k.integer(0), k.select(is, k.integer(count), k.integer(0)), step, Values{sum},
                 [&](Value entry, ValueRange carried) -> Values {
                   Value added = carried[0];
                   for (int64_t n = 0; n < step; ++n)
                     added =
                         addEntry(k.add(start, k.mul(k.add(entry, n), entryBytes)), output, added);
                   return {added};
                 })[0];
  }
  return sums;
}

/// Threads that have the same scale all store it.
void FragmentEmitter::multiplyBlock(const Places &places, Value block, Value entry) {
  Values none(4, constant(0));
  Values dots =
      multiply(loadWeights(places.tile, block), loadActivations(places.codes[0], block), none);
  std::array<Scales, 2> ofWeights = loadScales(places.tile, getScaleGroup(block));
  std::array<Value, 2> ofRows, codeSums;
  auto store = [&](Value number, int64_t part, Value index) {
    k.store(number, shared(k.add(entry, k.mul(k.add(index, part), 4))));
  };
  for (int64_t column = 0; column < 2; ++column) {
    Value index = k.add(k.mul(quarter, 2), column);
    ofRows[column] = loadOfBlock(places.scales[column], block);
    codeSums[column] = loadOfBlock(places.sums[column], block);
    store(ofRows[column], rowScales, index);
    if (codes->hasMinima())
      store(k.fmul(ofRows[column], codeSums[column]), rowSums, index);
  }
  for (int64_t half = 0; half < 2; ++half) {
    Value index = k.add(group, half * (tileRows / 2));
    store(ofWeights[half].scales, weightScales, index);
    if (codes->hasMinima())
      store(ofWeights[half].zeros, minima, index);
    for (int64_t column = 0; column < 2; ++column)
      store(codes->getExact(k, dots[2 * half + column], ofWeights[half], codeSums[column]), 0,
            k.add(k.mul(index, fragmentRows), k.add(k.mul(quarter, 2), column)));
  }
}

/// CodeDecoder::addDot, of what an entry has of an output.
Value FragmentEmitter::addEntry(Value entry, Value output, Value sum) {
  auto load = [&](int64_t part, Value index) {
    return k.load(k.f32(), shared(k.add(entry, k.mul(k.add(index, part), 4))));
  };
  Value weight = k.div(output, fragmentRows), row = k.rem(output, k.integer(fragmentRows));
  Scales ofWeight{load(weightScales, weight), {}};
  Value offset;
  if (codes->hasMinima()) {
    ofWeight.zeros = load(minima, weight);
    offset = load(rowSums, row);
  }
  return codes->addExact(k, load(0, output), ofWeight, load(rowScales, row), offset, sum);
}

//===----------------------------------------------------------------------===//
// One sum
//===----------------------------------------------------------------------===//

/// What a warp's blocks come to: sums of integers, and of activations' codes.
void FragmentEmitter::storePartialSums(const Places &places) {
  int64_t ofWarp = getBlocksOfWarp(), round = ofWarp * k.target.warps, blocks = layout.getBlocks();
  Values start(4, constant(0));
  start.append(2, k.real(k.f32(), 0.0));
  Values total =
      k.loop(k.integer(0), k.integer(blocks), round, start, [&](Value first, ValueRange before) {
        Values next(before);
        for (int64_t n = 0; n < ofWarp; ++n) {
          // Beyond the last block it is multiplied by zeros.
          Value block = k.add(k.add(first, k.mul(warp, ofWarp)), n);
          Value is = k.lessInteger(block, k.integer(blocks));
          block = k.min(block, k.integer(blocks - 1));
          Values activations = loadActivations(places.codes[0], block);
          for (Value &codesOfRow : activations)
            codesOfRow = k.select(is, codesOfRow, constant(0));
          Values products =
              multiply(loadWeights(places.tile, block), activations, ArrayRef(next).take_front(4));
          llvm::copy(products, next.begin());
          for (int64_t column = 0; column < 2; ++column) {
            Value codeSum = loadOfBlock(places.sums[column], block);
            codeSum = k.select(is, codeSum, k.real(k.f32(), 0.0));
            next[4 + column] = k.fadd(next[4 + column], codeSum);
          }
        }
        return next;
      });
  Value entry = k.mul(warp, (entrySums + fragmentRows) * 4);
  auto store = [&](Value number, Value index) {
    k.store(number, shared(k.add(entry, k.mul(index, 4))));
  };
  for (int64_t column = 0; column < 2; ++column) {
    Value row = k.add(k.mul(quarter, 2), column);
    store(total[4 + column], k.add(row, entrySums));
    for (int64_t half = 0; half < 2; ++half) {
      Value weight = k.add(group, half * (tileRows / 2));
      store(total[2 * half + column], k.add(k.mul(weight, fragmentRows), row));
    }
  }
}

LinearFunction::Values FragmentEmitter::addInOneTogether(const Places &places, Value firstRow) {
  int64_t entryBytes = (entrySums + fragmentRows) * 4, perRow = inputStride() / blockInputs * 4;
  reserveShared(k.target.warps * entryBytes);
  storePartialSums(places);
  waitForBlock();
  Values results;
  for (int64_t index = 0; index < getOutputs(); ++index) {
    Value output = k.min(getOutput(index), k.integer(entrySums - 1));
    Value weight = k.div(output, fragmentRows), row = k.rem(output, k.integer(fragmentRows));
    Value dot = constant(0), codeSum = k.real(k.f32(), 0.0);
    for (int64_t n = 0; n < k.target.warps; ++n) {
      Value entry = k.integer(n * entryBytes);
      dot = k.add(dot, k.load(k.i32(), shared(k.add(entry, k.mul(output, 4)))));
      Value ofRow = k.add(entry, k.mul(k.add(row, entrySums), 4));
      codeSum = k.fadd(codeSum, k.load(k.f32(), shared(ofRow)));
    }
    Value scale = k.offset(scales, k.mul(clampRow(k.add(firstRow, row)), perRow));
    results.push_back(
        codes->finishDot(k, dot, codes->loadScales(k, {weights, places.tile}, k.integer(0), weight),
                         k.load(k.f32(), scale), codeSum));
  }
  return results;
}
