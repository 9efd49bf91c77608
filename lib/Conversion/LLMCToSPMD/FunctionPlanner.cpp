//===- FunctionPlanner.cpp - plans one function of a model as stages ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace llmc;

using spmd::Count;
using spmd::Field;

static int64_t getWidth(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

static bool isActivations(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 2 && tensor.isDynamicDim(0) && !tensor.isDynamicDim(1) &&
         tensor.getElementType().isF32();
}
static bool isRowIntegers(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 1 && tensor.isDynamicDim(0);
}

FunctionPlanner::FunctionPlanner(PlanContext &context, func::FuncOp source)
    : context(context), source(source), builder(source.getContext()), location(source.getLoc()) {}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

FailureOr<PlanContext::Planned> FunctionPlanner::plan() {
  auto existing = context.planned.find(source);
  if (existing != context.planned.end())
    return existing->second;
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  SmallVector<Type> types{spmd::StepType::get(builder.getContext()), pointer};
  for (Type type : source.getArgumentTypes())
    if (!isa<RowsType>(type))
      types.push_back(isa<KVCacheType>(type) ? Type(builder.getI64Type()) : pointer);
  types.append(source.getNumResults(), pointer);

  builder.setInsertionPointToEnd(context.code.getBody());
  std::string name =
      (source.getName() + (context.oneRow ? "_row_" : "_rows_") + context.target.name).str();
  function = func::FuncOp::create(builder, location, name, builder.getFunctionType(types, {}));
  function.setPrivate();
  builder.setInsertionPointToStart(function.addEntryBlock());
  step = function.getArgument(0);
  frame = function.getArgument(1);
  unsigned next = 2;
  for (BlockArgument argument : source.getArguments()) {
    if (isa<RowsType>(argument.getType()))
      continue;
    Place place;
    place.address = function.getArgument(next++);
    place.space = spaces++;
    place.end = INT64_MAX;
    if (isActivations(argument.getType()))
      place.stride = getRowStride(getWidth(argument));
    places[argument] = place;
  }
  for (Value result : source.front().getTerminator()->getOperands())
    resultAddresses[result] = function.getArgument(next++);
  if (failed(planBody()))
    return failure();
  emitBarrier();
  func::ReturnOp::create(builder, location);
  return context.planned[source] = {function, frameAllocator.getSize()};
}

FailureOr<PlanContext::Planned> FunctionPlanner::planStep(ArrayRef<int64_t> cacheOffsets) {
  isStep = true;
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  builder.setInsertionPointToEnd(context.code.getBody());
  std::string name =
      (source.getName() + (context.oneRow ? "_row_" : "_rows_") + context.target.name).str();
  function = func::FuncOp::create(
      builder, location, name,
      builder.getFunctionType({spmd::StepType::get(builder.getContext())}, {}));
  function.setPrivate();
  builder.setInsertionPointToStart(function.addEntryBlock());
  step = function.getArgument(0);
  auto field = [&](Field which) {
    return spmd::FieldOp::create(builder, location, pointer, step, which).getResult();
  };
  frame = field(Field::Arena);
  auto cacheOffset = cacheOffsets.begin();
  for (BlockArgument argument : source.getArguments()) {
    Place place;
    place.space = spaces++;
    place.end = INT64_MAX;
    if (isa<RowsType>(argument.getType()))
      continue;
    if (isRowIntegers(argument.getType()))
      place.address = field(Field::Tokens);
    else if (isa<KVCacheType>(argument.getType()))
      place.address = constant(*cacheOffset++);
    else
      return source.emitOpError("expected tokens, rows and caches as arguments of a step, found ")
             << argument.getType();
    places[argument] = place;
  }
  Operation *terminator = source.front().getTerminator();
  if (terminator->getNumOperands() != 1 || !isActivations(terminator->getOperand(0).getType()))
    return source.emitOpError("expected a step to give one value, its logits");
  resultAddresses[terminator->getOperand(0)] = field(Field::Logits);
  if (failed(planBody()))
    return failure();
  if (places[terminator->getOperand(0)].partition != Partition::OutputRows)
    return source.emitOpError("expected logits of the rows that llmc.output_rows keeps");
  func::ReturnOp::create(builder, location);
  return PlanContext::Planned{function, frameAllocator.getSize()};
}

/// Whether an operation's stage is shared out by rows.
static bool worksByRows(Operation *op) { return !isa<LinearOp, AttentionOp, func::CallOp>(op); }

SmallVector<Operation *> FunctionPlanner::order() {
  // An operation's level is the number of barriers that must come before it. Equal levels keep
  // their order, so what an operation needs comes first.
  DenseMap<Operation *, int64_t> levels;
  SmallVector<Operation *> ops;
  for (Operation &op : source.front().without_terminator()) {
    int64_t level = 0;
    for (Value operand : op.getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (!producer || isa<ParameterValueOp, PositionsOp>(producer))
        continue;
      bool together = worksByRows(producer) && worksByRows(&op);
      level = std::max(level, levels[producer] + (together ? 0 : 1));
    }
    levels[&op] = level;
    ops.push_back(&op);
  }
  std::stable_sort(ops.begin(), ops.end(),
                   [&](Operation *a, Operation *b) { return levels[a] < levels[b]; });
  return ops;
}

LinearOp FunctionPlanner::getFusedLinear(Operation *op) {
  auto add = dyn_cast<arith::AddFOp>(op);
  if (!add)
    return nullptr;
  for (Value operand : add->getOperands())
    if (auto linear = operand.getDefiningOp<LinearOp>(); linear && linear->hasOneUse())
      return linear;
  return nullptr;
}

LogicalResult FunctionPlanner::planBody() {
  if (!source.getBody().hasOneBlock())
    return source.emitOpError("expected a body of one block");
  for (Operation &op : source.front())
    for (Value operand : op.getOperands())
      ++remainingUses[operand];
  for (Operation *op : order()) {
    if (failed(planOp(op)))
      return failure();
    // A fused linear reads its operands where the addition stands.
    auto linear = dyn_cast<LinearOp>(op);
    bool deferred =
        linear && linear->hasOneUse() && getFusedLinear(*linear->user_begin()) == linear;
    if (!deferred)
      releaseOperands(op);
    if (LinearOp fused = getFusedLinear(op))
      releaseOperands(fused);
  }
  return success();
}

LogicalResult FunctionPlanner::planOp(Operation *op) {
  if (LinearOp linear = getFusedLinear(op)) {
    auto add = cast<arith::AddFOp>(op);
    Value residual = add.getLhs() == linear.getResult() ? add.getRhs() : add.getLhs();
    return planLinear(linear, residual, add.getResult());
  }
  if (auto linear = dyn_cast<LinearOp>(op)) {
    if (linear->hasOneUse() && getFusedLinear(*linear->user_begin()) == linear)
      return success();
    return planLinear(linear, nullptr, linear.getResult());
  }
  if (auto embedding = dyn_cast<EmbeddingOp>(op))
    return planEmbedding(embedding);
  if (auto rows = dyn_cast<OutputRowsOp>(op))
    return planOutputRows(rows);
  if (auto norm = dyn_cast<RMSNormOp>(op))
    return planNorm(op, norm.getInput(), norm.getGain(), nullptr);
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return planNorm(op, norm.getInput(), norm.getGain(), norm.getBias());
  if (auto rope = dyn_cast<RopeOp>(op))
    return planRope(rope);
  if (auto append = dyn_cast<CacheAppendOp>(op))
    return planAppend(append);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return planAttention(attention);
  if (auto call = dyn_cast<func::CallOp>(op))
    return planCall(call);
  if (isa<ParameterValueOp>(op)) {
    auto parameter = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(
        op, cast<ParameterValueOp>(op).getParameterAttr());
    Place place;
    place.address = pointerTo(spmd::FieldOp::create(builder, location,
                                                    LLVM::LLVMPointerType::get(op->getContext()),
                                                    step, Field::Weights),
                              context.weights.lookup(parameter).offset);
    place.space = -1; // weights are never written
    places[op->getResult(0)] = place;
    return success();
  }
  if (isa<PositionsOp>(op)) {
    Place place;
    place.address = spmd::FieldOp::create(
        builder, location, LLVM::LLVMPointerType::get(op->getContext()), step, Field::Positions);
    place.space = -1;
    places[op->getResult(0)] = place;
    return success();
  }
  if (isa<ActivationOp, GateOp, arith::AddFOp>(op))
    return planElementwise(op);
  return op->emitOpError("has no kernel for CPUs");
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value FunctionPlanner::constant(int64_t value) {
  return arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(value));
}

Value FunctionPlanner::pointerTo(Value base, int64_t offset) {
  if (offset == 0)
    return base;
  return spmd::AddressOp::create(builder, location, base.getType(), base,
                                 builder.getI64IntegerAttr(offset));
}

Value FunctionPlanner::scratch(int64_t bytes) {
  context.workerArenaBytes = std::max<int64_t>(context.workerArenaBytes, llvm::alignTo(bytes, 64));
  return spmd::FieldOp::create(builder, location, LLVM::LLVMPointerType::get(builder.getContext()),
                               step, Field::WorkerArena);
}

FunctionPlanner::Place FunctionPlanner::makeBuffer(int64_t bytesPerRow, Partition partition) {
  Place place;
  place.buffer = frameAllocator.allocate(bytesPerRow * (context.oneRow ? 1 : context.maxRows));
  place.address = pointerTo(frame, place.buffer->offset);
  place.begin = place.buffer->offset;
  place.end = place.begin + place.buffer->bytes;
  place.partition = partition;
  return place;
}

FunctionPlanner::Place FunctionPlanner::makeResult(Value value) {
  auto address = resultAddresses.find(value);
  int64_t stride = getRowStride(getWidth(value));
  Place place;
  if (address == resultAddresses.end()) {
    place = makeBuffer(stride * 4, Partition::Rows);
  } else {
    place.address = address->second;
    place.space = spaces++;
    place.end = INT64_MAX;
  }
  place.stride = stride;
  return place;
}

FunctionPlanner::Place &FunctionPlanner::place(Value value) { return places.find(value)->second; }

void FunctionPlanner::releaseOperands(Operation *op) {
  for (Value operand : op->getOperands()) {
    if (--remainingUses[operand] != 0)
      continue;
    auto found = places.find(operand);
    if (found != places.end() && found->second.buffer)
      frameAllocator.release(*found->second.buffer);
    for (auto entry = roundedPlaces.begin(); entry != roundedPlaces.end();) {
      if (entry->first.first != operand.getAsOpaquePointer()) {
        ++entry;
        continue;
      }
      for (const Place &part : {entry->second.codes, entry->second.scales, entry->second.sums})
        frameAllocator.release(*part.buffer);
      entry = roundedPlaces.erase(entry);
    }
  }
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

Access FunctionPlanner::access(const Place &place, bool write, Partition partition) {
  return {place.space, place.begin, place.end, write, partition};
}

Value FunctionPlanner::rowCount(Partition partition) {
  // With one row there may still be no logits wanted.
  if (context.oneRow && partition == Partition::Rows)
    return constant(1);
  return spmd::CountOp::create(builder, location, builder.getI64Type(), step,
                               partition == Partition::OutputRows ? Count::OutputRows
                                                                  : Count::Rows);
}

void FunctionPlanner::emitBarrier() {
  if (hazards.empty())
    return;
  spmd::BarrierOp::create(builder, location, step);
  hazards.clear();
}

void FunctionPlanner::emitStage(StringRef name, Value count, ArrayRef<Access> accesses,
                                function_ref<void(Value begin, Value end)> body) {
  if (hazards.conflicts(accesses))
    emitBarrier();
  hazards.add(accesses);
  auto stage = spmd::StageOp::create(builder, location, builder.getStringAttr(name), step, count);
  Block &block = stage.getBody().emplaceBlock();
  block.addArguments({builder.getI64Type(), builder.getI64Type()}, {location, location});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&block);
  body(block.getArgument(0), block.getArgument(1));
}

void FunctionPlanner::call(func::FuncOp kernel, ValueRange arguments) {
  func::CallOp::create(builder, location, kernel, arguments);
}

std::string FunctionPlanner::nameOf(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op)) {
    SmallVector<ParameterOp> parameters = getParametersOf(linear.getWeight());
    if (!parameters.empty())
      return parameters.front().getSymName().str();
  }
  return op->getName().stripDialect().str();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LogicalResult FunctionPlanner::planEmbedding(EmbeddingOp op) {
  auto table = cast<RankedTensorType>(op.getTable().getType());
  func::FuncOp kernel = emitEmbedding(context.code, table, context.target);
  Place indices = place(op.getIndices()), weights = place(op.getTable());
  Place output = makeResult(op.getResult());
  emitStage("embedding", rowCount(Partition::Rows), {access(output, true, Partition::Rows)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, indices.address, weights.address, output.address});
            });
  places[op.getResult()] = output;
  return success();
}

