//===- FragmentLinear.cpp - matrix products of many rows, and what all have ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FragmentLinear.h"
#include "FragmentEmitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace llmc;

/// Rows that fill several fragments are done by a warp for each tile, all others by the whole
/// block.
func::FuncOp FragmentEmitter::emit() {
  thread = k.extendUnsigned(NVVM::ThreadIdXOp::create(k.builder, k.location, k.i32()), k.i64());
  warp = k.div(thread, warpThreads);
  lane = k.rem(thread, k.integer(warpThreads));
  group = k.div(lane, 4);
  quarter = k.rem(lane, k.integer(4));
  Value fragments = k.div(k.add(rows, fragmentRows - 1), fragmentRows);
  Value whole = k.mul(k.div(fragments, mostFragments), mostFragments);
  Value count = k.sub(end, begin);
  auto bound = [&](Value index) {
    return k.add(begin, k.div(k.mul(count, index), k.target.warps));
  };
  k.loop(bound(warp), bound(k.add(warp, 1)), 1, [&](Value tile) {
    k.loop(k.integer(0), whole, mostFragments, [&](Value first) { emitFragments(tile, first); });
  });
  k.loop(begin, end, 1, [&](Value tile) {
    k.loop(whole, fragments, 1, [&](Value first) { emitTogether(tile, first); });
  });
  return k.finish();
}

/// Beyond the last row it is read again, and nothing comes of it.
FragmentEmitter::Places FragmentEmitter::findPlaces(Value tile, Value firstRow, int64_t fragments) {
  Places places{getTile(tile), {}, {}, {}};
  int64_t perBlock = inputStride() / blockInputs * 4;
  for (int64_t fragment = 0; fragment < fragments; ++fragment) {
    Value from = k.add(firstRow, fragment * fragmentRows);
    Value row = clampRow(k.add(from, group));
    places.codes.push_back(
        k.offset(input, k.add(k.mul(row, inputStride()), k.mul(quarter, threadInputs))));
    for (int64_t column = 0; column < 2; ++column) {
      Value offset = k.mul(clampRow(k.add(k.add(from, k.mul(quarter, 2)), column)), perBlock);
      places.scales.push_back(k.offset(scales, offset));
      places.sums.push_back(k.offset(sums, offset));
    }
  }
  return places;
}

LinearFunction::Values FragmentEmitter::loadWeights(Value tile, Value block) {
  auto [low, high] = codes->loadEight(k, tile, block, group, quarter);
  Value other = k.add(group, tileRows / 2);
  auto [otherLow, otherHigh] = codes->loadEight(k, tile, block, other, quarter);
  return {low, otherLow, high, otherHigh};
}

LinearFunction::Values FragmentEmitter::loadActivations(Value codes, Value block) {
  Value eight = k.load(k.i64(), k.offset(codes, k.mul(block, blockInputs)), threadInputs);
  return {k.truncate(eight, k.i32()), k.truncate(k.shr(eight, 32), k.i32())};
}

LinearFunction::Values FragmentEmitter::multiply(ArrayRef<Value> weights,
                                                 ArrayRef<Value> activations, ValueRange sums) {
  SmallVector<Type> four(4, k.i32());
  auto type = LLVM::LLVMStructType::getLiteral(k.builder.getContext(), four);
  Value product = NVVM::MmaOp::create(
      k.builder, k.location, type, weights, activations, sums,
      ArrayRef<int64_t>{tileRows, fragmentRows, blockInputs}, std::nullopt,
      NVVM::MMAIntOverflow::wrapped,
      std::array<NVVM::MMATypes, 2>{NVVM::MMATypes::u8, NVVM::MMATypes::s8},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
  Values products;
  for (int64_t i = 0; i < 4; ++i)
    products.push_back(LLVM::ExtractValueOp::create(k.builder, k.location, product, i));
  return products;
}

std::array<CodeDecoder::Scales, 2> FragmentEmitter::loadScales(Value tile, Value scaleGroup) {
  Value other = k.add(group, tileRows / 2);
  return {codes->loadScales(k, {weights, tile}, scaleGroup, group),
          codes->loadScales(k, {weights, tile}, scaleGroup, other)};
}

//===----------------------------------------------------------------------===//
// Many rows
//===----------------------------------------------------------------------===//

void FragmentEmitter::emitFragments(Value tile, Value first) {
  // All threads of the warp multiply together, also after some have stored more than others.
  NVVM::SyncWarpOp::create(k.builder, k.location, constant(-1));
  Value firstRow = k.mul(first, fragmentRows);
  Places places = findPlaces(tile, firstRow, mostFragments);
  store(tile, firstRow, isOneSum() ? sumInOne(places) : sumBlocks(places));
}

LinearFunction::Values FragmentEmitter::sumBlocks(const Places &places) {
  Values start(4 * places.codes.size(), k.real(k.f32(), 0.0)), none(4, constant(0));
  return k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, start,
                [&](Value block, ValueRange before) {
                  Values next(before);
                  Values ofBlock = loadWeights(places.tile, block);
                  std::array<Scales, 2> ofWeights = loadScales(places.tile, getScaleGroup(block));
                  for (auto [fragment, place] : llvm::enumerate(places.codes)) {
                    Values dots = multiply(ofBlock, loadActivations(place, block), none);
                    for (auto [i, dot] : llvm::enumerate(dots)) {
                      Value scale = loadOfBlock(places.scales[2 * fragment + i % 2], block);
                      Value codeSum = loadOfBlock(places.sums[2 * fragment + i % 2], block);
                      Value &sum = next[4 * fragment + i];
                      sum = codes->addDot(k, dot, ofWeights[i / 2], scale, codeSum, sum);
                    }
                  }
                  return next;
                });
}

