//===- UnitRemoval.cpp - channels and heads that leave a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/UnitRemoval.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Transforms/RowWidths.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"

#include <array>

using namespace mlir;
using namespace llmc;

namespace {

/// Takes the units that are not kept from everything that has them.
class UnitRemover {
public:
  explicit UnitRemover(func::FuncOp step) : step(step) {}

  LogicalResult run(ArrayRef<KeptUnits> groups) {
    for (const KeptUnits &units : groups)
      noteElements(units);
    for (auto &[op, axes] : elements)
      if (failed(cut(cast<ParameterOp>(op), axes)))
        return failure();
    for (const KeptUnits &units : groups) {
      const Share share{units.group->count, llvm::count(units.kept, true)};
      for (AttentionOp attention : units.group->attentions)
        resize(attention, units, share);
      for (Operation *op : units.group->headed)
        resizeHeads(op, share);
    }
    retype();
    return success();
  }

private:
  /// Of a matrix rows and columns, of a vector its elements: which stay; empty: all.
  using Axes = std::array<llvm::BitVector, 2>;

  void noteElements(const KeptUnits &units) {
    for (const ChannelMember &member : units.group->members) {
      ParameterOp parameter = member.parameter;
      llvm::BitVector &stays = elements[parameter][member.axis];
      if (stays.empty())
        stays.resize(parameter.getTensorType().getDimSize(member.axis), true);
      for (auto [unit, stay] : llvm::enumerate(units.kept)) {
        const int64_t first = member.begin + static_cast<int64_t>(unit) * member.perUnit;
        if (!stay)
          stays.reset(first, first + member.perUnit);
      }
    }
  }

  static SmallVector<int64_t> list(const llvm::BitVector &stays, int64_t size) {
    if (stays.empty())
      return llvm::to_vector(llvm::seq<int64_t>(0, size));
    return SmallVector<int64_t>(stays.set_bits_begin(), stays.set_bits_end());
  }

  /// Stores the elements that stay, as they are.
  static LogicalResult cut(ParameterOp parameter, const Axes &axes) {
    RankedTensorType type = parameter.getTensorType();
    if (type.getEncoding())
      return parameter.emitOpError(
                 "expected weights that are neither rounded nor pruned yet, found ")
             << type.getEncoding();
    FailureOr<ParameterReader> reader = ParameterReader::get(parameter);
    if (failed(reader))
      return failure();
    const bool isVector = type.getRank() == 1;
    const SmallVector<int64_t> rows =
        list(isVector ? llvm::BitVector() : axes[0], reader->getNumRows());
    const SmallVector<int64_t> columns =
        list(isVector ? axes[0] : axes[1], reader->getNumColumns());
    std::vector<uint8_t> bytes(rows.size() * columns.size() * type.getElementTypeBitWidth() / 8);
    std::vector<float> values(reader->getNumColumns());
    int64_t place = 0;
    for (int64_t row : rows) {
      reader->readRow(row, values);
      for (int64_t column : columns)
        writeFloat(bytes.data(), place++, type.getElementType(), values[column]);
    }
    releaseFile(parameter);
    SmallVector<int64_t> shape{static_cast<int64_t>(columns.size())};
    if (!isVector)
      shape.insert(shape.begin(), static_cast<int64_t>(rows.size()));
    setParameter(
        parameter, RankedTensorType::get(shape, type.getElementType()),
        makeParameterData(parameter.getContext(), parameter.getSymName(), std::move(bytes)));
    return success();
  }

  //===--------------------------------------------------------------------===//
  // What counts heads
  //===--------------------------------------------------------------------===//

  /// How many units of a group there were, and how many stay.
  struct Share {
    int64_t before, after;
    int64_t of(uint64_t heads) const { return static_cast<int64_t>(heads) / before * after; }
  };

