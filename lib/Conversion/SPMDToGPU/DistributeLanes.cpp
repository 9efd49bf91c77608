//===- DistributeLanes.cpp - from vectors of 16 lanes to 16 threads ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A vector's lane i is thread i of a group:
//
//   vector<16xT>                    a T, of lane i
//   vector<64xi8>, vector<32xi16>   32 bits, of the four bytes or two halves from 4i or 2i on
//   vector<64xi1>                   32 bits, of bytes that are 0 or 255
//   vector<nxT>, n = 1, 2, 4, 8     a T, of lane i mod n: what is left when lanes are folded
//
// Everything else is the same in all threads of a group, which take the same branches.
//
//===----------------------------------------------------------------------===//

#include "GridProgram.h"
#include "LaneBytes.h"
#include "llmc/Dialect/CPU/IR/CPU.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace llmc;

/// Whether a thread has several numbers of the vector, in 32 bits.
static bool isPacked(VectorType type) {
  return type && type.getRank() == 1 && type.getNumElements() > groupThreads &&
         type.getElementType().isInteger() &&
         type.getNumElements() * type.getElementTypeBitWidth() == groupThreads * 32;
}

/// Whether it says of each of 64 bytes whether it is meant.
static bool isByteMask(VectorType type) {
  return type && type.getRank() == 1 && type.getNumElements() == groupThreads * 4 &&
         type.getElementType().isInteger(1);
}

/// What a thread has of a value, or null where that isn't said.
static Type getLaneType(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector)
    return type;
  if (vector.getRank() != 1 || vector.isScalable())
    return {};
  if (isPacked(vector) || isByteMask(vector))
    return IntegerType::get(type.getContext(), 32);
  int64_t count = vector.getNumElements();
  return count <= groupThreads && llvm::isPowerOf2_64(count) ? vector.getElementType() : Type();
}

namespace {

class LaneDistributor {
public:
  explicit LaneDistributor(func::FuncOp kernel)
      : kernel(kernel), builder(kernel.getContext()), b(builder, kernel.getLoc()) {}

  LogicalResult run() {
    SmallVector<Item> items;
    kernel.getBody().walk<WalkOrder::PreOrder>(
        [&](Operation *op) { items.push_back({op, llvm::to_vector(op->getOperandTypes())}); });
    builder.setInsertionPointToStart(&kernel.front());
    Value thread = b.threadIndex();
    lane = bitAnd(thread, groupThreads - 1);
    members =
        arith::ShLIOp::create(builder, b.location, b.integer(b.i32(), (1 << groupThreads) - 1),
                              bitAnd(thread, groupThreads));
    for (const Item &item : items)
      if (failed(distribute(item)))
        return failure();
    for (Operation *op : llvm::reverse(replaced))
      op->erase();
    return success();
  }

private:
  /// An operation, with the types that its operands had.
  struct Item {
    Operation *op;
    SmallVector<Type> operands;

    VectorType getVector(unsigned operand) const { return dyn_cast<VectorType>(operands[operand]); }
    /// What an operand is by now: seldom the vector that the operation's own accessors promise.
    Value getOperand(unsigned operand) const { return op->getOperand(operand); }
  };

  LogicalResult refuse(const Item &item, Type type) {
    return item.op->emitOpError("has no form on the lanes of a group of threads with ")
           << type << ", in kernel @" << kernel.getName();
  }

  void replace(const Item &item, Value value) {
    item.op->getResult(0).replaceAllUsesWith(value);
    replaced.push_back(item.op);
  }

  Value bitAnd(Value value, int64_t mask) {
    return arith::AndIOp::create(builder, b.location, value, b.integer(b.i32(), mask));
  }