LogicalResult FunctionPlanner::planOutputRows(OutputRowsOp op) {
  func::FuncOp kernel = emitGatherRows(context.code, getWidth(op.getInput()), context.target);
  Place input = place(op.getInput());
  if (input.partition == Partition::OutputRows)
    return op.emitOpError("expected all rows of the step, found those of another llmc.output_rows");
  Value outputs = spmd::FieldOp::create(
      builder, location, LLVM::LLVMPointerType::get(op.getContext()), step, Field::Outputs);
  Place output = makeResult(op.getResult());
  output.partition = Partition::OutputRows;
  emitStage("output_rows", rowCount(Partition::OutputRows),
            {access(input, false, Partition::Other), access(output, true, Partition::OutputRows)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, outputs, input.address, output.address});
            });
  places[op.getResult()] = output;
  return success();
}

FunctionPlanner::Rounded &FunctionPlanner::getRounded(Value value, int64_t group) {
  auto [entry, isNew] = roundedPlaces.try_emplace({value.getAsOpaquePointer(), group}, Rounded());
  Rounded &rounded = entry->second;
  if (!isNew)
    return rounded;
  Place input = place(value);
  int64_t width = getWidth(value), stride = getRowStride(width);
  func::FuncOp kernel = emitRound(context.code, width, group, context.target);
  rounded.codes = makeBuffer(stride, input.partition);
  rounded.scales = makeBuffer(stride / 32 * 4, input.partition);
  rounded.sums = makeBuffer(stride / 32 * 4, input.partition);
  emitStage("round", rowCount(input.partition),
            {access(input, false, input.partition), access(rounded.codes, true, input.partition),
             access(rounded.scales, true, input.partition),
             access(rounded.sums, true, input.partition)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, input.address, rounded.codes.address,
                            rounded.scales.address, rounded.sums.address});
            });
  return rounded;
}