/// Where a row's sum is one of integers: all products, and then the sums of activations' codes.
LinearFunction::Values FragmentEmitter::sumInOne(const Places &places) {
  int64_t fragments = static_cast<int64_t>(places.codes.size());
  Values start(4 * fragments, constant(0));
  start.append(2 * fragments, k.real(k.f32(), 0.0));
  Values total = k.loop(
      k.integer(0), k.integer(layout.getBlocks()), 1, start, [&](Value block, ValueRange before) {
        Values next(before);
        Values ofBlock = loadWeights(places.tile, block);
        for (int64_t fragment = 0; fragment < fragments; ++fragment) {
          Values products = multiply(ofBlock, loadActivations(places.codes[fragment], block),
                                     ArrayRef(next).slice(4 * fragment, 4));
          llvm::copy(products, next.begin() + 4 * fragment);
        }
        for (int64_t row = 0; row < 2 * fragments; ++row) {
          Value &sum = next[4 * fragments + row];
          sum = k.fadd(sum, loadOfBlock(places.sums[row], block));
        }
        return next;
      });
  std::array<Scales, 2> ofWeights = loadScales(places.tile, k.integer(0));
  Values result;
  for (int64_t i = 0; i < 4 * fragments; ++i) {
    int64_t row = i / 4 * 2 + i % 2;
    result.push_back(codes->finishDot(k, total[i], ofWeights[i % 4 / 2],
                                      k.load(k.f32(), places.scales[row]),
                                      total[4 * fragments + row]));
  }
  return result;
}

void FragmentEmitter::store(Value tile, Value firstRow, ArrayRef<Value> sums) {
  for (size_t first = 0; first < sums.size(); first += 4)
    for (size_t of = 0; of < 2; ++of) {
      Value row = k.add(firstRow, static_cast<int64_t>(first / 4 * fragmentRows + of));
      row = k.add(row, k.mul(quarter, 2));
      k.ifThen(k.lessInteger(row, rows), [&] {
        for (int64_t half = 0; half < 2; ++half)
          storeSum(sums[first + 2 * half + of], tile, row, k.add(group, half * (tileRows / 2)));
      });
    }
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// The sum of row `inTile` of a tile, unless that has been filled up there and the row ends before;
/// of the last tile, zero in the padding behind it too.
void FragmentEmitter::storeSum(Value sum, Value tile, Value row, Value inTile) {
  Value column = k.add(k.mul(tile, tileRows), inTile);
  Value place = k.add(k.mul(row, spec.outputStride * 4), k.mul(column, 4));
  auto finish = [&] {
    Value result = sum;
    if (spec.bias)
      result = k.fadd(result, k.load(k.f32(), k.offset(bias, k.mul(column, 4))));
    if (spec.residual)
      result = k.fadd(result, k.load(k.f32(), k.offset(residual, place)));
    k.store(result, k.offset(output, place));
  };
  if (spec.exactOutput && layout.rows % tileRows != 0)
    k.ifThen(k.lessInteger(column, k.integer(layout.rows)), finish);
  else
    finish();
  if (spec.exactOutput || getRowStride(layout.rows) == layout.tiles * tileRows)
    return;
  k.ifThen(k.equal(tile, k.integer(layout.tiles - 1)),
           [&] { k.store(k.real(k.f32(), 0.0), k.offset(output, k.add(place, tileRows * 4))); });
}

func::FuncOp llmc::emitFragmentLinear(ModuleOp module, StringRef name, const LinearKernel &kernel,
                                      const KernelTarget &target) {
  return FragmentEmitter(module, name, kernel, target).emit();
}