  LogicalResult distribute(const Item &item);
  LogicalResult distributeConstant(const Item &item, arith::ConstantOp op);
  LogicalResult distributeElementwise(const Item &item);
  LogicalResult distributeShift(const Item &item, VectorType type);
  LogicalResult distributeSelect(const Item &item);
  LogicalResult distributeMask(const Item &item, LLVM::BitcastOp op);
  LogicalResult distributeExpandLoad(const Item &item, LLVM::masked_expandload op);
  LogicalResult distributeSpread(const Item &item, vector::ShuffleOp op);
  LogicalResult distributeLoad(const Item &item, LLVM::LoadOp op);
  LogicalResult distributeStore(const Item &item, LLVM::StoreOp op);
  LogicalResult distributeBroadcast(const Item &item, vector::BroadcastOp op);
  LogicalResult distributeBitCast(const Item &item, vector::BitCastOp op);
  LogicalResult distributeExtract(const Item &item, vector::ExtractOp op);
  LogicalResult distributeShuffle(const Item &item, vector::ShuffleOp op);
  LogicalResult distributeFromElements(const Item &item, vector::FromElementsOp op);
  void distributeGroupDot(const Item &item, GroupDotOp op);
  void distributeTakeBytes(const Item &item);
  void distributeTableLookup(const Item &item, cpu::TableLookupOp op);
  LogicalResult distributeBytes(const Item &item);

  /// What thread `index` (i32) of the group has of `value`; null for types that can't be shuffled.
  Value fromThread(Value value, Value index);
  /// The lane's number of 16 constants.
  Value loadLane(DenseElementsAttr numbers);
  /// The address of the lane's part of a vector at `base`.
  Value laneAddress(Value base, Type part);

  func::FuncOp kernel;
  OpBuilder builder;
  ThreadBuilder b;
  Value lane, members; ///< the thread in its group; bits of the group's threads in their warp
  DenseMap<Value, Value> masks; ///< the bits that a lane's i1 is one of
  SmallVector<Operation *> replaced;

public:
  GroupWork work;
};

} // namespace

//===----------------------------------------------------------------------===//
// Shuffles and memory
//===----------------------------------------------------------------------===//

Value LaneDistributor::fromThread(Value value, Value index) {
  Type type = value.getType();
  if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() > 32)
    return {};
  unsigned bits = type.getIntOrFloatBitWidth();
  Type integer = builder.getIntegerType(bits);
  Value sent = value;
  bool converts = !type.isF32() && bits <= 32 && !type.isInteger(32);
  if (converts) {
    if (!type.isInteger())
      sent = arith::BitcastOp::create(builder, b.location, integer, sent);
    sent = arith::ExtUIOp::create(builder, b.location, b.i32(), sent);
  }
  // Segments of 16 threads (PTX ISA, shfl.sync): bits 8 … 12 say so, bits 0 … 4 that none is
  // beyond the end.
  Value segments = b.integer(b.i32(), (groupThreads << 8) | 31);
  Value got = NVVM::ShflOp::create(
      builder, b.location, sent.getType(), members, sent, index, segments,
      NVVM::ShflKindAttr::get(builder.getContext(), NVVM::ShflKind::idx), UnitAttr());
  if (!converts)
    return got;
  got = arith::TruncIOp::create(builder, b.location, integer, got);
  return type.isInteger() ? got : arith::BitcastOp::create(builder, b.location, type, got);
}

Value LaneDistributor::laneAddress(Value base, Type part) {
  Value index = arith::ExtUIOp::create(builder, b.location, b.i64(), lane);
  int64_t bytes = part.getIntOrFloatBitWidth() / 8;
  return b.offset(base,
                  arith::MulIOp::create(builder, b.location, index, b.integer(b.i64(), bytes)));
}

Value LaneDistributor::loadLane(DenseElementsAttr numbers) {
  Type element = numbers.getElementType();
  ArrayRef<char> raw = numbers.getRawData();
  std::string name;
  llvm::raw_string_ostream(name) << "lanes_" << element << "_"
                                 << llvm::utohexstr(llvm::xxh3_64bits(
                                        ArrayRef(reinterpret_cast<const uint8_t *>(raw.data()),
                                                 raw.size())));
  auto module = kernel->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    auto flat = numbers.reshape(RankedTensorType::get({groupThreads}, element));
    LLVM::GlobalOp::create(builder, b.location, LLVM::LLVMArrayType::get(element, groupThreads),
                           /*isConstant=*/true, LLVM::Linkage::Internal, name, flat,
                           /*alignment=*/64, globalMemory);
  }
  Value table = LLVM::AddressOfOp::create(builder, b.location, b.pointer(), name);
  return LLVM::LoadOp::create(builder, b.location, element, laneAddress(table, element),
                              element.getIntOrFloatBitWidth() / 8);
}