LogicalResult FunctionPlanner::planLinear(LinearOp op, Value residual, Value result) {
  LinearKernel kernel;
  kernel.weight = cast<RankedTensorType>(op.getWeight().getType());
  kernel.rounded = op.getActivation().has_value();
  kernel.bias = static_cast<bool>(op.getBias());
  kernel.residual = static_cast<bool>(residual);
  kernel.exactOutput = isStep && resultAddresses.contains(result);
  kernel.outputStride = kernel.exactOutput ? getWidth(result) : getRowStride(getWidth(result));
  kernel.oneRow = context.oneRow;
  if (std::string reason = explainUnsupported(kernel); !reason.empty())
    return op.emitOpError() << reason;

  SmallVector<Access> accesses;
  SmallVector<Value> operands;
  Place input = place(op.getInput());
  if (kernel.rounded) {
    Rounded &rounded = getRounded(op.getInput(), op.getActivation()->getGroup());
    for (const Place &part : {rounded.codes, rounded.scales, rounded.sums}) {
      accesses.push_back(access(part, false, Partition::Other));
      operands.push_back(part.address);
    }
  } else {
    accesses.push_back(access(input, false, Partition::Other));
    operands.push_back(input.address);
  }
  if (kernel.bias)
    operands.push_back(place(op.getBias()).address);
  if (residual) {
    Place added = place(residual);
    if (added.partition != input.partition)
      return op.emitOpError("expected a residual of the same rows");
    accesses.push_back(access(added, false, Partition::Other));
    operands.push_back(added.address);
  }
  Place output = makeResult(result);
  output.partition = input.partition;
  accesses.push_back(access(output, true, Partition::Other));
  operands.push_back(output.address);
  operands.push_back(scratch(kernel.getScratchBytes()));

  FailureOr<func::FuncOp> function = emitLinear(context.code, kernel, context.target);
  if (failed(function))
    return op.emitOpError("has no kernel for CPUs");
  Value weights = place(op.getWeight()).address;
  Value rows = rowCount(input.partition);
  TiledLayout layout = TiledLayout::get(kernel.weight);
  Value tiles = constant(layout.tiles);
  // A step may want no logits at all: the kernel for one row would compute one.
  if (context.oneRow && input.partition == Partition::OutputRows)
    tiles = arith::MulIOp::create(builder, location, tiles, rows);
  emitStage(nameOf(op), tiles, accesses, [&](Value begin, Value end) {
    SmallVector<Value> arguments{rows, begin, end, weights};
    llvm::append_range(arguments, operands);
    call(*function, arguments);
  });
  places[result] = output;
  return success();
}