  void resize(AttentionOp attention, const KeptUnits &units, Share share) {
    if (std::optional<ArrayRef<float>> slopes = attention.getSlopes()) {
      const auto perUnit = static_cast<int64_t>(slopes->size()) / share.before;
      SmallVector<float> stay;
      for (auto [head, slope] : llvm::enumerate(*slopes))
        if (units.kept[static_cast<int64_t>(head) / perUnit])
          stay.push_back(slope);
      attention.setSlopes(stay);
    }
    attention.setHeads(share.of(attention.getHeads()));
    Value cache = attention.getCache();
    while (auto append = cache.getDefiningOp<CacheAppendOp>())
      cache = append.getCache();
    caches[cache] = share.of(cast<KVCacheType>(cache.getType()).getHeads());
  }

  static void resizeHeads(Operation *op, Share share) {
    if (auto rope = dyn_cast<RopeOp>(op))
      rope.setHeads(share.of(rope.getHeads()));
    else if (auto norm = dyn_cast<RMSNormOp>(op))
      norm.setGroups(share.of(norm.getGroups()));
  }

  //===--------------------------------------------------------------------===//
  // Types
  //===--------------------------------------------------------------------===//

  void retype() {
    for (auto [cache, heads] : caches) {
      auto type = cast<KVCacheType>(cache.getType());
      cache.setType(type.withHeads(heads));
    }
    for (Operation &op : llvm::make_early_inc_range(step.getBody().front()))
      retype(&op);
    step.setFunctionType(FunctionType::get(
        step.getContext(), step.getBody().front().getArgumentTypes(), step.getResultTypes()));
  }

  /// Gives an operation the type that follows from its operands.
  void retype(Operation *op) {
    // What was updated has the type of what it was.
    if (auto attention = dyn_cast<AttentionOp>(op); attention && attention.getUpdated())
      attention.getUpdated().setType(attention.getCache().getType());
    if (auto append = dyn_cast<CacheAppendOp>(op))
      append.getResult().setType(append.getCache().getType());
    else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      cutSlice(slice);
    else
      inferRowWidth(op);
  }

  /// A slice of what a linear computes takes those of its columns that stay.
  void cutSlice(tensor::ExtractSliceOp slice) {
    Operation *source = slice.getSource().getDefiningOp();
    // Beside a linear may stand branches that add to all of its outputs: they are left out alike.
    while (isa_and_nonnull<arith::AddFOp>(source))
      source = source->getOperand(0).getDefiningOp();
    auto linear = dyn_cast_or_null<LinearOp>(source);
    SmallVector<ParameterOp> weights =
        linear ? getParametersOf(linear.getWeight()) : SmallVector<ParameterOp>();
    auto found = weights.empty() ? elements.end() : elements.find(weights.front());
    if (found == elements.end() || found->second[0].empty())
      return;
    const llvm::BitVector &stays = found->second[0];
    auto countStaying = [&](int64_t begin, int64_t end) {
      int64_t count = 0;
      for (int64_t i = begin; i < end; ++i)
        count += stays.test(i);
      return count;
    };
    const int64_t begin = slice.getStaticOffsets()[1], size = slice.getStaticSizes()[1];
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(), sizes = slice.getMixedSizes();
    OpBuilder builder(slice);
    offsets[1] = builder.getIndexAttr(countStaying(0, begin));
    sizes[1] = builder.getIndexAttr(countStaying(begin, begin + size));
    auto cutAnew = tensor::ExtractSliceOp::create(builder, slice.getLoc(), slice.getSource(),
                                                  offsets, sizes, slice.getMixedStrides());
    slice.replaceAllUsesWith(cutAnew.getResult());
    slice.erase();
  }

  func::FuncOp step;
  llvm::MapVector<Operation *, Axes> elements; ///< of parameters
  llvm::MapVector<Value, int64_t> caches;      ///< and the heads that they have then
};

} // namespace

LogicalResult llmc::keepUnits(func::FuncOp step, ArrayRef<KeptUnits> groups) {
  return UnitRemover(step).run(groups);
}