LogicalResult LaneDistributor::distributeLoad(const Item &item, LLVM::LoadOp op) {
  auto vector = dyn_cast<VectorType>(op.getType());
  if (!vector)
    return success();
  Type part = getLaneType(vector);
  if (vector.getNumElements() < groupThreads || part.getIntOrFloatBitWidth() % 8 != 0)
    return refuse(item, vector);
  op.getAddrMutable().assign(laneAddress(op.getAddr(), part));
  op.getResult().setType(part);
  // Lines lie at multiples of what a lane has of them (TiledLayout.h, CacheLayout.h).
  op.setAlignment(part.getIntOrFloatBitWidth() / 8);
  return success();
}

LogicalResult LaneDistributor::distributeStore(const Item &item, LLVM::StoreOp op) {
  VectorType vector = item.getVector(0);
  if (!vector) {
    work.stores.insert(op);
    return success();
  }
  Type part = getLaneType(vector);
  if (vector.getNumElements() < groupThreads || part.getIntOrFloatBitWidth() % 8 != 0)
    return refuse(item, vector);
  op.getAddrMutable().assign(laneAddress(op.getAddr(), part));
  op.setAlignment(part.getIntOrFloatBitWidth() / 8);
  return success();
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

LogicalResult LaneDistributor::distributeConstant(const Item &item, arith::ConstantOp op) {
  auto vector = dyn_cast<VectorType>(op.getType());
  if (!vector)
    return success();
  auto numbers = cast<DenseElementsAttr>(op.getValue());
  if (!numbers.isSplat()) {
    if (vector.getNumElements() != groupThreads || vector.getElementTypeBitWidth() < 8)
      return refuse(item, vector);
    replace(item, loadLane(numbers));
    return success();
  }
  if (!isPacked(vector)) {
    replace(item,
            arith::ConstantOp::create(builder, b.location, numbers.getSplatValue<TypedAttr>()));
    return success();
  }
  APInt packed = APInt::getSplat(32, numbers.getSplatValue<APInt>());
  replace(item,
          arith::ConstantOp::create(builder, b.location, builder.getIntegerAttr(b.i32(), packed)));
  return success();
}

/// Both halves of 32 bits by the same constant: what would come across is masked.
LogicalResult LaneDistributor::distributeShift(const Item &item, VectorType type) {
  APInt amounts;
  if (!type.getElementType().isInteger(16) ||
      !matchPattern(item.op->getOperand(1), m_ConstantInt(&amounts)))
    return refuse(item, type);
  unsigned amount = amounts.getZExtValue() & 0xffff;
  if (amount > 15)
    return refuse(item, type);
  bool left = isa<arith::ShLIOp>(item.op);
  uint64_t mask = left ? (0xffff << amount) & 0xffff : 0xffff >> amount;
  Value value = item.op->getOperand(0), by = b.integer(b.i32(), amount), shifted;
  if (left)
    shifted = arith::ShLIOp::create(builder, b.location, value, by);
  else
    shifted = arith::ShRUIOp::create(builder, b.location, value, by);
  Value kept = arith::ConstantOp::create(
      builder, b.location, builder.getIntegerAttr(b.i32(), APInt::getSplat(32, APInt(16, mask))));
  replace(item, arith::AndIOp::create(builder, b.location, shifted, kept));
  return success();
}

LogicalResult LaneDistributor::distributeElementwise(const Item &item) {
  for (unsigned i = 0; i < item.operands.size(); ++i)
    if (VectorType type = item.getVector(i); isPacked(type) || isByteMask(type)) {
      if (isa<arith::ShLIOp, arith::ShRUIOp>(item.op))
        return distributeShift(item, type);
      if (!isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(item.op))
        return refuse(item, type);
    }
  for (Value result : item.op->getResults())
    if (!isPacked(dyn_cast<VectorType>(result.getType())) ||
        isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(item.op))
      result.setType(getLaneType(result.getType()));
    else
      return refuse(item, result.getType());
  return success();
}

LogicalResult LaneDistributor::distributeBroadcast(const Item &item, vector::BroadcastOp op) {
  VectorType type = op.getResultVectorType();
  if (item.getVector(0) || isPacked(type))
    return refuse(item, type);
  replace(item, op.getSource());
  return success();
}

LogicalResult LaneDistributor::distributeBitCast(const Item &item, vector::BitCastOp op) {
  VectorType from = item.getVector(0), to = op.getResultVectorType();
  Value value = item.getOperand(0);
  Type source = value.getType(), target = getLaneType(to);
  // Of folded lanes, those of the result would be in other threads.
  if (from.getNumElements() < groupThreads || to.getNumElements() < groupThreads ||
      source.getIntOrFloatBitWidth() != target.getIntOrFloatBitWidth())
    return refuse(item, to);
  if (source != target)
    value = arith::BitcastOp::create(builder, b.location, target, value);
  replace(item, value);
  return success();
}

LogicalResult LaneDistributor::distributeExtract(const Item &item, vector::ExtractOp op) {
  VectorType from = item.getVector(0);
  SmallVector<OpFoldResult> position = op.getMixedPosition();
  if (isPacked(from) || position.size() != 1)
    return refuse(item, from);
  if (from.getNumElements() == 1) {
    replace(item, item.getOperand(0));
    return success();
  }
  Value index;
  if (auto known = dyn_cast<Attribute>(position[0]))
    index = b.integer(b.i32(), cast<IntegerAttr>(known).getInt());
  else
    index = arith::IndexCastOp::create(builder, b.location, b.i32(), cast<Value>(position[0]));
  Value got = fromThread(item.getOperand(0), index);
  if (!got)
    return refuse(item, from);
  replace(item, got);
  return success();
}

/// Each of 16 bytes four times.
LogicalResult LaneDistributor::distributeSpread(const Item &item, vector::ShuffleOp op) {
  VectorType from = item.getVector(0), to = op.getResultVectorType();
  bool spreads = from.getNumElements() == groupThreads && from.getElementType().isInteger(8);
  for (auto [place, source] : llvm::enumerate(op.getMask()))
    spreads &= source == static_cast<int64_t>(place / 4);
  if (!spreads)
    return refuse(item, to);
  Value byte = arith::ExtUIOp::create(builder, b.location, b.i32(), op.getV1());
  replace(item, arith::MulIOp::create(builder, b.location, byte, b.integer(b.i32(), 0x01010101)));
  return success();
}

/// Lanes of the first vector: that follow each other, as foldings of lanes take them, or any 16.
LogicalResult LaneDistributor::distributeShuffle(const Item &item, vector::ShuffleOp op) {
  VectorType from = item.getVector(0), to = op.getResultVectorType();
  ArrayRef<int64_t> mask = op.getMask();
  if (isPacked(to) && !isPacked(from))
    return distributeSpread(item, op);
  bool isOfFirst = !isPacked(from), follow = true;
  for (auto [place, source] : llvm::enumerate(mask)) {
    isOfFirst &= source >= 0 && source < from.getNumElements();
    follow &= source == mask[0] + static_cast<int64_t>(place);
  }
  if (!isOfFirst || (!follow && to.getNumElements() != groupThreads))
    return refuse(item, to);
  Value index;
  if (follow) {
    index = bitAnd(lane, static_cast<int64_t>(mask.size()) - 1);
    index = arith::AddIOp::create(builder, b.location, index, b.integer(b.i32(), mask[0]));
  } else if (llvm::all_equal(mask)) {
    index = b.integer(b.i32(), mask[0]);
  } else {
    SmallVector<int32_t> sources(mask.begin(), mask.end());
    index = loadLane(DenseElementsAttr::get(VectorType::get({groupThreads}, b.i32()),
                                            ArrayRef<int32_t>(sources)));
  }
  Value got = fromThread(item.getOperand(0), index);
  if (!got)
    return refuse(item, to);
  replace(item, got);
  return success();
}

LogicalResult LaneDistributor::distributeFromElements(const Item &item, vector::FromElementsOp op) {
  auto type = cast<VectorType>(op.getType());
  if (isPacked(type))
    return refuse(item, type);
  Value index = bitAnd(lane, type.getNumElements() - 1), value = op.getElements().front();
  for (auto [place, element] : llvm::enumerate(op.getElements())) {
    if (element == value && place == 0)
      continue;
    Value is = arith::CmpIOp::create(builder, b.location, arith::CmpIPredicate::eq, index,
                                     b.integer(b.i32(), static_cast<int64_t>(place)));
    value = arith::SelectOp::create(builder, b.location, is, element, value);
  }
  replace(item, value);
  return success();
}

//===----------------------------------------------------------------------===//
// Seams to instruction sets
//===----------------------------------------------------------------------===//

/// The four bytes that a thread has of each line are those that its lane sums.
void LaneDistributor::distributeGroupDot(const Item &item, GroupDotOp op) {
  using NVVM::DotAccumulateType;
  auto bytes = [&](Value value) -> Value {
    return LLVM::BitcastOp::create(builder, b.location, VectorType::get({4}, builder.getI8Type()),
                                   value);
  };
  auto is = [&](DotAccumulateType type) {
    return NVVM::DotAccumulateTypeAttr::get(builder.getContext(), type);
  };
  Value sum = b.integer(b.i32(), 0);
  for (auto [weight, activation] : llvm::zip(op.getWeights(), op.getActivations()))
    sum = NVVM::DotAccumulate4WayOp::create(builder, b.location, b.i32(), bytes(weight),
                                            is(DotAccumulateType::UNSIGNED), bytes(activation),
                                            is(DotAccumulateType::SIGNED), sum);
  replace(item, sum);
}

/// The places, a byte each, become the nibbles of a selector.
void LaneDistributor::distributeTakeBytes(const Item &item) {
  Value places = bitAnd(item.getOperand(1), 0x03030303);
  auto right = [&](Value value, int64_t bits) -> Value {
    return arith::ShRUIOp::create(builder, b.location, value, b.integer(b.i32(), bits));
  };
  Value pairs = arith::OrIOp::create(builder, b.location, places, right(places, 4));
  Value selector = arith::OrIOp::create(builder, b.location, bitAnd(pairs, 0xff),
                                        bitAnd(right(pairs, 8), 0xff00));
  Value none = b.integer(b.i32(), 0);
  replace(item, NVVM::PermuteOp::create(
                    builder, b.location, b.i32(), item.getOperand(0), none, selector,
                    NVVM::PermuteModeAttr::get(builder.getContext(), NVVM::PermuteMode::DEFAULT)));
}

/// Thread i has number i of the table.
void LaneDistributor::distributeTableLookup(const Item &item, cpu::TableLookupOp op) {
  ArrayRef<float> table = op.getTable();
  SmallVector<float> numbers;
  for (int64_t i = 0; i < groupThreads; ++i)
    numbers.push_back(table[i % table.size()]);
  Value own = loadLane(DenseElementsAttr::get(VectorType::get({groupThreads}, builder.getF32Type()),
                                              ArrayRef<float>(numbers)));
  replace(item, fromThread(own, item.getOperand(0)));
}

LogicalResult LaneDistributor::distributeSelect(const Item &item) {
  if (!isByteMask(item.getVector(0)))
    return distributeElementwise(item);
  if (!isPacked(item.getVector(1)) || item.getVector(1).getNumElements() != groupThreads * 4)
    return refuse(item, item.getVector(1));
  replace(item,
          LaneBytes(b, lane).select(item.getOperand(0), item.getOperand(1), item.getOperand(2)));
  return success();
}

/// Bits of an integer as lanes of a mask.
LogicalResult LaneDistributor::distributeMask(const Item &item, LLVM::BitcastOp op) {
  auto to = dyn_cast<VectorType>(op.getType());
  if (!to)
    return success();
  Value bits = op.getArg();
  if (item.getVector(0) || !to.getElementType().isInteger(1) ||
      to.getNumElements() != bits.getType().getIntOrFloatBitWidth())
    return refuse(item, to);
  if (isByteMask(to)) {
    replace(item, LaneBytes(b, lane).spread(bits));
    return success();
  }
  if (to.getNumElements() != groupThreads)
    return refuse(item, to);
  Value wide = arith::ExtUIOp::create(builder, b.location, b.i32(), bits);
  Value moved = arith::ShRUIOp::create(builder, b.location, wide, lane);
  Value isSet = arith::TruncIOp::create(builder, b.location, builder.getI1Type(), moved);
  masks[isSet] = bits;
  replace(item, isSet);
  return success();
}

LogicalResult LaneDistributor::distributeExpandLoad(const Item &item, LLVM::masked_expandload op) {
  Value mask = item.getOperand(1), bits = masks.lookup(mask);
  if (!bits)
    return refuse(item, op.getResult().getType());
  replace(item, LaneBytes(b, lane).expandLoad(op.getPtr(), bits, mask, item.getOperand(2)));
  return success();
}

/// Operations of the dialect cpu on lines of 64 bytes.
LogicalResult LaneDistributor::distributeBytes(const Item &item) {
  LaneBytes bytes(b, lane);
  replace(item, llvm::TypeSwitch<Operation *, Value>(item.op)
                    .Case([&](cpu::WindowsOp op) {
                      return bytes.findWindows(item.getOperand(0), item.getOperand(1),
                                               op.getStarts());
                    })
                    .Case([&](cpu::LookUpBytesOp op) {
                      return bytes.lookUp(op.getTable(), item.getOperand(1),
                                          static_cast<int64_t>(op.getSize()), op.getByRow());
                    })
                    .Case([&](cpu::ExpandBytesOp op) {
                      return bytes.expand(op.getMask(), item.getOperand(2), [&](Value thread) {
                        return fromThread(item.getOperand(0), thread);
                      });
                    }));
  return success();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LogicalResult LaneDistributor::distribute(const Item &item) {
  Operation *op = item.op;
  for (TypeRange types : {TypeRange(item.operands), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (!getLaneType(type))
        return refuse(item, type);
      else if (isa<VectorType>(type))
        for (Operation *around = op; around != kernel; around = around->getParentOp())
          if (around->getNumRegions() > 0)
            work.withLanes.insert(around);
  builder.setInsertionPoint(op);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](arith::ConstantOp constant) { return distributeConstant(item, constant); })
      .Case([&](LLVM::LoadOp load) { return distributeLoad(item, load); })
      .Case([&](LLVM::StoreOp store) { return distributeStore(item, store); })
      .Case([&](vector::BroadcastOp broadcast) { return distributeBroadcast(item, broadcast); })
      .Case([&](vector::BitCastOp cast) { return distributeBitCast(item, cast); })
      .Case([&](vector::ExtractOp extract) { return distributeExtract(item, extract); })
      .Case([&](vector::ShuffleOp shuffle) { return distributeShuffle(item, shuffle); })
      .Case([&](vector::FromElementsOp elements) { return distributeFromElements(item, elements); })
      .Case([&](GroupDotOp dot) {
        distributeGroupDot(item, dot);
        return success();
      })
      .Case([&](cpu::TakeBytesOp) {
        distributeTakeBytes(item);
        return success();
      })
      .Case([&](cpu::TableLookupOp lookup) {
        distributeTableLookup(item, lookup);
        return success();
      })
      .Case([&](arith::SelectOp) { return distributeSelect(item); })
      .Case([&](LLVM::BitcastOp cast) { return distributeMask(item, cast); })
      .Case([&](LLVM::masked_expandload load) { return distributeExpandLoad(item, load); })
      .Case<cpu::WindowsOp, cpu::LookUpBytesOp, cpu::ExpandBytesOp>(
          [&](Operation *) { return distributeBytes(item); })
      // Other warps run while one waits for memory.
      .Case([&](LLVM::Prefetch) {
        replaced.push_back(op);
        return success();
      })
      .Case<scf::ForOp, scf::IfOp, scf::YieldOp>([&](Operation *) {
        for (Region &region : op->getRegions())
          for (Block &block : region)
            for (BlockArgument argument : block.getArguments())
              argument.setType(getLaneType(argument.getType()));
        for (Value result : op->getResults())
          result.setType(getLaneType(result.getType()));
        return success();
      })
      .Case<LLVM::FMAOp, LLVM::FAbsOp, LLVM::SqrtOp>(
          [&](Operation *) { return distributeElementwise(item); })
      .Default([&](Operation *) -> LogicalResult {
        if (op->hasTrait<OpTrait::Elementwise>())
          return distributeElementwise(item);
        for (TypeRange types : {TypeRange(item.operands), TypeRange(op->getResultTypes())})
          for (Type type : types)
            if (isa<VectorType>(type))
              return refuse(item, type);
        return success();
      });
}

FailureOr<GroupWork> llmc::distributeLanes(func::FuncOp kernel) {
  LaneDistributor distributor(kernel);
  if (failed(distributor.run()))
    return failure();
  return std::move(distributor.work);
}