LogicalResult FunctionPlanner::planNorm(Operation *op, Value input, Value gain, Value bias) {
  Place from = place(input), to = makeResult(op->getResult(0));
  to.partition = from.partition;
  func::FuncOp kernel;
  if (auto norm = dyn_cast<RMSNormOp>(op))
    kernel = emitRMSNorm(context.code, getWidth(input), norm.getGroups(),
                         norm.getEpsilon().convertToFloat(), context.target);
  else
    kernel = emitLayerNorm(context.code, getWidth(input),
                           cast<LayerNormOp>(op).getEpsilon().convertToFloat(),
                           static_cast<bool>(bias), context.target);
  SmallVector<Value> operands{from.address, place(gain).address};
  if (bias)
    operands.push_back(place(bias).address);
  operands.push_back(to.address);
  emitStage(nameOf(op), rowCount(from.partition),
            {access(from, false, from.partition), access(to, true, from.partition)},
            [&](Value begin, Value end) {
              SmallVector<Value> arguments{begin, end};
              llvm::append_range(arguments, operands);
              call(kernel, arguments);
            });
  places[op->getResult(0)] = to;
  return success();
}

FunctionPlanner::Place &FunctionPlanner::getRotation(RopeOp op) {
  auto key = std::make_pair(const_cast<void *>(op.getFrequenciesAttr().getAsOpaquePointer()),
                            const_cast<void *>(op.getScalingAttr().getAsOpaquePointer()));
  auto [entry, isNew] = rotations.try_emplace(key, Place());
  if (!isNew)
    return entry->second;
  ArrayRef<float> frequencies = op.getFrequencies();
  func::FuncOp kernel = emitRotationTable(context.code, frequencies,
                                          op.getScaling().convertToFloat(), context.target);
  Value positions = spmd::FieldOp::create(
      builder, location, LLVM::LLVMPointerType::get(op.getContext()), step, Field::Positions);
  Place table = makeBuffer(getRotationStride(frequencies.size()) * 4, Partition::Rows);
  emitStage("rotation_table", rowCount(Partition::Rows), {access(table, true, Partition::Rows)},
            [&](Value begin, Value end) { call(kernel, {begin, end, positions, table.address}); });
  return entry->second = table;
}

LogicalResult FunctionPlanner::planRope(RopeOp op) {
  Place input = place(op.getInput());
  if (input.partition == Partition::OutputRows)
    return op.emitOpError("expected all rows of the step");
  Place table = getRotation(op);
  Place output = makeResult(op.getResult());
  RotationKernel kernel{getWidth(op.getInput()), static_cast<int64_t>(op.getHeads()),
                        static_cast<int64_t>(op.getFrequencies().size()), op.getInterleaved()};
  func::FuncOp function = emitRotation(context.code, kernel, context.target);
  emitStage("rope", rowCount(Partition::Rows),
            {access(input, false, Partition::Rows), access(table, false, Partition::Rows),
             access(output, true, Partition::Rows)},
            [&](Value begin, Value end) {
              call(function, {begin, end, input.address, table.address, output.address});
            });
  places[op.getResult()] = output;
  return success();
}

/// The fields of a step that say where a row's cache is.
static SmallVector<Value> getStateFields(OpBuilder &builder, Location location, Value step) {
  SmallVector<Value> fields;
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  for (Field field : {Field::States, Field::Positions, Field::Sequences})
    fields.push_back(spmd::FieldOp::create(builder, location, pointer, step, field));
  return fields;
}

LogicalResult FunctionPlanner::planAppend(CacheAppendOp op) {
  Place keys = place(op.getKeys()), values = place(op.getValues()), cache = place(op.getCache());
  func::FuncOp kernel = emitCacheAppend(context.code, op.getCache().getType(), context.target);
  SmallVector<Value> fields = getStateFields(builder, location, step);
  emitStage("cache_append", rowCount(Partition::Rows),
            {access(keys, false, Partition::Rows), access(values, false, Partition::Rows),
             access(cache, true, Partition::Other)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, keys.address, values.address, fields[0], fields[1],
                            fields[2], cache.address});
            });
  places[op.getResult()] = cache;
  return success();
}

LogicalResult FunctionPlanner::planAttention(AttentionOp op) {
  Place query = place(op.getQuery()), cache = place(op.getCache());
  if (query.partition == Partition::OutputRows)
    return op.emitOpError("expected all rows of the step");
  Place output = makeResult(op.getResult());
  AttentionKernel kernel;
  kernel.cache = op.getCache().getType();
  kernel.heads = op.getHeads();
  kernel.scale = op.getScale().convertToFloat();
  kernel.window = op.getWindow();
  if (op.getSoftcap())
    kernel.softcap = op.getSoftcap()->convertToFloat();
  func::FuncOp function = emitAttention(context.code, kernel, context.target);
  SmallVector<Value> fields = getStateFields(builder, location, step);
  Value memory = scratch(kernel.getScratchBytes());
  Value count =
      arith::MulIOp::create(builder, location, rowCount(Partition::Rows), constant(kernel.heads));
  emitStage("attention", count,
            {access(query, false, Partition::Other), access(cache, false, Partition::Other),
             access(output, true, Partition::Other)},
            [&](Value begin, Value end) {
              call(function, {begin, end, query.address, fields[0], fields[1], fields[2],
                              cache.address, output.address, memory});
            });
  places[op.getResult()] = output;
  return success();
}

LogicalResult FunctionPlanner::planElementwise(Operation *op) {
  Value result = op->getResult(0);
  if (!isActivations(result.getType()))
    return op->emitOpError("expected activations of f32, found ") << result.getType();
  int64_t width = getWidth(result);
  func::FuncOp kernel;
  if (auto activation = dyn_cast<ActivationOp>(op))
    kernel = emitActivation(context.code, width, activation.getFunction(), context.target);
  else if (auto gate = dyn_cast<GateOp>(op))
    kernel = emitGate(context.code, width, gate.getFunction(), context.target);
  else
    kernel = emitAdd(context.code, width, context.target);
  Place output = makeResult(result);
  output.partition = place(op->getOperand(0)).partition;
  SmallVector<Access> accesses;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Place input = place(operand);
    if (input.partition != output.partition)
      return op->emitOpError("expected operands of the same rows");
    accesses.push_back(access(input, false, input.partition));
    operands.push_back(input.address);
  }
  accesses.push_back(access(output, true, output.partition));
  operands.push_back(output.address);
  emitStage(nameOf(op), rowCount(output.partition), accesses, [&](Value begin, Value end) {
    SmallVector<Value> arguments{begin, end};
    llvm::append_range(arguments, operands);
    call(kernel, arguments);
  });
  places[result] = output;
  return success();
}

LogicalResult FunctionPlanner::planCall(func::CallOp op) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, op.getCalleeAttr());
  if (!callee || callee.isExternal())
    return op.emitOpError("expected a function with a body, found ") << op.getCalleeAttr();
  FailureOr<PlanContext::Planned> planned = FunctionPlanner(context, callee).plan();
  if (failed(planned))
    return failure();
  // What the callee does not know of is finished before.
  emitBarrier();
  FrameBuffer calleeFrame = frameAllocator.allocate(planned->frameBytes);
  SmallVector<Value> arguments{step, pointerTo(frame, calleeFrame.offset)};
  for (Value operand : op.getOperands()) {
    if (isa<RowsType>(operand.getType()))
      continue;
    if (isActivations(operand.getType()) && place(operand).partition != Partition::Rows)
      return op.emitOpError("expected all rows of the step");
    arguments.push_back(place(operand).address);
  }
  for (Value result : op.getResults()) {
    if (!isActivations(result.getType()))
      return op.emitOpError("expected functions to give activations, found ") << result.getType();
    places[result] = makeResult(result);
    arguments.push_back(places[result].address);
  }
  call(planned->function, arguments);
  frameAllocator.release(calleeFrame);
  return success();
}
